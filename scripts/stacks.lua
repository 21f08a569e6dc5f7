--- Lists the stacks of the account in the region.

local tap = require "tap"

return tap.workflow {
  name = "stacks",
  summary = "list the stacks of a region, those that need somebody first",
  params = {
    { "status", "list", help = "only those in one of these statuses" },
    { "match", "string", help = "only those whose name contains this" },
    { "deleted", "boolean", default = false, help = "also those that were deleted (for 90 days)" },
  },
  usage = "tapengine stacks --match web",

  run = function(_, p)
    local status, util = require "tap.status", require "tap.util"
    local wanted = {}
    for _, name in ipairs(p.status) do wanted[name] = true end
    local rank = { stuck = 1, rolled_back = 3, ok = 4 }
    local list = tap.list {}
    for item in tap.client("cloudformation"):each("list_stacks", {}) do
      local shown = next(wanted) == nil and (p.deleted or item.StackStatus ~= "DELETE_COMPLETE")
        or wanted[item.StackStatus]
      if shown and (not p.match or item.StackName:find(p.match, 1, true)) then
        local settled = status.settled(item.StackStatus)
        list[#list + 1] = { stack_name = item.StackName, stack_id = item.StackId, status = item.StackStatus,
          meaning = status.meaning(item.StackStatus), changed = tap.iso_time(item.DeletionTime
            or item.LastUpdatedTime or item.CreationTime), parent = item.ParentId,
          rank = settled and rank[status.outcome(item.StackStatus)] or 2 }
      end
    end
    table.sort(list, function(a, b)
      if a.rank ~= b.rank then return a.rank < b.rank end
      if a.stack_name ~= b.stack_name then return a.stack_name < b.stack_name end
      return a.stack_id < b.stack_id
    end)
    local rows = {}
    for index, item in ipairs(list) do
      item.rank = nil
      rows[index] = { item.stack_name, item.status, item.changed, item.parent and "nested" or "" }
    end
    return list, #rows > 0 and table.concat(util.columns(rows), "\n") or "no stacks"
  end,
}
