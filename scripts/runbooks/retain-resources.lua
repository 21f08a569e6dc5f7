--- DELETE_FAILED: the stack is deleted without the resources that resist; they stay, and are listed.

local tap = require "tap"

return tap.runbook {
  name = "retain-resources", summary = "delete the stack and leave behind what cannot be deleted",

  explain = function(s)
    local kept = {}
    for index, resource in ipairs(s:resources_in "^DELETE_FAILED$") do kept[index] = resource.LogicalResourceId end
    return { does = "DeleteStack, retaining " .. table.concat(kept, ", "), destroys = "the rest of the stack",
      leaves = table.concat(kept, ", ") .. ", outside of any stack, to be removed by hand" }
  end,

  run = function(ctx, s)
    local deployment, leftovers = require "tap.deployment", require "tap.leftovers"
    local resisting = ctx:step("see what resists", function() return s:resources_in "^DELETE_FAILED$" end)
    local kept = tap.list {}
    for index, resource in ipairs(resisting) do kept[index] = resource.LogicalResourceId end
    ctx.out:note("evidence: " .. ctx:step("evidence", function() return require("tap.evidence").save(s) end))
    s.stack:skip_events()
    deployment.ask(ctx, "delete", s.stack, "delete", "delete_stack", { StackName = s.id, RetainResources = kept,
      RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "delete", timeout = s.p.timeout, template = s.template })
    leftovers.tell(ctx, resisting)
    return "the stack is deleted, what resisted is left behind"
  end,
}
