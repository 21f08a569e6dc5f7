--- AWS::Serverless::Api: the REST API with its definition, a deployment whose name carries the definition's hash, and a
-- stage.

local values = require "sandbox.template.serverless.values"
local authorizers = require "sandbox.template.serverless.authorizers"
local domains = require "sandbox.template.serverless.domains"
local failure = require "sandbox.template.serverless.failure"
local python2 = require "sandbox.template.serverless.python2"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"
local security = require "sandbox.template.serverless.swagger_security"
local swagger = require "sandbox.template.serverless.swagger"
local usage_plans = require "sandbox.template.serverless.usage_plans"

local rest_apis = {}

local KIND = resources.kind("AWS::Serverless::Api", [[ __MANAGE_SWAGGER boolean, Name string|map, StageName! string|map,
  Tags map, PropagateTags boolean, DefinitionBody map, DefinitionUri string|map, MergeDefinitions= boolean,
  CacheClusterEnabled boolean, CacheClusterSize string, Variables map, EndpointConfiguration string|map,
  MethodSettings list, BinaryMediaTypes list, MinimumCompressionSize integer, Cors string|map, Auth map,
  GatewayResponses map, AccessLogSetting map, CanarySetting map, TracingEnabled boolean, OpenApiVersion string,
  Models map, Domain map, FailOnWarnings boolean, Description string, Mode string, DisableExecuteApiEndpoint boolean,
  ApiKeySourceType string, AlwaysDeploy= boolean, Policy string|map, SecurityPolicy string,
  EndpointAccessMode string ]])

local function set_of(...)
  local out = {}
  for _, name in ipairs { ... } do out[name] = true end
  return out
end

local CORS = set_of("AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials")
local AUTH = set_of("Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
  "AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan")
local RESPONSE = set_of("ResponseParameters", "ResponseTemplates", "StatusCode")

---------------------------------------------------------------------------------------------------------
-- The definition

local function needs_body(id, given, name)
  if not values.given(given.DefinitionBody) then
    failure.resource(id, "%s works only with inline Swagger specified in 'DefinitionBody' property.", name)
  end
end

local function needs_valid(id, given, what)
  if not swagger.is_valid(given.DefinitionBody) then
    failure.resource(id, "Unable to add %s because 'DefinitionBody' does not contain a valid Swagger definition.", what)
  end
end

local function cors_of(id, given)
  local cors = given.Cors
  if type(cors) == "string" or values.intrinsic(cors) then return { AllowOrigin = cors } end
  for _, key in ipairs(values.keys(cors)) do
    if not CORS[key] then failure.resource(id, "Invalid key '%s' for 'Cors' property.", key) end
  end
  local out = values.merged(cors)
  if out.AllowOrigin == nil then out.AllowOrigin, out.default = "'*'", true end
  return out
end

local function add_cors(id, given)
  if not values.given(given.Cors) then return end
  needs_body(id, given, "Cors")
  local cors = cors_of(id, given)
  needs_valid(id, given, "Cors configuration")
  if cors.AllowCredentials == true and cors.AllowOrigin == "'*'" then
    failure.resource(id, "Unable to add Cors configuration because 'AllowCredentials' can not be true when "
      .. "'AllowOrigin' is \"'*'\" or not set")
  end
  local document, done = swagger.open(given.DefinitionBody), {}
  for _, path in ipairs(python2.keys(document.paths)) do
    local trimmed = path == "/" and path or path:gsub("/+$", "")
    if not done[trimmed] then
      done[trimmed] = true
      local ok, err = pcall(swagger.add_cors, document, path, cors)
      if not ok and failure.is(err) and err.scope == "template" then failure.resource(id, "%s", err.message) end
      if not ok then error(err, 0) end
    end
  end
  swagger.close(document)
end

-- What is so unless it is said not to be.
local function unless_refused(value) return value == nil or values.given(value) end

local function default_authorizer(id, auth, document, by_name)
  local name = auth.DefaultAuthorizer
  if not values.given(name) then return end
  if type(name) ~= "string" then failure.resource(id, "DefaultAuthorizer is not a string.") end
  if not by_name[name] and name ~= "AWS_IAM" then
    failure.resource(id, "Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", name)
  end
  for _, path in ipairs(python2.keys(document.paths)) do
    security.set_default(document, path, name, by_name, unless_refused(auth.AddDefaultAuthorizerToCorsPreflight))
  end
end

local function resource_policy(given, document, users)
  local policy = given.Auth.ResourcePolicy
  if not values.given(policy) then return end
  if not values.is_map(policy) then failure.structure "ResourcePolicy must be a map (ResourcePolicyStatement)." end
  for _, path in ipairs(python2.keys(document.paths)) do
    security.add_policy(document, policy, path, { name = given.StageName, users = users })
  end
  if values.given(policy.CustomStatements) then security.add_custom_statements(document, policy.CustomStatements) end
end

local function add_auth(work, id, given, version)
  local auth = given.Auth
  if not values.given(auth) then return {} end
  needs_body(id, given, "Auth")
  for _, key in ipairs(values.keys(auth)) do
    if not AUTH[key] then failure.resource(id, "Invalid value for 'Auth' property") end
  end
  needs_valid(id, given, "Auth configuration")
  local document = swagger.open(given.DefinitionBody)
  local list, by_name = authorizers.rest(id, auth, work.partition)
  if #list > 0 then
    security.define_authorizers(document, list)
    default_authorizer(id, auth, document, by_name)
  end
  if values.given(auth.ApiKeyRequired) then
    security.define_api_key(document)
    for _, path in ipairs(python2.keys(document.paths)) do
      security.set_default_api_key(document, path, unless_refused(auth.AddApiKeyRequiredToCorsPreflight))
    end
  end
  resource_policy(given, document, python2.users(given, "StageName"))
  swagger.modernize(swagger.close(document), version)
  return list
end

-- Part of a gateway response's parameters -> what stands before their names.
local PREFIXES = { { "Headers", "gatewayresponse.header." }, { "Paths", "gatewayresponse.path." },
  { "QueryStrings", "gatewayresponse.querystring." } }
local PARTS = set_of("Headers", "Paths", "QueryStrings")

local function response_of(id, name, given)
  resources.expect(failure.resource, id, "GatewayResponses." .. name, given, "map")
  local parameters = given.ResponseParameters or {}
  resources.expect(failure.resource, id, ("GatewayResponses.%s.ResponseParameters"):format(name), parameters, "map")
  for _, key in ipairs(values.keys(parameters)) do
    if not PARTS[key] then failure.resource(id, "Invalid gateway response parameter '%s'", key) end
  end
  local status = given.StatusCode
  if values.given(status) and not tostring(status):find "^%d%d?%d?$" then
    failure.resource(id, "Property 'StatusCode' must be numeric")
  end
  local shown = python2.dict()
  for _, row in ipairs(PREFIXES) do
    local part = parameters[row[1]] or {}
    resources.expect(failure.resource, id, "ResponseParameters." .. row[1], part, "map")
    for _, key in ipairs(python2.keys(part)) do
      python2.put(shown, row[2] .. key, part[key], "both")
    end
  end
  local out = python2.dict("responseParameters", shown)
  python2.put(out, "responseTemplates", given.ResponseTemplates or python2.dict())
  return python2.put(out, "statusCode", status ~= nil and tostring(status) or nil,
    type(status) == "string" and "value" or nil)
end

local PYTHON = { string = "str", boolean = "bool", number = "int", table = "list" }

local function add_gateway_responses(id, given)
  local all = given.GatewayResponses
  if not values.given(all) then return end
  needs_body(id, given, "GatewayResponses")
  for _, name in ipairs(values.keys(all)) do
    local each = all[name]
    if values.intrinsic(each) then
      failure.resource(id, "Unable to set GatewayResponses attribute because intrinsic functions are not supported for "
        .. "this field.")
    elseif not values.is_map(each) then
      failure.resource(id, "Invalid property type '%s' for GatewayResponses. Expected an object of type "
        .. "'GatewayResponse'.", PYTHON[type(each)])
    end
    for _, key in ipairs(values.keys(each)) do
      if not RESPONSE[key] then
        failure.resource(id, "Invalid property '%s' in 'GatewayResponses' property '%s'.", key, name)
      end
    end
  end
  needs_valid(id, given, "Auth configuration")
  local document = swagger.open(given.DefinitionBody)
  local section = swagger.section(document, "x-amazon-apigateway-gateway-responses")
  for _, name in ipairs(python2.keys(all)) do python2.put(section, name, response_of(id, name, all[name]), "key") end
  swagger.close(document)
end

local function add_models(id, given, version)
  if not values.given(given.Models) then return end
  needs_body(id, given, "Models")
  needs_valid(id, given, "Models definitions")
  for _, model in pairs(given.Models) do
    if not values.is_map(model) then failure.resource(id, "Invalid value for 'Models' property") end
  end
  local document = swagger.open(given.DefinitionBody)
  swagger.add_models(document, given.Models)
  swagger.modernize(swagger.close(document), version)
end

local function check(id, given)
  if values.given(given.DefinitionUri) and values.given(given.DefinitionBody) then
    failure.resource(id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
  elseif values.given(given.DefinitionUri) and values.given(given.MergeDefinitions) then
    failure.resource(id, "Cannot set 'MergeDefinitions' to True when using `DefinitionUri`.")
  end
  local version = tostring(values.or_nil(given.OpenApiVersion) or "2.0")
  if not version:find "^[23]%.%d$" and not version:find "^[23]%.%d%.%d$" then
    failure.resource(id, "The OpenApiVersion value must be of the format '3.0.0'.")
  end
end

---------------------------------------------------------------------------------------------------------
-- The resources

local function endpoint(id, api, config)
  local types = config
  if values.is_map(config) and values.given(config.Type) then types = config.Type end
  local shown = values.map("Types", values.list(types))
  if types ~= config then
    if config.VPCEndpointIds ~= nil and config.VpcEndpointIds ~= nil then
      failure.resource(id, "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.")
    end
    values.put(shown, "VpcEndpointIds", values.or_nil(config.VPCEndpointIds) or config.VpcEndpointIds)
    values.put(shown, "IpAddressType", config.IpAddressType)
  end
  resources.set(api, "Parameters", values.map("endpointConfigurationTypes", types), "EndpointConfiguration", shown)
end

local NAMES = { "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode" }

local function api_of(work, id, given, definition)
  check(id, given)
  local api = resources.new("AWS::ApiGateway::RestApi", id, resources.own_attributes(definition), definition.DependsOn)
  resources.set(api, "BinaryMediaTypes", given.BinaryMediaTypes,
    "MinimumCompressionSize", given.MinimumCompressionSize)
  if values.given(given.EndpointConfiguration) then
    endpoint(id, api, given.EndpointConfiguration)
  elseif work.partition ~= "aws" then -- which has the only regions with edges
    endpoint(id, api, "REGIONAL")
  end
  local version = values.or_nil(given.OpenApiVersion)
  add_cors(id, given)
  local list = add_auth(work, id, given, version)
  add_gateway_responses(id, given)
  if values.given(given.BinaryMediaTypes) and values.given(given.DefinitionBody) then
    swagger.open(given.DefinitionBody)
    swagger.set_binary_types(given.DefinitionBody, given.BinaryMediaTypes)
    swagger.close(given.DefinitionBody)
  end
  add_models(id, given, version)
  if values.given(given.FailOnWarnings) then resources.set(api, "FailOnWarnings", given.FailOnWarnings) end
  if given.DisableExecuteApiEndpoint ~= nil then
    if not values.given(given.DefinitionBody) then
      failure.resource(id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.")
    end
    swagger.disable_endpoint(swagger.open(given.DefinitionBody), given.DisableExecuteApiEndpoint)
    swagger.close(given.DefinitionBody)
  end
  if values.given(given.DefinitionUri) then
    local place = resources.s3_object(id, "DefinitionUri", given.DefinitionUri, { "Bucket", "Key", "Version" })
    local body = python2.dict()
    for _, name in ipairs(values.keys(place)) do python2.put(body, name, place[name], "value") end
    resources.set(api, "BodyS3Location", body)
  elseif values.given(given.DefinitionBody) then
    resources.set(api, "Body", swagger.modernize(given.DefinitionBody, version))
  end
  for _, name in ipairs(NAMES) do resources.set(api, name, values.or_nil(given[name])) end
  return api, list
end

local AS_PYTHON = { comma = ", ", colon = ": ", keys = python2.keys }

-- What a new deployment is known by: another text here is another deployment.
local function fingerprint(work, id, given, body)
  if values.given(given.AlwaysDeploy) then return tostring(work.now()) end
  local parts = { python2.text(body) }
  if values.given(given.OpenApiVersion) then parts[#parts + 1] = tostring(given.OpenApiVersion) end
  if values.given(given.Domain) then parts[#parts + 1] = values.dumps(given.Domain, AS_PYTHON) end
  parts[#parts + 1] = work.function_names[id]
  return table.concat(parts, "||")
end

local function deployment_of(work, id, given, api, attributes)
  local body = api.properties.Body or api.properties.BodyS3Location
  local text = body and values.given(body) and fingerprint(work, id, given, body) or ""
  local deployment = resources.new("AWS::ApiGateway::Deployment", id .. "Deployment" .. values.hash(text), attributes)
  return resources.set(deployment,
    "Description", text ~= "" and "RestApi deployment id: " .. values.hash(text, 40) or nil,
    "RestApiId", values.ref(id), "StageName", not values.given(given.OpenApiVersion) and "Stage" or nil)
end

local STAGE = { "CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings", "AccessLogSetting",
  "CanarySetting", "TracingEnabled" }

local function stage_of(id, given, deployment, attributes)
  local name = type(given.StageName) == "string" and given.StageName or ""
  local stage = resources.new("AWS::ApiGateway::Stage",
    name:find "^%w+$" and id .. name .. "Stage" or id .. "Stage" .. values.hash(name), attributes)
  resources.set(stage, "DeploymentId", values.ref(deployment.id), "RestApiId", values.ref(id),
    "StageName", given.StageName)
  for _, each in ipairs(STAGE) do resources.set(stage, each, given[each]) end
  return resources.set(stage, "Tags", given.Tags and values.tags(given.Tags) or nil)
end

--- What an API becomes.
---@param work table the translation
---@param id string
---@param definition table as the template has it, with what events have put into it
---@return table[] made
function rest_apis.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  for _, name in ipairs { "BinaryMediaTypes", "Domain", "Auth" } do
    given[name] = resolve.parameters(given[name], work.parameters)
  end
  local attributes = resources.shared_attributes(definition)
  local api, list = api_of(work, id, given, definition)
  local domain = domains.rest(work, id, given, attributes)
  local deployment = deployment_of(work, id, given, api, attributes)
  local stage = stage_of(id, given, deployment, attributes)
  local made = values.joined({ api, deployment, stage }, authorizers.permissions(id, list, attributes, work.partition),
    domain, usage_plans.of(work, id, given, stage, attributes))
  resources.spread_tags(made, given.Tags, given.PropagateTags)
  return made
end

rest_apis.PROPERTIES = { Stage = "AWS::ApiGateway::Stage", Deployment = "AWS::ApiGateway::Deployment",
  DomainName = "AWS::ApiGateway::DomainName", DomainNameV2 = "AWS::ApiGateway::DomainNameV2",
  UsagePlan = "AWS::ApiGateway::UsagePlan", UsagePlanKey = "AWS::ApiGateway::UsagePlanKey",
  ApiKey = "AWS::ApiGateway::ApiKey" }

return rest_apis
