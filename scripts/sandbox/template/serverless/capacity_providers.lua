--- AWS::Serverless::CapacityProvider: the provider of instances for functions, and the role by which it is operated;
-- and which provider a function has (CapacityProviderConfig).

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resources = require "sandbox.template.serverless.resources"

local capacity_providers = {}

local KIND = resources.kind("AWS::Serverless::CapacityProvider", [[ CapacityProviderName= string|map, VpcConfig!= map,
  OperatorRole= string|map, Tags= map, PropagateTags= boolean, InstanceRequirements= map, ScalingConfig= map,
  KmsKeyArn= string|map ]])

-- Section -> its members in the order in which errors come: name, form, what CloudFormation calls it.
local SECTIONS = {
  VpcConfig = { { "SecurityGroupIds", "list" }, { "SubnetIds", "list", required = true } },
  InstanceRequirements = { { "Architectures", "list" }, { "AllowedTypes", "list", "AllowedInstanceTypes" },
    { "ExcludedTypes", "list", "ExcludedInstanceTypes" } },
  ScalingConfig = { { "MaxVCpuCount", "integer" }, { "AverageCPUUtilization", "number" } },
}
local IN_ORDER = { "VpcConfig", "InstanceRequirements", "ScalingConfig" }

local function check_list(path, list, causes)
  local wrong = {}
  for i, each in ipairs(list) do
    if values.is_list(each) then
      wrong[#wrong + 1] = ("Property '%s.%d' value is not a valid dict."):format(path, i - 1)
    end
  end
  if #wrong == 0 then return end
  causes[#causes + 1] = ("Property '%s' value is not a valid dict."):format(path)
  table.move(wrong, 1, #wrong, #causes + 1, causes)
end

-- A call of a function may stand everywhere, and so may any other map.
local function check_member(path, form, value, causes)
  if values.is_map(value) then return end
  if form == "list" and values.is_list(value) then return check_list(path, value, causes) end
  if form ~= "list" and not values.is_list(value) and tonumber(value) then return end
  causes[#causes + 1] = ("Property '%s' value must be dictionary or %s."):format(path, form)
end

local function check_section(name, section, causes)
  local known = {}
  for _, member in ipairs(SECTIONS[name]) do
    local value, path = section[member[1]], name .. "." .. member[1]
    known[member[1]] = true
    if value ~= nil then
      check_member(path, member[2], value, causes)
    elseif member.required then
      causes[#causes + 1] = ("Property '%s' is required."):format(path)
    end
  end
  for _, key in ipairs(values.sorted(section)) do
    if not known[key] then causes[#causes + 1] = ("Property '%s.%s' is an invalid property."):format(name, key) end
  end
end

local function check(id, given)
  local causes, requirements = {}, given.InstanceRequirements or {}
  for _, name in ipairs(IN_ORDER) do
    if given[name] then check_section(name, given[name], causes) end
  end
  if #causes > 0 then failure.resource(id, "%s", table.concat(causes, " ")) end
  if requirements.AllowedTypes ~= nil and requirements.ExcludedTypes ~= nil then
    failure.resource(id, "Cannot specify 'InstanceRequirements.AllowedTypes' and 'InstanceRequirements.ExcludedTypes' "
      .. "together.")
  end
end

local function section_of(name, given)
  if not values.given(given) then return nil end
  local out = {}
  for _, member in ipairs(SECTIONS[name]) do values.put(out, member[3] or member[1], given[member[1]]) end
  return out
end

-- With a target for the use of processors it is scaled by that, else as Lambda sees fit.
local function scaling_of(given)
  if not values.given(given) then return nil end
  local count, target = given.MaxVCpuCount, given.AverageCPUUtilization
  local policy = target ~= nil and values.map("PredefinedMetricType", "LambdaCapacityProviderAverageCPUUtilization",
    "TargetValue", values.is_map(target) and target or tonumber(target) + 0.0)
  return values.map("MaxVCpuCount", values.is_map(count) and count or count ~= nil and tonumber(count) // 1 | 0 or nil,
    "ScalingMode", policy and "Manual" or "Auto", "ScalingPolicies", policy and values.list(policy) or nil)
end

--- What a capacity provider becomes.
---@param work table the translation
---@param id string
---@param definition table as the template has it
---@return table[] made resources
function capacity_providers.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  check(id, given)
  local made, arn, own = {}, values.or_nil(given.OperatorRole), values.map("lambda:createdBy", "SAM")
  local spread = values.given(given.PropagateTags) and given.Tags or {}
  if not arn then
    local role = policies.role { id = id, attributes = resources.shared_attributes(definition),
      assume = policies.assume "lambda.amazonaws.com", tags = values.tags(values.merged(own, spread)),
      managed = { policies.managed(work.partition, "AWSLambdaManagedEC2ResourceOperator") } }
    role.id = id .. "OperatorRole"
    arn, made[1] = values.getatt(role.id, "Arn"), role
  end
  local provider = resources.new("AWS::Lambda::CapacityProvider", id, resources.own_attributes(definition),
    definition.DependsOn)
  made[#made + 1] = resources.set(provider, "CapacityProviderName", values.or_nil(given.CapacityProviderName),
    "VpcConfig", section_of("VpcConfig", given.VpcConfig),
    "PermissionsConfig", values.map("CapacityProviderOperatorRoleArn", arn),
    "Tags", values.tags(values.merged(given.Tags or {}, own, spread)),
    "InstanceRequirements", section_of("InstanceRequirements", given.InstanceRequirements),
    "CapacityProviderScalingConfig", scaling_of(given.ScalingConfig), "KmsKeyArn", values.or_nil(given.KmsKeyArn))
  return made
end

---------------------------------------------------------------------------------------------------------
-- A function's

-- In the order in which errors come: name, what CloudFormation calls it, the forms that are tried.
local MEMBERS = {
  { "Arn", "CapacityProviderArn", { "str" }, required = true },
  { "PerExecutionEnvironmentMaxConcurrency", "PerExecutionEnvironmentMaxConcurrency", { "integer" } },
  { "ExecutionEnvironmentMemoryGiBPerVCpu", "ExecutionEnvironmentMemoryGiBPerVCpu", { "integer", "float" } },
}

local WRONG = { dict = "value is not a valid dict (type=type_error.dict)",
  str = "str type expected (type=type_error.str)", integer = "value is not a valid integer (type=type_error.integer)",
  float = "value is not a valid float (type=type_error.float)" }

-- What a value of one of the forms becomes: SAM cuts numbers down to whole ones. nil when it is none.
local function as_form(value, forms)
  if values.is_map(value) then return value end
  if values.is_list(value) then return nil end
  if forms[1] == "str" then return tostring(value) end
  local number = tonumber(value)
  return number and (number // 1 | 0)
end

--- The provider of a function and what it may do there, for CloudFormation.
---@param id string of the function
---@param config table? as the template has it
---@return table?
function capacity_providers.of_function(id, config)
  if not values.given(config) then return nil end
  local out, causes, known = {}, {}, {}
  local function refuse(name, why) causes[#causes + 1] = name .. "\n  " .. why end
  for _, member in ipairs(MEMBERS) do
    local name, value = member[1], config[member[1]]
    known[name] = true
    if value == nil and member.required then refuse(name, "field required (type=value_error.missing)") end
    local shown = value ~= nil and as_form(value, member[3]) or nil
    if value ~= nil and shown == nil then
      for _, form in ipairs { "dict", table.unpack(member[3]) } do refuse(name, WRONG[form]) end
    end
    values.put(out, member[2], shown)
  end
  for _, name in ipairs(values.sorted(config)) do
    if not known[name] then refuse(name, "extra fields not permitted (type=value_error.extra)") end
  end
  if #causes > 0 then
    failure.resource(id, "Invalid CapacityProviderConfig: %d validation error%s for CapacityProviderConfig\n%s",
      #causes, #causes > 1 and "s" or "", table.concat(causes, "\n"))
  end
  return values.map("LambdaManagedInstancesCapacityProviderConfig", out)
end

return capacity_providers
