--- A resource's properties against its type's schema: E3002 (no such property), E3003 (a required one is missing),
-- E3012 (another type), E3030 (none of the values that there are).

local facts = require "lint.facts"
local functions = require "lint.functions"
local json = require "tap.core.json"
local schema = require "tap.schema"
local state = require "lint.state"
local util = require "tap.util"

local properties = {}

local join, is_map, show = state.join, state.is_map, state.show

local check_value -- forward

local function is_number(value) return type(value) ~= "table" and tonumber(value) ~= nil end

-- Templates hold texts: "80" is a good integer, "true" a good boolean.
local SCALARS = {
  string = function(value) return type(value) ~= "table" end,
  ["date-time"] = function(value) return type(value) ~= "table" end,
  integer = function(value)
    return type(value) ~= "table" and math.tointeger(tonumber(value)) ~= nil and type(value) ~= "boolean"
  end,
  number = is_number,
  boolean = function(value)
    return value == true or value == false or value == "true" or value == "false" or value == "True"
      or value == "False"
  end,
}

local function is_dynamic(value)
  return type(value) == "string" and value:find("{{resolve:", 1, true) ~= nil
end

local function check_scalar(L, wanted, value, path)
  if is_dynamic(value) then return end
  local good = SCALARS[wanted]
  if good and (value == json.null or not good(value)) then
    L:find("E3012", path, "%s is not of type '%s'", show(value), wanted == "date-time" and "string" or wanted)
  end
end

local function check_list(L, element, value, path, where)
  if not json.is_list(value) then
    return L:find("E3012", path, "%s is not of type 'array'", show(value))
  end
  for index, item in ipairs(value) do check_value(L, item, join(path, index), element, where) end
end

local function check_map(L, element, value, path, where)
  if not is_map(value) then return L:find("E3012", path, "%s is not of type 'object'", show(value)) end
  for _, key in ipairs(json.keys(value)) do check_value(L, value[key], join(path, key), element, where) end
end

-- A key of an object that is a function of its own: Fn::Transform merges, a ForEach makes members.
local function is_merging(key)
  return key == "Fn::Transform" or key:find("^Fn::ForEach::") ~= nil
end

-- The events of a serverless function have more members than their schema knows; what a packager fills may be a path.
local function within(where, key)
  local packaged = (facts.PACKAGED[where.type] or {})[key]
  local events = key == "Events" and (where.type or ""):find("^AWS::Serverless::") ~= nil
  if not packaged and not events then return where end
  return { resource = where.resource, type = where.type, events = events, packaged = packaged }
end

--- Checks an object against members that are known.
---@param L table
---@param members table<string, table> of tap.schema
---@param value any
---@param path table
---@param where table
function properties.check_object(L, members, value, path, where)
  if not is_map(value) then
    if (where.type or ""):find("^AWS::Serverless::") or where.packaged then return end
    return L:find("E3012", path, "%s is not of type 'object'", show(value))
  end
  local merged = false
  for _, key in ipairs(json.keys(value)) do
    merged = merged or is_merging(key)
    if members[key] then
      check_value(L, value[key], join(path, key), members[key].type, within(where, key))
    elseif not is_merging(key) and not where.events then
      L:find("E3002", join(path, key), "'%s' is no property here%s", key, util.suggest(key, util.sorted_keys(members)))
    end
  end
  if merged then return end
  for _, name in ipairs(schema.required(members)) do
    if value[name] == nil then L:find("E3003", path, "'%s' is a required property", name) end
  end
end

-- Good when one of the types takes it; the findings of the one that fits best are told.
local function check_any(L, types, value, path, where)
  local best
  for _, each in ipairs(types) do
    local found = {}
    local trial = setmetatable({ find = function(_, rule, at, message, ...)
      found[#found + 1] = { rule, at, select("#", ...) > 0 and message:format(...) or message }
    end }, { __index = L })
    check_value(trial, value, path, each, where)
    if #found == 0 then return end
    if not best or #found < #best then best = found end
  end
  for _, one in ipairs(best or {}) do L:find(one[1], one[2], one[3]:gsub("%%", "%%%%")) end
end

local function check_enum(L, values, value, path)
  if is_dynamic(value) then return end
  if type(value) == "table" or value == json.null then
    return L:find("E3012", path, "%s is not of type 'string'", show(value))
  end
  for _, allowed in ipairs(values) do
    if tostring(allowed) == tostring(value) then return end
  end
  local names = {}
  for index, allowed in ipairs(values) do names[index] = tostring(allowed) end
  L:find("E3030", path, "%s is not one of %s%s", show(value), "'" .. table.concat(names, "', '") .. "'",
    util.suggest(tostring(value), names))
end

check_value = function(L, value, path, wanted, where)
  local name = functions.name_of(value)
  if name then return functions.check(L, name, value[name], join(path, name), wanted, where, check_value) end
  if wanted == "any" or wanted == "scalar" or wanted == "list" or wanted == "object" or wanted == "json"
    and not json.is_list(value) then
    return functions.walk(L, value, path, wanted, where)
  end
  if wanted == "json" and json.is_list(value) then
    return L:find("E3012", path, "%s is not of type 'object', 'string'", show(value))
  end
  if wanted == "tag" then return functions.walk(L, value, path, "any", where) end
  if type(wanted) == "string" then return check_scalar(L, wanted, value, path) end
  if wanted.list then return check_list(L, wanted.list, value, path, where) end
  if wanted.map then return check_map(L, wanted.map, value, path, where) end
  if wanted.any then return check_any(L, wanted.any, value, path, where) end
  if wanted.is then
    return properties.check_object(L, schema.definition(where.type, wanted.is), value, path, where)
  end
  return check_enum(L, wanted.enum, value, path)
end

properties.check_value = function(L, value, path, wanted, where) return check_value(L, value, path, wanted, where) end

return properties
