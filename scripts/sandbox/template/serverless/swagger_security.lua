--- Who may call a REST API: authorizers, keys and resource policies, as its definition says them.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"
local swagger = require "sandbox.template.serverless.swagger"

local security = {}

local dict, ordinary, put = python2.dict, python2.ordinary, python2.put

local DEFINITIONS = "securityDefinitions"

local function define(document, name, make, users)
  local definitions = swagger.section(document, DEFINITIONS)
  if definitions[name] == nil then put(definitions, name, make(), users) end
end

local function iam()
  return dict("x-amazon-apigateway-authtype", "awsSigv4", "type", "apiKey", "name", "Authorization", "in", "header")
end

local function api_key()
  return dict("type", "apiKey", "name", "x-api-key", "in", "header")
end

--- Defines the authorizers of an API.
---@param authorizers table[] of sandbox.template.serverless.authorizers
function security.define_authorizers(document, authorizers)
  local definitions = swagger.section(document, DEFINITIONS)
  for _, each in ipairs(authorizers) do put(definitions, each.name, each.definition, "key") end
end

--- Defines keys as a way to call.
function security.define_api_key(document) define(document, "api_key", api_key) end

local function requirement(name, scopes, users)
  return put(dict(), name, scopes or values.list(), users)
end

local function set(document, definition, list)
  if #list == 0 then return end
  put(definition, "security", list)
  if list[1].AWS_IAM ~= nil then define(document, "AWS_IAM", iam) end
end

local function names_any(requirement_map, names)
  for name in pairs(requirement_map) do
    if names[name] then return true end
  end
  return false
end

-- The requirements of a method that name one of some names, and the others.
local function divided(definition, path, method, names)
  local named, others = values.list(), values.list()
  for _, each in ipairs(paths.security(definition, path, method)) do
    paths.check_map(each, "A requirement in Security for path %s method %s is not a valid dictionary.", path, method)
    local list = names_any(each, names) and named or others
    list[#list + 1] = each
  end
  return named, others
end

local function without(list, name)
  for i, each in ipairs(list) do
    if each[name] ~= nil then
      table.remove(list, i)
      return true
    end
  end
  return false
end

--- Methods that ask for nothing else have the default authorizer.
---@param by_name table<string, table> the authorizers
function security.set_default(document, path, name, by_name, with_preflight)
  local names = { AWS_IAM = true }
  for each in pairs(by_name) do names[each] = true end
  for _, pair in ipairs(paths.methods(document, path)) do
    local method, definition = pair[1], pair[2]
    if with_preflight or method ~= "options" then
      local asked, others = divided(definition, path, method, names)
      if without(others, "NONE") then
        asked = {}
      elseif #asked == 0 then
        asked = { requirement(name, by_name[name] and by_name[name].scopes, "key") }
      end
      set(document, definition, values.joined(others, asked))
    end
  end
end

local KEY_NAMES = { api_key = true, api_key_false = true }

--- Methods that do not say otherwise need a key.
function security.set_default_api_key(document, path, with_preflight)
  for _, pair in ipairs(paths.methods(document, path)) do
    local method, definition = pair[1], pair[2]
    local keys, others = divided(definition, path, method, KEY_NAMES)
    local list = others
    if not without(keys, "api_key_false") and (with_preflight or method ~= "options") then
      list = values.joined(others, { requirement "api_key" })
    end
    if not values.same(list, paths.security(definition, path, method)) then put(definition, "security", list) end
  end
end

local function add(document, definition, path, method, each)
  set(document, definition, values.joined(paths.security(definition, path, method), { each }))
end

--- What an event asks of its method: an authorizer with scopes, a key.
---@param auth table of the event
---@param api_auth table of the API
function security.add_to_method(document, path, method, auth, api_auth)
  local name = auth.Authorizer
  for _, definition in ipairs(values.given(name) and paths.definitions(document, path, method) or {}) do
    local authorizer, scopes = (api_auth.Authorizers or {})[name], nil
    if name ~= "NONE" and authorizer ~= nil then
      if not values.is_map(authorizer) then
        failure.structure("Type of authorizer '%s' must be a dictionary", name)
      end
      scopes = auth.AuthorizationScopes
      if scopes == nil then scopes = authorizer.AuthorizationScopes end
    end
    add(document, definition, path, method, requirement(name, scopes, "key"))
  end
  if auth.ApiKeyRequired == nil then return end
  local required = values.given(auth.ApiKeyRequired)
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    if required then security.define_api_key(document) end
    put(definition, "security", values.joined(paths.security(definition, path, method),
      { requirement(required and "api_key" or "api_key_false") }))
  end
end

---------------------------------------------------------------------------------------------------------
-- Resource policies

local POLICY = "x-amazon-apigateway-policy"

local function policy_of(document)
  if not values.given(document[POLICY]) then put(document, POLICY, dict()) end
  return document[POLICY]
end

-- Adds statements that are not there yet.
local function add_statements(document, statements)
  local policy = policy_of(document)
  put(policy, "Version", "2012-10-17")
  local all = values.joined(values.as_list(policy.Statement or values.list()))
  for _, each in ipairs(statements) do
    if not values.has(all, each) then all[#all + 1] = each end
  end
  put(policy, "Statement", all)
end

local function statement(effect, resources)
  return dict("Effect", effect, "Action", "execute-api:Invoke", "Resource", resources)
end

-- The ARNs of a path's methods in a stage.
local function resources_of(document, path, stage)
  local out = values.list()
  for _, item in ipairs(paths.items(document, path)) do
    for _, name in ipairs(python2.keys(item)) do
      local method = (name == paths.ANY or name:lower() == "any") and "*" or name:upper()
      local text = "execute-api:/${__Stage__}/" .. method .. paths.pattern(path, true)
      local variables = put(ordinary(), "__Stage__", stage.name, stage.users)
      out[#out + 1] = ordinary("Fn::Sub", values.list(text, variables))
    end
  end
  return out
end

local function for_accounts(document, list, effect, resources)
  local each = put(statement(effect, resources), "Principal", dict("AWS", values.as_list(list)))
  local policy = policy_of(document)
  put(policy, "Version", "2012-10-17")
  local before = policy.Statement
  put(policy, "Statement", before == nil and each or values.joined(values.as_list(before), { each }))
end

-- All may call, but for those of a condition.
local function but(document, condition, resources)
  local allow = put(statement("Allow", resources), "Principal", "*")
  local deny = put(statement("Deny", resources), "Principal", "*")
  put(deny, "Condition", condition)
  add_statements(document, { allow, deny })
end

local function networks(document, given, test, resources)
  local condition = dict()
  local function extend(name, list)
    if list and #list > 0 then put(condition, name, values.joined(condition[name] or {}, list)) end
  end
  local vpcs, endpoints = {}, {}
  for _, each in ipairs(given.texts or {}) do
    if type(each) ~= "string" then
      failure.structure("%s must be a list of strings. Use %s instead for values that use Intrinsic Functions",
        given.name, (given.name:gsub("Source", "Intrinsic")))
    end
    if each:find "^vpce%-" then endpoints[#endpoints + 1] = each end
    if each:find "^vpc%-" then vpcs[#vpcs + 1] = each end
  end
  extend("aws:SourceVpc", vpcs)
  extend("aws:SourceVpce", endpoints)
  extend("aws:SourceVpc", given.vpcs)
  extend("aws:SourceVpce", given.endpoints)
  if next(condition) then but(document, ordinary(test, condition), resources) end
end

--- Who may call a path by its policy.
---@param policy table ResourcePolicy of an API or an event
---@param stage { name: any, users: string? }
function security.add_policy(document, policy, path, stage)
  paths.check_map(policy, "Resource Policy is not a valid dictionary.")
  local resources = resources_of(document, path, stage)
  for _, row in ipairs { { "AwsAccountWhitelist", "Allow" }, { "AwsAccountBlacklist", "Deny" } } do
    if values.given(policy[row[1]]) then for_accounts(document, policy[row[1]], row[2], resources) end
  end
  for _, row in ipairs { { "IpRangeWhitelist", "NotIpAddress" }, { "IpRangeBlacklist", "IpAddress" } } do
    if values.given(policy[row[1]]) then
      but(document, ordinary(row[2], ordinary("aws:SourceIp", values.as_list(policy[row[1]]))), resources)
    end
  end
  for _, row in ipairs { { "Blacklist", "StringEquals" }, { "Whitelist", "StringNotEquals" } } do
    networks(document, { name = "SourceVpc" .. row[1], texts = policy["SourceVpc" .. row[1]],
      vpcs = policy["IntrinsicVpc" .. row[1]], endpoints = policy["IntrinsicVpce" .. row[1]] }, row[2], resources)
  end
  policy_of(document)
end

--- Statements that the user wrote.
function security.add_custom_statements(document, statements)
  if policy_of(document).Statement == nil then
    put(document[POLICY], "Version", "2012-10-17")
    put(document[POLICY], "Statement", statements)
  else
    add_statements(document, values.as_list(statements))
  end
end

return security
