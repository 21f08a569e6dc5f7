--- Authorizers of APIs: what Auth.Authorizers says, as a definition has it.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local python2 = require "sandbox.template.serverless.python2"
local resources = require "sandbox.template.serverless.resources"

local authorizers = {}

local dict, ordinary, put = python2.dict, python2.ordinary, python2.put

local KEY = "x-amazon-apigateway-authorizer"
local URI = "arn:%s:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations"

local function expect(id, path, value, form)
  return resources.expect(failure.resource, id, path, value, form)
end

-- What a caller shows: the property, and what stands before each of its names.
local REST_SOURCES = { { "Headers", "method.request.header." }, { "QueryStrings", "method.request.querystring." },
  { "StageVariables", "stageVariables." }, { "Context", "context." } }
local HTTP_SOURCES = { { "Headers", "$request.header." }, { "QueryStrings", "$request.querystring." },
  { "StageVariables", "$stageVariables." }, { "Context", "$context." } }

local function sources(id, path, identity, rows)
  local out = values.list()
  for _, row in ipairs(rows) do
    local names = identity[row[1]]
    if values.given(names) then
      expect(id, ("%s.%s"):format(path, row[1]), names, "list")
      for i, name in ipairs(names) do
        expect(id, ("%s.%s[%d]"):format(path, row[1], i - 1), name, "string")
        out[#out + 1] = row[2] .. name
      end
    end
  end
  return out
end

local function role_of(given)
  local role = values.or_nil(given.FunctionInvokeRole)
  return role ~= "NONE" and role or nil
end

---------------------------------------------------------------------------------------------------------
-- REST APIs

local function lacks_identity(id, name, identity)
  if not values.given(identity) then return true end
  expect(id, ("Authorizer.%s.Identity"):format(name), identity, "map")
  for _, row in ipairs(REST_SOURCES) do
    if values.given(identity[row[1]]) then return false end
  end
  local seconds = math.tointeger(tonumber(identity.ReauthorizeEvery))
  return seconds == nil or seconds > 0
end

local function check_rest(id, name, given)
  local payload = given.FunctionPayloadType
  if payload ~= nil and payload ~= "TOKEN" and payload ~= "REQUEST" then
    failure.resource(id, "%s Authorizer has invalid 'FunctionPayloadType': %s.", name, values.shown(payload))
  end
  if payload == "REQUEST" and lacks_identity(id, name, given.Identity) then
    failure.resource(id, "%s Authorizer must specify Identity with at least one of Headers, QueryStrings, "
      .. "StageVariables, or Context.", name)
  end
  if given.AuthorizationScopes ~= nil then
    expect(id, ("Authorizers.%s.AuthorizationScopes"):format(name), given.AuthorizationScopes, "list")
  end
  if given.DisableFunctionDefaultPermissions ~= nil then
    expect(id, ("Authorizers.%s.DisableFunctionDefaultPermissions"):format(name),
      given.DisableFunctionDefaultPermissions, "boolean")
  end
  if values.given(given.Identity) and not values.is_map(given.Identity) then
    failure.resource(id, "Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, "
      .. "LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity).")
  end
end

local function call_of_function(id, name, given, identity, partition)
  local request = given.FunctionPayloadType == "REQUEST"
  local variables = put(ordinary(), "__FunctionArn__", given.FunctionArn, "value")
  local out = dict("type", request and "request" or "token",
    "authorizerUri", ordinary("Fn::Sub", python2.list(URI:format(partition), variables)))
  put(out, "authorizerResultTtlInSeconds", identity.ReauthorizeEvery, "value")
  put(out, "authorizerCredentials", role_of(given), "value")
  if request then
    local shown = sources(id, ("Auth.Authorizers.%s.Identity"):format(name), identity, REST_SOURCES)
    if #shown > 0 then put(out, "identitySource", table.concat(shown, ", "), "value") end
  end
  return out
end

-- An authorizer as Swagger defines it.
local function rest_definition(id, name, given, partition)
  local identity = given.Identity or {}
  local cognito = values.given(given.UserPoolArn)
  local out = dict("type", "apiKey")
  if not cognito and given.FunctionPayloadType == "REQUEST" then
    put(out, "name", "Unused")
  else
    local header = values.or_nil(identity.Header)
    put(out, "name", header or "Authorization", header and "value" or nil)
  end
  put(out, "in", "header")
  put(out, "x-amazon-apigateway-authtype", given.iam and "awsSigv4" or cognito and "cognito_user_pools" or "custom")
  if given.iam then return out end
  local call
  if cognito then
    call = dict("type", "cognito_user_pools", "providerARNs", values.as_list(given.UserPoolArn))
  else
    call = call_of_function(id, name, given, identity, partition)
  end
  put(out, KEY, call)
  if cognito or given.FunctionPayloadType ~= "REQUEST" then
    put(call, "identityValidationExpression", values.or_nil(identity.ValidationExpression), "value")
  end
  return out
end

--- The authorizers of a REST API, in their order.
---@param id string of the API
---@param auth table its Auth
---@param partition string
---@return table[] each { name, definition, scopes, function_arn, disabled }
---@return table by_name
function authorizers.rest(id, auth, partition)
  local out, by_name = {}, {}
  local function add(name, given)
    check_rest(id, name, given)
    local each = { name = name, scopes = given.AuthorizationScopes, function_arn = values.or_nil(given.FunctionArn),
      permits = not values.given(given.DisableFunctionDefaultPermissions),
      definition = rest_definition(id, name, given, partition) }
    if not by_name[name] then out[#out + 1] = each end
    by_name[name] = each
  end
  if auth.DefaultAuthorizer == "AWS_IAM" then add("AWS_IAM", { iam = true }) end
  if not values.given(auth.Authorizers) then return out, by_name end
  expect(id, "Auth.Authorizers", auth.Authorizers, "map")
  for _, name in ipairs(python2.keys(auth.Authorizers)) do
    add(name, expect(id, "Auth.Authorizers." .. name, auth.Authorizers[name], "map"))
  end
  return out, by_name
end

---------------------------------------------------------------------------------------------------------
-- HTTP APIs

-- Property -> the kind of authorizer that has it, and the words for that in errors.
local ONLY = {
  { "AuthorizationScopes", "jwt", "OAuth2 Authorizer" }, { "JwtConfiguration", "jwt", "OAuth2 Authorizer" },
  { "IdentitySource", "jwt", "OAuth2 Authorizer. For Lambda Authorizer, use the 'Identity' property instead" },
  { "FunctionArn", "request", "Lambda Authorizer" }, { "FunctionInvokeRole", "request", "Lambda Authorizer" },
  { "Identity", "request", "Lambda Authorizer" },
  { "AuthorizerPayloadFormatVersion", "request", "Lambda Authorizer" },
  { "EnableSimpleResponses", "request", "Lambda Authorizer" },
  { "EnableFunctionDefaultPermissions", "request", "Lambda Authorizer" },
}

local MUST = { jwt = { { "JwtConfiguration", "OAuth2" }, { "IdentitySource", "OAuth2" } },
  request = { { "FunctionArn", "Lambda" }, { "AuthorizerPayloadFormatVersion", "Lambda" } } }

local function check_http(id, name, given, kind)
  if given.AuthorizationScopes ~= nil and not values.is_list(given.AuthorizationScopes) then
    failure.resource(id, "AuthorizationScopes must be a list.")
  end
  for _, row in ipairs(ONLY) do
    if given[row[1]] ~= nil and kind ~= row[2] then
      failure.resource(id, "%s is only supported for %s.", row[1], row[3])
    end
  end
  for _, row in ipairs(MUST[kind]) do
    if not values.given(given[row[1]]) then
      failure.resource(id, "%s %s Authorizer must define '%s'.", name, row[2], row[1])
    end
  end
  if given.EnableFunctionDefaultPermissions ~= nil then
    expect(id, ("Authorizers.%s.EnableFunctionDefaultPermissions"):format(name), given.EnableFunctionDefaultPermissions,
      "boolean")
  end
end

local function jwt_definition(given)
  local configuration = {}
  for _, key in ipairs(values.keys(given.JwtConfiguration)) do
    values.put(configuration, key:lower(), given.JwtConfiguration[key])
  end
  return values.map("type", "oauth2", KEY, values.map("jwtConfiguration", configuration,
    "identitySource", given.IdentitySource, "type", "jwt"))
end

local function request_definition(id, name, given, partition)
  local call = values.map("type", "request", "authorizerUri", values.sub(URI:format(partition),
    values.map("__FunctionArn__", given.FunctionArn)), "authorizerCredentials", role_of(given))
  if values.given(given.Identity) then
    expect(id, ("Auth.Authorizers.%s.Identity"):format(name), given.Identity, "map")
    values.put(call, "authorizerResultTtlInSeconds", given.Identity.ReauthorizeEvery)
    values.put(call, "identitySource",
      sources(id, ("Authorizers.%s.Identity"):format(name), given.Identity, HTTP_SOURCES))
  end
  values.put(call, "authorizerPayloadFormatVersion", given.AuthorizerPayloadFormatVersion)
  values.put(call, "enableSimpleResponses", values.or_nil(given.EnableSimpleResponses))
  return values.map("type", "apiKey", "name", "Unused", "in", "header", KEY, call)
end

--- The authorizers of an HTTP API, in their order.
---@return table[] each { name, definition, scopes, function_arn, permits }
---@return table by_name
function authorizers.http(id, auth, partition)
  local out, by_name = {}, {}
  local function add(name, each)
    each.name = name
    if not by_name[name] then out[#out + 1] = each end
    by_name[name] = each
  end
  if auth.EnableIamAuthorizer == true then
    add("AWS_IAM", { definition = values.map("type", "apiKey", "name", "Authorization", "in", "header",
      "x-amazon-apigateway-authtype", "awsSigv4") })
  end
  if not values.given(auth.Authorizers) then return out, by_name end
  expect(id, "Auth.Authorizers", auth.Authorizers, "map")
  for _, name in ipairs(values.keys(auth.Authorizers)) do
    local given = expect(id, "Auth.Authorizers." .. name, auth.Authorizers[name], "map")
    if given.OpenIdConnectUrl ~= nil then
      failure.resource(id, "'OpenIdConnectUrl' is no longer a supported property for authorizer '%s'. Please refer to "
        .. "the AWS SAM documentation.", name)
    end
    local kind = values.given(given.JwtConfiguration) and "jwt" or "request"
    if kind == "jwt" then expect(id, "JwtConfiguration", given.JwtConfiguration, "map") end
    check_http(id, name, given, kind)
    add(name, { scopes = given.AuthorizationScopes, function_arn = values.or_nil(given.FunctionArn),
      permits = values.given(given.EnableFunctionDefaultPermissions),
      definition = kind == "jwt" and jwt_definition(given) or request_definition(id, name, given, partition) })
  end
  return out, by_name
end

--- The permissions by which an API calls the functions of its authorizers.
---@param id string of the API
---@param list table[] of authorizers.rest or authorizers.http
---@param attributes table of the API
---@param partition string
---@return table[]
function authorizers.permissions(id, list, attributes, partition)
  local out = {}
  for _, each in ipairs(list) do
    if each.function_arn and each.permits then
      local permission = resources.new("AWS::Lambda::Permission", id .. each.name .. "AuthorizerPermission", attributes)
      local arn = ("arn:%s:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*"):format(partition)
      out[#out + 1] = resources.set(permission, "Action", "lambda:InvokeFunction", "FunctionName", each.function_arn,
        "Principal", "apigateway.amazonaws.com", "SourceArn", values.sub(arn, values.map("__ApiId__", values.ref(id))))
    end
  end
  return out
end

return authorizers
