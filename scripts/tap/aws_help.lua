--- What `tapengine aws` can say without calling anything: the services, their operations, and what an
-- operation takes and gives. All of it is read from the service models.

local input = require "tap.aws_input"
local json = require "tap.core.json"
local model = require "tap.core.model"
local shape = require "tap.aws_shape"
local text = require "tap.core.text"
local util = require "tap.util"

local help = {}

local MAX_VALUES = 60 -- characters of an enumeration that are shown

--- "create-stack" for CreateStack.
---@param name string
---@return string
function help.kebab(name)
  return (text.snake_case(name):gsub("_", "-"))
end

--- Every service and its full name.
---@return string[] lines
function help.services()
  local rows = {}
  for index, name in ipairs(model.services()) do
    rows[index] = { name, model.load(name):metadata().serviceFullName or "" }
  end
  return util.columns(rows)
end

--- The operations of a service, as they are called here.
---@param m table of tap.core.model
---@return string[] lines
function help.operations(m)
  local lines = {}
  for index, name in ipairs(m:operations()) do lines[index] = help.kebab(name) end
  return lines
end

---------------------------------------------------------------------------------------------------------
-- Types

local type_text

local function members_text(shapes, s)
  if s.document then return "any JSON" end
  local names = json.keys(s.members)
  for index, name in ipairs(names) do
    if shapes[s.members[name].shape].type == "list" then names[index] = name .. "[]" end
  end
  return "{ " .. table.concat(names, ", ") .. " }"
end

local function string_text(_, s)
  local values = s.enum and table.concat(s.enum, "|") or ""
  return values ~= "" and #values <= MAX_VALUES and values or "text"
end

local TYPES = {
  string = string_text,
  structure = members_text,
  list = function(shapes, s) return "list of " .. type_text(shapes, s.member.shape) end,
  map = function(shapes, s) return "map of " .. type_text(shapes, s.value.shape) end,
  long = function() return "integer" end, float = function() return "number" end,
  double = function() return "number" end, timestamp = function() return "time" end,
  blob = function() return "bytes" end,
}

--- A type in a few words: "list of { Key, Value }".
type_text = function(shapes, name)
  local s = shapes[name]
  return TYPES[s.type] and TYPES[s.type](shapes, s) or s.type
end

---------------------------------------------------------------------------------------------------------
-- Operations

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do set[item] = true end
  return set
end

local function input_rows(shapes, name, taken)
  local s, rows = shapes[name], {}
  local required, stream = set_of(s.required), shape.stream_member({ shape = name }, shapes)
  for _, pass in ipairs { true, false } do -- what is required stands first
    for _, member in ipairs(json.keys(s.members)) do
      local reference = s.members[member]
      if (required[member] or false) == pass then
        local notes = { member == stream and "file" or type_text(shapes, reference.shape) }
        if shapes[reference.shape].sensitive then notes[#notes + 1] = "secret: @FILE only" end
        if pass then notes[#notes + 1] = reference.idempotencyToken and "made when left out" or "required" end
        rows[#rows + 1] = { input.option(member, taken), member, table.concat(notes, ", ") }
      end
    end
  end
  return rows
end

local function output_rows(shapes, name)
  local s, rows = shapes[name], {}
  for _, member in ipairs(json.keys(s.members)) do
    rows[#rows + 1] = { member, type_text(shapes, s.members[member].shape) }
  end
  return rows
end

local function add_section(lines, title, rows)
  lines[#lines + 1] = ""
  lines[#lines + 1] = #rows > 0 and title or title .. " nothing"
  local shown = util.columns(rows, "  ")
  table.move(shown, 1, #shown, #lines + 1, lines)
end

--- What an operation takes and gives.
---@param m table of tap.core.model
---@param operation table of the model
---@param shapes table<string, table> of tap.aws_shape.all
---@param taken table<string, any> options that are not members'
---@return string[] lines
function help.operation(m, operation, shapes, taken)
  local outfile = shape.stream_member(operation.output, shapes)
  local lines = { ("tapengine aws %s %s [options]%s"):format(m:service(), help.kebab(operation.name),
    outfile and " [FILE]" or "") }
  local takes = operation.input and input_rows(shapes, operation.input.shape, taken) or {}
  local gives = operation.output and output_rows(shapes, operation.output.shape) or {}
  add_section(lines, "Takes", takes)
  add_section(lines, "Gives", gives)
  local pages = (m:part "paginators" or {})[operation.name]
  if pages then
    local results = type(pages.result_key) == "table" and pages.result_key or { pages.result_key }
    lines[#lines + 1] = ""
    lines[#lines + 1] = ("Comes in pages, which are joined: %s."):format(table.concat(results, ", "))
  end
  if outfile then
    lines[#lines + 1] = ""
    lines[#lines + 1] = ("FILE becomes what %s has, of any size."):format(outfile)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "@FILE gives a member what is in a file. `tapengine help aws` shows the other options."
  return lines
end

return help
