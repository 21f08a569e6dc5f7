--- The template's own structure: its sections and what each may hold.

local functions = require "lint.functions"
local json = require "tap.core.json"
local parameters = require "lint.parameters"
local properties = require "lint.properties"
local schema = require "tap.schema"
local state = require "lint.state"
local util = require "tap.util"

local structure = {}

local join, is_map, show = state.join, state.is_map, state.show

local SECTIONS = { AWSTemplateFormatVersion = "string", Description = "string", Metadata = "object",
  Parameters = "object", Rules = "object", Mappings = "object", Conditions = "object", Transform = "any",
  Resources = "object", Outputs = "object", Hooks = "object", Globals = "object", Constants = "object" }
local LIMITS = { Parameters = { "E2010", 200 }, Resources = { "E3010", 500 }, Outputs = { "E6010", 200 },
  Mappings = { "E7010", 200 } }

local function count(map)
  local n = 0
  for _ in pairs(map) do n = n + 1 end
  return n
end

--- E1001 and the sections' sizes.
---@param L table
function structure.sections(L)
  local root = L.root
  for _, name in ipairs(json.keys(root)) do
    local kind, value = SECTIONS[name], root[name]
    if not kind or name == "Globals" and not L.sam then
      if not name:find("^Fn::") then
        L:find("E1001", { name }, "'%s' is no section of a template%s", name,
          util.suggest(name, util.sorted_keys(SECTIONS)))
      end
    elseif value == json.null or kind == "object" and not is_map(value)
      or kind == "string" and type(value) == "table" then
      L:find("E1001", { name }, "%s is not of type '%s'", show(value), kind)
    end
    local limit = LIMITS[name]
    if limit and is_map(value) and count(value) > limit[2] then
      L:find(limit[1], { name }, "there are %d %s, and at most %d are allowed", count(value), name:lower(), limit[2])
    end
  end
  if root.Resources == nil then
    L:find("E1001", {}, "'Resources' is a required property")
  end
  local version = root.AWSTemplateFormatVersion
  if version ~= nil and type(version) ~= "table" and tostring(version) ~= "2010-09-09" then
    L:find("E1001", { "AWSTemplateFormatVersion" }, "%s is not one of '2010-09-09'", show(version))
  end
  if type(root.Description) == "string" and #root.Description > 1024 then
    L:find("E1003", { "Description" }, "a description has at most 1024 bytes, this one %d", #root.Description)
  end
end

---------------------------------------------------------------------------------------------------------
-- Resources

local ATTRIBUTES = { Type = true, Properties = true, DependsOn = true, Condition = true, Metadata = true,
  DeletionPolicy = true, UpdateReplacePolicy = true, CreationPolicy = true, UpdatePolicy = true, Connectors = true,
  IgnoreGlobals = true, Version = true, ["Fn::Transform"] = true }
local POLICIES = { DeletionPolicy = { "E3035", { "Delete", "Retain", "RetainExceptOnCreate", "Snapshot" } },
  UpdateReplacePolicy = { "E3036", { "Delete", "Retain", "Snapshot" } } }
local SNAPSHOTS = { ["AWS::DocDB::DBCluster"] = true, ["AWS::EC2::Volume"] = true,
  ["AWS::ElastiCache::CacheCluster"] = true, ["AWS::ElastiCache::ReplicationGroup"] = true,
  ["AWS::Neptune::DBCluster"] = true, ["AWS::RDS::DBCluster"] = true, ["AWS::RDS::DBInstance"] = true,
  ["AWS::Redshift::Cluster"] = true }
local CREATION = { ["AWS::AutoScaling::AutoScalingGroup"] = true, ["AWS::EC2::Instance"] = true,
  ["AWS::CloudFormation::WaitCondition"] = true, ["AWS::AppStream::Fleet"] = true, ["AWS::Lambda::Alias"] = true }

local function check_policies(L, resource, path)
  for name, rule in pairs(POLICIES) do
    local value = resource[name]
    if value ~= nil and not (functions.name_of(value) and L.extended) then
      local good = false
      for _, allowed in ipairs(rule[2]) do good = good or value == allowed end
      if value == "Snapshot" and not SNAPSHOTS[resource.Type] then good = false end
      if not good then
        L:find(rule[1], join(path, name), "%s is not one of '%s'", show(value), table.concat(rule[2], "', '"))
      end
    end
  end
end

local function check_depends(L, id, resource, path)
  local value = resource.DependsOn
  if value == nil then return end
  local list = json.is_list(value)
  for index, name in ipairs(list and value or { value }) do
    local at = list and join(path, "DependsOn", index) or join(path, "DependsOn")
    if type(name) ~= "string" then
      L:find("E3005", at, "%s is not of type 'string'", show(name))
    elseif L.resources[name] == nil and not L.loops[name] then
      if not L:has_hidden_names() then
        L:find("E3005", at, "'%s' is no resource%s", name, util.suggest(name, util.sorted_keys(L.resources)))
      end
    else
      L:depend(id, name)
    end
  end
end

local function check_attributes(L, id, resource, path)
  for _, key in ipairs(json.keys(resource)) do
    if not ATTRIBUTES[key] then
      L:find("E3001", join(path, key), "'%s' is no attribute of a resource%s", key,
        util.suggest(key, util.sorted_keys(ATTRIBUTES)))
    end
  end
  local condition = resource.Condition
  if condition ~= nil and type(condition) ~= "string" then
    L:find("E3001", join(path, "Condition"), "%s is not of type 'string'", show(condition))
  elseif condition and L.conditions[condition] == nil and not L.rewritten then
    L:find("E3015", join(path, "Condition"), "'%s' is no condition%s", condition,
      util.suggest(condition, util.sorted_keys(L.conditions)))
  end
  for _, name in ipairs { "Metadata", "Properties", "CreationPolicy", "UpdatePolicy" } do
    if resource[name] ~= nil and not is_map(resource[name]) and not (type(resource[name]) == "table"
      and #resource[name] == 0) then
      L:find("E3001", join(path, name), "%s is not of type 'object'", show(resource[name]))
    end
  end
  if resource.CreationPolicy ~= nil and not CREATION[resource.Type] and not L.rewritten then
    L:find("E3001", join(path, "CreationPolicy"), "%s takes no CreationPolicy", tostring(resource.Type))
  end
  check_policies(L, resource, path)
  check_depends(L, id, resource, path)
end

local CUSTOM = "AWS::CloudFormation::CustomResource"

local function check_properties(L, id, resource, path)
  local type_name, value = resource.Type, resource.Properties
  local at, where = join(path, "Properties"), { resource = id, type = type_name }
  local custom = type_name:find("^Custom::") ~= nil or type_name == CUSTOM
  local known = not custom and schema.of(type_name)
  if custom or not known then
    if custom and (type(value) ~= "table" or value.ServiceToken == nil and not value["Fn::Transform"]) then
      L:find("E3003", value and at or path, "'ServiceToken' is a required property")
    end
    return functions.walk(L, value, at, "any", where)
  end
  if value == nil then
    for _, name in ipairs(schema.required(known.properties)) do
      L:find("E3003", path, "'%s' is a required property", name)
    end
  elseif functions.name_of(value) then
    functions.walk(L, value, at, "object", where)
  elseif type(value) == "table" then
    properties.check_object(L, known.properties, value, at, where)
  end
end

local SAM = {}
for name in ("Api Application CapacityProvider Connector Function GraphQLApi HttpApi LayerVersion SimpleTable "
  .. "StateMachine WebSocketApi"):gmatch("%S+") do SAM["AWS::Serverless::" .. name] = true end

local function type_exists(L, name)
  if name:find("^Custom::[%w_@-]+$") or name:find("::MODULE$") or name == CUSTOM then return true end
  if name:find("^AWS::Serverless::") then return L.sam and SAM[name] end
  return schema.of(name) ~= nil
end

local function nearest_type(name)
  return util.suggest(name, schema.types())
end

local function check_resource(L, id, resource)
  local path = { "Resources", id }
  if id:find("^Fn::ForEach::") or id == "Fn::Transform" then
    if not L.extended and id ~= "Fn::Transform" then
      L:find("E3001", path, "Fn::ForEach needs the transform AWS::LanguageExtensions")
    end
    return
  end
  if not id:find("^%w+$") then L:find("E3001", path, "'%s' is no logical id: letters and digits", id) end
  if #id > 255 then L:find("E3011", path, "a logical id has at most 255 characters") end
  if not is_map(resource) then return L:find("E3001", path, "%s is not of type 'object'", show(resource)) end
  local by_macro = type(resource.Type) == "string" and resource.Type:find("^AWS::Serverless::")
  if not by_macro then check_attributes(L, id, resource, path) end
  if resource.Type == nil then return L:find("E3001", path, "'Type' is a required property") end
  if type(resource.Type) ~= "string" then
    return L:find("E3001", join(path, "Type"), "%s is not of type 'string'", show(resource.Type))
  end
  if not type_exists(L, resource.Type) then
    L:find("E3006", join(path, "Type"), "Resource type '%s' does not exist%s", resource.Type,
      nearest_type(resource.Type))
  end
  functions.walk(L, resource.Metadata, join(path, "Metadata"), "any", { resource = id })
  for _, name in ipairs { "CreationPolicy", "UpdatePolicy" } do
    functions.walk(L, resource[name], join(path, name), "object", { resource = id, parameters_only = true })
  end
  check_properties(L, id, resource, path)
end

--- Every resource.
---@param L table
function structure.resources(L)
  for _, id in ipairs(json.keys(L.resources)) do check_resource(L, id, L.resources[id]) end
end

---------------------------------------------------------------------------------------------------------
-- Cycles

-- Resources that can reach themselves, by Tarjan's components; no recursion, so that a long chain costs no stack.
local function components(ids, edges)
  local index, low, on_stack, stack, n, found = {}, {}, {}, {}, 0, {}
  for _, root in ipairs(ids) do
    local work = index[root] == nil and { { root } } or {}
    while #work > 0 do
      local frame = work[#work]
      local id = frame[1]
      if not frame.targets then
        n = n + 1
        index[id], low[id], on_stack[id], stack[#stack + 1] = n, n, true, id
        frame.targets, frame.at = util.sorted_keys(edges[id] or {}), 0
      end
      frame.at = frame.at + 1
      local target = frame.targets[frame.at]
      if target == nil then
        if low[id] == index[id] then
          local members = {}
          repeat
            members[#members + 1] = table.remove(stack)
            on_stack[members[#members]] = nil
          until members[#members] == id
          found[#found + 1] = members
        end
        work[#work] = nil
        local parent = work[#work]
        if parent then low[parent[1]] = math.min(low[parent[1]], low[id]) end
      elseif index[target] == nil then
        work[#work + 1] = { target }
      elseif on_stack[target] then
        low[id] = math.min(low[id], index[target])
      end
    end
  end
  return found
end

-- Resources that a macro takes apart are not in a cycle for certain.
local function made_by_macro(L, members)
  for _, id in ipairs(members) do
    local type_name = is_map(L.resources[id]) and L.resources[id].Type
    if type(type_name) == "string" and type_name:find("^AWS::Serverless::") then return true end
  end
  return false
end

--- E3004: resources that wait for each other.
---@param L table
function structure.cycles(L)
  for _, members in ipairs(components(util.sorted_keys(L.resources), L.edges)) do
    local id = members[1]
    if (#members > 1 or L.edges[id] and L.edges[id][id]) and not made_by_macro(L, members) then
      table.sort(members)
      for _, member in ipairs(members) do
        L:find("E3004", { "Resources", member }, "Circular dependency: %s", table.concat(members, ", "))
      end
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Outputs, mappings, conditions

local OUTPUT = { Value = true, Description = true, Export = true, Condition = true }

local function check_output_value(L, id, output, path)
  local where = { getatt_rule = "E6101", ref_rule = "E6101" }
  local value = output.Value
  if value == nil then return L:find("E6002", path, "'Value' is a required property") end
  local name = functions.name_of(value)
  if not name and type(value) == "table" then
    return L:find("E6101", join(path, "Value"), "%s is not of type 'string'", show(value))
  end
  properties.check_value(L, value, join(path, "Value"), "scalar", where)
  local export = output.Export
  if export == nil then return end
  if not is_map(export) then
    return L:find("E6001", join(path, "Export"), "%s is not of type 'object'", show(export))
  end
  if export.Name == nil then L:find("E6002", join(path, "Export"), "'Name' is a required property") end
  functions.walk(L, export, join(path, "Export"), "any", {})
  return id
end

--- Every output.
---@param L table
function structure.outputs(L)
  for _, id in ipairs(json.keys(L.outputs)) do
    local output, path = L.outputs[id], { "Outputs", id }
    if id:find("^Fn::") then
      if not L.extended and id:find("^Fn::ForEach::") then L:find("E6001", path, "'%s' is no output's name", id) end
    else
      if not id:find("^%w+$") then L:find("E6001", path, "'%s' is no output's name: letters and digits", id) end
      if not is_map(output) then
        L:find("E6001", path, "%s is not of type 'object'", show(output))
      else
        for _, key in ipairs(json.keys(output)) do
          if not OUTPUT[key] and not key:find("^Fn::") then
            L:find("E6001", join(path, key), "'%s' is no member of an output%s", key,
              util.suggest(key, util.sorted_keys(OUTPUT)))
          end
        end
        local condition = output.Condition
        if type(condition) == "string" and L.conditions[condition] == nil and not L.rewritten then
          L:find("E6005", join(path, "Condition"), "'%s' is no condition", condition)
        end
        if output.Description ~= nil and type(output.Description) ~= "string" then
          L:find("E6001", join(path, "Description"), "%s is not of type 'string'", show(output.Description))
        end
        check_output_value(L, id, output, path)
      end
    end
  end
end

local function check_mapping(L, name, map)
  local path = { "Mappings", name }
  if not name:find("^%w+$") then L:find("E7001", path, "'%s' is no mapping's name: letters and digits", name) end
  if not is_map(map) then return L:find("E7001", path, "%s is not of type 'object'", show(map)) end
  for _, key in ipairs(json.keys(map)) do
    local inner = map[key]
    if key == "Fn::Transform" then
      return
    elseif not is_map(inner) then
      L:find("E7001", join(path, key), "%s is not of type 'object'", show(inner))
    else
      for _, second in ipairs(json.keys(inner)) do
        local value = inner[second]
        if not second:find("^%w+$") and second ~= "Fn::Transform" then
          L:find("E7001", join(path, key, second), "'%s' is no attribute's name: letters and digits", second)
        end
        if is_map(value) or value == json.null then
          L:find("E7001", join(path, key, second), "%s is no text, number or list", show(value))
        end
      end
    end
  end
end

--- Every mapping.
---@param L table
function structure.mappings(L)
  for _, name in ipairs(json.keys(L.mappings)) do
    if name ~= "Fn::Transform" then check_mapping(L, name, L.mappings[name]) end
  end
end

--- Every condition's definition, and every rule's.
---@param L table
function structure.conditions(L)
  for _, name in ipairs(json.keys(L.conditions)) do
    local value = L.conditions[name]
    if value == json.null then
      L:find("E1001", { "Conditions", name }, "null is no condition")
    elseif not name:find("^Fn::") then
      functions.check_condition(L, value, { "Conditions", name }, "E8001")
    end
  end
end

--- All of the template.
---@param L table
function structure.check(L)
  if not is_map(L.root) then return L:find("E0000", {}, "Template needs to be an object.") end
  structure.sections(L)
  parameters.check(L)
  structure.mappings(L)
  structure.conditions(L)
  structure.resources(L)
  structure.outputs(L)
  structure.cycles(L)
end

return structure
