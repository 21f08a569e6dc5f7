--- From a template's texts to what a service's model says: "80" becomes a number, "true" a boolean, what the
-- model does not have is left out. Views of things give their properties through this.

local json = require "tap.core.json"
local models = require "tap.core.model"

local typed = {}

local known = {} -- service -> { model, shapes = name -> shape, outputs = operation -> name }

local function cache_of(service)
  local cache = known[service]
  if not cache then
    cache = { model = models.load(service), shapes = {}, outputs = {} }
    known[service] = cache
  end
  return cache
end

local function shape_of(service, name)
  local cache = cache_of(service)
  if cache.shapes[name] == nil then cache.shapes[name] = cache.model:shape(name) or false end
  return cache.shapes[name] or {}
end

local convert -- forward

local function structure(service, shape, value)
  local out = {}
  for name, member in pairs(shape.members or {}) do
    if value[name] ~= nil then out[name] = convert(service, member.shape, value[name]) end
  end
  return out
end

local function list(service, shape, value)
  local out = json.list {}
  for _, element in ipairs(value) do out[#out + 1] = convert(service, shape.member.shape, element) end
  return out
end

local function map(service, shape, value)
  local out = {}
  for key, element in pairs(value) do out[key] = convert(service, shape.value.shape, element) end
  return out
end

local function number(value)
  return tonumber(value)
end

local CONVERT = {
  boolean = function(value) return value == true or value == "true" end,
  integer = function(value) return math.tointeger(tonumber(value)) end,
  long = function(value) return math.tointeger(tonumber(value)) end,
  float = number, double = number,
  string = function(value) return type(value) == "table" and json.encode(value) or tostring(value) end,
}

convert = function(service, shape_name, value)
  local shape = shape_of(service, shape_name)
  if type(value) == "table" then
    if shape.type == "structure" then return structure(service, shape, value) end
    if shape.type == "list" then return list(service, shape, value) end
    if shape.type == "map" then return map(service, shape, value) end
  end
  local scalar = CONVERT[shape.type]
  if scalar then return scalar(value) end
  return value
end

--- A value as a shape of a service's model.
---@param service string
---@param shape string its name
---@param value any
function typed.as(service, shape, value)
  return convert(service, shape, value)
end

-- The name of the shape of an operation's output; false when it has none.
local function output_of(service, operation)
  local outputs = cache_of(service).outputs
  if outputs[operation] == nil then
    outputs[operation] = (cache_of(service).model:operation(operation).output or {}).shape or false
  end
  return outputs[operation]
end

--- An operation's output by its model.
---@param service string
---@param operation string
---@param output table
function typed.output(service, operation, output)
  local shape = output_of(service, operation)
  return shape and convert(service, shape, output) or output
end

return typed
