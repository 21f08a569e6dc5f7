--- The check table: what verify runs. A check reads the real thing back and says whether it is as it should be.
--
--     return tap.check {
--       name = "queue", summary = "queues are encrypted", type = "AWS::SQS::Queue",
--       run = function(ctx, it)
--         local queue = ctx:client "sqs"
--         local found = queue:get_queue_attributes { QueueUrl = it.physical_id, AttributeNames = { "All" } }
--         it:expect(found.Attributes.SqsManagedSseEnabled == "true", "it is not encrypted")
--       end,
--     }
--
-- What only good practice demands, and not the template, is asked for when the stack file says `strict` (it:asks).
-- It applies to the resources of a type, to the outputs whose key matches, or to the stack once. `it:expect` collects
-- what is wrong; `it:wait` says that it is not right yet and may become so, which is tried again until `retry` is over.
-- `settings` says what a stack file may set (it.settings): name -> { Lua type, what it does, fields of a table? }; the
-- name "*" stands for any.

local collection = require "tap.collection"
local errors = require "tap.error"
local util = require "tap.util"

local check = {}

local FIELDS = { name = "string", summary = "string", type = "string", output = "string", stack = "boolean",
  retry = "string", settings = "table", run = "function" }

local STRICT = { "boolean", "demands good practice also where the template does not ask for it" }

local made = setmetatable({}, { __mode = "k" })

local function refuse(problem)
  errors.raise { class = "usage", code = "BadCheck", message = problem }
end

--- Checks a check's table and returns it.
---@param t { name: string, summary: string, type: string?, output: string?, stack: boolean?, retry: string?,
---  settings: table<string, { [1]: string, [2]: string, [3]: table<string, string>? }>?,
---  run: fun(ctx: tap.Context, it: tap.Checked) } one of type (a resource type), output (a pattern of keys), stack
---@return table check
function check.new(t)
  collection.check_fields(t, FIELDS, "BadCheck", "a check")
  if not t.name or not t.summary or not t.run then refuse("a check needs name, summary and run") end
  local targets = (t.type and 1 or 0) + (t.output and 1 or 0) + (t.stack and 1 or 0)
  if targets ~= 1 then refuse("a check applies to one of: type, output, stack") end
  t.retry_seconds = util.duration(t.retry or "0s")
  made[t] = true
  return t
end

---------------------------------------------------------------------------------------------------------
-- Finding them

--- All checks, a team's own in ./tap/checks before the ones that ship, by their files' names. Raises class "usage" when
--- two have one name.
---@return { file: string, check: table }[]
function check.all()
  local all, files = {}, {}
  local function is_made(value) return type(value) == "table" and made[value] == true end
  for index, entry in ipairs(collection.load("checks", is_made, "check; return tap.check { ... }")) do
    local name = entry.value.name
    if files[name] then
      refuse(("%s and %s are both called '%s'; a file that takes another's place has the same file name"):format(
        files[name], entry.file, name))
    end
    files[name], all[index] = entry.file, { file = entry.file, check = entry.value }
  end
  return all
end

---------------------------------------------------------------------------------------------------------
-- What a stack file says

-- What is wrong with a check's settings; nil when nothing is.
local function wrong_setting(one, settings)
  local known = setmetatable({ strict = STRICT }, { __index = one.settings })
  for _, name in ipairs(util.sorted_keys(settings)) do
    local kind, value = known[name] or known["*"], settings[name]
    if not kind then
      return ("the check '%s' has no setting '%s'%s"):format(one.name, tostring(name),
        util.suggest(tostring(name), util.sorted_keys(one.settings or {})))
    elseif type(value) ~= kind[1] then
      return ("setting '%s' of the check '%s' is a %s, not a %s: %s"):format(tostring(name), one.name, type(value),
        kind[1], kind[2])
    end
    local where = ("'%s' of the check '%s'"):format(tostring(name), one.name)
    local _, e = errors.try(collection.check_fields, kind[3] and value or {}, kind[3] or {}, "BadStackFile", where)
    if e then return e.message end
  end
end

-- The same for one entry of a stack file's `verify`.
local function wrong_entry(by_name, name, value)
  if name == "strict" then return type(value) ~= "boolean" and "'strict' is true or false" or nil end
  if not by_name[name] then
    return ("there is no check '%s'%s"):format(tostring(name), util.suggest(tostring(name), util.sorted_keys(by_name)))
  end
  if type(value) == "table" then return wrong_setting(by_name[name], value) end
  return type(value) ~= "boolean" and ("the check '%s' is set to false, or to a table"):format(name) or nil
end

--- Looks through a stack file's `verify`, since a name that is misspelt would check nothing, silently. Raises class
--- "usage".
---@param settings table? check name -> false (off) or its settings; strict -> boolean
---@param path string of the stack file, for messages
function check.demand_settings(settings, path)
  if not settings then return end
  local by_name = {}
  for _, entry in ipairs(check.all()) do by_name[entry.check.name] = entry.check end
  for _, name in ipairs(util.sorted_keys(settings)) do
    local problem = wrong_entry(by_name, name, settings[name])
    if problem then
      errors.raise { class = "usage", code = "BadStackFile", message = ("%s: verify: %s"):format(path, problem) }
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- What run is given

---@class tap.Checked
---@field stack table as DescribeStacks gives it
---@field logical_id string? of the resource
---@field physical_id string?
---@field type string?
---@field properties table of the resource, as the template asks for them (tap.asked)
---@field key string? of the output
---@field value string?
---@field settings table what the stack file says for this check
local checked = {}
checked.__index = checked

--- An `it` for one attempt.
---@param fields table
---@return tap.Checked
function check.subject(fields)
  local it = setmetatable({ problems = {}, waiting = {}, notes = {} }, checked)
  for name, value in pairs(fields) do it[name] = value end
  return it
end

--- Something that must be so.
---@param condition any
---@param problem string what is wrong when it is not
---@return boolean
function checked:expect(condition, problem)
  if not condition then self.problems[#self.problems + 1] = problem end
  return condition and true or false
end

--- Something that must be so and may take a while.
---@param condition any
---@param problem string what is still missing
---@return boolean
function checked:wait(condition, problem)
  if not condition then self.waiting[#self.waiting + 1] = problem end
  return condition and true or false
end

local BOOLEANS = { ["true"] = true, ["false"] = false }

--- What the template asks for.
---@param path string of a property of the resource: "SSESpecification.SSEEnabled", "Rules.1.Status"
---@return any value nil when the template does not say; "true" and "false" are booleans
function checked:asked(path)
  local value = self.properties
  for name in path:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[math.tointeger(tonumber(name)) or name]
  end
  if BOOLEANS[value] ~= nil then return BOOLEANS[value] end
  return value
end

--- Is this demanded: by the template, or by a stack file that says `verify = { strict = true }`?
---@param path string of a boolean property of the resource
---@return boolean
function checked:asks(path)
  return self:asked(path) == true or self.settings.strict == true
end

--- A fact for the report.
---@param text string
function checked:note(text)
  self.notes[#self.notes + 1] = text
end

--- Says that there is nothing to check here: the check does not count.
function checked:skip()
  self.skipped = true
end

return check
