--- Globals: what a template says once for all its serverless resources of a type, merged into each of them.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"

local globals = {}

local function words(text)
  local out = {}
  for word in text:gmatch "%S+" do out[#out + 1] = word end
  return out
end

-- Section -> the properties that it may have, in the order in which errors list them.
local SECTIONS = {
  Function = words [[ Handler Runtime CodeUri DeadLetterQueue Description MemorySize Timeout VpcConfig Environment Tags
    PropagateTags Tracing KmsKeyArn AutoPublishAlias AutoPublishAliasAllProperties Layers DeploymentPreference RolePath
    PermissionsBoundary ReservedConcurrentExecutions ProvisionedConcurrencyConfig AssumeRolePolicyDocument
    EventInvokeConfig FileSystemConfigs CodeSigningConfigArn Architectures SnapStart EphemeralStorage FunctionUrlConfig
    RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn TenancyConfig DurableConfig
    CapacityProviderConfig FunctionScalingConfig PublishToLatestPublished VersionDeletionPolicy ]],
  Api = words [[ Auth Name DefinitionUri CacheClusterEnabled CacheClusterSize MergeDefinitions Variables
    EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors GatewayResponses AccessLogSetting
    CanarySetting TracingEnabled OpenApiVersion Domain AlwaysDeploy PropagateTags SecurityPolicy EndpointAccessMode ]],
  HttpApi = words [[ Auth AccessLogSettings StageVariables Tags CorsConfiguration DefaultRouteSettings Domain
    RouteSettings FailOnWarnings PropagateTags ]],
  SimpleTable = words [[ SSESpecification ]],
  StateMachine = words [[ PropagateTags ]],
  LayerVersion = words [[ PublishLambdaVersion ]],
  CapacityProvider = words [[ VpcConfig OperatorRole Tags InstanceRequirements ScalingConfig KmsKeyArn PropagateTags ]],
  WebSocketApi = words [[ AccessLogSettings ApiKeySelectionExpression DefaultRouteSettings DisableExecuteApiEndpoint
    DisableSchemaValidation Domain FailOnWarnings IpAddressType PropagateTags RouteSelectionExpression RouteSettings
    StageVariables Tags ]],
}

-- A list of texts as Python writes it.
local function listed(names)
  return "['" .. table.concat(names, "', '") .. "']"
end

local function refuse(message, ...)
  failure.document { ("'Globals' section is invalid. " .. message):format(...) }
end

local function check_section(name, properties)
  local allowed = SECTIONS[name]
  if not allowed then
    local names = {}
    for each in pairs(SECTIONS) do names[#names + 1] = each end
    table.sort(names)
    refuse("'%s' is not supported. Must be one of the following values - %s", name, listed(names))
  end
  if not values.is_map(properties) then refuse "Value of ${section} must be a dictionary" end
  for _, key in ipairs(values.keys(properties)) do
    if not values.has(allowed, key) then
      refuse("'%s' is not a supported property of '%s'. Must be one of the following values - %s", key, name,
        listed(allowed))
    end
  end
end

local function is_plain_map(value)
  return values.is_map(value) and not values.intrinsic(value)
end

-- How maps of a section are copied and in which order their members come: those of APIs end in definitions.
local PLAIN = { copy = values.merged, keys = values.keys, put = values.put }
local OF_API = { copy = python2.shallow, keys = python2.keys,
  put = function(map, key, value) return python2.put(map, key, value, "both") end }

local function merge(general, particular, how)
  if is_plain_map(general) and is_plain_map(particular) then
    local out = how.copy(general)
    for _, key in ipairs(how.keys(particular)) do
      local value = particular[key]
      if general[key] ~= nil then value = merge(general[key], value, how) end
      how.put(out, key, value)
    end
    return out
  end
  if values.is_list(general) and values.is_list(particular) then return values.joined(general, particular) end
  return particular
end

-- What a resource takes of its section.
local function taken(id, section, ignored)
  if not values.given(ignored) then return section end
  if ignored == "*" then return {} end
  if not values.is_list(ignored) then
    failure.document { ("Resource with id [%s] is invalid. Resource %s has invalid resource attribute 'IgnoreGlobals'.")
      :format(id, id) }
  end
  local left = values.merged(section)
  for _, key in ipairs(ignored) do
    if left[key] == nil then
      failure.document { ("Resource with id [%s] is invalid. Resource %s has invalid resource attribute "
        .. "'IgnoreGlobals' on item '%s'."):format(id, id, tostring(key)) }
    end
    left[key] = nil
  end
  return left
end

-- With a version of OpenAPI, definitions that SAM writes are of that version.
local function version_definitions(resource)
  if resource.Type ~= "AWS::Serverless::Api" then return end
  local properties = resource.Properties or {}
  local version = properties.OpenApiVersion
  if version == nil or properties.__MANAGE_SWAGGER == nil then return end
  if not paths.is_version_3(version) then return end
  properties.OpenApiVersion = type(version) == "string" and version or values.number(version)
  return properties.OpenApiVersion, properties.DefinitionBody
end

--- Merges the Globals of a template into its resources and takes them away.
---@param tree table changed where it stands
---@param version_of fun(body: table, version: string) makes a definition one of that version of OpenAPI
function globals.merge(tree, version_of)
  local sections = tree.Globals
  if sections ~= nil and not values.is_map(sections) then refuse "It must be a non-empty dictionary" end
  for _, name in ipairs(values.keys(sections or {})) do check_section(name, sections[name]) end
  for _, id in ipairs(values.keys(tree.Resources)) do
    local resource = tree.Resources[id]
    local section = (sections or {})[tostring(resource.Type):match "^AWS::Serverless::(%w+)$" or ""]
    if section then
      local how = resource.Type == "AWS::Serverless::Api" and OF_API or PLAIN
      values.put(resource, "Properties",
        merge(taken(id, section, resource.IgnoreGlobals), resource.Properties or {}, how))
    end
  end
  tree.Globals = nil
  for _, id in ipairs(values.keys(tree.Resources)) do
    local version, body = version_definitions(tree.Resources[id])
    if body then version_of(body, version) end
  end
end

return globals
