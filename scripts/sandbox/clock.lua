--- The sandbox's time: the loop's clock (real, virtual or scaled), and timers on it. Each timer is a sleeping
-- task below one root, so that ending the root ends them all. On the virtual clock a timer that is not
-- cancelled would pull time forward; so what is not needed any more is cancelled, always.

local errors = require "tap.error"
local task = require "tap.core.task"

local clock = {}

local Timer = {}
Timer.__index = Timer

function Timer:cancel()
  self.task:cancel()
end

-- A failure in what a timer calls is a bug of the sandbox: it is reported, and the others go on.
local function call(fn, report)
  local ok, e = xpcall(fn, errors.with_traceback)
  if not ok and errors.is_cancel(e) then error(e, 0) end
  if not ok then report(tostring(e)) end
end

--- A clock whose timers are tasks below `root`.
---@param root table a task
---@param report fun(message: string)
---@return { now: fun(): number, after: fun(seconds: number, fn: function): table }
function clock.below(root, report)
  return {
    now = task.now,
    --- Calls fn in some seconds; the timer it returns has cancel().
    after = function(seconds, fn)
      return setmetatable({
        task = root:spawn(function()
          task.sleep(seconds)
          call(fn, report)
        end),
      }, Timer)
    end,
  }
end

return clock
