--- A healthy stack whose resources somebody has changed or deleted: they are brought back to what the deployed
-- template says, by a drift-aware change set, with the gates.

local tap = require "tap"

local function previous_values(description)
  local list = tap.list {}
  for index, parameter in ipairs(description.Parameters or {}) do
    list[index] = { ParameterKey = parameter.ParameterKey, UsePreviousValue = true }
  end
  return list
end

-- What is deployed, again.
local function request(s)
  local d = s.description
  return { StackName = s.id, UsePreviousTemplate = true, Parameters = previous_values(d), Tags = d.Tags,
    Capabilities = d.Capabilities, NotificationARNs = d.NotificationARNs, RoleARN = s.p.role_arn or d.RoleARN }
end

return tap.runbook {
  name = "revert-drift", summary = "bring the resources back to what the deployed template says",

  explain = function(s)
    local names = {}
    for index, one in ipairs(s.drifted) do names[index] = one.logical_id end
    return { does = "a drift-aware change set of the deployed template, shown before it is executed: "
        .. table.concat(names, ", "),
      destroys = "what was changed by hand; a property that cannot be changed in place replaces its resource",
      leaves = "nothing; nested stacks are left out, as the service leaves them out" }
  end,

  run = function(ctx, s)
    local rollout = require "tap.rollout"
    local p = require("tap.target_params").values { stack_name = s.name, timeout = s.p.timeout, revert_drift = true }
    rollout.run { ctx = ctx, p = p, target = s.target, cfn = s.cfn, stack = s.stack, existing = s.description,
      began = tap.now(), verb = "update", input = request(s), begun = require("tap.resume").last(ctx, s.stack) }
    return s.name .. " is what its template says"
  end,
}
