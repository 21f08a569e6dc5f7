--- Does a value satisfy the constraints of the template parameter that it is for? With the service's texts,
-- and a second text that says what the service leaves out: which constraint it was.

local json = require "tap.core.json"
local regex = require "tap.regex"

local constraints = {}

local MAX_BYTES = 4096

local function length(value)
  return utf8.len(value) or #value
end

local function is_number_type(kind)
  return kind == "Number" or kind == "List<Number>"
end

local function is_list_type(kind)
  return kind == "CommaDelimitedList" or kind:find("^List<") ~= nil
end

--- A template writes numbers and strings alike; the service compares texts.
---@param value any
---@return string
function constraints.text(value)
  if math.type(value) == "float" and value == math.floor(value) then return ("%.0f"):format(value) end
  return tostring(value)
end

-- Each: the service's text after "Parameter 'P' must ", and which constraint it was; nil when satisfied.
local CHECKS = {
  function(definition, value)
    if not is_number_type(definition.Type) then return nil end
    local number = tonumber(value)
    if not number then return "be a number.", "Type " .. definition.Type end
    local least, most = tonumber(definition.MinValue), tonumber(definition.MaxValue)
    if least and number < least then
      local bound = constraints.text(definition.MinValue)
      return "be a number not less than " .. bound, "MinValue " .. bound
    end
    if most and number > most then
      local bound = constraints.text(definition.MaxValue)
      return "be a number not greater than " .. bound, "MaxValue " .. bound
    end
    return nil
  end,
  function(definition, value)
    local least, most = tonumber(definition.MinLength), tonumber(definition.MaxLength)
    if least and length(value) < least then
      return ("contain at least %s characters"):format(least), ("MinLength %s"):format(least)
    end
    if most and length(value) > most then
      return ("contain at most %s characters"):format(most), ("MaxLength %s"):format(most)
    end
    return nil
  end,
  function(definition, value)
    local pattern = definition.AllowedPattern
    if type(pattern) ~= "string" or regex.matches(pattern, value) ~= false then return nil end
    return "match pattern " .. pattern, "AllowedPattern " .. pattern
  end,
  function(definition, value)
    if type(definition.AllowedValues) ~= "table" then return nil end
    local allowed = {}
    for index, candidate in ipairs(definition.AllowedValues) do
      allowed[index] = constraints.text(candidate)
      if allowed[index] == value then return nil end
    end
    return "be one of AllowedValues", "AllowedValues " .. table.concat(allowed, ", ")
  end,
}

local function elements(kind, value)
  if not is_list_type(kind) then return { value } end
  local list = {}
  for element in value:gmatch("[^,]+") do list[#list + 1] = element:match("^%s*(.-)%s*$") end
  return list
end

--- The first constraint that a value breaks.
---@param name string of the parameter
---@param definition table from the template
---@param value string
---@return string? message as the service says it; nil when the value is fine
---@return string? which "AllowedPattern ^[a-z]+$"
function constraints.check(name, definition, value)
  if #value > MAX_BYTES then
    return ("Parameter %s exceeds the maximum parameter value length of %d bytes."):format(name, MAX_BYTES),
      "size"
  end
  for _, element in ipairs(elements(definition.Type, value)) do
    for _, check in ipairs(CHECKS) do
      local text, which = check(definition, element)
      local described = definition.ConstraintDescription
      if text and type(described) == "string" then
        return ("Parameter %s failed to satisfy constraint: %s"):format(name, described), which
      elseif text then
        return ("Parameter '%s' must %s"):format(name, text), which
      end
    end
  end
  return nil
end

--- A value from a parameter file as the text that the service takes: a list is joined with commas.
---@param value any
---@return string? nil for what has no such form (a map, null)
function constraints.value_text(value)
  if value == json.null then return nil end
  if type(value) ~= "table" then return constraints.text(value) end
  if not json.is_list(value) then return nil end
  local parts = {}
  for index, element in ipairs(value) do
    if type(element) == "table" or element == json.null then return nil end
    parts[index] = constraints.text(element)
  end
  return table.concat(parts, ",")
end

return constraints
