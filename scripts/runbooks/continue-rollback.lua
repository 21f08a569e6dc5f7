--- UPDATE_ROLLBACK_FAILED: the cause has been mended, and the rollback goes on from where it stopped.

local tap = require "tap"

return tap.runbook {
  name = "continue-rollback", summary = "continue the rollback, once its cause is mended",

  explain = function(s)
    local waits = {}
    for index, resource in ipairs(s:resources_in "^UPDATE_FAILED$") do waits[index] = resource.LogicalResourceId end
    return { does = ("ContinueUpdateRollback: puts %s back to what the last good template says"):format(
      #waits > 0 and table.concat(waits, ", ") or "the rest"),
      destroys = "what the failed update had made new", leaves = "nothing" }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    s.stack:skip_events()
    deployment.ask(ctx, "continue", s.stack, "rollback", "continue_update_rollback", { StackName = s.id,
      RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "rollback", timeout = s.p.timeout, template = s.template })
    return "the rollback is complete: the stack is what it was before the update"
  end,
}
