--- What is known of CloudFormation's resource types: their properties with types, which are required, which
-- make a new physical resource when they change, attributes, identifiers, what values have to be. Data:
-- vendor/cfn-schema and vendor/cfn-constraints (vendor/README.md has the forms). The lint checks templates against it,
-- the sandbox what it is given.

local assets = require "tap.core.assets"
local json = require "tap.core.json"
local value_rules = require "tap.value_rules"

local schema = {}

local known_facts = {} -- "cfn-schema T AWS::S3::Bucket" -> the entry, false when there is none

-- Types that CloudFormation takes and the registry does not list.
local UNLISTED = { ["AWS::CDK::Metadata"] = { properties = { Analytics = { type = "string" } } } }

-- "AWS::EC2::VPC" -> "aws-ec2"
local function service_of(type_name)
  local vendor, service = type_name:match("^([^:]+)::([^:]+)::")
  return vendor and ("%s-%s"):format(vendor, service):lower()
end

local function entry(folder, service, kind, name)
  local id = folder .. "\t" .. service .. "\t" .. kind .. "\t" .. name
  if known_facts[id] == nil then known_facts[id] = assets.fact(folder, service, kind, name) or false end
  return known_facts[id] or nil
end

--- The facts of a type; nil when it is not known.
---@param type_name string "AWS::EC2::VPC"
---@return { properties: table, attributes: table?, identifier: string[]?, stateful: boolean? }?
function schema.of(type_name)
  local service = service_of(type_name)
  return UNLISTED[type_name] or service and entry("cfn-schema", service, "T", type_name)
end

--- The names of all types, sorted.
---@return string[]
function schema.types()
  local out = assets.fact_names("cfn-schema", "T")
  table.sort(out)
  return out
end

--- The properties that a definition of a type has, by its name there.
---@param type_name string
---@param definition string
---@return table<string, table>
function schema.definition(type_name, definition)
  return entry("cfn-schema", service_of(type_name), "D", definition) or {}
end

local required = setmetatable({}, { __mode = "k", __index = function(cache, members)
  local names = {}
  for name, fact in pairs(members) do
    if fact.required then names[#names + 1] = name end
  end
  table.sort(names)
  cache[members] = names
  return names
end })

--- The names of the required ones of properties, sorted.
---@param members table<string, table> of schema.of or schema.definition
---@return string[]
function schema.required(members)
  return required[members]
end

--- What a type's values have to be: patterns, lengths, ranges, members that demand each other. nil when nothing is
-- known of it.
---@param type_name string
---@return table? a node of vendor/cfn-constraints, with `definitions` and `gives`
function schema.constraints(type_name)
  local service = service_of(type_name)
  return service and entry("cfn-constraints", service, "C", type_name)
end

local CUSTOM = "AWS::CloudFormation::CustomResource"

local RECREATION = { yes = "Always", maybe = "Conditionally" }

--- What a change of a property does to the physical resource.
---@param type_name string
---@param property string
---@return "Never"|"Conditionally"|"Always"
function schema.recreation(type_name, property)
  local known = schema.of(type_name:match("^Custom::") and CUSTOM or type_name)
  local fact = known and known.properties[property]
  return fact and RECREATION[fact.replaces] or "Never"
end

local check -- forward

-- Keyword of JSON Schema -> how the service says that a value breaks it; with the limit and what is given.
local BROKEN = {
  pattern = function() return "failed validation constraint for keyword [pattern]" end,
  minLength = function(limit, given) return ("expected minLength: %d, actual: %d"):format(limit, given) end,
  maxLength = function(limit, given) return ("expected maxLength: %d, actual: %d"):format(limit, given) end,
  minimum = function(limit, given) return ("%s is not greater or equal to %s"):format(given, limit) end,
  maximum = function(limit, given) return ("%s is not less or equal to %s"):format(given, limit) end,
  minItems = function(limit, given) return ("expected minimum item count: %d, found: %d"):format(limit, given) end,
  maxItems = function(limit, given) return ("expected maximum item count: %d, found: %d"):format(limit, given) end,
  uniqueItems = function() return "array items are not unique" end,
  enum = function(_, given) return ("%s is not a valid enum value"):format(given) end,
}

local function add(found, path, message, ...)
  found[#found + 1] = { path = path, message = message:format(...) }
end

local WORDS = { string = "String", boolean = "Boolean", ["nil"] = "Null", number = "Number" }

local function word_of(value)
  if type(value) == "table" then return json.is_list(value) and "JSONArray" or "JSONObject" end
  return WORDS[type(value)] or type(value)
end

-- Templates hold texts: "80" is a good integer, "true" a good boolean.
local SCALARS = {
  string = { "String", function(value) return type(value) ~= "table" end },
  integer = { "Integer", function(value)
    return type(value) ~= "table" and math.tointeger(tonumber(value)) ~= nil
  end },
  number = { "Number", function(value) return type(value) ~= "table" and tonumber(value) ~= nil end },
  boolean = { "Boolean", function(value)
    return value == true or value == false or value == "true" or value == "false"
  end },
  json = { "JSONObject", function(value) return type(value) == "table" or type(value) == "string" end },
  ["date-time"] = { "String", function(value) return type(value) ~= "table" end },
  tag = { "JSONObject", function(value) return type(value) == "table" and not json.is_list(value) end },
}

local function check_list(state, element, value, path)
  if not json.is_list(value) then return add(state.found, path, "expected type: JSONArray, found: %s",
    word_of(value)) end
  for i, each in ipairs(value) do check(state, element, each, ("%s/%d"):format(path, i - 1)) end
end

local function check_map(state, element, value, path)
  if type(value) ~= "table" or json.is_list(value) then
    return add(state.found, path, "expected type: JSONObject, found: %s", word_of(value))
  end
  for _, key in ipairs(json.keys(value)) do check(state, element, value[key], path .. "/" .. key) end
end

local function check_object(state, properties, value, path)
  if type(value) ~= "table" or json.is_list(value) then
    return add(state.found, path, "expected type: JSONObject, found: %s", word_of(value))
  end
  for _, name in ipairs(schema.required(properties)) do
    if value[name] == nil then add(state.found, path, "required key [%s] not found", name) end
  end
  for _, key in ipairs(json.keys(value)) do
    if not properties[key] then
      add(state.found, path, "extraneous key [%s] is not permitted", key)
    else
      check(state, properties[key].type, value[key], path .. "/" .. key)
    end
  end
end

-- Good when any of the types is.
local function check_any(state, types, value, path)
  for _, each in ipairs(types) do
    local trial = { type_name = state.type_name, skip = state.skip, found = {} }
    check(trial, each, value, path)
    if #trial.found == 0 then return end
  end
  add(state.found, path, "no subschema matched out of the total %d subschemas", #types)
end

local function check_enum(state, values, value, path)
  for _, allowed in ipairs(values) do
    if tostring(allowed) == tostring(value) then return end
  end
  add(state.found, path, "%s is not a valid enum value", type(value) == "table" and word_of(value) or value)
end

check = function(state, wanted, value, path)
  if state.skip and state.skip(value) then return end
  if type(wanted) == "string" then
    local scalar = SCALARS[wanted]
    if not scalar[2](value) then
      add(state.found, path, "expected type: %s, found: %s", scalar[1], word_of(value))
    end
  elseif wanted.list then
    check_list(state, wanted.list, value, path)
  elseif wanted.map then
    check_map(state, wanted.map, value, path)
  elseif wanted.is then
    check_object(state, schema.definition(state.type_name, wanted.is), value, path)
  elseif wanted.any then
    check_any(state, wanted.any, value, path)
  else
    check_enum(state, wanted.enum, value, path)
  end
end

local function add_broken(state, found, path)
  for _, broken in ipairs(found) do
    local say = BROKEN[broken[1]]
    if say then add(state.found, path, "%s", say(broken[2], broken[3])) end
  end
end

local check_values -- forward

local function check_inside(state, node, value, path)
  if json.is_list(value) then
    add_broken(state, value_rules.list(node, value, state.skip), path)
    for index, item in ipairs(node.items and value or {}) do
      check_values(state, node.items, item, ("%s/%d"):format(path, index - 1))
    end
    return
  end
  for _, key in ipairs(json.keys(value)) do
    local inner = node.members and node.members[key] or node.values
    if inner then check_values(state, inner, value[key], path .. "/" .. key) end
  end
end

-- Values against vendor/cfn-constraints.
check_values = function(state, node, value, path)
  if value == json.null or state.skip and state.skip(value) then return end
  local definition = node.is and state.definitions[node.is]
  if definition then check_values(state, definition, value, path) end
  if type(value) == "table" then return check_inside(state, node, value, path) end
  add_broken(state, value_rules.scalar(node, value), path)
end

--- What is wrong with a resource's properties; empty when nothing is. Of a type that is not known they are an object.
---@param type_name string
---@param properties table
---@param skip (fun(value: any): boolean)? values that are not to be looked at (functions not yet evaluated)
---@return { path: string, message: string }[] path "#", "#/A/0/B"; messages in the service's words
function schema.check(type_name, properties, skip)
  local known = schema.of(type_name)
  local state = { type_name = type_name, skip = skip, found = {} }
  if not known then
    if word_of(properties) ~= "JSONObject" then
      add(state.found, "#", "expected type: JSONObject, found: %s", word_of(properties))
    end
    return state.found
  end
  check_object(state, known.properties, properties, "#")
  local constraints = #state.found == 0 and schema.constraints(type_name)
  if constraints then
    state.definitions = constraints.definitions or {}
    check_values(state, constraints, properties, "#")
  end
  return state.found
end

return schema
