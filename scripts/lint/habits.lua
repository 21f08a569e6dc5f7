--- What works and is better said otherwise: values that are written where they should be referred to, secrets in
-- parameters, functions that do nothing, policies that protect only half. A table of properties, one walk.

local json = require "tap.core.json"
local schema = require "tap.schema"
local state = require "lint.state"
local values = require "lint.values"

local habits = {}

local is_map, join, show = state.is_map, state.join, state.show

---------------------------------------------------------------------------------------------------------
-- Properties by name

local SSM = "^AWS::SSM::Parameter::Value"

local function check_secret(L, value, path, name)
  values.each_branch(value, path, function(one, at)
    local parameter = is_map(one) and L.parameters[one.Ref]
    if type(one) == "string" and not one:find("{{resolve:", 1, true) then
      L:find("W2501", at, "%s should not be written in a template; use a dynamic reference to a secret", name)
    elseif is_map(parameter) and not tostring(parameter.Type):find(SSM) then
      L:find("W1011", path, "Use dynamic references over parameters for secrets")
      if tostring(parameter.NoEcho) ~= "true" then
        L:find("W2501", { "Parameters", one.Ref }, "Parameter %s used as %s, therefore NoEcho should be True", one.Ref,
          name)
      end
    end
  end)
end

local IMAGES = { ["AWS::EC2::Image::Id"] = true, ["AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"] = true }

local function check_image(L, value)
  local parameter = is_map(value) and L.parameters[value.Ref]
  if is_map(parameter) and type(parameter.Type) == "string" and not IMAGES[parameter.Type] then
    L:find("W2506", { "Parameters", value.Ref, "Type" }, "%s is not one of 'AWS::EC2::Image::Id', "
      .. "'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>'", show(parameter.Type))
  end
end

local function check_zone(L, value, path)
  for index, zone in ipairs(json.is_list(value) and value or { value }) do
    if type(zone) == "string" and zone:find "^%l%l%-%l+%-%d%l$" then
      L:find("W3010", json.is_list(value) and join(path, index) or path, "Avoid hardcoding availability zones %s",
        show(zone))
    end
  end
end

local function check_access_control(L, value, path, name, type_name)
  if type_name == "AWS::S3::Bucket" and value ~= nil then
    L:find("W3045", path, "'%s' is a legacy property. Consider using 'AWS::S3::BucketPolicy' instead", name)
  end
end

local PACKAGED = { ["AWS::Lambda::Function"] = "Code", ["AWS::CloudFormation::Stack"] = "TemplateURL",
  ["AWS::Lambda::LayerVersion"] = "Content" }

-- A path of this machine where the service wants an object of S3.
local function check_local_path(L, value, path, name, type_name)
  if PACKAGED[type_name] == name and type(value) == "string" and not value:find "^%a[%w+.-]*://" then
    L:find("W3002", path, "This code may only work with 'package' cli command")
  end
end

-- Property -> what looks at it, wherever it stands below a resource's properties.
local PROPERTIES = {
  Password = check_secret, MasterUserPassword = check_secret, AuthToken = check_secret, AdminPassword = check_secret,
  ImageId = check_image, AvailabilityZone = check_zone, AvailabilityZones = check_zone,
  AccessControl = check_access_control, Code = check_local_path, TemplateURL = check_local_path,
  Content = check_local_path,
}

---------------------------------------------------------------------------------------------------------
-- Values

local PSEUDO = {}
for name in ("AccountId NoValue NotificationARNs Partition Region StackId StackName URLSuffix"):gmatch "%S+" do
  PSEUDO["AWS::" .. name] = true
end

local function check_text(L, value, path)
  if PSEUDO[value] and path[#path] ~= "Ref" then
    L:find("W1054", path, "'%s' is the name of a pseudo parameter: { Ref: %s } is its value", value, value)
  elseif value:find "{{%s+resolve:" or value:find "{{resolve:[^}]-%s+}}" then
    L:find("W1053", path, "a dynamic reference with spaces is not resolved: '{{resolve:...}}'")
  end
end

local function check_sub(L, value, path)
  local argument = value["Fn::Sub"]
  if type(argument) == "string" and not argument:find("${", 1, true) then
    L:find("W1020", join(path, "Fn::Sub"), "'Fn::Sub' isn't needed because there are no variables")
  end
end

local function check_policy_version(L, value, path)
  if value.Statement ~= nil and value.Version == "2008-10-17" then
    L:find("W2511", join(path, "Version"), "IAM Policy Version should be updated to '2012-10-17'")
  end
end

local function visit(L, value, path, type_name)
  if type(value) == "string" then return check_text(L, value, path) end
  if type(value) ~= "table" then return end
  if is_map(value) then
    if value["Fn::Sub"] ~= nil then check_sub(L, value, path) end
    check_policy_version(L, value, path)
  end
  for key, item in pairs(value) do
    local at = join(path, key)
    local look = PROPERTIES[key]
    if look then look(L, item, at, key, type_name) end
    visit(L, item, at, type_name)
  end
end

---------------------------------------------------------------------------------------------------------
-- Resources

-- A resource that holds data, protected when its stack goes and not when it is replaced, or the other way round.
local function check_protection(L, id, resource)
  local known = schema.of(resource.Type)
  local kept, replaced = resource.DeletionPolicy, resource.UpdateReplacePolicy
  local one = kept == nil and replaced or replaced == nil and kept
  if known and known.stateful and one and one ~= "Delete" then
    L:find("W3011", { "Resources", id }, "Both 'UpdateReplacePolicy' and 'DeletionPolicy' are needed to protect "
      .. "resource from deletion")
  end
end

local function publishes_versions(L)
  for _, resource in pairs(L.resources) do
    if is_map(resource) and resource.Type == "AWS::Lambda::Version" then return true end
  end
  return false
end

local function check_snap_start(L, id, resource)
  local snap = is_map(resource.Properties) and resource.Properties.SnapStart
  if is_map(snap) and snap.ApplyOn == "PublishedVersions" and not publishes_versions(L) then
    L:find("W2530", { "Resources", id, "Properties", "SnapStart", "ApplyOn" },
      "'SnapStart' is enabled but an 'AWS::Lambda::Version' resource is not attached")
  end
end

--- All of them.
---@param L table lint.state
function habits.check(L)
  for _, id in ipairs(json.keys(L.resources)) do
    local resource = L.resources[id]
    if is_map(resource) and type(resource.Type) == "string" then
      visit(L, resource.Properties, { "Resources", id, "Properties" }, resource.Type)
      check_protection(L, id, resource)
      check_snap_start(L, id, resource)
    end
  end
  for _, id in ipairs(json.keys(L.outputs)) do visit(L, L.outputs[id], { "Outputs", id }, "") end
end

return habits
