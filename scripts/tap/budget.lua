--- The request budget of a run. An account has about five Describe calls a second for everybody (reference 9.6), so
-- that all stacks that one process follows share one budget; AWS asking for patience makes it smaller for a while.

local task = require "tap.task"

local budget = {}

local USUAL_RATE, LEAST_RATE, BURST = 4, 0.5, 4 -- calls a second; calls that may go at once
local RECOVERY = 0.05 -- calls a second that the rate gets back each second

local rate, changed_at, free_at = USUAL_RATE, nil, 0

local function current_rate(now)
  if changed_at then rate = math.min(USUAL_RATE, rate + (now - changed_at) * RECOVERY) end
  changed_at = now
  return rate
end

--- Waits until one more call may be sent.
function budget.take()
  local now = task.monotonic()
  local step = 1 / current_rate(now)
  free_at = math.max(free_at, now) + step
  local wait = free_at - now - BURST * step
  if wait > 0 then task.sleep(wait) end
end

--- The service has asked for patience.
function budget.slow_down()
  rate = math.max(LEAST_RATE, current_rate(task.monotonic()) / 2)
end

return budget
