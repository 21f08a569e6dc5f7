--- Gradual deployments: a function's alias is updated by CodeDeploy, through one application and one role of the whole
-- template, and a deployment group of each function.

local values = require "sandbox.template.serverless.values"
local conditions = require "sandbox.template.serverless.conditions"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local deployments = {}

local APPLICATION, ROLE, CONDITION = "ServerlessDeploymentApplication", "CodeDeployServiceRole",
  "ServerlessCodeDeployCondition"

local CONFIGURATIONS = {}
for name in ([[ Canary10Percent5Minutes Canary10Percent10Minutes Canary10Percent15Minutes Canary10Percent30Minutes
  Linear10PercentEvery1Minute Linear10PercentEvery2Minutes Linear10PercentEvery3Minutes Linear10PercentEvery10Minutes
  AllAtOnce ]]):gmatch "%S+" do CONFIGURATIONS[name] = true end

local function known(work, value)
  return resolve.mappings(resolve.parameters(values.copy(value), work.parameters), work.tree.Mappings or {})
end

local TRUTH = { [true] = true, ["true"] = true, ["True"] = true, [false] = false, ["false"] = false,
  ["False"] = false }

local function truth(work, id, value)
  value = known(work, value)
  if values.intrinsic(value) then
    failure.resource(id, "Unsupported intrinsic: the only intrinsic functions supported for property "
      .. "PassthroughCondition are FindInMap and parameter Refs.")
  end
  if type(value) == "table" or TRUTH[value] == nil then
    failure.resource(id, "Invalid value for property PassthroughCondition.")
  end
  return TRUTH[value]
end

local function is_enabled(work, given)
  if given.Enabled == nil then return true end
  local enabled = known(work, given.Enabled)
  return values.given(enabled) and enabled ~= "false" and enabled ~= "False"
end

--- Notes how a function wants to be deployed, and lets its alias be updated so.
---@param work table the translation
---@param id string of the function
---@param given table its properties
---@param alias table? its alias
---@param condition string? of the function
function deployments.add(work, id, given, alias, condition)
  local preference = given.DeploymentPreference
  if not values.given(preference) or not is_enabled(work, preference) then return end
  if preference.Type == nil then
    failure.resource(id, "'DeploymentPreference' is missing required Property 'Type'")
  end
  local hooks = preference.Hooks or {}
  if not values.is_map(hooks) then
    failure.resource(id, "'Hooks' property of 'DeploymentPreference' must be a dictionary")
  end
  local passes = preference.PassthroughCondition ~= nil and truth(work, id, preference.PassthroughCondition)
  work.deployments[#work.deployments + 1] = { id = id, type = known(work, preference.Type),
    alarms = preference.Alarms, role = values.or_nil(preference.Role), triggers = preference.TriggerConfigurations,
    condition = passes and condition or nil, tags = values.given(given.PropagateTags) and given.Tags or nil }
  if not alias then
    failure.resource(id, "'DeploymentPreference' requires AutoPublishAlias property to be specified.")
  end
  values.put(alias.attributes, "UpdatePolicy", values.map("CodeDeployLambdaAliasUpdate", values.map(
    "ApplicationName", values.ref(APPLICATION), "DeploymentGroupName", values.ref(id .. "DeploymentGroup"),
    "BeforeAllowTrafficHook", hooks.PreTraffic, "AfterAllowTrafficHook", hooks.PostTraffic)))
end

---------------------------------------------------------------------------------------------------------
-- What CodeDeploy needs

-- The condition of what all functions share: nil when one of them has none.
local function shared_condition(work)
  local names, seen = {}, {}
  for _, each in ipairs(work.deployments) do
    if not each.condition then return nil end
    if not seen[each.condition] then names[#names + 1] = each.condition end
    seen[each.condition] = true
  end
  if #names == 1 then return names[1] end
  conditions.add_any(work.tree, CONDITION, names)
  return CONDITION
end

local function shared_tags(work)
  local all = {}
  for _, each in ipairs(work.deployments) do all = values.merged(all, each.tags or {}) end
  return next(all) and values.tags(all) or nil
end

local function alarm_configuration(id, alarms)
  if not values.is_list(alarms) then failure.resource(id, "Alarms must be a list") end
  if #alarms == 0 or values.is_no_value(alarms[1]) then return {} end
  local list = values.list()
  for i, alarm in ipairs(alarms) do list[i] = values.map("Name", alarm) end
  return values.map("Enabled", true, "Alarms", list)
end

local function alarms_of(id, alarms)
  if not values.given(alarms) or values.is_no_value(alarms) then return nil end
  if not values.is_if(alarms) then return alarm_configuration(id, alarms) end
  local branches = alarms["Fn::If"]
  if not values.is_list(branches) or #branches ~= 3 then failure.resource(id, "Fn::If requires 3 arguments") end
  return values.choice(branches[1], alarm_configuration(id, branches[2]), alarm_configuration(id, branches[3]))
end

local NAME = "CodeDeployDefault.Lambda${ConfigName}"

-- A type of deployment by its short name stands for CodeDeploy's configuration, inside of conditions too.
local function configuration(value, key)
  if values.is_list(value) then
    local out = values.list()
    for i, element in ipairs(value) do out[i] = configuration(element) end
    return out
  end
  local name = values.intrinsic(value)
  if name then return values.map(name, configuration(value[name], name)) end
  if not CONFIGURATIONS[value] then return value end
  local argument = values.list(NAME, values.map("ConfigName", value))
  return key == "Fn::Sub" and argument or values.map("Fn::Sub", argument)
end

local function group_of(each)
  local group = resources.new("AWS::CodeDeploy::DeploymentGroup", each.id .. "DeploymentGroup",
    values.map("Condition", each.condition))
  return resources.set(group, "AlarmConfiguration", alarms_of(each.id, each.alarms),
    "ApplicationName", values.ref(APPLICATION),
    "AutoRollbackConfiguration", values.map("Enabled", true, "Events",
      values.list("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")),
    "DeploymentConfigName", configuration(each.type),
    "DeploymentStyle", values.map("DeploymentType", "BLUE_GREEN", "DeploymentOption", "WITH_TRAFFIC_CONTROL"),
    "ServiceRoleArn", each.role or values.getatt(ROLE, "Arn"),
    "TriggerConfigurations", values.or_nil(each.triggers),
    "Tags", values.given(each.tags) and values.tags(each.tags) or nil)
end

local function role_of(work, condition)
  local name = work.partition:find "^aws%-iso" and "AWSCodeDeployRoleForLambdaLimited" or "AWSCodeDeployRoleForLambda"
  return resources.set(resources.new("AWS::IAM::Role", ROLE, values.map("Condition", condition)),
    "AssumeRolePolicyDocument", policies.assume "codedeploy.amazonaws.com",
    "ManagedPolicyArns", values.list(policies.managed(work.partition, "service-role/" .. name)),
    "Tags", shared_tags(work))
end

--- The resources of CodeDeploy that all functions of a template need.
---@return table[]
function deployments.resources(work)
  if #work.deployments == 0 then return {} end
  local condition = shared_condition(work)
  local out = { resources.set(resources.new("AWS::CodeDeploy::Application", APPLICATION,
    values.map("Condition", condition)), "ComputePlatform", "Lambda", "Tags", shared_tags(work)) }
  local needs_role = false
  for _, each in ipairs(work.deployments) do needs_role = needs_role or not each.role end
  if needs_role then out[#out + 1] = role_of(work, condition) end
  for _, each in ipairs(work.deployments) do out[#out + 1] = group_of(each) end
  return out
end

return deployments
