--- The stack's last operation has ended well, and so has that of each of its resources.

local tap = require "tap"
local status = require "tap.status"

-- Rolled back to what served before is whole; rolled back to nothing is not.
local WHOLE = { UPDATE_ROLLBACK_COMPLETE = true, IMPORT_ROLLBACK_COMPLETE = true,
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = true, UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = true }

return tap.check {
  name = "stack-status", summary = "the stack and all of its resources are complete",
  stack = true,

  run = function(_, it)
    local now = it.stack.StackStatus
    local is_whole = WHOLE[now] or status.settled(now) and status.outcome(now) == "ok"
    it:expect(is_whole and now ~= "REVIEW_IN_PROGRESS", "the stack is " .. now)
    for _, resource in ipairs(it.resources) do
      it:expect(not resource.status:find("_FAILED$"), ("%s is %s: %s"):format(resource.logical_id, resource.status,
        tostring(resource.reason)))
    end
    it:note(now)
  end,
}
