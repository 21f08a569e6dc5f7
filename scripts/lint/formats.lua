--- Values of a known form, by the names that properties have everywhere: ids of images, networks and groups, ARNs of
-- roles and topics, address ranges. Only literals are looked at.

local json = require "tap.core.json"
local functions = require "lint.functions"
local schema = require "tap.schema"
local state = require "lint.state"

local formats = {}

local join, is_map, show = state.join, state.is_map, state.show

local function hexadecimal_id(prefix, set)
  local short = "^" .. prefix .. "%-" .. (set):rep(8) .. "$"
  local long = "^" .. prefix .. "%-" .. (set):rep(17) .. "$"
  return function(value) return value:find(short) ~= nil or value:find(long) ~= nil end
end

local function is_cidr(value)
  local a, b, c, d, bits = (value:find("/") and value or value .. "/32"):match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/(%d+)$")
  if not a then return false end
  for _, part in ipairs { a, b, c, d } do
    if tonumber(part) > 255 or #part > 3 then return false end
  end
  return tonumber(bits) <= 32
end

-- Form -> rule, what it is called, check.
local FORMS = {
  image = { "E1152", "an image's id, ami- and 8 or 17 characters", hexadecimal_id("ami", "[0-9a-z]") },
  vpc = { "E1151", "a VPC's id, vpc- and 8 or 17 digits", hexadecimal_id("vpc", "%x") },
  subnet = { "E1154", "a subnet's id, subnet- and 8 or 17 digits", hexadecimal_id("subnet", "%x") },
  group = { "E1150", "a security group's id, sg- and 8 or 17 digits", hexadecimal_id("sg", "%x") },
  role = { "E1156", "the ARN of a role", function(value)
    return value:find("^arn:aws[%a-]*:iam::%d%d%d%d%d%d%d%d%d%d%d%d:role/.+") ~= nil
  end },
  topic = { "E1158", "the ARN of a topic", function(value)
    return value:find("^arn:aws[%a-]*:sns:[%w-]+:%d%d%d%d%d%d%d%d%d%d%d%d:.+") ~= nil
  end },
  cidr = { "E3002", "an address range, 10.0.0.0/16", is_cidr },
}

-- Name of a property -> form.
local NAMES = {
  ImageId = "image", VpcId = "vpc", VPCId = "vpc", SubnetId = "subnet", SubnetIds = "subnet",
  VPCZoneIdentifier = "subnet",
  SecurityGroupIds = "group", GroupSet = "group", SourceSecurityGroupId = "group", DestinationSecurityGroupId = "group",
  VpcSecurityGroupIds = "group", RoleArn = "role", RoleARN = "role", ServiceRoleArn = "role", IAMRoleARN = "role",
  ExecutionRoleArn = "role", TaskRoleArn = "role", TopicArn = "topic", CidrBlock = "cidr", CidrIp = "cidr",
  DestinationCidrBlock = "cidr",
}

-- Types whose properties of these names mean something else.
local ELSEWHERE = {
  SubnetIds = { ["AWS::Lambda::"] = true }, -- the function's own rule is another one
  ImageId = { ["AWS::AppStream::"] = true, ["AWS::WorkSpaces::"] = true, ["AWS::SageMaker::"] = true,
    ["AWS::ImageBuilder::"] = true, ["AWS::DLM::"] = true },
}

local function is_meant(name, type_name)
  for prefix in pairs(ELSEWHERE[name] or {}) do
    if type_name:sub(1, #prefix) == prefix then return false end
  end
  return true
end

local walk, walk_member

local function check_literal(L, form, value, path)
  if type(value) ~= "string" or value:find("{{resolve:", 1, true) then return end
  local rule, words, good = table.unpack(FORMS[form])
  if not good(value) then L:find(rule, path, "%s is not %s", show(value), words) end
end

-- The literals of a property: its value, the items of its list, the branches of its Fn::If.
local function check_property(L, form, value, path)
  local name = functions.name_of(value)
  if name == "Fn::If" and json.is_list(value[name]) then
    for index = 2, 3 do check_property(L, form, value[name][index], join(path, name, index)) end
  elseif json.is_list(value) then
    for index, item in ipairs(value) do check_property(L, form, item, join(path, index)) end
  elseif not name then
    check_literal(L, form, value, path)
  end
end

walk = function(L, value, path, type_name)
  if type(value) ~= "table" then return end
  if json.is_list(value) then
    for index, item in ipairs(value) do walk(L, item, join(path, index), type_name) end
    return
  end
  for _, key in ipairs(json.keys(value)) do walk_member(L, value, key, path, type_name) end
end

walk_member = function(L, object, key, path, type_name)
  local form, value = NAMES[key], object[key]
  if form and is_meant(key, type_name) and (not is_map(value) or functions.name_of(value)) then
    check_property(L, form, value, join(path, key))
  else
    walk(L, value, join(path, key), type_name)
  end
end

--- Every resource of a type of AWS.
---@param L table
function formats.check(L)
  for _, id in ipairs(json.keys(L.resources)) do
    local resource = L.resources[id]
    local type_name = is_map(resource) and type(resource.Type) == "string" and resource.Type or ""
    local ours = type_name:find("^AWS::") and not type_name:find("^AWS::Serverless::")
      and type_name ~= "AWS::CloudFormation::CustomResource" and type_name ~= "AWS::CloudFormation::Stack"
    local known = ours and schema.of(type_name)
    for _, key in ipairs(known and is_map(resource.Properties) and json.keys(resource.Properties) or {}) do
      -- What is free-form (documents, definitions) has names of its own.
      if known.properties[key] and known.properties[key].type ~= "json" then
        walk_member(L, resource.Properties, key, { "Resources", id, "Properties" }, type_name)
      end
    end
  end
end

return formats
