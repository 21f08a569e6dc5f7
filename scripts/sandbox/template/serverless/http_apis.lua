--- AWS::Serverless::HttpApi: the HTTP API with its definition, and a stage that deploys itself.

local values = require "sandbox.template.serverless.values"
local authorizers = require "sandbox.template.serverless.authorizers"
local domains = require "sandbox.template.serverless.domains"
local failure = require "sandbox.template.serverless.failure"
local openapi = require "sandbox.template.serverless.openapi"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local http_apis = {}

local KIND = resources.kind("AWS::Serverless::HttpApi", [[ __MANAGE_SWAGGER boolean, Name= any, StageName string|map,
  Tags map, PropagateTags boolean, DefinitionBody map, DefinitionUri string|map, StageVariables map,
  CorsConfiguration boolean|map, AccessLogSettings map, DefaultRouteSettings map, Auth map, RouteSettings map,
  Domain map, FailOnWarnings boolean, Description string, DisableExecuteApiEndpoint boolean ]])

local CORS = { AllowMethods = true, AllowHeaders = true, AllowOrigins = true, MaxAge = true, ExposeHeaders = true,
  AllowCredentials = true }
local AUTH = { Authorizers = true, DefaultAuthorizer = true, EnableIamAuthorizer = true }
local DEFAULT_STAGE = "$default"

local function needs_body(id, given, message)
  if not values.given(given.DefinitionBody) then failure.resource(id, message) end
end

local function needs_valid(id, given, what)
  if not openapi.is_valid(given.DefinitionBody) then
    failure.resource(id, "Unable to add %s because 'DefinitionBody' does not contain a valid OpenApi definition.", what)
  end
end

local function cors_of(id, cors)
  if cors == true then return { AllowOrigins = values.list "*" } end
  if values.intrinsic(cors) then return { AllowOrigins = cors } end
  if not values.is_map(cors) then failure.resource(id, "Invalid value for 'Cors' property.") end
  for _, key in ipairs(values.keys(cors)) do
    if not CORS[key] then failure.resource(id, "Invalid key '%s' for 'Cors' property.", key) end
  end
  return cors
end

local function add_cors(id, given)
  if not values.given(given.CorsConfiguration) then return end
  needs_body(id, given, "Cors works only with inline OpenApi specified in 'DefinitionBody' property.")
  local cors = cors_of(id, given.CorsConfiguration)
  needs_valid(id, given, "Cors configuration")
  if cors.AllowCredentials == true and values.same(cors.AllowOrigins, values.list "*") then
    failure.resource(id, "Unable to add Cors configuration because 'AllowCredentials' can not be true when "
      .. "'AllowOrigin' is \"'*'\" or not set.")
  end
  openapi.add_cors(given.DefinitionBody, cors)
end

local function add_auth(work, id, given)
  local auth = given.Auth
  if not values.given(auth) then return {} end
  needs_body(id, given, "Auth works only with inline OpenApi specified in the 'DefinitionBody' property.")
  for _, key in ipairs(values.keys(auth)) do
    if not AUTH[key] then failure.resource(id, "Invalid value for 'Auth' property") end
  end
  needs_valid(id, given, "Auth configuration")
  local list, by_name = authorizers.http(id, auth, work.partition)
  openapi.define_authorizers(given.DefinitionBody, list)
  local name = auth.DefaultAuthorizer
  if values.given(name) and not values.is_no_value(name) then
    resources.expect(failure.resource, id, "Auth.DefaultAuthorizer", name, "string")
    if not by_name[name] then
      failure.resource(id, "Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", name)
    end
    for _, path in ipairs(values.keys(given.DefinitionBody.paths)) do
      openapi.set_default(given.DefinitionBody, path, name, by_name[name].scopes)
    end
  end
  return list
end

-- The tags of the API and its stage: the template's, and SAM's own.
local function add_tags(id, given)
  local tags = given.Tags
  if not values.given(given.DefinitionBody) then
    if values.given(tags) then
      failure.resource(id, "Tags works only with inline OpenApi specified in the 'DefinitionBody' property.")
    end
    return tags
  end
  if not openapi.is_valid(given.DefinitionBody) then
    if values.given(tags) then needs_valid(id, given, "`Tags`") end
    return tags
  end
  tags = values.merged(tags or {}, values.map("httpapi:createdBy", "SAM"))
  openapi.add_tags(given.DefinitionBody, tags)
  return tags
end

-- Puts a text of the API into its definition, unless that has one of its own.
local function add_info(id, given, property, name, default)
  local text = given[property]
  if not values.given(text) then return end
  needs_body(id, given, property .. " works only with inline OpenApi specified in the 'DefinitionBody' property.")
  local info = given.DefinitionBody.info or {}
  if not values.is_map(info) then
    failure.resource(id, "Invalid 'DefinitionBody': The value of 'info' should be a map.")
  end
  if not values.same(info[name], default) and (default or values.given(info[name])) then
    failure.resource(id, "Unable to set %s because it is already defined within inline OpenAPI specified in the "
      .. "'DefinitionBody' property.", property)
  end
  values.put(given.DefinitionBody, "info", values.put(info, name, text))
end

-- Under FailOnWarnings API Gateway takes no path that is none.
local function rename_default_path(given)
  local paths = given.DefinitionBody and given.DefinitionBody.paths
  if not values.given(given.FailOnWarnings) or not paths or not paths[openapi.DEFAULT_PATH] then return end
  values.put(paths, "/" .. openapi.DEFAULT_PATH, paths[openapi.DEFAULT_PATH])
  paths[openapi.DEFAULT_PATH] = nil
end

local function api_of(work, id, given, definition)
  if values.given(given.DefinitionUri) and values.given(given.DefinitionBody) then
    failure.resource(id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
  end
  local api = resources.new("AWS::ApiGatewayV2::Api", id, resources.own_attributes(definition), definition.DependsOn)
  add_cors(id, given)
  local list = add_auth(work, id, given)
  local tags = add_tags(id, given)
  if values.given(given.FailOnWarnings) then resources.set(api, "FailOnWarnings", given.FailOnWarnings) end
  if given.DisableExecuteApiEndpoint ~= nil then
    needs_body(id, given, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.")
    openapi.disable_endpoint(given.DefinitionBody, given.DisableExecuteApiEndpoint)
  end
  add_info(id, given, "Name", "title", values.ref "AWS::StackName")
  add_info(id, given, "Description", "description")
  rename_default_path(given)
  if values.given(given.DefinitionUri) then
    resources.set(api, "BodyS3Location", resources.s3_object(id, "DefinitionUri", given.DefinitionUri,
      { "Bucket", "Key", "Version" }))
  elseif values.given(given.DefinitionBody) then
    resources.set(api, "Body", given.DefinitionBody)
  else
    failure.resource(id, "'DefinitionUri' or 'DefinitionBody' are required properties of an "
      .. "'AWS::Serverless::HttpApi'. Add a value for one of these properties or add a 'HttpApi' event to an "
      .. "'AWS::Serverless::Function'.")
  end
  return api, list, tags
end

local function stage_of(id, given, tags, attributes)
  local name = values.or_nil(given.StageName) or DEFAULT_STAGE
  local text = type(name) == "string" and name or ""
  local suffix = text:find "^%w+$" and text .. "Stage" or text == DEFAULT_STAGE and "ApiGatewayDefaultStage"
    or "Stage" .. values.hash(text)
  return resources.set(resources.new("AWS::ApiGatewayV2::Stage", id .. suffix, attributes),
    "AccessLogSettings", given.AccessLogSettings, "DefaultRouteSettings", given.DefaultRouteSettings,
    "RouteSettings", given.RouteSettings, "ApiId", values.ref(id), "StageName", name, "Tags", tags,
    "StageVariables", given.StageVariables, "AutoDeploy", true)
end

--- What an HTTP API becomes.
---@return table[] made
function http_apis.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  for _, name in ipairs { "CorsConfiguration", "Domain" } do
    given[name] = resolve.parameters(given[name], work.parameters)
  end
  local attributes = resources.shared_attributes(definition)
  local api, list, tags = api_of(work, id, given, definition)
  local made = values.joined({ api }, authorizers.permissions(id, list, attributes, "${AWS::Partition}"),
    domains.http(work, id, given, attributes), { stage_of(id, given, tags, attributes) })
  -- Tags spread whether that is asked for or not, as long as the definition is in the template.
  resources.spread_tags(made, values.given(given.Tags) and tags, values.given(given.DefinitionBody))
  return made
end

http_apis.PROPERTIES = { Stage = "AWS::ApiGatewayV2::Stage", DomainName = "AWS::ApiGatewayV2::DomainName" }

return http_apis
