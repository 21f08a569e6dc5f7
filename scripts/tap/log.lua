--- The run's log: one JSON object a line in a rotating file, each with the run's id. Secrets that the process
-- knows never reach it (core/log.h).

local core = require "tap.core.log"
local errors = require "tap.error"
local sys = require "tap.core.sys"

local log = {}

local is_open = false

local function default_path()
  local state = sys.getenv("XDG_STATE_HOME")
  local home = sys.getenv("HOME")
  if not state or state == "" then state = home and home ~= "" and home .. "/.local/state" or nil end
  return state and state .. "/tapengine/tapengine.log"
end

--- Opens the log of a run. A file that was asked for must be writable; the default one is left out where
-- there is no place for it, as in a read-only container.
---@param path string? default: $XDG_STATE_HOME/tapengine/tapengine.log
---@param run_id string
function log.open(path, run_id)
  local target = path or default_path()
  if not target then return end
  local _, problem = errors.try(core.open, { path = target })
  if problem and path then
    errors.raise { class = "usage", code = "LogFile", message = "--log-file: " .. problem.message }
  end
  is_open = not problem
  if is_open then core.field("run", run_id) end
end

local function write(level)
  return function(message, fields)
    if is_open then core.write(level, message, fields) end
  end
end

---@type fun(message: string, fields: table?)
log.debug = write("debug")
---@type fun(message: string, fields: table?)
log.info = write("info")
---@type fun(message: string, fields: table?)
log.warn = write("warn")
---@type fun(message: string, fields: table?)
log.error = write("error")

--- Makes a text known as a secret: from here on it appears nowhere.
---@param text string
function log.secret(text)
  core.secret(text)
end

return log
