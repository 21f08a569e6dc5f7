--- Drift: what a template says of a resource against the thing as it is. Only what the template says counts;
-- a thing that is gone is drift, too.

local json = require "tap.core.json"
local same = require "sandbox.same"
local things = require "sandbox.things"
local shape = require "sandbox.template.shape"

local drift = {}

-- Types that the service does not look at.
local function is_unsupported(resource)
  return resource.type:match("^Custom::") ~= nil or resource.type:match("^AWS::CloudFormation::") ~= nil
end

local function is_gone(resource)
  local thing = resource.thing
  return not thing or thing.home:thing(thing.type, thing.key) ~= thing
end

local function text(value)
  return type(value) == "string" and value or json.encode(value)
end

local function difference(path, expected, actual)
  local kind = expected == nil and "ADD" or actual == nil and "REMOVE" or "NOT_EQUAL"
  return { PropertyPath = path, ExpectedValue = expected ~= nil and text(expected) or "null",
    ActualValue = actual ~= nil and text(actual) or "null", DifferenceType = kind }
end

-- A template's "true" and an API's true are the same.
local function normal(value)
  return type(value) == "boolean" and tostring(value) or math.type(value) == "integer"
    and ("%d"):format(value)
    or value
end

local function compare(expected, actual, path, found)
  expected, actual = normal(expected), normal(actual)
  if shape.is_map(expected) and shape.is_map(actual) then
    for _, key in ipairs(json.keys(expected)) do
      compare(expected[key], actual[key], path .. "/" .. key, found)
    end
  elseif not same(expected, actual) then
    found[#found + 1] = difference(path, expected, actual)
  end
end

--- Looks at one resource and keeps what was found in `resource.drift`.
---@param resource table
---@param now number
---@return table drift { status, differences, expected, actual, at }
function drift.of_resource(resource, now)
  local found = { status = "IN_SYNC", differences = json.list {}, at = now, expected = resource.properties }
  if is_unsupported(resource) then
    found.status = "NOT_CHECKED"
  elseif is_gone(resource) then
    found.status = "DELETED"
  else
    found.actual = resource.thing.properties
    compare(resource.properties, found.actual, "", found.differences)
    if #found.differences > 0 then found.status = "MODIFIED" end
  end
  resource.drift = found
  return found
end

local GONE = { DELETE_COMPLETE = true, DELETE_SKIPPED = true }

--- Looks at a stack's resources.
---@param stack table
---@param only table<string, boolean>? logical ids; nil: all
---@param now number
---@return integer drifted how many are not as they should be
function drift.of_stack(stack, only, now)
  local drifted = 0
  for _, id in ipairs(stack.plan.created) do
    local resource = stack.resources[id]
    if resource and resource.facts and not GONE[resource.status] and (not only or only[id]) then
      local status = drift.of_resource(resource, now).status
      if status == "MODIFIED" or status == "DELETED" then drifted = drifted + 1 end
    end
  end
  stack.drift = { status = drifted > 0 and "DRIFTED" or "IN_SYNC", at = now }
  return drifted
end

--- Makes things drift as a scenario says, behind their stack's back.
---@param stack table whose operation is complete
---@param scenario table
function drift.happen(stack, scenario)
  for _, id in ipairs(stack.plan.created) do
    local resource = stack.resources[id]
    local rule = resource and resource.thing and scenario:drift(stack.name, resource)
    if rule and rule.delete then
      resource.thing.home:remove_thing(resource.thing)
    elseif rule then
      things.change(resource.thing, rule.set)
    end
  end
end

return drift
