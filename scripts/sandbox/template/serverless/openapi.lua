--- The definition of an HTTP API: what SAM writes into it for functions, authorizers, CORS and tags.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local paths = require "sandbox.template.serverless.paths"

local openapi = {}

local map, put = values.map, values.put

openapi.DEFAULT_PATH = "$default"

--- A definition without paths.
function openapi.skeleton()
  return map("openapi", "3.0.1", "info", map("version", "1.0", "title", values.ref "AWS::StackName"), "paths", {})
end

function openapi.is_valid(document)
  return values.is_map(document) and values.is_map(document.paths) and values.given(document.openapi)
    and paths.is_version_3(document.openapi)
end

--- The document to change.
function openapi.open(document)
  if not openapi.is_valid(document) then
    failure.structure("Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in "
      .. "'DefinitionBody'.")
  end
  return document
end

--- The document after changes.
function openapi.close(document) return document end

--- Does a method call one function, and no other?
function openapi.calls_only(document, path, method, function_id)
  if not paths.has_integration(document, path, method) then return false end
  for _, definition in ipairs(paths.definitions(document, path, method, true)) do
    local uri = (definition[paths.INTEGRATION] or {}).uri
    if not values.is_map(uri) then return false end
    for _, branch in ipairs(paths.branches(uri)) do
      if tostring(branch["Fn::Sub"] or ""):match "([%w]+)%.Arn" ~= function_id then return false end
    end
  end
  return true
end

--- Lets a method call a function, unless it calls something already.
---@param use table path, method, uri, condition
function openapi.add_function(document, use)
  local name = paths.method(use.method)
  if paths.has_integration(document, use.path, use.method) then return end
  paths.add(document, use.path, use.method)
  local uri = use.condition and values.choice(use.condition, use.uri) or use.uri
  for _, item in ipairs(paths.items(document, use.path)) do
    put(item[name], paths.INTEGRATION,
      map("type", "aws_proxy", "httpMethod", "POST", "payloadFormatVersion", "2.0", "uri", uri))
    if use.path == openapi.DEFAULT_PATH and name == paths.ANY then put(item[name], "isDefaultRoute", true) end
    if item[name].responses == nil then put(item[name], "responses", {}) end
    if use.condition then put(item, name, values.choice(use.condition, item[name])) end
  end
end

--- The parameters that a path has between braces.
function openapi.add_path_parameters(document, path, method)
  local names = {}
  for name in path:gmatch "{(.-)}" do names[#names + 1] = name end
  if #names == 0 then return end
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    local list = definition.parameters or values.list()
    for _, name in ipairs(names) do
      local known
      for _, each in ipairs(list) do known = known or each.name == name and each end
      if not known then
        known = map("name", name)
        list[#list + 1] = known
      end
      put(known, "in", "path")
      put(known, "required", true)
    end
    put(definition, "parameters", list)
  end
end

function openapi.set_payload_version(document, path, method, version)
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    put(definition[paths.INTEGRATION], "payloadFormatVersion", version)
  end
end

--- Defines the authorizers of an API.
---@param authorizers table[] name, definition
function openapi.define_authorizers(document, authorizers)
  if #authorizers == 0 then return end
  if not values.given(document.components) then put(document, "components", {}) end
  local components = document.components
  if not values.given(components.securitySchemes) then put(components, "securitySchemes", {}) end
  for _, each in ipairs(authorizers) do put(components.securitySchemes, each.name, each.definition) end
end

--- Methods that ask for nothing else have the default authorizer.
function openapi.set_default(document, path, name, scopes)
  for _, item in ipairs(paths.items(document, path)) do
    for _, method in ipairs(values.keys(item)) do
      local without = method == "parameters" or method == "options"
      for _, definition in ipairs(without and {} or paths.branches(item[method])) do
        paths.check_map(definition, "Definition of method '%s' for path '%s' should be a map.", method, path)
        if values.given(definition[paths.INTEGRATION]) and not values.given(definition.security) then
          put(definition, "security", values.list(map(name, scopes or values.list())))
        end
      end
    end
  end
end

--- The authorizer that an event asks for.
function openapi.add_authorizer(document, path, method, name, scopes)
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    put(definition, "security", values.joined(paths.security(definition, path, method),
      { map(name, scopes or values.list()) }))
  end
end

--- Tags of the API.
function openapi.add_tags(document, tags)
  local list = document.tags or values.list()
  if not values.is_list(list) then
    failure.structure "Tags in OpenApi DefinitionBody needs to be a list."
  end
  for _, name in ipairs(values.keys(tags)) do
    local known
    for _, each in ipairs(list) do known = known or each.name == name and each end
    if not known then
      known = map("name", name)
      list[#list + 1] = known
    end
    put(known, "x-amazon-apigateway-tag-value", tags[name])
  end
  if #list > 0 then put(document, "tags", list) end
end

function openapi.disable_endpoint(document, disabled)
  local servers = document.servers or values.list {}
  for _, server in ipairs(servers) do
    paths.check_map(server, "Value of 'servers' item must be a dictionary according to Swagger spec.")
    local name = "x-amazon-apigateway-endpoint-configuration"
    put(server, name, put(server[name] or {}, "disableExecuteApiEndpoint", disabled))
  end
  put(document, "servers", servers)
end

local CORS = "x-amazon-apigateway-cors"
local NAMES = { { "AllowOrigins", "allowOrigins" }, { "AllowHeaders", "allowHeaders" },
  { "AllowMethods", "allowMethods" }, { "ExposeHeaders", "exposeHeaders" }, { "MaxAge", "maxAge" },
  { "AllowCredentials", "allowCredentials" } }

-- An intrinsic function whose branches say what CorsConfiguration says.
local function renamed(node)
  if type(node) == "string" then
    for _, pair in ipairs(NAMES) do node = node:gsub(pair[1], pair[2]) end
    return node
  end
  if type(node) ~= "table" then return node end
  local out = values.is_list(node) and values.list() or {}
  if values.is_list(node) then
    for i, element in ipairs(node) do out[i] = renamed(element) end
  else
    for _, key in ipairs(values.keys(node)) do put(out, renamed(key), renamed(node[key])) end
  end
  return out
end

--- Lets pages of other origins call the API.
function openapi.add_cors(document, cors)
  local section = document[CORS] or {}
  paths.check_map(section, "Value of '%s' must be a dictionary according to Swagger spec.", CORS)
  if values.intrinsic(cors.AllowOrigins) then
    section = values.merged(section, renamed(cors.AllowOrigins))
  else
    for _, pair in ipairs(NAMES) do
      local value = cors[pair[1]]
      if pair[1] == "AllowCredentials" and value ~= true then value = nil end
      if pair[1] == "MaxAge" or values.given(value) then put(section, pair[2], value) end
    end
  end
  put(document, CORS, section)
end

return openapi
