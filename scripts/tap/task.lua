--- Tasks: things that wait side by side, and always end together.
--
-- A task that fails, or that a signal or a timeout stops, takes everything below it along and waits for its
-- clean-up; nothing goes on running behind its parent's back. All of it stands on tap.core.task, in which
-- `call(f)` runs f in a child task and waits for it, and `task:spawn(f)` starts one beside it.
--
-- Cancellation is an error with code "Canceled", raised once, where the task waits. Clean-up in `<close>`
-- variables or after a pcall may wait as usual; whoever catches it raises it again.

local core = require "tap.core.task"
local errors = require "tap.core.error"
local json = require "tap.core.json"

---@class tap.Task
---@field spawn fun(self: tap.Task, f: function, ...: any): tap.Task a child; its failure is the task's
---@field wait fun(self: tap.Task): any the task's results; raises its error
---@field cancel fun(self: tap.Task) stops it and everything below it; again: without waiting in clean-up
---@field status fun(self: tap.Task): "ready"|"running"|"waiting"|"ended"|"done"|"failed"|"canceled"
---@field traceback fun(self: tap.Task): string? where the error was raised that ended it

local task = {}

--- Waits.
---@param seconds number 0 lets the other tasks that are ready go first
function task.sleep(seconds)
  return core.sleep(seconds)
end

--- Seconds since 1970, by the loop's clock.
---@return number
function task.now()
  return core.now()
end

--- Seconds that never go back, by the loop's clock.
---@return number
function task.monotonic()
  return core.monotonic()
end

--- Chooses the clock of the whole process; without an argument only tells which it is. A virtual clock stands
-- still while anything can happen and jumps to the next timer when nothing can.
---@param kind? "real"|"virtual"|"scaled"
---@param value? number virtual: the time to begin at, seconds since 1970; scaled: how many times as fast
---@return string before the clock until now
function task.clock(kind, value)
  return core.clock(kind, value)
end

--- Waits for one of the signals. From the first call on they do not end the process by themselves.
---@param names ("INT"|"TERM"|"HUP"|"WINCH"|"USR1")[]
---@return string name the one that came
function task.signal(names)
  return core.signal(names)
end

--- The task that runs.
---@return tap.Task
function task.current()
  return core.current()
end

--- Runs f(scope, ...) in a task of its own, to which scope:spawn adds others. Ends when all of them have.
-- The first failure cancels the rest and is raised here.
---@param f fun(scope: tap.Task, ...): ...
---@return any results of f
function task.scope(f, ...)
  return core.call(function(...) return f(core.current(), ...) end, ...)
end

--- Runs functions side by side.
---@param functions (fun(): any)[]
---@return any[] results in the order of the functions, one of each
function task.all(functions)
  return core.call(function()
    local scope, children, results = core.current(), {}, {}
    for index, f in ipairs(functions) do children[index] = scope:spawn(f) end
    for index, child in ipairs(children) do results[index] = (child:wait()) end
    return json.list(results)
  end)
end

local OVER = { done = true, failed = true, canceled = true }

local function expire(seconds, work)
  core.sleep(seconds)
  if OVER[work:status()] then return end -- in the same instant: its own outcome counts
  local message = ("gave up after %g s"):format(seconds)
  error(errors.new { code = "Timeout", class = "timeout", message = message }, 0)
end

--- Gives f(...)'s results. After that many seconds f is cancelled, and an error of class "timeout" raised
-- once its clean-up is done.
---@param seconds number
---@param f function
---@return any results of f
function task.timeout(seconds, f, ...)
  return task.scope(function(scope, ...)
    local work = scope:spawn(f, ...)
    local timer = scope:spawn(expire, seconds, work)
    local function stop(...)
      timer:cancel()
      return ...
    end
    return stop(work:wait())
  end, ...)
end

---@class tap.Semaphore
---@field private free integer permits that nobody has
---@field private queue { task: tap.Task, left: boolean? }[] who waits, from `first` to `last`
local semaphore = {}
semaphore.__index = semaphore

--- Lets at most n tasks at a time into `with`; the others wait their turn, first come, first served.
---@param n integer 1 or more
---@return tap.Semaphore
function task.semaphore(n)
  if math.type(n) ~= "integer" or n < 1 then error("a semaphore has 1 or more permits", 2) end
  return setmetatable({ free = n, queue = {}, first = 1, last = 0 }, semaphore)
end

---@private
function semaphore:acquire()
  if self.free > 0 then
    self.free = self.free - 1
    return
  end
  local entry = { task = core.current() }
  self.last = self.last + 1
  self.queue[self.last] = entry
  local ok, problem = pcall(core.park)
  if not ok then
    entry.left = true
    error(problem, 0)
  end
end

--- The permit goes straight to the next in line, so that nobody overtakes.
---@private
function semaphore:release()
  while self.first <= self.last do
    local entry = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    if not entry.left then
      core.unpark(entry.task)
      return
    end
  end
  self.free = self.free + 1
end

--- f(...)'s results, with a permit while it runs.
---@param f function
---@return any results of f
function semaphore:with(f, ...)
  self:acquire()
  local permit <close> = setmetatable({}, { __close = function() self:release() end }) -- luacheck: ignore
  return f(...)
end

return task
