--- Request constraints, by the service's own model: required members, lengths, ranges, enums, patterns, with
-- the texts of the services' common validation layer. Services add what their models do not say.

local json = require "tap.core.json"
local models = require "tap.core.model"
local regex = require "tap.regex"
local fault = require "sandbox.fault"

local constraints = {}

-- service -> { model, shapes = name -> shape, inputs = operation -> name }; a model's tables are copied by
-- each look-up.
local cache = {}

local function model_of(service)
  if not cache[service] then
    cache[service] = { model = models.load(service), shapes = {}, matchers = {}, matched = {}, inputs = {} }
  end
  return cache[service]
end

-- The name of the shape of an operation's input; false when it has none.
local function input_of(known, operation)
  if known.inputs[operation] == nil then
    known.inputs[operation] = (known.model:operation(operation).input or {}).shape or false
  end
  return known.inputs[operation]
end

local function shape_of(known, name)
  if known.shapes[name] == nil then known.shapes[name] = known.model:shape(name) or false end
  return known.shapes[name] or {}
end

local function matches(known, pattern, text)
  if known.matchers[pattern] == nil then known.matchers[pattern] = regex.compile(pattern) or false end
  local matcher = known.matchers[pattern]
  if not matcher or known.matched[pattern] == text then return true end -- who polls names the same again
  if matcher:match_whole(text) == false then return false end
  known.matched[pattern] = text
  return true
end

local function has(list, wanted)
  for _, element in ipairs(list) do
    if element == wanted then return true end
  end
  return false
end

local function size_of(value)
  if type(value) == "string" then return utf8.len(value) or #value, "length" end
  if type(value) == "number" then return value, "value" end
  return #value, "length"
end

--- Which constraints of its shape a scalar or list breaks.
local function broken(known, shape, value)
  local out = {}
  if type(value) == "boolean" then return out end
  local size, word = size_of(value)
  if shape.min and size < shape.min then
    out[#out + 1] = ("Member must have %s greater than or equal to %d"):format(word, shape.min)
  end
  if shape.max and size > shape.max then
    out[#out + 1] = ("Member must have %s less than or equal to %d"):format(word, shape.max)
  end
  if shape.enum and not has(shape.enum, value) then
    out[#out + 1] = ("Member must satisfy enum value set: [%s]"):format(table.concat(shape.enum, ", "))
  end
  if shape.pattern and type(value) == "string" and not matches(known, shape.pattern, value) then
    out[#out + 1] = "Member must satisfy regular expression pattern: " .. shape.pattern
  end
  return out
end

local function shown(value)
  if type(value) ~= "table" then return tostring(value) end
  local out = {}
  for i, element in ipairs(value) do out[i] = type(element) == "table" and json.encode(element) or element end
  return "[" .. table.concat(out, ", ") .. "]"
end

local function lower_camel(name)
  return (name:gsub("^%u", string.lower))
end

local function add(findings, value, path, constraint)
  findings[#findings + 1] = ("Value %s at '%s' failed to satisfy constraint: %s"):format(
    value == nil and "null" or "'" .. shown(value) .. "'", path, constraint)
end

local function with(shape, extra)
  local out = {}
  for key, value in pairs(shape) do out[key] = value end
  for key, value in pairs(extra) do out[key] = value end
  return out
end

local check -- forward

local function check_structure(known, shape, value, path, findings, extra)
  for _, name in ipairs(shape.required or {}) do
    if value[name] == nil then add(findings, nil, path .. lower_camel(name), "Member must not be null") end
  end
  for _, name in ipairs(json.keys(shape.members or {})) do
    if value[name] ~= nil then
      check(known, shape.members[name].shape, value[name], path .. lower_camel(name), findings, extra[name])
    end
  end
end

local function check_list(known, shape, value, path, findings)
  local member = shape_of(known, shape.member.shape)
  if member.type == "structure" then
    for i, element in ipairs(value) do
      check(known, shape.member.shape, element, ("%s.%d.member"):format(path, i), findings)
    end
    return
  end
  for _, element in ipairs(value) do
    local wrong = broken(known, member, element)
    if #wrong > 0 then
      return add(findings, value, path,
        "Member must satisfy constraint: [" .. table.concat(wrong, ", ") .. "]")
    end
  end
end

check = function(known, shape_name, value, path, findings, extra)
  local shape = shape_of(known, shape_name)
  if extra then shape = with(shape, extra) end
  if shape.type == "structure" then
    return check_structure(known, shape, value, path .. ".", findings, {})
  elseif shape.type == "map" then
    return
  end
  for _, constraint in ipairs(broken(known, shape, value)) do add(findings, value, path, constraint) end
  if shape.type == "list" then check_list(known, shape, value, path, findings) end
end

--- Raises ValidationError when the input of an operation breaks a constraint.
---@param service string
---@param operation string
---@param input table
---@param extra table<string, table>? member of the input -> constraints that replace or add to its shape's
function constraints.check(service, operation, input, extra)
  local known, findings = model_of(service), {}
  local input_shape = input_of(known, operation)
  if not input_shape then return end
  check_structure(known, shape_of(known, input_shape), input, "", findings, extra or {})
  if #findings == 0 then return end
  fault.validation("%d validation error%s detected: %s", #findings, #findings > 1 and "s" or "",
    table.concat(findings, "; "))
end

return constraints
