--- Parameters: their members and types (E2001, E2002), and whether a default satisfies its own constraints (E2015).

local constraints = require "tap.constraints"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"

local parameters = {}

local join, is_map, show = state.join, state.is_map, state.show

local TYPES = {}
for name in ([[ String Number CommaDelimitedList List<Number> List<String> AWS::SSM::Parameter::Name
  AWS::EC2::AvailabilityZone::Name AWS::EC2::Image::Id AWS::EC2::Instance::Id AWS::EC2::KeyPair::KeyName
  AWS::EC2::SecurityGroup::GroupName AWS::EC2::SecurityGroup::Id AWS::EC2::Subnet::Id AWS::EC2::VPC::Id
  AWS::EC2::Volume::Id AWS::Route53::HostedZone::Id ]]):gmatch("%S+") do
  TYPES[name] = true
  if name:find("^AWS::EC2") or name:find("^AWS::Route53") then TYPES["List<" .. name .. ">"] = true end
end

local function is_type(name)
  local inner = name:match("^AWS::SSM::Parameter::Value<(.+)>$")
  if inner then return TYPES[inner] == true and inner ~= "Number" and inner ~= "List<Number>" end
  return TYPES[name] == true
end

local function is_text(value) return type(value) == "string" end
local function is_scalar(value) return type(value) ~= "table" and value ~= json.null end
local function is_number(value) return is_scalar(value) and tonumber(value) ~= nil end
local function is_integer(value) return is_scalar(value) and math.tointeger(tonumber(value)) ~= nil end
local function is_boolean(value)
  return type(value) == "boolean" or value == "true" or value == "false" or value == "True" or value == "False"
end

-- Member -> its type's word, its check, and for which parameter types it is: any, "String" or "Number" kinds.
local MEMBERS = {
  Type = { "string", is_text }, Description = { "string", is_text }, ConstraintDescription = { "string", is_text },
  NoEcho = { "boolean", is_boolean }, Default = { "string", is_scalar }, AllowedPattern = { "string", is_text, "text" },
  AllowedValues = { "array", function(value) return json.is_list(value) end },
  MinLength = { "integer", is_integer, "text" }, MaxLength = { "integer", is_integer, "text" },
  MinValue = { "number", is_number, "number" }, MaxValue = { "number", is_number, "number" },
}

local function fits(kind, parameter_type)
  if not kind or type(parameter_type) ~= "string" then return true end
  local number = parameter_type == "Number" or parameter_type == "List<Number>"
  if kind == "number" then return number end
  return not number
end

local function check_members(L, definition, path)
  for _, key in ipairs(json.keys(definition)) do
    local member, value = MEMBERS[key], definition[key]
    if not member or not fits(member[3], definition.Type) then
      L:find("E2001", join(path, key), "'%s' is no member of a parameter%s", key, member and " of type "
        .. tostring(definition.Type) or util.suggest(key, util.sorted_keys(MEMBERS)))
    elseif not member[2](value) then
      L:find("E2001", join(path, key), "%s is not of type '%s'", show(value), member[1])
    elseif key == "AllowedValues" then
      for index, item in ipairs(value) do
        if not is_scalar(item) then
          L:find("E2001", join(path, key, index), "%s is not of type 'string'", show(item))
        end
      end
    end
  end
end

local function check_default(L, definition, path)
  local default = definition.Default
  if default == nil or not is_scalar(default) then return end
  if definition.Type:find("^AWS::SSM::Parameter::Value") then return end
  local ok, message = pcall(constraints.check, "Default", definition, constraints.text(default))
  if ok and message then L:find("E2015", join(path, "Default"), "%s", message) end
end

local function check_one(L, name, definition)
  local path = { "Parameters", name }
  if not name:find("^%w+$") then L:find("E2001", path, "'%s' is no parameter's name: letters and digits", name) end
  if #name > 255 then L:find("E2011", path, "a parameter's name has at most 255 characters") end
  if not is_map(definition) then return L:find("E2001", path, "%s is not of type 'object'", show(definition)) end
  check_members(L, definition, path)
  local kind = definition.Type
  if kind == nil then
    L:find("E2001", path, "'Type' is a required property")
  elseif type(kind) == "string" and not is_type(kind) then
    L:find("E2002", join(path, "Type"), "%s is no type of a parameter%s", show(kind),
      util.suggest(kind, util.sorted_keys(TYPES)))
  elseif type(kind) == "string" then
    check_default(L, definition, path)
  end
end

--- Every parameter.
---@param L table
function parameters.check(L)
  for _, name in ipairs(json.keys(L.parameters)) do
    if name ~= "Fn::Transform" then check_one(L, name, L.parameters[name]) end
  end
end

return parameters
