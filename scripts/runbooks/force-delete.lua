--- DELETE_FAILED, when nothing else helps: the stack goes whatever resists, and what resisted is listed.

local tap = require "tap"

return tap.runbook {
  name = "force-delete", summary = "force the deletion: the stack goes, whatever resists stays behind",

  explain = function(s)
    local names = {}
    for index, resource in ipairs(s:resources_in "^DELETE_FAILED$") do names[index] = resource.LogicalResourceId end
    return { does = "DeleteStack with FORCE_DELETE_STACK: each is tried once more",
      destroys = "everything that can be deleted",
      leaves = "what resists again, perhaps " .. table.concat(names, ", ") .. ", outside of any stack" }
  end,

  run = function(ctx, s)
    local deployment, leftovers = require "tap.deployment", require "tap.leftovers"
    ctx.out:note("evidence: " .. ctx:step("evidence", function() return require("tap.evidence").save(s) end))
    s.stack:skip_events()
    deployment.ask(ctx, "delete", s.stack, "delete", "delete_stack", { StackName = s.id,
      DeletionMode = "FORCE_DELETE_STACK", RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "delete", timeout = s.p.timeout, template = s.template })
    s:refresh()
    local left = {}
    for _, resource in ipairs(s.resources) do
      if resource.ResourceStatus ~= "DELETE_COMPLETE" then left[#left + 1] = resource end
    end
    leftovers.tell(ctx, left)
    return "the stack is deleted"
  end,
}
