--- Attaches to the operation that is at work on a stack, from any machine, and ends as it ends.

local tap = require "tap"

return tap.workflow {
  name = "watch",
  summary = "attach to the operation at work on a stack; ends as that ends",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "template", "file", help = "the template, to tell where in it something failed" },
    { "wait", "duration", help = "wait this long for a stack, or an operation, that is not there yet" },
    { "timeout", "duration", help = "stop watching after this long; the operation goes on" },
  },
  usage = "tapengine watch web",

  run = function(ctx, p)
    local deployment, failure, status = require "tap.deployment", require "tap.failure", require "tap.status"
    local cfn, began = tap.client "cloudformation", tap.now()
    local stack = tap.stack(cfn, p.stack_name)
    local found = p.wait and tap.wait_until(p.wait, function()
      local description = stack:describe()
      return description and not status.settled(description.StackStatus) and description
    end) or stack:must_describe()
    stack.name = found.StackName
    local template = p.template and tap.template.read(p.template)

    ctx.out:to_stdout() -- the events are what was asked for
    local past = stack:operation_events()
    for _, event in ipairs(past) do ctx.out:event(event) end
    local reached, verb = found.StackStatus, status.operation(found.StackStatus)
    if status.settled(reached) then
      if status.outcome(reached) ~= "ok" then
        failure.raise(ctx, stack, { verb = verb, template = template }, found, past)
      end
      return { stack_name = stack.name, stack_id = stack.id, status = reached },
        ("%s is in %s: nothing is at work"):format(stack.name, reached)
    end
    local description = deployment.follow(ctx, stack, { verb = verb, timeout = p.timeout, template = template,
      past = past })
    return deployment.result({ cfn = cfn, began = began }, description)
  end,
}
