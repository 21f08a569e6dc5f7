--- AWS::Serverless::Function: the function, its role, and what its version, alias, URL and events make.

local values = require "sandbox.template.serverless.values"
local capacity_providers = require "sandbox.template.serverless.capacity_providers"
local conditions = require "sandbox.template.serverless.conditions"
local deployments = require "sandbox.template.serverless.deployments"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local invocations = require "sandbox.template.serverless.invocations"
local policies = require "sandbox.template.serverless.policies"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"
local versions = require "sandbox.template.serverless.versions"

local functions = {}

local KIND = resources.kind("AWS::Serverless::Function", [[
  FunctionName string|map, Handler= any, Runtime= any, CodeUri= any, ImageUri= any, PackageType= any, InlineCode=
  any, DeadLetterQueue map, Description= any, MemorySize= any, Timeout= any, VpcConfig= any, Role string,
  AssumeRolePolicyDocument map, Policies string|map|list<string|map>, RolePath= any, PermissionsBoundary string,
  Environment map<map>, Events map<map>, Tags map, PropagateTags boolean, Tracing map|string, KmsKeyArn= any,
  DeploymentPreference map, ReservedConcurrentExecutions= any, Layers list<string|map>, EventInvokeConfig map,
  EphemeralStorage= any, AutoPublishAlias string|string, AutoPublishCodeSha256 string|string,
  AutoPublishAliasAllProperties= boolean, VersionDescription= any, ProvisionedConcurrencyConfig= any,
  FileSystemConfigs= any, ImageConfig= any, CodeSigningConfigArn= any, Architectures= any, SnapStart map,
  FunctionUrlConfig map, RuntimeManagementConfig= any, LoggingConfig= any, RecursiveLoop= any, SourceKMSKeyArn= any,
  CapacityProviderConfig map, FunctionScalingConfig map, VersionDeletionPolicy 'Delete'/'Retain',
  PublishToLatestPublished= any, TenancyConfig= any, DurableConfig map ]])

-- The properties that are the same for CloudFormation.
local SAME = { "Description", "FunctionName", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "VpcConfig",
  "Environment", "KmsKeyArn", "Layers", "ReservedConcurrentExecutions", "FileSystemConfigs", "CodeSigningConfigArn",
  "ImageConfig", "PackageType", "Architectures", "SnapStart", "EphemeralStorage", "RuntimeManagementConfig",
  "LoggingConfig", "RecursiveLoop", "PublishToLatestPublished", "TenancyConfig", "DurableConfig" }

-- Pairs of properties: which do not go together, and which one asks for another.
local APART = { { "CapacityProviderConfig", "ProvisionedConcurrencyConfig" },
  { "CapacityProviderConfig", "VpcConfig" } }
local ASKS = { { "FunctionScalingConfig", "CapacityProviderConfig" }, { "VersionDeletionPolicy", "AutoPublishAlias" } }

local function check_pairs(id, given)
  local causes = {}
  for _, pair in ipairs(APART) do
    if given[pair[1]] ~= nil and given[pair[2]] ~= nil then
      causes[#causes + 1] = ("Cannot specify '%s' and '%s' together."):format(pair[1], pair[2])
    end
  end
  for _, pair in ipairs(ASKS) do
    if given[pair[1]] ~= nil and given[pair[2]] == nil then
      causes[#causes + 1] = ("'%s' requires '%s'."):format(pair[1], pair[2])
    end
  end
  if #causes > 0 then failure.resource(id, "%s", table.concat(causes, "\n")) end
end

local DEAD_LETTERS = { SQS = "sqs:SendMessage", SNS = "sns:Publish" }

local function check_dead_letters(id, queue)
  if not values.given(queue) then return end
  if not values.given(queue.Type) or not values.given(queue.TargetArn) then
    failure.resource(id, "'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
  end
  resources.expect(failure.resource, id, "DeadLetterQueue.Type", queue.Type, "string")
  if not DEAD_LETTERS[queue.Type] then
    failure.resource(id, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']")
  end
end

-- What functions of several tenants cannot have.
local UNSHARED = { { "ProvisionedConcurrencyConfig", "Provisioned concurrency" },
  { "FunctionUrlConfig", "Function URL" }, { "SnapStart", "SnapStart" } }

local function check_tenancy(id, given)
  if not values.given(given.TenancyConfig) then return end
  for _, pair in ipairs(UNSHARED) do
    if values.given(given[pair[1]]) then
      failure.resource(id, "%s is not supported for functions enabled with tenancy configuration.", pair[2])
    end
  end
  for _, name in ipairs(values.keys(given.Events or {})) do
    local kind = given.Events[name].Type
    if kind ~= "Api" and kind ~= "HttpApi" then
      failure.resource(id, "Event source '%s' is not supported for functions enabled with tenancy configuration. Only "
        .. "Api and HttpApi event sources are supported.", values.shown(kind))
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Code

local S3 = { "S3Bucket", "S3Key", "S3ObjectVersion" }

local function zipped(id, given)
  if given.InlineCode ~= nil then return values.map("ZipFile", given.InlineCode) end
  if given.CodeUri == nil then failure.resource(id, "Only one of 'InlineCode' or 'CodeUri' can be set.") end
  return resources.s3_object(id, "CodeUri", given.CodeUri, S3)
end

local function image(id, given)
  if given.ImageUri == nil then failure.resource(id, "'ImageUri' must be set.") end
  if not values.given(given.ImageUri) then
    failure.resource(id, "'ImageUri' requires that a image hosted at a registry be specified.")
  end
  return values.map("ImageUri", given.ImageUri)
end

local function code_of(id, given)
  local package = values.or_nil(given.PackageType) or "Zip"
  if package == "Zip" then
    local code = zipped(id, given)
    return values.put(code, "SourceKMSKeyArn", values.or_nil(given.SourceKMSKeyArn))
  end
  if package == "Image" then return image(id, given) end
  failure.resource(id, "invalid 'PackageType' : %s", values.shown(package))
end

local function check_package(id, given)
  if (values.or_nil(given.PackageType) or "Zip") == "Zip" then
    if not values.given(given.Runtime) or not values.given(given.Handler) then
      failure.resource(id, "Runtime and Handler needs to be present when PackageType is of type `Zip`")
    elseif values.given(given.ImageConfig) then
      failure.resource(id, "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`")
    end
  elseif values.given(given.Handler) or values.given(given.Runtime) or values.given(given.Layers) then
    failure.resource(id, "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`")
  end
end

---------------------------------------------------------------------------------------------------------
-- The function and its role

local function traces(work, given)
  return values.given(given.Tracing) and resolve.parameters(values.copy(given.Tracing), work.parameters) ~= "Disabled"
end

local function lambda_of(work, id, given, definition)
  local lambda = resources.new("AWS::Lambda::Function", id, resources.own_attributes(definition), definition.DependsOn)
  resources.set(lambda, "Code", code_of(id, given))
  for _, name in ipairs(SAME) do resources.set(lambda, name, given[name]) end
  if given.FunctionName == "" then lambda.properties.FunctionName = nil end
  resources.set(lambda, "Tags", resources.sam_tags(id, given.Tags),
    "TracingConfig", traces(work, given) and values.map("Mode", given.Tracing) or nil,
    "DeadLetterConfig", values.given(given.DeadLetterQueue)
      and values.map("TargetArn", given.DeadLetterQueue.TargetArn) or nil,
    "CapacityProviderConfig", capacity_providers.of_function(id, given.CapacityProviderConfig),
    "FunctionScalingConfig", values.or_nil(given.FunctionScalingConfig))
  check_package(id, given)
  return lambda
end

local function role_of(work, id, given, lambda, inline)
  local managed = { policies.managed(work.partition, "service-role/" .. (values.given(given.DurableConfig)
    and "AWSLambdaBasicDurableExecutionRolePolicy" or "AWSLambdaBasicExecutionRole")) }
  if traces(work, given) then
    managed[#managed + 1] = policies.managed(work.partition, policies.tracing(work.partition))
  end
  if values.given(given.VpcConfig) then
    managed[#managed + 1] = policies.managed(work.partition, "service-role/AWSLambdaVPCAccessExecutionRole")
  end
  local queue, own = given.DeadLetterQueue, {}
  if values.given(queue) then
    own[1] = values.map("PolicyName", "DeadLetterQueuePolicy", "PolicyDocument", values.map("Version", "2012-10-17",
      "Statement", values.list(values.map("Action", DEAD_LETTERS[queue.Type], "Resource", queue.TargetArn,
        "Effect", "Allow"))))
  end
  return policies.role { id = id, attributes = resources.shared_attributes(lambda.attributes),
    assume = given.AssumeRolePolicyDocument or policies.assume "lambda.amazonaws.com", policies = given.Policies,
    managed = managed, inline = values.joined(own, inline), path = given.RolePath, boundary = given.PermissionsBoundary,
    tags = resources.sam_tags(id, given.Tags), partition = work.partition }
end

-- The role that the template gives may be none by a condition; then SAM's is used.
local function role_by_condition(work, id, lambda, role)
  local given = resolve.parameters(lambda.properties.Role, work.parameters)
  local branches = given["Fn::If"]
  if not values.is_list(branches) or #branches ~= 3 then
    failure.resource(id, "Malformed 'Role' property: Fn::If requires 3 arguments.")
  end
  local condition, yes, no = table.unpack(branches)
  local arn = values.getatt(role.id, "Arn")
  if values.is_no_value(yes) and values.is_no_value(no) then
    lambda.properties.Role = arn
  elseif values.is_no_value(yes) then
    lambda.properties.Role = values.choice(condition, arn, no)
    values.put(role.attributes, "Condition", condition)
  elseif values.is_no_value(no) then
    lambda.properties.Role = values.choice(condition, yes, arn)
    values.put(role.attributes, "Condition", "NOT" .. condition)
    values.put(work.tree.Conditions, "NOT" .. condition, conditions.negated(condition))
  else
    return false
  end
  return true
end

--- What a function becomes.
---@param work table the translation
---@param id string
---@param definition table as the template has it
---@return table[] made resources; their ids are what `Ref: Function.Version` and the like mean
function functions.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  local sources = failure.within(id, events.read, work, id, given.Events, "function")
  check_pairs(id, given)
  check_dead_letters(id, given.DeadLetterQueue)
  check_tenancy(id, given)
  local lambda = lambda_of(work, id, given, definition)
  local made = { lambda }
  local version, alias, alias_name = versions.of(work, id, given, lambda)
  made[#made + 1], made[#made + 2] = version, alias
  for _, each in ipairs(invocations.url(id, given, lambda, alias)) do made[#made + 1] = each end
  deployments.add(work, id, given, alias, definition.Condition)
  local invoke, inline = invocations.configuration(work, id, given, lambda, alias, alias_name)
  for _, each in ipairs(invoke) do made[#made + 1] = each end
  local role = role_of(work, id, given, lambda, inline)
  if lambda.properties.Role == nil then
    resources.set(lambda, "Role", values.getatt(role.id, "Arn"))
    made[#made + 1] = role
  elseif values.is_if(lambda.properties.Role) and role_by_condition(work, id, lambda, role) then
    made[#made + 1] = role
  end
  local target = { id = alias and alias.id or id, role = role, condition = definition.Condition,
    attributes = resources.shared_attributes(definition), kind = "Lambda",
    name = values.ref(alias and alias.id or id), arn = alias and values.ref(alias.id) or values.getatt(id, "Arn") }
  for _, each in ipairs(failure.within(id, events.translate, work, sources, target)) do made[#made + 1] = each end
  resources.spread_tags(made, given.Tags, given.PropagateTags)
  return made
end

functions.PROPERTIES = { Version = "AWS::Lambda::Version", Alias = "AWS::Lambda::Alias",
  DestinationTopic = "AWS::SNS::Topic", DestinationQueue = "AWS::SQS::Queue" }

return functions
