--- Security findings, for those who ask: `tapengine lint --security`. Of the kind that cfn-nag and checkov tell: what
-- is public, in clear text, allowed too much, not logged, or written down where everybody reads it. Ids are ours (S1
-- public, S2 encryption, S3 permissions, S4 logs and backups, S5 secrets), and suppressions are the lint's.

local facts = require "lint.security_facts"
local functions = require "lint.functions"
local json = require "tap.core.json"
local policies = require "lint.policies"
local state = require "lint.state"
local values = require "lint.values"

local security = {}

local is_map, join = state.is_map, state.join

---------------------------------------------------------------------------------------------------------
-- Properties by the table

local function is_nothing(value)
  return value == nil or is_map(value) and value.Ref == "AWS::NoValue"
end

-- Calls f(value, path) for every value at a path; nil where it is missing and need not be there. What a function gives
-- is not known, and not told.
local function look(value, parts, n, path, f)
  values.each_branch(value, path, function(one, at)
    local part = parts[n]
    if is_nothing(one) then return f(nil, at) end
    if not part then return f(one, at) end
    if functions.name_of(one) or type(one) ~= "table" then return end
    if part == "*" then
      for index, item in ipairs(one) do look(item, parts, n + 1, join(at, index), f) end
      return
    end
    local key, optional = part:match "^([^?]+)(%??)$"
    if is_nothing(one[key]) then
      if optional == "" then f(nil, at) end
    else
      look(one[key], parts, n + 1, join(at, key), f)
    end
  end)
end

local function is_wrong(value, want)
  if want == "set" then return value == nil end
  if want == true then return value == nil or tostring(value) == "false" end
  if want == false then return tostring(value) == "true" end
  for _, bad in ipairs(want) do
    if value == bad then return true end
  end
  return false
end

local function check_properties(L, resource, path)
  local properties = is_map(resource.Properties) and resource.Properties or {}
  local at = resource.Properties ~= nil and join(path, "Properties") or path
  for _, row in ipairs(facts[resource.Type] or {}) do
    local parts = {}
    for part in row.path:gmatch "[^/]+" do parts[#parts + 1] = part end
    if not row.unless or properties[row.unless] == nil then
      look(properties, parts, 1, at, function(value, place)
        if is_wrong(value, row.want) and not functions.name_of(value) then L:find(row.id, place, "%s", row.message) end
      end)
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Networks

local WEB = { [80] = true, [443] = true }
local ANYWHERE = { ["0.0.0.0/0"] = true, ["::/0"] = true }

local function check_ingress(L, rule, path)
  local open = ANYWHERE[rule.CidrIp] or ANYWHERE[rule.CidrIpv6]
  local from, to = tonumber(rule.FromPort), tonumber(rule.ToPort)
  local all = tostring(rule.IpProtocol) == "-1"
  if not open or not all and from == to and WEB[from] or not all and (not from or not to) then return end
  L:find("S1004", path, "%s open to the internet", all and "all ports are" or from == to and ("port %s is"):format(from)
    or ("ports %s to %s are"):format(from, to))
end

local NETWORK = {}

NETWORK["AWS::EC2::SecurityGroup"] = function(L, given, path)
  values.each_item(given.SecurityGroupIngress, join(path, "SecurityGroupIngress"), function(rule, at)
    if is_map(rule) then check_ingress(L, rule, at) end
  end)
end

NETWORK["AWS::EC2::SecurityGroupIngress"] = check_ingress

NETWORK["AWS::ElasticLoadBalancingV2::Listener"] = function(L, given, path)
  if given.Protocol ~= "HTTP" then return end
  values.each_item(given.DefaultActions, join(path, "DefaultActions"), function(action, at)
    if is_map(action) and action.Type == "forward" then
      L:find("S2002", at, "the listener forwards what comes in clear text; let it redirect to HTTPS")
    end
  end)
end

-- Is there a resource of a type that names another one in a property?
local function is_named_by(L, type_name, property, id)
  for _, other in pairs(L.resources) do
    local given = is_map(other) and other.Type == type_name and is_map(other.Properties) and other.Properties[property]
    if is_map(given) and given.Ref == id then return true end
  end
  return false
end

NETWORK["AWS::EC2::VPC"] = function(L, _, path, id)
  if not is_named_by(L, "AWS::EC2::FlowLog", "ResourceId", id) then
    L:find("S4004", path, "the VPC has no flow log")
  end
end

---------------------------------------------------------------------------------------------------------
-- Policies

local function any_of(value, test)
  local found = false
  values.each_item(value, {}, function(one) found = found or type(one) == "string" and test(one) end)
  return found
end

local function is_star(text) return text == "*" end
local function is_whole_service(text) return text:find ":%*$" ~= nil end

-- A principal that is everybody: "*", or { AWS = "*" }.
local function is_everybody(principal)
  return principal == "*" or is_map(principal) and any_of(principal.AWS, is_star)
end

local function check_identity(L, statement, path)
  local anywhere = any_of(statement.Resource, is_star)
  if any_of(statement.Action, is_star) and anywhere then
    L:find("S3001", path, "this allows everything, everywhere")
  elseif any_of(statement.Action, is_whole_service) and anywhere then
    L:find("S3002", path, "this allows all of a service, everywhere")
  end
  if any_of(statement.Action, function(text) return text:lower() == "iam:passrole" end) and anywhere then
    L:find("S3003", path, "this allows to pass every role, those that may do more included")
  end
end

local function check_statement(L, statement, path, is_identity)
  if statement.Effect ~= "Allow" then return end
  if is_identity then check_identity(L, statement, path) end
  if statement.NotAction ~= nil then L:find("S3004", path, "Allow with NotAction allows what nobody thought of") end
  if statement.NotPrincipal ~= nil then L:find("S3004", path, "Allow with NotPrincipal allows everybody else") end
  if is_everybody(statement.Principal) and statement.Condition == nil then
    L:find("S3005", path, "this allows everybody, without a condition")
  end
end

local ADMINISTRATOR = ":aws:policy/AdministratorAccess$"

local function check_managed(L, given, path)
  values.each_item(given.ManagedPolicyArns, join(path, "ManagedPolicyArns"), function(arn, at)
    if type(arn) == "string" and arn:find(ADMINISTRATOR) then
      L:find("S3001", at, "this allows everything, everywhere")
    end
  end)
end

---------------------------------------------------------------------------------------------------------
-- Secrets in plain text

local SECRET_WORDS = { "password", "passwd", "secret", "token", "api_?key", "private_?key", "credential" }
local NO_SECRETS = { "arn$", "_?name$", "_?id$", "_?path$", "_?url$" } -- of names that only point to one

local function names_a_secret(name)
  local lower = name:lower()
  for _, ending in ipairs(NO_SECRETS) do
    if lower:find(ending) then return false end
  end
  for _, word in ipairs(SECRET_WORDS) do
    if lower:find(word) then return true end
  end
  return false
end

local function check_environment(L, given, path)
  local variables = is_map(given.Environment) and given.Environment.Variables
  for name, value in pairs(is_map(variables) and variables or {}) do
    if type(value) == "string" and value ~= "" and not value:find("{{resolve:", 1, true) and names_a_secret(name) then
      L:find("S5001", join(path, "Environment", "Variables", name), "%s stands here in plain text", name)
    end
  end
end

local KEYS = { "%f[%w]AKIA[0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z]"
  .. "[0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z]%f[%W]", "%-%-%-%-%-BEGIN [%u ]*PRIVATE KEY%-%-%-%-%-" }

-- Keys are told by their form, wherever they stand; what they are is not repeated.
local function check_keys(L, value, path)
  if type(value) == "table" then
    for key, item in pairs(value) do check_keys(L, item, join(path, key)) end
  elseif type(value) == "string" then
    for _, pattern in ipairs(KEYS) do
      if value:find(pattern) then L:find("S5002", path, "a key stands here in plain text") end
    end
  end
end

local function check_parameters(L)
  for _, name in ipairs(json.keys(L.parameters)) do
    local parameter = L.parameters[name]
    local default = is_map(parameter) and parameter.Default
    if default and default ~= "" and tostring(parameter.NoEcho) == "true" then
      L:find("S5003", { "Parameters", name, "Default" }, "the secret parameter %s has a default that everybody reads",
        name)
    end
  end
end

---------------------------------------------------------------------------------------------------------

--- All of it.
---@param L table lint.state
function security.check(L)
  check_parameters(L)
  for _, id in ipairs(json.keys(L.resources)) do
    local resource, path = L.resources[id], { "Resources", id }
    if is_map(resource) and type(resource.Type) == "string" then
      local given, at = is_map(resource.Properties) and resource.Properties or {}, join(path, "Properties")
      check_properties(L, resource, path)
      if NETWORK[resource.Type] then NETWORK[resource.Type](L, given, resource.Properties and at or path, id) end
      policies.each_statement(id, resource, function(...) check_statement(L, ...) end)
      check_managed(L, given, at)
      check_environment(L, given, at)
      check_keys(L, resource, path)
    end
  end
end

return security
