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

local collection = require "tap.collection"
local errors = require "tap.error"
local util = require "tap.util"

local check = {}

local FIELDS = { name = "string", summary = "string", type = "string", output = "string", stack = "boolean",
  retry = "string", run = "function" }

local made = setmetatable({}, { __mode = "k" })

local function refuse(problem)
  errors.raise { class = "usage", code = "BadCheck", message = problem }
end

--- Checks a check's table and returns it.
---@param t { name: string, summary: string, type: string?, output: string?, stack: boolean?, retry: string?,
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

--- All checks, a team's own in ./tap/checks before the ones that ship, by their files' names.
---@return { file: string, check: table }[]
function check.all()
  local all = {}
  local function is_made(value) return type(value) == "table" and made[value] == true end
  for index, entry in ipairs(collection.load("checks", is_made, "check; return tap.check { ... }")) do
    all[index] = { file = entry.file, check = entry.value }
  end
  return all
end

---------------------------------------------------------------------------------------------------------
-- What run is given

---@class tap.Checked
---@field stack table as DescribeStacks gives it
---@field logical_id string? of the resource
---@field physical_id string?
---@field type string?
---@field properties table of the resource, as the template has them
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

--- Is this demanded: by the template, or by a stack file that says `verify = { strict = true }`?
---@param property string a boolean property of the resource
---@return boolean
function checked:asks(property)
  local asked = self.properties[property]
  return asked == true or asked == "true" or self.settings.strict == true
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
