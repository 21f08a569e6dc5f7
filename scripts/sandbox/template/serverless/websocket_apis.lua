--- AWS::Serverless::WebSocketApi: the API, for each route a route with its integration and permission, an authorizer of
-- $connect, a domain, and a stage that deploys itself.
--
-- Nothing that is made has the attributes of the serverless resource, not even its Condition: SAM gives them none here.

local values = require "sandbox.template.serverless.values"
local authorizers = require "sandbox.template.serverless.authorizers"
local domains = require "sandbox.template.serverless.domains"
local failure = require "sandbox.template.serverless.failure"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local websocket_apis = {}

local KIND = resources.kind("AWS::Serverless::WebSocketApi", [[ ApiKeySelectionExpression string, AccessLogSettings map,
  Auth map, DefaultRouteSettings map, Description string, DisableExecuteApiEndpoint boolean, Domain map,
  DisableSchemaValidation boolean, FailOnWarnings boolean, IpAddressType string, Name string, PropagateTags boolean,
  Routes! map, RouteSettings map, RouteSelectionExpression! string, StageName string|map, StageVariables map,
  Tags map ]])

-- Not $default, which is a route here.
local DEFAULT_STAGE = "default"
local CREATED_BY = "websocketapi:createdBy"

-- Route -> what stands for it in ids.
local SPECIAL = { ["$connect"] = "Connect", ["$disconnect"] = "Disconnect", ["$default"] = "Default" }

local INVOCATIONS = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s}/invocations"
local ROUTE_ARN = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${%s.ApiId}/%s/%s"

-- The URI by which a function is called, which a variable stands for.
local function function_uri(variable, arn)
  return values.sub(INVOCATIONS:format(variable), values.map(variable, arn))
end

local function check(id, given)
  if not values.given(given.Routes) then failure.resource(id, "WebSocket API must have at least one route.") end
  local kind = given.IpAddressType
  if kind ~= nil and not values.intrinsic(kind) and kind ~= "ipv4" and kind ~= "dualstack" then
    failure.resource(id, "IpAddressType must be 'ipv4' or 'dualstack'.")
  end
  if values.given((given.Domain or {}).MutualTlsAuthentication) then
    failure.resource(id, "Mutual TLS domain name association is not supported for Websocket APIs.")
  end
  if values.given(given.Auth) and given.Routes["$connect"] == nil then
    failure.resource(id, "Authorization is only available if there is a $connect route.")
  end
end

local SAME = { "ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation",
  "IpAddressType" }

local function api_of(id, given, tags, definition)
  local api = resources.new("AWS::ApiGatewayV2::Api", id, nil, definition.DependsOn)
  for _, name in ipairs(SAME) do resources.set(api, name, given[name]) end
  return resources.set(api, "Name", given.Name or id, "ProtocolType", "WEBSOCKET",
    "RouteSelectionExpression", given.RouteSelectionExpression, "Tags", tags)
end

---------------------------------------------------------------------------------------------------------
-- Who may connect

local AUTH_TYPES = { NONE = true, AWS_IAM = true, CUSTOM = true }

local function check_auth(id, auth)
  if not values.given(auth.AuthType) then
    failure.resource(id, "AuthType must be specified for additional auth configurations.")
  end
  local kind = auth.AuthType:upper()
  if not AUTH_TYPES[kind] then
    failure.resource(id, "AuthType is not one of AWS_IAM, CUSTOM or NONE.")
  elseif kind == "CUSTOM" and not values.given(auth.AuthArn) then
    failure.resource(id, "AuthArn must be specified if AuthType is CUSTOM.")
  elseif kind ~= "CUSTOM" and next(auth, (next(auth))) ~= nil then
    failure.resource(id, "No additional configurations supported for AuthType %s.", kind)
  end
end

local function authorizer_of(id, auth)
  local name = id .. "ConnectAuthorizer"
  return resources.set(resources.new("AWS::ApiGatewayV2::Authorizer", name), "ApiId", values.ref(id),
    "AuthorizerCredentialsArn", auth.InvokeRole, "AuthorizerType", "REQUEST",
    "AuthorizerUri", function_uri("AuthArn", auth.AuthArn), "IdentitySource", auth.IdentitySource,
    "Name", values.or_nil(auth.Name) or name)
end

-- Says in the route of $connect who may take it; the authorizer, when there is one.
local function authorize(id, auth, route)
  local custom = auth.AuthType == "CUSTOM" -- in small letters it is allowed, and taken for NONE
  local authorizer = custom and authorizer_of(id, auth) or nil
  resources.set(route, "AuthorizationType", (custom or auth.AuthType == "AWS_IAM") and auth.AuthType or "NONE",
    "AuthorizerId", authorizer and values.ref(authorizer.id))
  return authorizer
end

-- The authorizer, and the permission to call it when no role has that.
local function authorization(id, auth, authorizer)
  if not authorizer then return {} end
  local permission = authorizers.permissions(id, { { name = "", function_arn = auth.AuthArn,
    permits = not values.given(auth.InvokeRole) } }, {}, "${AWS::Partition}")
  return { authorizer, permission[1] }
end

---------------------------------------------------------------------------------------------------------
-- Routes

-- What the ids of a route's resources begin with.
local function base_id(id, key)
  if SPECIAL[key] then return id .. SPECIAL[key] end
  if not key:find "^%w+$" then
    failure.resource(id, "Route key '%s' must be alphanumeric. Only $connect, $disconnect, and $default special routes "
      .. "are supported.", key)
  end
  return id .. key:sub(1, 1):upper() .. key:sub(2):lower()
end

local function route_of(id, base, key, given)
  local route = resources.new("AWS::ApiGatewayV2::Route", base .. "Route")
  local parameters = values.or_nil(given.RequestParameters)
  if parameters and key ~= "$connect" then
    failure.resource(id, "Request parameters are only supported for the $connect route in WebSocket APIs.")
  end
  return resources.set(route, "ApiId", values.ref(id), "ApiKeyRequired", given.ApiKeyRequired,
    "ModelSelectionExpression", given.ModelSelectionExpression, "OperationName", given.OperationName,
    "RequestModels", given.RequestModels, "RequestParameters", parameters, "RouteKey", key,
    "RouteResponseSelectionExpression", given.RouteResponseSelectionExpression,
    "Target", values.map("Fn::Join", values.list("/", values.list("integrations", values.ref(base .. "Integration")))))
end

local function integration_of(id, base, given)
  if given.FunctionArn == nil then failure.resource(id, "Route must have associated function.") end
  return resources.set(resources.new("AWS::ApiGatewayV2::Integration", base .. "Integration"), "ApiId", values.ref(id),
    "IntegrationType", "AWS_PROXY", "IntegrationUri", function_uri("FunctionArn", given.FunctionArn),
    "TimeoutInMillis", given.IntegrationTimeout)
end

local function permission_of(id, base, key, given, stage)
  local is_text = type(stage) == "string"
  local arn = ROUTE_ARN:format(id, is_text and stage or "${__StageName__}", key)
  return resources.set(resources.new("AWS::Lambda::Permission", base .. "Permission"),
    "Action", "lambda:InvokeFunction", "FunctionName", given.FunctionArn, "Principal", "apigateway.amazonaws.com",
    "SourceArn", values.sub(arn, not is_text and values.map("__StageName__", stage) or nil))
end

-- What all routes become, the ids of the routes, and the authorizer of $connect.
local function routes_of(id, given, stage)
  local made, ids, authorizer = {}, values.list(), nil
  for _, key in ipairs(values.keys(given.Routes)) do
    local each, base = given.Routes[key], base_id(id, key)
    local route = route_of(id, base, key, each)
    if values.given(given.Auth) then -- looked at here, so that of several errors the one that SAM tells is told
      check_auth(id, given.Auth)
      if key == "$connect" then authorizer = authorize(id, given.Auth, route) end
    end
    made[#made + 1], made[#made + 2] = route, integration_of(id, base, each)
    made[#made + 1] = permission_of(id, base, key, each, stage)
    ids[#ids + 1] = route.id
  end
  return made, ids, authorizer
end

---------------------------------------------------------------------------------------------------------

local function stage_of(id, given, name)
  if name == "$default" then failure.resource(id, "Stages cannot be named $default for WebSocket APIs.") end
  local prefix = type(name) == "string" and name or ""
  local stage = resources.new("AWS::ApiGatewayV2::Stage",
    id .. (prefix == DEFAULT_STAGE and "Default" or prefix) .. "Stage")
  return resources.set(stage, "AccessLogSettings", given.AccessLogSettings,
    "DefaultRouteSettings", given.DefaultRouteSettings, "RouteSettings", given.RouteSettings, "ApiId", values.ref(id),
    "StageName", name, "Tags", values.map(CREATED_BY, "SAM"), "StageVariables", given.StageVariables,
    "AutoDeploy", true)
end

--- What a WebSocket API becomes.
---@param work table the translation
---@param id string
---@param definition table as the template has it
---@return table[] made resources
function websocket_apis.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  for _, name in ipairs { "Auth", "Domain", "Routes" } do
    given[name] = resolve.parameters(given[name], work.parameters)
  end
  check(id, given)
  local tags = values.merged(given.Tags or {}, values.map(CREATED_BY, "SAM"))
  local name = given.StageName or DEFAULT_STAGE
  local api = api_of(id, given, tags, definition)
  local domain = domains.websocket(id, given)
  local stage = stage_of(id, given, name)
  local routes, ids, authorizer = routes_of(id, given, name)
  -- API Gateway takes settings only of routes that are there.
  if values.given(given.RouteSettings) then stage.depends_on = ids end
  local made = values.joined({ api }, routes, domain, { stage }, authorization(id, given.Auth, authorizer))
  resources.spread_tags(made, values.given(given.Tags) and tags, given.PropagateTags)
  return made
end

websocket_apis.PROPERTIES = { Stage = "AWS::ApiGatewayV2::Stage", DomainName = "AWS::ApiGatewayV2::DomainName" }

return websocket_apis
