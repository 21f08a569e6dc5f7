--- require "tap": what workflows are written with.
--
-- Submodules are loaded when they are first used: a workflow's table must load in well under a millisecond,
-- since `tapengine list` and the shell completion load all of them.

local tap = {}

--- Name -> the module that has it, and its name there (nil: the module itself).
local LAZY = {
  check = { "tap.check", "new" },
  client = { "tap.client", "new" },
  try = { "tap.error", "try" },
  error = { "tap.error" },
  json = { "tap.core.json" },
  null = { "tap.core.json", "null" },
  lint_rule = { "lint.rule", "new" },
  list = { "tap.core.json", "list" },
  document = { "tap.core.document" },
  all = { "tap.task", "all" },
  scope = { "tap.task", "scope" },
  semaphore = { "tap.task", "semaphore" },
  now = { "tap.task", "now" },
  monotonic = { "tap.task", "monotonic" },
  crypto = { "tap.core.crypto" },
  http = { "tap.core.http" },
  proc = { "tap.core.proc" },
  sys = { "tap.core.sys" },
  runbook = { "tap.runbook", "new" },
  s3 = { "tap.s3" },
  stack = { "tap.stack", "new" },
  template = { "tap.template" },
  log = { "tap.log" },
  iso_time = { "tap.core.text", "iso_time" },
  seconds = { "tap.util", "duration" },
}

setmetatable(tap, { __index = function(self, name)
  local entry = LAZY[name]
  if not entry then
    local names = {}
    for known in pairs(LAZY) do names[#names + 1] = known end
    for known in pairs(self) do names[#names + 1] = known end
    require("tap.error").raise { class = "usage", code = "UnknownField", message =
      "there is no tap." .. tostring(name) .. require("tap.util").suggest(tostring(name), names, "tap.") }
  end
  local value = require(entry[1])
  if entry[2] then value = value[entry[2]] end
  rawset(self, name, value)
  return value
end })

--- Checks a workflow's table and returns it.
---@param t table name, summary, params, effects, usage, run(ctx, p), recover(ctx, p, err)
---@return table
function tap.workflow(t)
  return require("tap.workflow").new(t)
end

--- A workflow that ships, also where a team's own file hides it: what that file can call, with something before and
-- something after.
---@param name string
---@return table workflow with params and run(ctx, p)
function tap.shipped(name)
  local source = require("tap.locate").embedded(name)
  if not source then
    require("tap.error").raise { class = "usage", code = "NoSuchWorkflow",
      message = ("no workflow '%s' ships%s"):format(name, require("tap.locate").suggest(name)) }
  end
  return require("tap.workflow").load(source, "embedded:" .. name .. ".lua")
end

tap.yaml = {}

--- Reads YAML (CloudFormation's short forms included) into Lua values.
---@param text string
---@param file string? for messages
function tap.yaml.decode(text, file)
  return require("tap.core.document").yaml(text, file):root()
end

--- Waits.
---@param duration number|string seconds, or "15m"
function tap.sleep(duration)
  require("tap.task").sleep(require("tap.util").duration(duration))
end

--- Runs fn and gives its results; after `duration` it is cancelled and an error of class "timeout" raised.
---@param duration number|string
---@param fn function
function tap.timeout(duration, fn, ...)
  return require("tap.task").timeout(require("tap.util").duration(duration), fn, ...)
end

--- Calls fn until it returns something true, and returns that. Errors of fn pass through: a check that may
-- fail for a while says so with tap.try.
---@param duration number|string when to give up, with an error of class "timeout"
---@param fn fun(): any
---@param options { interval: number|string }? between two calls; 2 s
---@return any
function tap.wait_until(duration, fn, options)
  local task, util = require "tap.task", require "tap.util"
  local limit = util.duration(duration)
  local interval = util.duration(options and options.interval or 2)
  local deadline = task.monotonic() + limit
  while true do
    local value = fn()
    if value then return value end
    local left = deadline - task.monotonic()
    if left < 0.001 then -- the clock counts milliseconds: a shorter sleep would not move it
      require("tap.error").raise { class = "timeout", code = "Timeout",
        message = ("gave up after %s"):format(util.show_duration(limit)) }
    end
    task.sleep(math.min(interval, left))
  end
end

return tap
