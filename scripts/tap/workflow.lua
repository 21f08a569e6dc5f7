--- The workflow table: what it may hold, and how a file becomes one.
--
-- The table is the truth for the help, the argument check and the documentation, so it is checked when it is
-- made: a field that nobody reads is a mistake that would otherwise stay silent. A file is executed in an
-- environment of its own, so that two runs of a script share nothing by accident.

local errors = require "tap.error"
local params = require "tap.params"
local util = require "tap.util"

local workflow = {}

-- Field -> its Lua type. `effects` lists the services that a run changes; a workflow without any only reads.
local FIELDS = {
  name = "string", summary = "string", params = "table", effects = "table", usage = "string",
  run = "function", recover = "function",
}
local FIELD_NAMES = { "name", "summary", "params", "effects", "usage", "run", "recover" }
local REQUIRED = { "name", "summary", "run" }

local made = setmetatable({}, { __mode = "k" }) -- tables that went through workflow.new

local function refuse(problem)
  errors.raise { class = "usage", code = "BadWorkflow", message = problem }
end

local function check_fields(t)
  for field, value in pairs(t) do
    if not FIELDS[field] then
      refuse(("unknown field '%s'%s"):format(tostring(field), util.suggest(tostring(field), FIELD_NAMES)))
    end
    if type(value) ~= FIELDS[field] then
      refuse(("field '%s' is a %s, not a %s"):format(field, FIELDS[field], type(value)))
    end
  end
  for _, field in ipairs(REQUIRED) do
    if t[field] == nil then refuse(("field '%s' is missing"):format(field)) end
  end
end

--- Checks a workflow's table and returns it. What is wrong raises, with the nearest right name; workflow.load
-- adds the file's.
---@param t table name, summary, params, effects, usage, run, recover
---@return table workflow
function workflow.new(t)
  if type(t) ~= "table" then refuse("a workflow is a table") end
  check_fields(t)
  local specs, problem = params.check(t.params or {})
  if not specs then refuse(problem) end
  t.params, t.effects = specs, t.effects or {}
  made[t] = true
  return t
end

---@param value any
---@return boolean
function workflow.is(value)
  return type(value) == "table" and made[value] == true
end

--- True when a run changes something, as opposed to a query.
---@param wf table
---@return boolean
function workflow.changes(wf)
  return #wf.effects > 0
end

-- What is wrong with a script's own table.
local OWN_TABLE = { BadWorkflow = true, BadCheck = true, BadRunbook = true }

-- The file's name in front of what is wrong with its table.
local function name_file(path)
  return function(e)
    if errors.is(e) and OWN_TABLE[e.code] then e.message = ("%s: %s"):format(path, e.message) end
    return e
  end
end

--- Executes a script in an environment of its own, and gives what it returns. What is wrong in it raises.
---@param source string the script's text
---@param path string for messages
---@return any
function workflow.evaluate(source, path)
  source = source:gsub("^#[^\n]*", "") -- a script may start with #!, its line stays
  local environment = setmetatable({}, { __index = _G })
  local chunk, problem = load(source, "@" .. path, "t", environment)
  if not chunk then
    errors.raise { class = "usage", code = "BadScript", message = problem }
  end
  local ok, value = xpcall(chunk, name_file(path), table.unpack(arg or {}))
  if not ok then error(value, 0) end
  return value
end

--- The workflow that a script returns, or nil when it is a plain script (which has run to its end by then).
---@param source string the script's text
---@param path string for messages
---@return table? workflow
function workflow.load(source, path)
  local value = workflow.evaluate(source, path)
  if workflow.is(value) then return value end
  if type(value) == "table" and value.run then
    errors.raise { class = "usage", code = "BadWorkflow",
      message = path .. ": it returns a plain table; return tap.workflow { ... }" }
  end
  return nil
end

return workflow
