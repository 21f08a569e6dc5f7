--- Cancels the update that is at work on a stack: what it has changed is rolled back.

local tap = require "tap"

return tap.workflow {
  name = "cancel",
  summary = "cancel a stack's update, after asking, and follow its way back",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "timeout", "duration", default = "1h", help = "stop waiting after this long; the rollback goes on" },
  },
  usage = "tapengine cancel web",

  run = function(ctx, p)
    local deployment = require "tap.deployment"
    local cfn, began = tap.client "cloudformation", tap.now()
    local stack = tap.stack(cfn, p.stack_name)
    local found = stack:must_describe()
    local begun = require("tap.resume").last(ctx, stack)
    if begun then
      return deployment.result({ cfn = cfn, began = began },
        deployment.wait(ctx, stack, { verb = "cancel", timeout = p.timeout }, begun))
    end
    if found.StackStatus ~= "UPDATE_IN_PROGRESS" then
      tap.error.raise { class = "refused", code = "NothingToCancel", message = ("%s is in %s: only an update that "
        .. "is at work can be cancelled"):format(p.stack_name, found.StackStatus) }
    end
    ctx:confirm(("Cancel the update of %s in %s?"):format(found.StackName, ctx:where()))
    local past = stack:operation_events()
    deployment.ask(ctx, "cancel", stack, "cancel", "cancel_update_stack",
      { StackName = stack.id })
    local description = deployment.wait(ctx, stack, { verb = "cancel", timeout = p.timeout, past = past })
    return deployment.result({ cfn = cfn, began = began }, description)
  end,
}
