--- What single services demand (lint.facts), and the rules that no table can say.

local facts = require "lint.facts"
local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"
local values = require "lint.values"

local services = {}

local join, is_map, show = state.join, state.is_map, state.show

local function is_literal(value) return values.literal(value) ~= nil end

local function among(list, value, ignoring)
  for _, allowed in ipairs(list) do
    if allowed == value or ignoring and allowed:lower() == value:lower() then return true end
  end
  return false
end

---------------------------------------------------------------------------------------------------------
-- The tables

local function check_enum(L, fact, value, path)
  if is_literal(value) and not among(fact[2], tostring(value), fact.ignoring) then
    L:find(fact[1], path, "%s is not one of '%s'%s", show(value), table.concat(fact[2], "', '"),
      util.suggest(tostring(value), fact[2]))
  end
end

local function check_length(L, fact, value, path)
  if type(value) ~= "string" or not is_literal(value) then return end
  local n = utf8.len(value) or #value
  if n < fact[1] or n > fact[2] then
    L:find("E3033", path, "%s has %d characters; it takes %d to %d", show(value), n, fact[1], fact[2])
  end
end

local function check_items(L, fact, value, path)
  if not json.is_list(value) then return end
  for _, item in ipairs(value) do
    if functions.name_of(item) == "Fn::If" then return end
  end
  if #value < fact[1] or #value > fact[2] then
    L:find("E3032", path, "there are %d items; it takes %d to %d", #value, fact[1], fact[2])
  end
end

local function check_pattern(L, fact, value, path)
  if type(value) == "string" and is_literal(value) and not value:find(fact[2]) then
    L:find(fact[1], path, "%s must %s", show(value), fact[3])
  end
end

local BY_PATH = { { facts.ENUMS, check_enum }, { facts.LENGTHS, check_length },
  { facts.ITEMS, check_items }, { facts.PATTERNS, check_pattern } }

local function count_members(object, members)
  local n = 0
  for _, name in ipairs(members) do n = n + (object[name] ~= nil and 1 or 0) end
  return n
end

-- A member whose value may be AWS::NoValue may be absent: nothing is certain then.
local function may_be_absent(object, members)
  for _, name in ipairs(members) do
    if functions.name_of(object[name]) == "Fn::If" then return true end
    if functions.name_of(object[name]) == "Ref" and object[name].Ref == "AWS::NoValue" then return true end
  end
  return object["Fn::Transform"] ~= nil
end

local function check_members(L, rows, given, path, judge)
  for _, row in ipairs(rows or {}) do
    values.at(given, row[1], path, function(object, at)
      if is_map(object) and not may_be_absent(object, row[2]) then judge(L, row, object, at) end
    end)
  end
end

local function one_of(L, row, object, path)
  if count_members(object, row[2]) == 0 then
    L:find(row[3], path, "One of '%s' is a required property", table.concat(row[2], "', '"))
  end
end

local function exclusive(L, row, object, path)
  if count_members(object, row[2]) > 1 then
    L:find(row[3], path, "'%s' exclude each other", table.concat(row[2], "', '"))
  end
end

---------------------------------------------------------------------------------------------------------
-- Rules of their own, by type: function(L, given, path)

local special = {}

-- The names in a list of { AttributeName = }; nil when one is not literal.
local function names_in(list, into)
  if list == nil then return true end
  local sure = json.is_list(list)
  for _, item in ipairs(sure and list or {}) do
    local name = is_map(item) and item.AttributeName
    if type(name) ~= "string" then return false end
    into[name] = true
  end
  return sure
end

special["AWS::DynamoDB::Table"] = function(L, given, path)
  local defined, used = {}, {}
  local sure = names_in(given.AttributeDefinitions, defined) and names_in(given.KeySchema, used)
  for _, kind in ipairs { "GlobalSecondaryIndexes", "LocalSecondaryIndexes" } do
    local indexes = given[kind]
    sure = sure and (indexes == nil or json.is_list(indexes))
    for _, index in ipairs(sure and indexes or {}) do
      sure = sure and is_map(index) and names_in(index.KeySchema, used)
    end
  end
  if not sure or given["Fn::Transform"] then return end
  local a, b = util.sorted_keys(defined), util.sorted_keys(used)
  if table.concat(a, "\0") ~= table.concat(b, "\0") then
    L:find("E3039", path, "AttributeDefinitions has '%s', the keys use '%s': both have to be the same",
      table.concat(a, "', '"), table.concat(b, "', '"))
  end
end

special["AWS::Lambda::Function"] = function(L, given, path)
  local image = given.PackageType == "Image" or is_map(given.Code) and given.Code.ImageUri ~= nil
  if functions.name_of(given.PackageType) or functions.name_of(given.Code) then return end
  if image then
    if given.Handler ~= nil or given.Runtime ~= nil or given.Layers ~= nil then
      L:find("E3685", path, "a function of a container image has no Handler, Runtime or Layers")
    end
    return
  end
  for _, name in ipairs { "Handler", "Runtime" } do
    if given[name] == nil then
      L:find("E3678", path, "'%s' is a required property of a function in a zip file", name)
    end
  end
end

local WITHOUT_OWNERSHIP = { Private = true, BucketOwnerFullControl = true, BucketOwnerRead = true }

special["AWS::S3::Bucket"] = function(L, given, path)
  if type(given.AccessControl) == "string" and not WITHOUT_OWNERSHIP[given.AccessControl]
    and given.OwnershipControls == nil then
    L:find("E3045", path, "a bucket with AccessControl needs OwnershipControls as well")
  end
end

special["AWS::EC2::SecurityGroup"] = function(L, given, path)
  for _, kind in ipairs { "SecurityGroupIngress", "SecurityGroupEgress" } do
    values.at(given, kind .. "/*", path, function(rule, at)
      if not is_map(rule) then return end
      local protocol = tostring(rule.IpProtocol)
      local ports = protocol == "tcp" or protocol == "udp" or protocol == "6" or protocol == "17" or protocol == "icmp"
        or protocol == "1"
      if ports and (rule.FromPort == nil or rule.ToPort == nil) then
        L:find("E3687", at, "'FromPort', 'ToPort' are required properties for %s", protocol)
      end
    end)
  end
end

---------------------------------------------------------------------------------------------------------
-- Across resources

-- Names that only one resource can have: type -> property.
local IDENTIFIERS = { ["AWS::S3::Bucket"] = "BucketName", ["AWS::S3::BucketPolicy"] = "Bucket",
  ["AWS::RDS::DBInstance"] = "DBInstanceIdentifier", ["AWS::RDS::DBCluster"] = "DBClusterIdentifier",
  ["AWS::DynamoDB::Table"] = "TableName", ["AWS::IAM::Role"] = "RoleName", ["AWS::SQS::Queue"] = "QueueName",
  ["AWS::Logs::LogGroup"] = "LogGroupName", ["AWS::Lambda::Function"] = "FunctionName" }

local function check_unique(L)
  local owners = {}
  for _, id in ipairs(json.keys(L.resources)) do
    local resource = L.resources[id]
    local property = is_map(resource) and IDENTIFIERS[resource.Type]
    local value = property and is_map(resource.Properties) and resource.Properties[property]
    local literal = type(value) == "string" or is_map(value) and type(value.Ref) == "string" and L.resources[value.Ref]
    if literal and resource.Condition == nil then
      local key = resource.Type .. "\0" .. json.encode(value)
      owners[key] = owners[key] or {}
      table.insert(owners[key], { id, property })
    end
  end
  for _, list in pairs(owners) do
    for _, one in ipairs(#list > 1 and list or {}) do
      L:find("E3019", { "Resources", one[1], "Properties", one[2] }, "%d resources have this %s", #list, one[2])
    end
  end
end

-- "${Name}" in a text that no Fn::Sub reads.
local function check_forgotten_sub(L, value, path, name)
  if type(value) == "string" then
    for found in value:gmatch("%${([%w:]+)}") do
      if L.parameters[found] ~= nil and name ~= "Fn::Sub" then
        L:find("E1029", path, "'${%s}' stands outside of an Fn::Sub", found)
        return
      end
    end
  end
end

local SKIPPED = { ["Fn::Sub"] = true, Metadata = true, UserData = true, DefinitionString = true, BuildSpec = true,
  Content = true, PolicyDocument = true, AssumeRolePolicyDocument = true, DashboardBody = true, ZipFile = true,
  DefinitionBody = true, RequestTemplates = true, Commands = true }

local function walk_for_sub(L, value, path)
  if type(value) ~= "table" then return check_forgotten_sub(L, value, path, path[#path]) end
  if json.is_list(value) then
    for index, item in ipairs(value) do walk_for_sub(L, item, join(path, index)) end
    return
  end
  for _, key in ipairs(json.keys(value)) do
    if not SKIPPED[key] then walk_for_sub(L, value[key], join(path, key)) end
  end
end

---------------------------------------------------------------------------------------------------------

local function check_resource(L, given, path, resource)
  if functions.name_of(given) then return end
  for _, row in ipairs(BY_PATH) do
    for text, fact in pairs(row[1][resource.Type] or {}) do
      values.at(given, text, path, function(value, at) row[2](L, fact, value, at) end)
    end
  end
  check_members(L, facts.ONE_OF[resource.Type], given, path, one_of)
  check_members(L, facts.EXCLUSIVE[resource.Type], given, path, exclusive)
  if special[resource.Type] then special[resource.Type](L, given, path) end
  if resource.Type:find("^AWS::") then walk_for_sub(L, given, path) end
end

--- Every resource.
---@param L table
function services.check(L)
  L:each_resource(function(given, path, resource) check_resource(L, given, path, resource) end)
  check_unique(L)
end

return services
