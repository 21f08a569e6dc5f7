--- UPDATE_ROLLBACK_FAILED: the rollback goes on without the resources that cannot go back. Afterwards they are not
-- what the template says; what differs is shown, for the update that brings both together again.

local tap = require "tap"

local function show_drift(ctx, s)
  local drifted, e = tap.try(require("tap.drift").detect, s.cfn, s.id)
  if not drifted then
    return ctx.out:warn("what differs now could not be found out: " .. tostring(e))
  end
  for _, one in ipairs(drifted) do
    ctx.out:note(("  %s  %s is %s"):format(one.logical_id, one.type, one.status))
    for _, difference in ipairs(one.differences) do
      ctx.out:note(("    %s: the template says %s, it is %s"):format(difference.path, difference.expected or "-",
        difference.actual or "-"))
    end
  end
end

return tap.runbook {
  name = "skip-resources", summary = "continue the rollback without the resources that cannot go back",

  applies = function(s)
    if #s:resources_to_skip() > 0 then return true end
    return false, "no resource is left in UPDATE_FAILED"
  end,

  explain = function(s)
    local skipped = table.concat(s:resources_to_skip(), ", ")
    return { does = "ContinueUpdateRollback, skipping the smallest list: " .. skipped,
      destroys = "what the failed update had made new",
      leaves = skipped .. " as they are now: the template and they differ until a fix-up update" }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    local skipped = s:resources_to_skip()
    s.stack:skip_events()
    deployment.ask(ctx, "skip", s.stack, "rollback", "continue_update_rollback", { StackName = s.id,
      ResourcesToSkip = skipped, RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "rollback", timeout = s.p.timeout, template = s.template })
    ctx.out:note("skipped, and perhaps not what the template says: " .. table.concat(skipped, ", "))
    show_drift(ctx, s)
    return "the stack can be updated again; next: an update whose template says what the skipped resources really are "
      .. "(or mend them by hand), then `tapengine drift " .. s.name .. "`"
  end,
}
