--- Ctrl-C and SIGTERM during a run.
--
-- The first one cancels the run's task, unless whoever is at the terminal chooses to go on: cleanup runs, may call AWS,
-- and is waited for. A second one quits at once. Neither stops what CloudFormation already does; the caller says
-- what that is and how to come back.

local errors = require "tap.error"
local exit = require "tap.exit"
local task = require "tap.task"

local interrupt = {}

local OUTCOMES = { INT = "interrupted", TERM = "terminated" }

--- Runs fn(). When a signal ends it, raises an error of class "interrupted" or "terminated".
---@param fn function
---@param on_signal fun(outcome: string): boolean? called at a signal, before the run is cancelled; true: go on
function interrupt.guard(fn, on_signal)
  local outcome
  local ok, problem = pcall(task.scope, function(scope)
    local watcher
    local work = scope:spawn(function()
      local done <close> = setmetatable({}, { __close = function() watcher:cancel() end }) -- luacheck: ignore
      fn()
    end)
    watcher = scope:spawn(function()
      local heard
      repeat
        heard = OUTCOMES[task.signal { "INT", "TERM" }]
      until not on_signal(heard)
      outcome = heard
      work:cancel()
      os.exit(exit.CODES[OUTCOMES[task.signal { "INT", "TERM" }]], false)
    end)
  end)
  if outcome then errors.raise { class = outcome, message = outcome } end
  if not ok then error(problem, 0) end
end

return interrupt
