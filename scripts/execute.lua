--- Executes a change set that `deploy --no-execute` (or anybody) made: the second stage of a pipeline. With the
-- fingerprint of the first stage it is executed only if nothing has changed since.

local tap = require "tap"

-- Follows what the run had begun before it died.
local function go_on(ctx, p, t, cfn, stack, begun)
  local deployment = require "tap.deployment"
  local existing = stack:must_describe()
  stack.name, t.name = existing.StackName, existing.StackName
  local job = { ctx = ctx, p = p, target = t, cfn = cfn, stack = stack, existing = existing, began = tap.now() }
  return require("tap.aftermath").run(job, "execute", function()
    return deployment.result(job, deployment.wait(ctx, stack, t:limits(begun.verb), begun))
  end)
end

return tap.workflow {
  name = "execute",
  summary = "execute a change set that was made and looked at before",
  effects = { "cloudformation" },
  params = {
    { "change-set", "string", required = true, positional = true, help = "its name, or its ARN" },
    { "stack-name", "string", help = "the stack's name; not needed with an ARN, or when the stack file has it" },
    { "stack-file", "file", help = "how the stack is deployed; else X.stack.lua beside the template" },
    { "fingerprint", "string", help = "as `deploy --no-execute` printed it: refuse if anything differs",
      pattern = "^%x+$" },
    { "template", "file", help = "the template, to tell where in it something failed" },
    { "on-failure", "enum", values = { "ROLLBACK", "DO_NOTHING" }, default = "ROLLBACK",
      help = "what becomes of a stack whose update fails" },
    { "verify", "boolean", default = true, help = "--no-verify does not read back what was made" },
    { "timeout", "duration", help = "stop waiting after this long (default 1h, or the stack file's)" },
  },
  usage = "tapengine execute tap-20261126T100000-1a2b3c4d --stack-name web --fingerprint 9f86...",

  run = function(ctx, p)
    local changeset, rollout = require "tap.changeset", require "tap.rollout"
    local t = require("tap.target").open(ctx, p, {})
    t.template = t.path and tap.template.read(t.path)
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, t.name or p.change_set)
    local begun = require("tap.resume").last(ctx, stack)
    if begun then return go_on(ctx, p, t, cfn, stack, begun) end
    local set = changeset.find(cfn, p.change_set, t.name)
    stack = tap.stack(cfn, set.stack_id)
    local existing = stack:must_describe()
    stack.name, t.name = existing.StackName, existing.StackName
    set:check_executable()
    rollout.show(ctx, set)
    if p.fingerprint then set:check_unchanged(p.fingerprint, existing) end
    ctx:confirm(("Execute these changes on %s in %s?"):format(stack.name, ctx:where()))
    local job = { ctx = ctx, p = p, target = t, cfn = cfn, stack = stack, existing = existing, began = tap.now() }
    local options = t:limits(existing.StackStatus == "REVIEW_IN_PROGRESS" and "create" or "update")
    options.on_failure = p.on_failure
    return require("tap.aftermath").run(job, "execute", function()
      return require("tap.deployment").result(job, rollout.execute(ctx, stack, set, options))
    end)
  end,
}
