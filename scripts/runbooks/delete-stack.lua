--- A stack that has never had a good state (or whose creation is to be ended): evidence first, then it is deleted, and
-- created again when the command names its template.

local tap = require "tap"

return tap.runbook {
  name = "delete-stack", summary = "keep the evidence, delete the stack, create it again when --template is given",

  applies = function(s)
    if not s.description.EnableTerminationProtection then return true end
    return false, "termination protection is on: switch it off first, knowingly"
  end,

  explain = function(s)
    local held, words = {}, require "tap.change_words"
    for _, resource in ipairs(s.resources) do
      if resource.ResourceStatus ~= "DELETE_COMPLETE" and words.holds_data(resource.ResourceType) then
        held[#held + 1] = ("%s (%s)"):format(resource.LogicalResourceId, words.noun(resource.ResourceType))
      end
    end
    return { does = "saves events, template, parameters and cause; DeleteStack" .. (s.p.template
      and "; creates it again from " .. s.p.template or ""),
      destroys = "what is left of the stack" .. (#held > 0 and ", these hold data: " .. table.concat(held, ", ") or ""),
      leaves = "what the template retains" }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    ctx.out:note("evidence: " .. ctx:step("evidence", function() return require("tap.evidence").save(s) end))
    s.stack:skip_events()
    deployment.ask(ctx, "delete", s.stack, "delete", "delete_stack", { StackName = s.id, RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "delete", timeout = s.p.timeout, template = s.template })
    if not s.p.template then return "the stack is gone; create it again once the cause is mended" end
    local rollout = require "tap.rollout"
    local values = require("tap.target_params").values { stack_name = s.name, template = s.p.template,
      stack_file = s.p.stack_file, timeout = s.p.timeout }
    rollout.run(rollout.begin(ctx, values, "deploy"))
    return "the stack was deleted and created again"
  end,
}
