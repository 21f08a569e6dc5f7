--- The intrinsic functions: what each takes, what it gives, and the rule that says so. A function is a map of one key;
-- its arguments may hold functions themselves, which are checked on the way down.

local facts = require "lint.facts"
local json = require "tap.core.json"
local schema = require "tap.schema"
local state = require "lint.state"
local util = require "tap.util"

local functions = {}

local join, is_map, show = state.join, state.is_map, state.show

local NAMES = { Ref = "E1020", ["Fn::GetAtt"] = "E1010", ["Fn::Sub"] = "E1019", ["Fn::Join"] = "E1022",
  ["Fn::Select"] = "E1017", ["Fn::Split"] = "E1018", ["Fn::If"] = "E1028", ["Fn::FindInMap"] = "E1011",
  ["Fn::GetAZs"] = "E1015", ["Fn::ImportValue"] = "E1016", ["Fn::Base64"] = "E1021", ["Fn::Cidr"] = "E1024",
  ["Fn::Transform"] = "E1005", ["Fn::Length"] = "E1030", ["Fn::ToJsonString"] = "E1031",
  ["Fn::GetStackOutput"] = "E1033" }
local CONDITIONS = { ["Fn::And"] = "E8004", ["Fn::Or"] = "E8006", ["Fn::Not"] = "E8005", ["Fn::Equals"] = "E8003",
  Condition = "E8007" }

--- The function's name when the value is one: a map of one key that names a function.
---@param value any
---@return string? name
function functions.name_of(value)
  if type(value) ~= "table" then return nil end
  local name = next(value) -- of a list: a number
  if type(name) ~= "string" or next(value, name) ~= nil then return nil end
  if NAMES[name] or CONDITIONS[name] and name ~= "Condition" or name:find("^Fn::ForEach::") then return name end
  return nil
end

---------------------------------------------------------------------------------------------------------
-- Names

local function suggest(name, known)
  return util.suggest(tostring(name), util.sorted_keys(known))
end

local function check_ref(L, name, path, where)
  if type(name) ~= "string" then
    return L:find("E1020", path, "%s is not of type 'string'", show(name))
  end
  if where.in_condition then
    if L.parameters[name] == nil and not state.is_pseudo(name) and not L.loops[name] and not L:has_hidden_names() then
      L:find("E1020", path, "'%s' is no parameter%s", name, suggest(name, L.parameters))
    end
    return
  end
  if not L:can_ref(name) then
    local known = {}
    for _, map in ipairs { L.parameters, L.resources } do
      for key in pairs(map) do known[key] = true end
    end
    return L:find(where.ref_rule or "E1020", path, "'%s' is neither a parameter nor a resource%s", name,
      suggest(name, known))
  end
  if where.parameters_only and L.resources[name] ~= nil and not L.trusting then
    return L:find("E1020", path, "'%s' is a resource; only parameters can be referred to here", name)
  end
  L:depend(where.resource, name)
end

-- Types whose attributes are not all known.
local function has_any_attribute(type_name)
  return type_name:find("^Custom::") or type_name == "AWS::CloudFormation::CustomResource"
    or type_name:find("::MODULE$") or type_name:find("^AWS::Serverless::") or not schema.of(type_name)
end

-- What the serverless macro makes of its types.
local MADE = { ["AWS::Serverless::Function"] = "AWS::Lambda::Function",
  ["AWS::Serverless::SimpleTable"] = "AWS::DynamoDB::Table",
  ["AWS::Serverless::StateMachine"] = "AWS::StepFunctions::StateMachine" }

local PREFIXES = { ["AWS::CloudFormation::Stack"] = "^Outputs%.", ["AWS::Serverless::Application"] = "^Outputs%.",
  ["AWS::ServiceCatalog::CloudFormationProvisionedProduct"] = "^Outputs%." }

--- The type of an attribute by the schema; nil when it cannot be told, false when there is no such attribute.
local function attribute_type(given, attribute)
  local type_name = MADE[given] or given
  if type(type_name) ~= "string" or has_any_attribute(type_name) then return nil end
  local more = facts.ATTRIBUTES[type_name]
  if more and more[attribute] then return more[attribute] end
  local prefix = PREFIXES[type_name]
  if prefix and attribute:find(prefix) then return "string" end
  local known = schema.of(type_name)
  local direct = (known.attributes or {})[attribute]
  if direct then return direct end
  local first, rest = attribute:match("^([^.]+)%.(.+)$")
  local outer = first and ((known.attributes or {})[first] or (known.properties[first] or {}).type)
  if type(outer) == "table" and outer.is then
    local inner = schema.definition(type_name, outer.is)[rest:match("^[^.]+")]
    return inner and (rest:find(".", 1, true) and "string" or inner.type) or false
  end
  return false
end

local function names_of_attributes(type_name)
  local known = schema.of(type_name)
  return known and known.attributes or {}
end

-- Returns the type that the attribute has, when that can be told.
local function check_getatt_names(L, rule, resource, attribute, path, where)
  local definition = L.resources[resource]
  if definition == nil then
    if not L:has_hidden_names() and not L.loops[resource] then
      L:find(rule, join(path, 1), "'%s' is no resource%s", resource, suggest(resource, L.resources))
    end
    return nil
  end
  L:depend(where.resource, resource)
  if type(attribute) ~= "string" then return nil end
  local type_name = is_map(definition) and definition.Type
  local found = attribute_type(type_name, attribute)
  if found == false then
    L:find(rule, join(path, 2), "%s has no attribute '%s'%s", type_name, attribute,
      suggest(attribute, names_of_attributes(type_name)))
  end
  return found or nil
end

local function check_getatt(L, argument, path, where)
  local rule = where.getatt_rule or "E1010"
  local resource, attribute
  if type(argument) == "string" then
    resource, attribute = argument:match("^([^.]+)%.(.+)$")
    if not resource then return L:find(rule, path, "%s is no RESOURCE.ATTRIBUTE", show(argument)) end
  elseif json.is_list(argument) and #argument >= 2 then
    resource, attribute = argument[1], argument[2]
    for index = 3, #argument do attribute = tostring(attribute) .. "." .. tostring(argument[index]) end
  else
    return L:find(rule, path, "%s is no list of a resource and its attribute", show(argument))
  end
  if type(resource) ~= "string" then
    return L:find(rule, join(path, 1), "%s is not of type 'string'", show(resource))
  end
  if type(attribute) ~= "string" and functions.name_of(attribute) ~= "Ref" and not L.extended then
    return L:find(rule, join(path, 2), "%s is not of type 'string'", show(attribute))
  end
  return check_getatt_names(L, rule, resource, attribute, path, where)
end

---------------------------------------------------------------------------------------------------------
-- Sub

--- The ${names} of a text, those with ${! left out.
---@param text string
---@return string[]
function functions.names_in(text)
  local names = {}
  for name in text:gmatch("%${([^}]*)}") do
    if name:sub(1, 1) ~= "!" then names[#names + 1] = name:match("^%s*(.-)%s*$") end
  end
  return names
end

local function check_name_in_sub(L, name, own, path, where)
  if own[name] ~= nil then return end
  if name:find("^AWS::") and not state.is_pseudo(name) then
    return L:find("E1019", path, "'%s' in Fn::Sub is no pseudo parameter", name)
  end
  if name:find(".", 1, true) then
    local resource, attribute = name:match("^([^.]+)%.(.+)$")
    if resource and L.resources[resource] ~= nil then
      local type_name = is_map(L.resources[resource]) and L.resources[resource].Type
      if attribute_type(type_name, attribute) == false then
        L:find("E1019", path, "%s has no attribute '%s'%s", type_name, attribute,
          suggest(attribute, names_of_attributes(type_name)))
      end
      return L:depend(where.resource, resource)
    end
    if L:has_hidden_names() or resource and L.loops[resource] then return end
    return L:find("E1019", path, "'%s' in Fn::Sub is no resource%s", tostring(resource),
      suggest(resource or "", L.resources))
  end
  if not L:can_ref(name) then
    local known = {}
    for _, map in ipairs { L.parameters, L.resources, own } do
      for key in pairs(map) do known[key] = true end
    end
    return L:find("E1019", path, "'%s' in Fn::Sub is neither a parameter nor a resource%s", name, suggest(name, known))
  end
  if L:ref_is_list(name) then
    L:find("E1019", path, "'%s' in Fn::Sub is a list, not a text", name)
  end
  L:depend(where.resource, name)
end

local function check_sub(L, argument, path, where, check_value)
  local text, own = argument, {}
  if json.is_list(argument) then
    text, own = argument[1], argument[2]
    if #argument ~= 2 or type(text) ~= "string" or not is_map(own) then
      return L:find("E1019", path, "%s is no list of a text and a map", show(argument))
    end
    for _, key in ipairs(json.keys(own)) do
      local value, at = own[key], join(path, 2, key)
      if type(value) == "table" and not functions.name_of(value) then
        L:find("E1019", at, "%s is not of type 'string'", show(value))
      else
        check_value(L, value, at, "scalar", where)
      end
    end
  elseif type(text) ~= "string" then
    return L:find("E1019", path, "%s is not of type 'array', 'string'", show(argument))
  end
  for _, name in ipairs(functions.names_in(text)) do check_name_in_sub(L, name, own, path, where) end
end

---------------------------------------------------------------------------------------------------------
-- The others

-- A list of so many arguments.
local function arguments(L, rule, argument, path, least, most)
  if not json.is_list(argument) then
    L:find(rule, path, "%s is not of type 'array'", show(argument))
    return false
  end
  if #argument < least or #argument > most then
    L:find(rule, path, "expected %s items, found: %d", least == most and tostring(least) or least .. " to " .. most,
      #argument)
    return false
  end
  return true
end

-- An argument that is a text or a function that gives one.
local function scalar_argument(L, rule, value, path, where, check_value)
  if type(value) == "table" and not functions.name_of(value) then
    return L:find(rule, path, "%s is not of type 'string'", show(value))
  end
  check_value(L, value, path, "scalar", where)
end

local function list_argument(L, rule, value, path, where, check_value, allowed)
  local name = functions.name_of(value)
  if name then
    if allowed and not allowed[name] then
      return L:find(rule, path, "%s is not of type 'array'", show(value))
    end
    return check_value(L, value, path, "list", where)
  end
  if not json.is_list(value) then return L:find(rule, path, "%s is not of type 'array'", show(value)) end
  for index, item in ipairs(value) do
    scalar_argument(L, rule, item, join(path, index), where, check_value)
  end
end

local LISTS = { Ref = true, ["Fn::GetAtt"] = true, ["Fn::If"] = true, ["Fn::FindInMap"] = true, ["Fn::GetAZs"] = true,
  ["Fn::Split"] = true, ["Fn::Cidr"] = true, ["Fn::Select"] = true, ["Fn::ImportValue"] = true,
  ["Fn::Transform"] = true }
local JOINABLE = { Ref = true, ["Fn::GetAtt"] = true, ["Fn::If"] = true, ["Fn::FindInMap"] = true, ["Fn::Split"] = true,
  ["Fn::Cidr"] = true, ["Fn::Select"] = true, ["Fn::ImportValue"] = true, ["Fn::Transform"] = true }

local checks = {}

checks["Ref"] = function(L, argument, path, where) check_ref(L, argument, path, where) end
checks["Fn::GetAtt"] = function(L, argument, path, where) return check_getatt(L, argument, path, where) end
checks["Fn::Sub"] = check_sub

checks["Fn::Join"] = function(L, argument, path, where, check_value)
  if not arguments(L, "E1022", argument, path, 2, 2) then return end
  if type(argument[1]) ~= "string" and not (L.extended and functions.name_of(argument[1])) then
    L:find("E1022", join(path, 1), "%s is not of type 'string'", show(argument[1]))
  end
  list_argument(L, "E1022", argument[2], join(path, 2), where, check_value, not L.extended and JOINABLE or LISTS)
end

checks["Fn::Select"] = function(L, argument, path, where, check_value)
  if not arguments(L, "E1017", argument, path, 2, 2) then return end
  local index = argument[1]
  if not functions.name_of(index) and not math.tointeger(tonumber(index)) then
    L:find("E1017", join(path, 1), "%s is not of type 'integer'", show(index))
  end
  check_value(L, index, join(path, 1), "scalar", where)
  local list = argument[2]
  if json.is_list(list) then
    for at, item in ipairs(list) do check_value(L, item, join(path, 2, at), "any", where) end
    local n = math.tointeger(tonumber(index))
    if n and n >= #list then L:find("E1017", join(path, 1), "there is no element %d: the list has %d", n, #list) end
    return
  end
  list_argument(L, "E1017", list, join(path, 2), where, check_value, LISTS)
end

checks["Fn::Split"] = function(L, argument, path, where, check_value)
  if not arguments(L, "E1018", argument, path, 2, 2) then return end
  if type(argument[1]) ~= "string" then
    L:find("E1018", join(path, 1), "%s is not of type 'string'", show(argument[1]))
  end
  scalar_argument(L, "E1018", argument[2], join(path, 2), where, check_value)
end

checks["Fn::If"] = function(L, argument, path, where, check_value, wanted)
  if not arguments(L, "E1028", argument, path, 3, 3) then return end
  local name = argument[1]
  if type(name) ~= "string" then
    L:find("E1028", join(path, 1), "%s is not of type 'string'", show(name))
  elseif L.conditions[name] == nil and not L.rewritten then
    L:find("E1028", join(path, 1), "'%s' is no condition%s", name, suggest(name, L.conditions))
  end
  for index = 2, 3 do check_value(L, argument[index], join(path, index), wanted, where) end
end

local function check_map_keys(L, argument, path)
  local map = L.mappings[argument[1]]
  if map == nil then
    if not L.rewritten and type(argument[1]) == "string" then
      L:find("E1011", join(path, 1), "'%s' is no mapping%s", argument[1], suggest(argument[1], L.mappings))
    end
    return
  end
  if not is_map(map) or type(argument[2]) ~= "string" or map["Fn::Transform"] then return end
  local inner = map[argument[2]]
  if inner == nil then
    return L:find("E1011", join(path, 2), "mapping %s has no '%s'%s", argument[1], argument[2],
      suggest(argument[2], map))
  end
  if is_map(inner) and type(argument[3]) == "string" and inner[argument[3]] == nil then
    L:find("E1011", join(path, 3), "mapping %s has no '%s' in '%s'%s", argument[1], argument[3], argument[2],
      suggest(argument[3], inner))
  end
end

local MAP_KEYS = { Ref = true, ["Fn::FindInMap"] = true }

checks["Fn::FindInMap"] = function(L, argument, path, where, check_value)
  if not arguments(L, "E1011", argument, path, 3, L.extended and 4 or 3) then return end
  for index = 1, 3 do
    local item = argument[index]
    local name = functions.name_of(item)
    if type(item) == "table" and not (name and (MAP_KEYS[name] or L.extended)) then
      L:find("E1011", join(path, index), "%s is not of type 'string'", show(item))
    elseif name then
      check_value(L, item, join(path, index), "scalar", where)
    end
  end
  if not argument[4] then check_map_keys(L, argument, path) end
end

checks["Fn::GetAZs"] = function(L, argument, path, where, check_value)
  local name = functions.name_of(argument)
  if name and name ~= "Ref" and not L.extended or type(argument) == "table" and not name or argument == json.null then
    return L:find("E1015", path, "%s is no region", show(argument))
  elseif not name and argument ~= "" and not tostring(argument):find("^%l%l%l?%l?%-[%l-]+%-%d+$") then
    return L:find("E1015", path, "%s is no region", show(argument))
  end
  check_value(L, argument, path, "scalar", where)
end

local IMPORTS = { ["Fn::Base64"] = true, ["Fn::FindInMap"] = true, ["Fn::If"] = true, ["Fn::Join"] = true,
  ["Fn::Select"] = true, ["Fn::Split"] = true, ["Fn::Sub"] = true, Ref = true, ["Fn::Transform"] = true,
  ["Fn::ImportValue"] = true }

checks["Fn::ImportValue"] = function(L, argument, path, where, check_value)
  local name = functions.name_of(argument)
  if name and not IMPORTS[name] then return L:find("E1016", path, "%s is not of type 'string'", show(argument)) end
  scalar_argument(L, "E1016", argument, path, where, check_value)
end

checks["Fn::Base64"] = function(L, argument, path, where, check_value)
  scalar_argument(L, "E1021", argument, path, where, check_value)
end

checks["Fn::Cidr"] = function(L, argument, path, where, check_value)
  if not arguments(L, "E1024", argument, path, 2, 3) then return end
  for index, item in ipairs(argument) do
    if not functions.name_of(item) then
      local good = index == 1 and type(item) == "string" and item:find("^[%x.:]+/%d+$") ~= nil
        or index > 1 and math.tointeger(tonumber(item)) ~= nil
      local word = index == 1 and "range" or "number"
      if not good then L:find("E1024", join(path, index), "%s is no %s", show(item), word) end
    end
    check_value(L, item, join(path, index), "scalar", where)
  end
end

checks["Fn::Transform"] = function(L, argument, path)
  for _, one in ipairs(json.is_list(argument) and argument or { argument }) do
    if not is_map(one) or type(one.Name) ~= "string" then L:find("E1005", path, "%s has no Name", show(one)) end
  end
end

checks["Fn::Length"] = function(L, argument, path, where, check_value)
  if not L.extended then
    return L:find("E1030", path, "Fn::Length needs the transform AWS::LanguageExtensions")
  end
  check_value(L, argument, path, "list", where)
end

checks["Fn::ToJsonString"] = function(L, argument, path, where, check_value)
  if not L.extended then
    return L:find("E1031", path, "Fn::ToJsonString needs the transform AWS::LanguageExtensions")
  end
  check_value(L, argument, path, "any", where)
end

checks["Fn::GetStackOutput"] = function(_, _, _) end

---------------------------------------------------------------------------------------------------------
-- Conditions

local check_condition

local function condition_list(L, rule, argument, path, least, most)
  if not arguments(L, rule, argument, path, least, most) then return end
  for index, item in ipairs(argument) do check_condition(L, item, join(path, index)) end
end

local function equals_argument(L, value, path)
  local name = functions.name_of(value)
  if name then
    functions.check(L, name, value[name], join(path, name), "scalar", { in_condition = true }, functions.walk)
  elseif type(value) == "table" then
    L:find("E8003", path, "%s is not of type 'string'", show(value))
  end
end

local CONDITION_CHECKS = {
  ["Fn::And"] = function(L, argument, path) condition_list(L, "E8004", argument, path, 2, 10) end,
  ["Fn::Or"] = function(L, argument, path) condition_list(L, "E8006", argument, path, 2, 10) end,
  ["Fn::Not"] = function(L, argument, path) condition_list(L, "E8005", argument, path, 1, 1) end,
  ["Fn::Equals"] = function(L, argument, path)
    if not arguments(L, "E8003", argument, path, 2, 2) then return end
    for index, item in ipairs(argument) do equals_argument(L, item, join(path, index)) end
  end,
  Condition = function(L, argument, path)
    if type(argument) ~= "string" then
      L:find("E8007", path, "%s is not of type 'string'", show(argument))
    elseif L.conditions[argument] == nil and not L.rewritten then
      L:find("E8007", path, "'%s' is no condition%s", argument, suggest(argument, L.conditions))
    end
  end,
}

check_condition = function(L, value, path, rule)
  local name = is_map(value) and next(value)
  if type(value) == "boolean" then return end
  if not name or next(value, name) ~= nil or not CONDITION_CHECKS[name] and name ~= "Fn::Transform" then
    return L:find(rule or "E8001", path, "%s is not of type 'boolean'", show(value))
  end
  if CONDITION_CHECKS[name] then CONDITION_CHECKS[name](L, value[name], join(path, name)) end
end

--- Checks a condition's definition.
---@param L table
---@param value any
---@param path table
---@param rule string?
functions.check_condition = function(L, value, path, rule) check_condition(L, value, path, rule) end

---------------------------------------------------------------------------------------------------------
-- What a function gives

local TEXT = { ["Fn::Join"] = true, ["Fn::Sub"] = true, ["Fn::Base64"] = true, ["Fn::ToJsonString"] = true }
local LIST = { ["Fn::GetAZs"] = true, ["Fn::Split"] = true, ["Fn::Cidr"] = true }

-- What kind of value is wanted: "scalar", "list", "object" or "any".
local function kind_of(wanted)
  if type(wanted) == "string" then
    return (wanted == "list" or wanted == "any" or wanted == "object") and wanted or wanted == "json" and "any"
      or wanted == "tag" and "object" or "scalar"
  end
  return wanted.list and "list" or (wanted.map or wanted.is) and "object" or wanted.any and "any" or "scalar"
end

functions.kind_of = kind_of

local function mismatch(L, name, argument, path, kind, given)
  local list
  if LIST[name] then list = true elseif TEXT[name] then list = false end
  if name == "Ref" and type(argument) == "string" then list = L:ref_is_list(argument) end
  if name == "Fn::GetAtt" and given then
    local has = kind_of(given)
    if has == "list" then list = true elseif has == "scalar" then list = false end
  end
  if list == nil then return end
  if kind == "scalar" and list or kind == "list" and not list or kind == "object" then
    local value = { [name] = argument }
    L:find(NAMES[name], path, "%s is not of type '%s'", show(value), kind == "scalar" and "string"
      or kind == "list" and "array" or "object")
  end
end

--- Checks a function's arguments, and that what it gives is of the kind that is wanted.
---@param L table lint.state
---@param name string
---@param argument any
---@param path table to the argument
---@param wanted any a type of tap.schema, or "scalar", "list", "object", "any"
---@param where { resource: string?, in_condition: boolean?, ref_rule: string?, getatt_rule: string? }
---@param check_value fun(L: table, value: any, path: table, wanted: any, where: table)
function functions.check(L, name, argument, path, wanted, where, check_value)
  local check = checks[name]
  if not check then
    if CONDITION_CHECKS[name] and not where.in_condition then
      L:find("E3002", path, "%s is only good in conditions", name)
    end
    return
  end
  local given = check(L, argument, path, where, check_value, wanted)
  if name ~= "Fn::If" then mismatch(L, name, argument, path, kind_of(wanted), given) end
end

--- Checks the functions anywhere in a value that has no type: metadata, policies, attributes.
---@param L table
---@param value any
---@param path table
---@param wanted any
---@param where table
function functions.walk(L, value, path, wanted, where)
  if type(value) ~= "table" then return end
  local name = functions.name_of(value)
  if name and checks[name] then
    return functions.check(L, name, value[name], join(path, name), wanted or "any", where, functions.walk)
  end
  if json.is_list(value) then
    for index, item in ipairs(value) do functions.walk(L, item, join(path, index), "any", where) end
    return
  end
  for _, key in ipairs(json.keys(value)) do functions.walk(L, value[key], join(path, key), "any", where) end
end

return functions
