--- Executes a change set that `deploy --no-execute` (or anybody) made: the second stage of a pipeline. With the
-- fingerprint of the first stage it is executed only if nothing has changed since.

local tap = require "tap"

return tap.workflow {
  name = "execute",
  summary = "execute a change set that was made and looked at before",
  effects = { "cloudformation" },
  params = {
    { "change-set", "string", required = true, positional = true, help = "its name, or its ARN" },
    { "stack-name", "string", help = "the stack's name; not needed with an ARN" },
    { "fingerprint", "string", help = "as `deploy --no-execute` printed it: refuse if anything differs",
      pattern = "^%x+$" },
    { "template", "file", help = "the template, to tell where in it something failed" },
    { "on-failure", "enum", values = { "ROLLBACK", "DO_NOTHING" }, default = "ROLLBACK",
      help = "what becomes of a stack whose update fails" },
    { "timeout", "duration", default = "1h", help = "stop waiting after this long; the operation goes on" },
  },
  usage = "tapengine execute tap-20261126T100000-1a2b3c4d --stack-name web --fingerprint 9f86...",

  run = function(ctx, p)
    local changeset, rollout = require "tap.changeset", require "tap.rollout"
    local cfn = tap.client "cloudformation"
    local set = changeset.find(cfn, p.change_set, p.stack_name)
    local stack = tap.stack(cfn, set.stack_id)
    local existing = stack:must_describe()
    stack.name = existing.StackName
    set:check_executable()
    rollout.show(ctx, set)
    if p.fingerprint then set:check_unchanged(p.fingerprint, existing) end
    ctx:confirm(("Execute these changes on %s in %s?"):format(stack.name, ctx:where()))
    local verb = existing.StackStatus == "REVIEW_IN_PROGRESS" and "create" or "update"
    local began = tap.now()
    local description = rollout.execute(ctx, stack, set, { verb = verb, timeout = p.timeout,
      on_failure = p.on_failure, template = p.template and tap.template.read(p.template) })
    return require("tap.deployment").result({ cfn = cfn, began = began }, description)
  end,
}
