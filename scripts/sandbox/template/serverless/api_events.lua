--- Events of API Gateway for functions: a method of a REST API or a route of an HTTP API.

local values = require "sandbox.template.serverless.values"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local implicit_api = require "sandbox.template.serverless.implicit_api"
local openapi = require "sandbox.template.serverless.openapi"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"
local security = require "sandbox.template.serverless.swagger_security"
local swagger = require "sandbox.template.serverless.swagger"

local api_events = { kinds = {} }

local PRINCIPAL = "apigateway.amazonaws.com"

--- The REST API that an event names: its id, its properties, and the stage that permissions are called by.
function api_events.link(work, event)
  local id = implicit_api.named(event.given.RestApiId)
  if type(id) ~= "string" then return { id = id, properties = {}, stage = "AllStages" } end
  local resource = work.tree.Resources[id]
  if not values.is_map(resource) then
    failure.event(event.name, "RestApiId property of Api event must reference a valid resource in the same template.")
  end
  local properties = resource.Properties or {}
  if not values.is_map(properties) then failure.resource(id, "Attribute 'Properties' should be a map.") end
  if properties.StageName == "" then failure.resource(id, "StageName cannot be empty.") end
  local named = type(properties.StageName) == "string"
  return { id = id, properties = properties, stage = named and properties.StageName or "Stage",
    stage_users = named and python2.users(properties, "StageName") or nil }
end

---------------------------------------------------------------------------------------------------------
-- Who may call a method

local function unable(event, name, rest, ...)
  failure.event(event.name, ("Unable to set Authorizer [%s] on API method [%s] for path [%s]%s"):format(
    values.shown(name), event.method, event.given.Path, rest:format(...)))
end

local NO_AUTHORIZERS = " because the related API does not define any Authorizers."
local UNKNOWN = " because it wasn't defined in the API's Authorizers."
local NOT_DEFAULT = "Unable to set Authorizer on API method [%s] for path [%s] because 'NONE' is only a valid value "
  .. "when a DefaultAuthorizer on the API is specified."

-- Checks that the API has the authorizer that a method asks for. `iam`: AWS_IAM is one of it without further ado.
local function check_authorizer(event, name, api_auth, iam)
  local all = api_auth.Authorizers
  if name == "NONE" then
    if not values.given(api_auth.DefaultAuthorizer) then
      failure.event(event.name, NOT_DEFAULT, event.method, event.given.Path)
    end
  elseif name ~= "AWS_IAM" or not iam then
    if not values.given(all) then unable(event, name, NO_AUTHORIZERS) end
    if type(name) ~= "string" or not values.is_map(all) then
      unable(event, name,
        ". The method authorizer must be a string with a corresponding dict entry in the api authorizer.")
    end
    if not values.given(all[name]) then unable(event, name, UNKNOWN) end
  end
end

local function check_keys(event, auth, api_auth)
  local scopes = auth.AuthorizationScopes
  if values.given(scopes) then
    resources.expect(failure.event, event.name, "Auth.AuthorizationScopes", scopes, "list")
    if not values.given(auth.Authorizer) then
      failure.event(event.name, "AuthorizationScopes works only when Authorizer is set")
    end
  end
  local refused = auth.ApiKeyRequired ~= nil and not values.given(auth.ApiKeyRequired)
  if refused and not values.given(api_auth.ApiKeyRequired) then
    failure.event(event.name, "Unable to set ApiKeyRequired [False] on API method [%s] for path [%s] because the "
      .. "related API does not specify any ApiKeyRequired.", event.method, event.given.Path)
  end
end

--- Writes into a definition who may call an event's method.
---@param event table with method
---@param link table of api_events.link
function api_events.secure(work, event, link, document)
  local auth = event.given.Auth
  local api_auth = resolve.parameters(link.properties.Auth, work.parameters) or {}
  if values.given(auth.Authorizer) then check_authorizer(event, auth.Authorizer, api_auth, true) end
  check_keys(event, auth, api_auth)
  security.add_to_method(document, event.given.Path, event.method, auth, api_auth)
  local policy = auth.ResourcePolicy
  if not values.given(policy) then return end
  resources.expect(failure.resource, event.name, "Auth.ResourcePolicy", policy, "map")
  security.add_policy(document, policy, event.given.Path, { name = link.stage, users = link.stage_users })
  if values.given(policy.CustomStatements) then security.add_custom_statements(document, policy.CustomStatements) end
end

---------------------------------------------------------------------------------------------------------
-- What a method takes

local function add_model(event, link, document)
  local model = event.given.RequestModel
  if not values.given(model) or not values.given(model.Model) then return end
  local function refuse(why)
    failure.event(event.name, "Unable to set RequestModel [%s] on API method [%s] for path [%s] because %s",
      values.shown(model.Model), event.method, event.given.Path, why)
  end
  local models = link.properties.Models
  if not values.given(models) then refuse "the related API does not define any Models." end
  if not values.is_map(models) then refuse "the related API Models defined is of invalid type." end
  if type(model.Model) ~= "string" then refuse "the related API does not contain valid Models." end
  if not values.given(models[model.Model]) then refuse "it wasn't defined in the API's Models." end
  swagger.set_request_model(document, event.given.Path, event.method, model)
  local body, parameters = model.ValidateBody, model.ValidateParameters
  if body == nil and parameters == nil then return end
  body, parameters = body or body == nil and false, parameters or parameters == nil and false
  if type(body) ~= "boolean" or type(parameters) ~= "boolean" then
    failure.event(event.name, "Unable to set Validator to RequestModel [%s] on API method [%s] for path [%s] "
      .. "ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.",
      model.Model, event.method, event.given.Path)
  end
  swagger.set_validator(document, event.given.Path, event.method, body, parameters)
end

local PLACES = { querystring = true, path = true, header = true }
local BAD = "Invalid value for 'RequestParameters' property. "

local function parameter_of(event, given)
  local name, settings = given, {}
  if values.is_map(given) then name, settings = next(given) end
  if type(name) ~= "string" then failure.event(event.name, BAD .. "Property must be either a string or an object") end
  if not PLACES[name:match "^method%.request%.(%l+)%." or ""] then
    failure.event(event.name, BAD .. "Keys must be in the format 'method.request.[querystring|path|header].{value}', "
      .. "e.g 'method.request.header.Authorization'.")
  end
  local fine = values.is_map(settings)
  for key in pairs(fine and settings or {}) do fine = fine and (key == "Required" or key == "Caching") end
  if not fine then
    failure.event(event.name, BAD .. "Values must be an object, e.g { Required: true, Caching: false }")
  end
  local required, caching = settings.Required, settings.Caching
  if required == nil then required = false end
  return { name = name, required = required, caching = caching }
end

local function add_parameters(event, document)
  local list = {}
  for i, each in ipairs(event.given.RequestParameters or {}) do list[i] = parameter_of(event, each) end
  if #list > 0 then swagger.add_parameters(document, event.given.Path, event.method, list) end
end

-- What SAM writes for a method goes over what the template's own definition says of it.
local function merge(link, event, source, document)
  local path, method = event.given.Path, event.method
  local out = python2.shallow(source)
  if not values.given(out.paths) then python2.put(out, "paths", python2.ordinary()) end
  local theirs = (out.paths[path] or {})[method] or {}
  if not values.is_map(theirs) then
    failure.resource(link.id, "Property 'DefinitionBody.paths.%s.%s' should be a map.", path, method)
  end
  local both = python2.combined(theirs, document.paths[path][(paths.method(method))])
  if out.paths[path] == nil then python2.put(out.paths, path, python2.ordinary(), "key") end
  python2.put(out.paths[path], method, both, "key")
  return out
end

local function integrate(work, event, target)
  local link, given = event.link, event.given
  local body = link.properties.DefinitionBody
  local merges = values.given(link.properties.MergeDefinitions)
  if body == nil then return end
  local document = swagger.open(merges and swagger.skeleton() or body)
  if paths.has_integration(document, given.Path, event.method) then
    failure.event(event.name, 'API method "%s" defined multiple times for path "%s".', event.method, given.Path)
  end
  local auth, api_auth = given.Auth or {}, link.properties.Auth or {}
  resources.expect(failure.event, event.name, "Auth", auth, "map")
  resources.expect(failure.resource, tostring(link.id), "Auth", api_auth, "map")
  local streams = given.ResponseTransferMode == "RESPONSE_STREAM"
  swagger.add_function(document, { path = given.Path, method = event.method, partition = work.partition,
    uri = paths.function_uri(target, work.partition, streams), method_auth = auth, api_auth = api_auth,
    condition = target.condition, streams = streams })
  if values.given(given.Auth) then api_events.secure(work, event, link, document) end
  if values.given(given.TimeoutInMillis) then
    paths.set_timeout(document, given.Path, event.method, given.TimeoutInMillis)
  end
  add_model(event, link, document)
  add_parameters(event, document)
  document = swagger.close(document)
  if merges then document = merge(link, event, body, document) end
  link.properties.DefinitionBody = document
end

-- The event's own say about who may call goes over the API's, in definitions of the template, too.
local function override_auth(work, event)
  local link, auth = event.link, event.given.Auth
  local body = link.properties.DefinitionBody
  if not values.given(body) or not auth or not values.given(auth.OverrideApiAuth) then return end
  if not (values.given(auth.Authorizer) or values.given(auth.ApiKeyRequired) or values.given(auth.ResourcePolicy)) then
    failure.event(event.name, "Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using the "
      .. "OverrideApiAuth property.")
  end
  local document = swagger.open(body)
  api_events.secure(work, event, link, document)
  swagger.close(document)
end

local function trimmed(path) return (path:gsub("^(.+)/$", "%1")) end

api_events.kinds.Api = {
  kind = resources.kind("Api", [[ Path! string, Method! string, RestApiId! string, Stage string, Auth map,
    RequestModel map, RequestParameters list, TimeoutInMillis integer, ResponseTransferMode string ]]),
  link = api_events.link,
  make = function(work, event, target)
    local link, given = event.link, event.given
    event.method = given.Method:lower()
    local method = event.method == "any" and "*" or event.method:upper()
    local resource = "${__ApiId__}/${__Stage__}/" .. method .. paths.pattern(trimmed(given.Path), true)
    local permission = events.permission(event, target, PRINCIPAL, {
      SourceArn = values.sub(events.arn(work.partition, "execute-api", resource),
        values.map("__ApiId__", given.RestApiId, "__Stage__", "*")) }, { suffix = link.stage })
    if values.given(link.properties.__MANAGE_SWAGGER) or values.given(link.properties.MergeDefinitions) then
      integrate(work, event, target)
    end
    override_auth(work, event)
    return { permission }
  end,
}

---------------------------------------------------------------------------------------------------------
-- HTTP APIs

local PARTITION = "${AWS::Partition}"

local function http_permission(event, target, document)
  local given = event.given
  local path, any = trimmed(given.Path), event.method == "any"
  if path == openapi.DEFAULT_PATH then
    path = ""
  elseif document and openapi.calls_only(document, openapi.DEFAULT_PATH, paths.ANY, target.id) then
    return nil -- what is allowed for all paths is not said again
  end
  path = paths.pattern(path, false)
  local method = (any or event.method == paths.ANY) and "*" or event.method:upper()
  local resource = "${__ApiId__}/${__Stage__}" .. (any and path == "/" .. openapi.DEFAULT_PATH and path
    or "/" .. method .. path)
  return events.permission(event, target, PRINCIPAL, { SourceArn = values.sub(
    events.arn(PARTITION, "execute-api", resource), values.map("__ApiId__", given.ApiId, "__Stage__", "*")) })
end

local function http_authorizer(event, document, api_auth)
  local auth = event.given.Auth
  local name = values.or_nil(auth.Authorizer) or values.or_nil(api_auth.DefaultAuthorizer)
  if not name then
    failure.event(event.name, "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' "
      .. "configured on the HttpApi.")
  end
  check_authorizer(event, name, api_auth, api_auth.EnableIamAuthorizer == true)
  if values.given(auth.AuthorizationScopes) and not values.is_list(auth.AuthorizationScopes) then
    failure.event(event.name, "Unable to set Authorizer on API method [%s] for path [%s] because 'AuthorizationScopes' "
      .. "must be a list of strings.", event.method, event.given.Path)
  end
  local authorizer = name ~= "NONE" and name ~= "AWS_IAM" and api_auth.Authorizers[name]
  local scopes
  if authorizer then
    scopes = values.or_nil(auth.AuthorizationScopes) or values.or_nil(authorizer.AuthorizationScopes)
  end
  openapi.add_authorizer(document, event.given.Path, event.method, name, scopes)
end

local function http_integrate(event, target, properties, id)
  local given, body = event.given, properties.DefinitionBody
  if body == nil then return end
  local document = openapi.open(body)
  if values.given(properties.__MANAGE_SWAGGER) and paths.has_integration(document, given.Path, event.method) then
    failure.event(event.name, "API method '%s' defined multiple times for path '%s'.", event.method, given.Path)
  end
  openapi.add_function(document, { path = given.Path, method = event.method, condition = target.condition,
    uri = paths.function_uri(target, PARTITION) })
  if values.given(given.Auth) then
    local api_auth = properties.Auth or {}
    resources.expect(failure.resource, id, "Auth", api_auth, "map")
    http_authorizer(event, document, api_auth)
  end
  if values.given(given.TimeoutInMillis) then
    paths.set_timeout(document, given.Path, event.method, given.TimeoutInMillis)
  end
  openapi.add_path_parameters(document, given.Path, event.method)
  if values.given(given.PayloadFormatVersion) then
    openapi.set_payload_version(document, given.Path, event.method, given.PayloadFormatVersion)
  end
end

api_events.kinds.HttpApi = {
  kind = resources.kind("HttpApi", [[ Path string, Method string, ApiId string, Stage string, Auth map,
    TimeoutInMillis integer, RouteSettings map, PayloadFormatVersion string ]]),
  link = function(work, event)
    local id = implicit_api.named(event.given.ApiId)
    local resource = work.tree.Resources[id]
    return { id = id, properties = resource and resource.Properties or {} }
  end,
  make = function(_, event, target)
    local properties = event.link.properties
    event.method = event.given.Method:lower()
    local document = values.given(properties.DefinitionBody) and failure.within_resource(event.link.id, openapi.open,
      properties.DefinitionBody) or nil
    local permission = http_permission(event, target, document)
    http_integrate(event, target, properties, event.link.id)
    return { permission }
  end,
}

return api_events
