--- The sandbox's time: the loop's clock (real, virtual or scaled), and timers on it. Each timer is a sleeping
-- task below one root, so that ending the root ends them all. On the virtual clock a timer that is not
-- cancelled would pull time forward; so what is not needed any more is cancelled, always.

local task = require "tap.core.task"

local clock = {}

local Timer = {}
Timer.__index = Timer

function Timer:cancel()
  self.task:cancel()
end

--- A clock whose timers are tasks below `root`.
---@param root table a task
---@return { now: fun(): number, after: fun(seconds: number, fn: function): table }
function clock.below(root)
  return {
    now = task.now,
    --- Calls fn, which must not raise, in some seconds; the timer it returns has cancel().
    after = function(seconds, fn)
      return setmetatable({
        task = root:spawn(function()
          task.sleep(seconds)
          fn()
        end),
      }, Timer)
    end,
  }
end

return clock
