--- Dynamic references, {{resolve:SERVICE:...}} in resources' properties (reference part 6.2). Those to plain
-- parameters are read at each operation and replaced; those to secrets are checked and stay as they are: what
-- they stand for is nobody's to see, in the sandbox neither.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local shape = require "sandbox.template.shape"

local dynamic = {}

local PATTERN = "{{resolve:([%w-]+):([^}]*)}}"
local MOST = 60 -- a template

-- Where an ssm-secure reference may stand: type and property, with what is below it.
local SECURE = {
  ["AWS::DirectoryService::MicrosoftAD"] = { "Password" },
  ["AWS::DirectoryService::SimpleAD"] = { "Password" },
  ["AWS::ElastiCache::ReplicationGroup"] = { "AuthToken" },
  ["AWS::IAM::User"] = { "LoginProfile/Password" },
  ["AWS::KinesisFirehose::DeliveryStream"] = { "RedshiftDestinationConfiguration/Password" },
  ["AWS::OpsWorks::App"] = { "AppSource/Password" },
  ["AWS::OpsWorks::Stack"] = { "CustomCookbooksSource/Password", "RdsDbInstances/DbPassword" },
  ["AWS::RDS::DBCluster"] = { "MasterUserPassword" },
  ["AWS::RDS::DBInstance"] = { "MasterUserPassword" },
  ["AWS::Redshift::Cluster"] = { "MasterUserPassword" },
}

--- Calls visit(reference, service, rest, path) for every reference in the texts below a node.
local function each_reference(node, path, visit)
  if type(node) == "string" then
    for service, rest in node:gmatch(PATTERN) do
      visit(("{{resolve:%s:%s}}"):format(service, rest), service, rest, path)
    end
  elseif type(node) == "table" and shape.is_list(node) then
    for _, element in ipairs(node) do each_reference(element, path, visit) end
  elseif type(node) == "table" then
    for _, key in ipairs(shape.keys(node)) do
      local inner = key:match("^Fn::") and path or path .. "/" .. key
      each_reference(node[key], inner, visit)
    end
  end
end

-- "name" or "name:version"; nil for what is neither.
local function parameter_of(rest)
  if rest:match("^[%w_./-]+$") or rest:match("^[%w_./-]+:%d+$") then return rest end
end

local function bad_format(reference)
  fault.validation("Incorrect format is used in the following SSM reference: [%s]", reference)
end

local KINDS = {}

KINDS.ssm = function(found, reference, rest)
  local name = parameter_of(rest) or bad_format(reference)
  local parameter = found.environment.parameter(name)
  if not parameter then fault.validation("Parameters: [ssm:%s] cannot be found.", name) end
  if parameter.type == "SecureString" then
    fault.validation("Non-secure ssm prefix was used for secure parameter %s", name:match("^[^:]+"))
  end
  found.values[reference] = parameter.value
end

-- A misuse without a version is found out only once the operation has begun.
KINDS["ssm-secure"] = function(found, reference, rest, path, type_name)
  if not parameter_of(rest) then bad_format(reference) end
  for _, allowed in ipairs(SECURE[type_name] or {}) do
    if path == "/" .. allowed then return end
  end
  local why = ("SSM Secure reference is not supported in: [%s/Properties%s]"):format(type_name, path)
  if rest:find ":%d+$" then fault.validation("%s", why) end
  found.late = found.late or why
end

-- Secrets are looked up when their resource is made: see dynamic.check_secrets.
KINDS.secretsmanager = function() end

--- Checks the references of the resources that will be made, and reads the parameters among them. Raises
-- ValidationError.
---@param resources table the Resources section
---@param created string[]
---@param environment { parameter: fun(reference: string): { value: string, type: string }? }
---@return table<string, string> values reference -> text
---@return string? late what is wrong, and told only once the operation has begun
function dynamic.read(resources, created, environment)
  local found, count = { values = {}, environment = environment }, 0
  for _, id in ipairs(created) do
    each_reference(resources[id].Properties, "", function(reference, service, rest, path)
      count = count + 1
      if count > MOST then
        fault.validation("Template may not contain more than %d dynamic references.", MOST)
      end
      local kind = KINDS[service]
        or fault.validation("Template error: dynamic reference %s is not supported", reference)
      kind(found, reference, rest, path, resources[id].Type)
    end)
  end
  return found.values, found.late
end

--- A value with the parameters' references replaced.
---@param node any
---@param values table<string, string> of dynamic.read
function dynamic.resolve(node, values)
  if next(values) == nil then return node end
  if type(node) == "string" then return (node:gsub("{{resolve:[^}]*}}", values)) end
  if type(node) ~= "table" then return node end
  if shape.is_list(node) then
    local out = json.list {}
    for i, element in ipairs(node) do out[i] = dynamic.resolve(element, values) end
    return out
  end
  local out, keys = {}, shape.keys(node)
  for _, key in ipairs(keys) do out[key] = dynamic.resolve(node[key], values) end
  return shape.ordered(out, keys)
end

-- "id:SecretString:key:stage:version"; the id may be an ARN.
local function secret_of(rest)
  local id, more = rest:match("^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+):?(.*)$")
  if not id then id, more = rest:match("^([^:]+):?(.*)$") end
  local parts = {}
  for part in (more .. ":"):gmatch("([^:]*):") do parts[#parts + 1] = part ~= "" and part or false end
  return id, parts[2], parts[3] or nil, parts[4] or nil
end

local function check_secret(rest, environment)
  local id, key, stage, version = secret_of(rest)
  local text, why = environment.secret(id, version, stage)
  if not text then return why end
  if not key then return nil end
  local ok, document = pcall(json.decode, text)
  if not ok or type(document) ~= "table" then return "Could not parse SecretString JSON" end
  if document[key] == nil then return "Could not find a value associated with JSONKey in SecretString" end
end

--- Why a resource's references to secrets cannot be followed; nil when they can.
---@param properties table evaluated
---@return string?
function dynamic.check_secrets(properties, environment)
  local why
  each_reference(properties, "", function(_, service, rest)
    if service == "secretsmanager" then why = why or check_secret(rest, environment) end
  end)
  return why
end

return dynamic
