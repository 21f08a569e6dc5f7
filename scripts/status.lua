--- What state a stack is in, what that means, and what to do about it.

local tap = require "tap"

local function when(seconds)
  return seconds and tap.iso_time(seconds)
end

--- How many of its resources are in which status, and those that failed.
local function count_resources(resources)
  local counts, failed = {}, tap.list {}
  for _, resource in ipairs(resources) do
    counts[resource.ResourceStatus] = (counts[resource.ResourceStatus] or 0) + 1
    if resource.ResourceStatus:find("_FAILED$") then
      failed[#failed + 1] = { logical_id = resource.LogicalResourceId, type = resource.ResourceType,
        status = resource.ResourceStatus, reason = resource.ResourceStatusReason }
    end
  end
  return counts, failed
end

return tap.workflow {
  name = "status",
  summary = "show what state a stack is in and what to do about it",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
  },
  usage = "tapengine status --stack-name TapStackdev",

  run = function(_, p)
    local status, util = require "tap.status", require "tap.util"
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, p.stack_name)
    local found = stack:must_describe()
    local resources = stack:resources()
    local counts, failed = count_resources(resources)

    local result = {
      stack_name = found.StackName, stack_id = found.StackId, status = found.StackStatus,
      reason = found.StackStatusReason, meaning = status.meaning(found.StackStatus),
      next = status.next(found.StackStatus), settled = status.settled(found.StackStatus),
      created = when(found.CreationTime), updated = when(found.LastUpdatedTime),
      deleted = when(found.DeletionTime), protected = found.EnableTerminationProtection or false,
      resources = counts, failed = failed,
    }
    local rows = { { found.StackName, ("%s: %s"):format(result.status, result.meaning) } }
    local function row(name, value)
      if value then rows[#rows + 1] = { "  " .. name, value } end
    end
    row("next", result.next)
    row("reason", result.reason)
    row("created", result.created)
    row("updated", result.updated)
    row("deleted", result.deleted)
    row("protected", result.protected and "against deletion" or nil)
    for _, name in ipairs(util.sorted_keys(counts)) do
      row("resources", ("%d %s"):format(counts[name], name))
    end
    for _, one in ipairs(failed) do
      row("failed", ("%s  %s  %s"):format(one.logical_id, one.type, one.reason or ""))
    end
    row("id", result.stack_id)
    return result, table.concat(util.columns(rows), "\n")
  end,
}
