--- The definition of a REST API: what SAM writes into it for functions, state machines, CORS, models and the like.
-- Who may call is in sandbox.template.serverless.swagger_security.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"

local swagger = {}

local dict, ordinary, put = python2.dict, python2.ordinary, python2.put

--- A definition without paths.
function swagger.skeleton()
  return dict("swagger", "2.0", "info", dict("version", "1.0", "title", ordinary("Ref", "AWS::StackName")),
    "paths", dict())
end

function swagger.is_valid(document)
  return values.is_map(document) and values.is_map(document.paths) and (values.given(document.swagger)
    or values.given(document.openapi) and paths.is_version_3(document.openapi))
end

-- Document -> its paths, once they have been looked at: SAM adds only good ones.
local checked = setmetatable({}, { __mode = "k" })

local function check_paths(document)
  if checked[document] == document.paths then return end
  for _, path in ipairs(python2.keys(document.paths)) do paths.items(document, path) end
  checked[document] = document.paths
end

--- The document to change: as a copy would be, so that its order is a copy's.
function swagger.open(document)
  if not swagger.is_valid(document) then
    failure.structure "Invalid Swagger document or the Swagger document is not explicitly defined in 'DefinitionBody'."
  end
  python2.copy_order(document)
  check_paths(document)
  return document
end

-- Document -> section -> what a change adds to it: sections that are new come last.
local pending = setmetatable({}, { __mode = "k" })
local LATE = { "securityDefinitions", "x-amazon-apigateway-gateway-responses", "definitions" }

--- A section that a change adds members to; it is in the document once that is closed.
---@param name string one of those of LATE
---@return table
function swagger.section(document, name)
  if values.given(document[name]) then return document[name] end
  pending[document] = pending[document] or {}
  pending[document][name] = pending[document][name] or dict()
  return pending[document][name]
end

--- The document after changes, in a copy's order.
function swagger.close(document)
  local sections = pending[document] or {}
  pending[document] = nil
  for _, name in ipairs(LATE) do
    if values.given(sections[name]) then put(document, name, sections[name]) end
  end
  return python2.copy_order(document)
end

--- Makes a definition that SAM wrote one of a version of OpenAPI.
function swagger.set_version(document, version)
  put(document, "openapi", version, "value")
  if document.swagger then python2.remove(document, "swagger") end
end

local CALLERS = "arn:%s:iam::*:user/*"

-- The role in which API Gateway calls a function: the method's, else the API's, else the caller's.
local function credentials(method_auth, api_auth, partition)
  if method_auth.Authorizer ~= "AWS_IAM"
    and (api_auth.DefaultAuthorizer ~= "AWS_IAM" or values.given(method_auth)) then return nil end
  local function role(auth)
    if values.given(auth.InvokeRole) then return auth.InvokeRole end
    return auth.InvokeRole ~= nil and "NONE" or nil
  end
  local wanted = role(method_auth) or role(api_auth)
  if wanted == "NONE" then return nil end
  if wanted == nil or wanted == "CALLER_CREDENTIALS" then return CALLERS:format(partition), nil end
  return wanted, "value"
end

--- Lets a method call a function.
---@param use table path, method, uri, method_auth, api_auth, condition, streams, partition
function swagger.add_function(document, use)
  local name, users = paths.method(use.method)
  paths.add(document, use.path, use.method)
  local uri = use.condition and paths.choice(use.condition, use.uri) or use.uri
  for _, item in ipairs(paths.items(document, use.path)) do
    local integration = dict("type", "aws_proxy", "httpMethod", "POST", "uri", uri)
    put(item[name], paths.INTEGRATION, integration)
    if use.streams then put(integration, "responseTransferMode", "STREAM") end
    local role, of_user = credentials(use.method_auth, use.api_auth, use.partition)
    put(integration, "credentials", role, of_user)
    if item[name].responses == nil then put(item[name], "responses", dict()) end
    if use.condition then put(item, name, paths.choice(use.condition, item[name]), users) end
  end
end

--- Lets a method start a state machine.
---@param use table path, method, uri, role, template, condition
function swagger.add_state_machine(document, use)
  local name, users = paths.method(use.method)
  paths.add(document, use.path, use.method)
  local uri = use.condition and paths.choice(use.condition, use.uri) or use.uri
  for _, item in ipairs(paths.items(document, use.path)) do
    local responses = dict("200", dict("statusCode", "200"), "400", dict("statusCode", "400"))
    local integration = dict("type", "aws", "httpMethod", "POST", "uri", uri, "responses", responses,
      "credentials", use.role)
    put(item[name], paths.INTEGRATION, integration)
    if item[name].responses == nil then
      put(item[name], "responses", dict("200", dict("description", "OK"), "400", dict("description", "Bad Request")))
    end
    put(integration, "requestTemplates", ordinary("application/json", use.template))
    if use.condition then put(item, name, paths.choice(use.condition, item[name]), users) end
  end
end

---------------------------------------------------------------------------------------------------------
-- CORS

local METHODS = { "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT" }

local function allowed_methods(item)
  local names, seen = { "OPTIONS" }, { OPTIONS = true }
  if item[paths.ANY] ~= nil then return table.concat(METHODS, ",") end
  for _, key in ipairs(python2.keys(item)) do
    local name = key:upper()
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  table.sort(names)
  return table.concat(names, ",")
end

local HEADER = "method.response.header."

-- The answer to a browser's question. Each of `rows`: a header, its value, the value's type, whose the value is.
local function preflight(rows)
  local parameters, headers = dict(), dict()
  for _, row in ipairs(rows) do
    put(parameters, HEADER .. row[1], row[2], row[4])
    put(headers, row[1], ordinary("type", row[3]))
  end
  return dict("summary", "CORS support", "consumes", python2.list "application/json",
    "produces", python2.list "application/json",
    paths.INTEGRATION, dict("type", "mock",
      "requestTemplates", ordinary("application/json", '{\n  "statusCode" : 200\n}\n'),
      "responses", dict("default", dict("statusCode", "200", "responseParameters", parameters,
        "responseTemplates", ordinary("application/json", "{}\n")))),
    "responses", dict("200", dict("description", "Default response for CORS method", "headers", headers)))
end

--- Lets pages of other origins call a path.
---@param cors table AllowOrigin, AllowHeaders, AllowMethods, MaxAge, AllowCredentials; default = the origin is SAM's
function swagger.add_cors(document, path, cors)
  local methods, of_user = cors.AllowMethods, "value"
  for _, item in ipairs(paths.items(document, path)) do
    if item.options == nil then
      if not values.given(cors.AllowOrigin) then
        failure.template "Invalid input. Value for AllowedOrigins is required"
      end
      if not values.given(methods) then methods, of_user = ("'%s'"):format(allowed_methods(item)), nil end
      local rows = { { "Access-Control-Allow-Origin", cors.AllowOrigin, "string",
        not cors.default and "value" or nil } }
      if values.given(cors.AllowHeaders) then
        rows[#rows + 1] = { "Access-Control-Allow-Headers", cors.AllowHeaders, "string", "value" }
      end
      rows[#rows + 1] = { "Access-Control-Allow-Methods", methods, "string", of_user }
      if cors.MaxAge ~= nil then rows[#rows + 1] = { "Access-Control-Max-Age", cors.MaxAge, "integer", "value" } end
      if cors.AllowCredentials == true then
        rows[#rows + 1] = { "Access-Control-Allow-Credentials", "'true'", "string" }
      end
      put(item, "options", preflight(rows))
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- What else an API or a method says

local function slashed(value)
  if type(value) == "string" then return (value:gsub("~1", "/")) end
  if type(value) ~= "table" then return value end
  local out = values.is_list(value) and values.list() or {}
  if values.is_list(value) then
    for i, element in ipairs(value) do out[i] = slashed(element) end
  else
    for _, key in ipairs(python2.keys(value)) do put(out, slashed(key), slashed(value[key]), "both") end
  end
  return out
end

--- The types whose bodies are bytes; a / in them may be written ~1.
function swagger.set_binary_types(document, types)
  put(document, "x-amazon-apigateway-binary-media-types", slashed(types))
end

local ENDPOINT = "x-amazon-apigateway-endpoint-configuration"

function swagger.disable_endpoint(document, disabled)
  local places = { document }
  if values.given(document.openapi) and paths.is_version_3(document.openapi) then
    if document.servers == nil then put(document, "servers", values.list(dict())) end
    places = document.servers
  end
  for _, place in ipairs(places) do
    if place[ENDPOINT] == nil then put(place, ENDPOINT, ordinary()) end
    put(place[ENDPOINT], "disableExecuteApiEndpoint", disabled)
  end
end

function swagger.add_models(document, models)
  local definitions = swagger.section(document, "definitions")
  for _, name in ipairs(python2.keys(models)) do
    if not values.given(models[name].type) then failure.structure "'Models' schema is missing 'type'." end
    put(definitions, name:lower(), models[name], "key")
  end
end

--- What a method's body must look like.
function swagger.set_request_model(document, path, method, model)
  local name = model.Model:lower()
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    if document.swagger ~= nil then
      local parameter = put(dict("in", "body"), "name", name, "value")
      put(parameter, "schema", ordinary("$ref", "#/definitions/" .. name))
      put(parameter, "required", model.Required)
      put(definition, "parameters", values.joined(definition.parameters or {}, { parameter }))
    elseif paths.is_version_3(document.openapi) then
      local body = ordinary("content", ordinary("application/json",
        ordinary("schema", ordinary("$ref", "#/components/schemas/" .. name))))
      put(definition, "requestBody", put(body, "required", model.Required))
    end
  end
end

local VALIDATORS = "x-amazon-apigateway-request-validators"

--- What of a request is checked before the function is called.
function swagger.set_validator(document, path, method, body, parameters)
  local name = body and (parameters and "body-and-params" or "body-only")
    or parameters and "params-only" or "no-validation"
  if not values.given(document[VALIDATORS]) then put(document, VALIDATORS, dict()) end
  if not values.given(document[VALIDATORS][name]) then
    put(document[VALIDATORS], name, dict("validateRequestBody", body, "validateRequestParameters", parameters))
  end
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    put(definition, "x-amazon-apigateway-request-validator", name)
  end
end

--- Parameters that a method takes: a list of { name = "method.request.place.name", required, caching }.
function swagger.add_parameters(document, path, method, parameters)
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    local list = values.joined(definition.parameters or {})
    for _, each in ipairs(parameters) do
      local place, name = each.name:match "^method%.request%.(%l+)%.(.+)$"
      local query = place == "querystring"
      local parameter = put(dict(), "in", query and "query" or place, not query and "value" or nil)
      put(parameter, "name", name, "value")
      put(parameter, "required", each.required)
      put(parameter, "type", "string")
      list[#list + 1] = parameter
      if values.given(each.caching) then
        local integration = definition[paths.INTEGRATION]
        put(integration, "cacheKeyParameters", values.joined(integration.cacheKeyParameters or {}, { each.name }))
      end
    end
    put(definition, "parameters", list)
  end
end

---------------------------------------------------------------------------------------------------------
-- Version 3 of OpenAPI has other names for some of it

local function move_into_components(document, from, to)
  if not values.given(document[from]) then return end
  if not values.given(document.components) then put(document, "components", dict()) end
  put(document.components, to, document[from])
  python2.remove(document, from)
end

-- Options that were written as Swagger has them.
local function modern_options(options)
  for _, name in ipairs { "produces", "consumes" } do python2.remove(options, name) end
  local ok = (options.responses or {})["200"]
  local headers = ok and ok.headers or {}
  for _, name in ipairs(python2.keys(headers)) do
    put(headers, name, dict("schema", headers[name]))
  end
end

--- Gives a document of version 3 that version's form.
---@param version string? what the API asks for
function swagger.modernize(document, version)
  if document.swagger ~= nil then return document end
  if version == nil then version = document.openapi end
  if version == nil or not paths.is_version_3(version) then return document end
  move_into_components(document, "securityDefinitions", "securitySchemes")
  move_into_components(document, "definitions", "schemas")
  for _, path in ipairs(python2.keys(document.paths or {})) do
    local item = document.paths[path]
    paths.check_map(item, "Value of '%s' path must be a dictionary according to Swagger spec.", path)
    if values.given(item.options) then
      paths.check_map(item.options,
        "Value of options method for path %s must be a dictionary according to Swagger spec.", path)
      modern_options(item.options)
    end
  end
  return document
end

return swagger
