--- A function's published version and the alias that points to it. The version's name carries a hash of what makes the
-- code, so that new code is a new version.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local versions = {}

-- With AutoPublishAliasAllProperties a version is new when anything of the function is, or of its layers that ask
-- for that.
local function all_properties(work, lambda)
  local out = values.merged(lambda.properties)
  for _, layer in ipairs(lambda.properties.Layers or {}) do
    local id = values.named(layer)
    local properties = id and work.tree.Resources[id] and work.tree.Resources[id].Properties or {}
    if values.given(properties.PublishLambdaVersion) then values.put(out, id, properties) end
  end
  return out
end

local function code_and_environment(lambda)
  local properties = lambda.properties
  local out = values.merged(properties.Code, properties.Environment or {})
  if values.given(properties.MemorySize) then values.put(out, "MemorySize", properties.MemorySize) end
  local snap = properties.SnapStart
  if snap and (snap.ApplyOn or "None") ~= "None" then values.put(out, "SnapStart", snap) end
  return out
end

local function version_of(work, id, given, lambda, code_hash)
  resolve.parameters(lambda.properties.Code, work.parameters) -- another value of a parameter is other code
  local what = given.AutoPublishAliasAllProperties and all_properties(work, lambda)
    or code_and_environment(lambda)
  local hash = code_hash and code_hash:sub(1, 10) or values.hash(what)
  local attributes = resources.shared_attributes(lambda.attributes)
  if attributes.DeletionPolicy == nil then
    -- A version on instances of one's own costs as long as it is there.
    values.put(attributes, "DeletionPolicy", given.VersionDeletionPolicy
      or given.CapacityProviderConfig ~= nil and "Delete" or "Retain")
  end
  return resources.set(resources.new("AWS::Lambda::Version", id .. "Version" .. hash, attributes),
    "Description", given.VersionDescription, "FunctionName", values.ref(id),
    "FunctionScalingConfig", given.CapacityProviderConfig ~= nil and given.FunctionScalingConfig or nil)
end

local function alias_of(id, given, name, lambda, version)
  if name == "" then failure.resource(id, "Alias name is required to create an alias") end
  if not name:find "^[%w_-]+$" or name:find "^%d+$" then
    failure.resource(id, "AutoPublishAlias name ('%s') must contain only alphanumeric characters, hyphens, or "
      .. "underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.", name)
  end
  local spelled = name:gsub("-", "D"):gsub("_", "U")
  local alias = resources.new("AWS::Lambda::Alias", id .. "Alias" .. spelled,
    resources.shared_attributes(lambda.attributes))
  return resources.set(alias, "Name", name, "FunctionName", values.ref(id),
    "FunctionVersion", values.getatt(version.id, "Version"),
    "ProvisionedConcurrencyConfig", values.or_nil(given.ProvisionedConcurrencyConfig))
end

-- The hash of the code that the template gives is in the function's description, so that it is a change of the
-- function.
local function describe(work, id, given, lambda)
  if not values.given(given.AutoPublishCodeSha256) then return nil end
  local hash = resolve.parameters(values.copy(given.AutoPublishCodeSha256), work.parameters)
  if type(hash) ~= "string" then failure.resource(id, "AutoPublishCodeSha256 must be a string") end
  local text = resolve.parameters(given.Description, work.parameters)
  if type(text) == "table" and next(text) then
    text = values.map("Fn::Join", values.list(" ", values.list(text, hash)))
  else
    text = values.given(text) and text .. " " .. hash or hash
  end
  values.put(lambda.properties, "Description", text)
  return hash
end

--- The version and the alias of a function, when it asks for them.
---@param work table the translation
---@param id string of the function
---@param given table its properties in the template
---@param lambda table the function as a resource
---@return table? version
---@return table? alias
---@return string? name of the alias
function versions.of(work, id, given, lambda)
  if not values.given(given.AutoPublishAlias) then
    if values.given(given.ProvisionedConcurrencyConfig) then
      failure.resource(id, "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function")
    end
    return nil
  end
  local name = resolve.parameters(values.copy(given.AutoPublishAlias), work.parameters)
  if type(name) ~= "string" then
    failure.resource(id, "'AutoPublishAlias' must be a string or a Ref to a template parameter")
  end
  local hash = describe(work, id, given, lambda)
  local version = version_of(work, id, given, lambda, hash)
  return version, alias_of(id, given, name, lambda, version), name
end

return versions
