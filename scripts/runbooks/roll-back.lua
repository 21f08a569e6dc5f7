--- CREATE_FAILED and UPDATE_FAILED, with rollback switched off: back to the last good state.

local tap = require "tap"

return tap.runbook {
  name = "roll-back", summary = "roll back to the last good state",

  applies = function(s)
    local config = s.description.DeploymentConfig
    if not config or config.Mode ~= "EXPRESS" then return true end
    return false, "CloudFormation refuses RollbackStack after an express deployment"
  end,

  explain = function(s)
    local created = s.status == "CREATE_FAILED"
    return { does = created and "RollbackStack: deletes what was made, since there is no good state"
      or "RollbackStack: puts everything back to what the last good template says",
      destroys = created and "everything that was made" or "what the failed update had made new",
      leaves = created and "an empty stack in ROLLBACK_COMPLETE, to be deleted" or "nothing" }
  end,

  run = function(ctx, s)
    local deployment, status = require "tap.deployment", require "tap.status"
    local created = s.status == "CREATE_FAILED"
    s.stack:skip_events()
    deployment.ask(ctx, "roll back", s.stack, "rollback", "rollback_stack", { StackName = s.id,
      RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "rollback", timeout = s.p.timeout, template = s.template })
    local reached = s:refresh().StackStatus
    return created and "what was made is gone; `tapengine recover` again deletes the empty stack"
      or ("the stack is in %s: %s"):format(reached, status.meaning(reached))
  end,
}
