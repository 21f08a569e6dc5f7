--- The serverless resources that become one of CloudFormation: tables, layers and applications.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local simple = {}

---------------------------------------------------------------------------------------------------------
-- AWS::Serverless::SimpleTable

local TABLE = resources.kind("AWS::Serverless::SimpleTable", [[ PointInTimeRecoverySpecification= any,
  PrimaryKey map<string>, ProvisionedThroughput map<integer|map>, TableName string|map, Tags map,
  SSESpecification map ]])

local ATTRIBUTE_TYPES = { String = "S", Number = "N", Binary = "B" }

local function key_of(id, key)
  if not values.given(key) then return "id", "S" end
  for _, name in ipairs { "Name", "Type" } do
    if key[name] == nil then failure.resource(id, "Property 'PrimaryKey.%s' is required.", name) end
  end
  local short = ATTRIBUTE_TYPES[key.Type]
  if not short then failure.resource(id, "Invalid 'Type' \"%s\".", values.shown(key.Type)) end
  return key.Name, short
end

local function simple_table(_, id, definition)
  local given = resources.properties(TABLE, id, definition)
  local name, short = key_of(id, given.PrimaryKey)
  local throughput = values.or_nil(given.ProvisionedThroughput)
  local made = resources.new("AWS::DynamoDB::Table", id, resources.own_attributes(definition), definition.DependsOn)
  return { resources.set(made,
    "AttributeDefinitions", values.list(values.map("AttributeName", name, "AttributeType", short)),
    "KeySchema", values.list(values.map("AttributeName", name, "KeyType", "HASH")),
    "PointInTimeRecoverySpecification", values.or_nil(given.PointInTimeRecoverySpecification),
    "ProvisionedThroughput", throughput, "BillingMode", not throughput and "PAY_PER_REQUEST" or nil,
    "SSESpecification", values.or_nil(given.SSESpecification), "TableName", values.or_nil(given.TableName),
    "Tags", values.given(given.Tags) and values.tags(given.Tags) or nil) }
end

---------------------------------------------------------------------------------------------------------
-- AWS::Serverless::LayerVersion: its name carries a hash of all that it says, since versions cannot change

local LAYER = resources.kind("AWS::Serverless::LayerVersion", [[ LayerName string|map, Description string,
  PublishLambdaVersion boolean, ContentUri! string|map, CompatibleArchitectures list<string|map>,
  CompatibleRuntimes list<string|map>, LicenseInfo string, RetentionPolicy string ]])

local TEXTS = { "LayerName", "LicenseInfo", "Description", "RetentionPolicy" }
local CONTENT = { "S3Bucket", "S3Key", "S3ObjectVersion" }
local POLICIES = { retain = "Retain", delete = "Delete" }
local OPTIONS = "['Retain', 'Delete']"

local function retention(id, policy)
  if policy == nil then return nil end
  if values.intrinsic(policy) then
    failure.resource(id, "'RetentionPolicy' does not accept intrinsic functions, please use one of the following "
      .. "options: " .. OPTIONS)
  elseif type(policy) ~= "string" then
    failure.resource(id, "Invalid 'RetentionPolicy' type, please use one of the following options: " .. OPTIONS)
  end
  return POLICIES[policy:lower()]
    or failure.resource(id, "'RetentionPolicy' must be one of the following options: %s.", OPTIONS)
end

local function check_architectures(id, list)
  if not values.given(list) or values.intrinsic(list) then return end
  for _, each in ipairs(list) do
    if not values.intrinsic(each) and each ~= "arm64" and each ~= "x86_64" then
      failure.resource(id, "CompatibleArchitectures needs to be a list of 'x86_64' or 'arm64'")
    end
  end
end

-- What the hash is made of: the layer as the template has it, without what may change in its place.
local function identity(id, given, definition)
  local properties = {}
  for _, name in ipairs(LAYER.names) do values.put(properties, name, given[name]) end
  return values.map(id, values.map("Type", LAYER.type, "DependsOn", values.or_nil(definition.DependsOn),
    "UpdatePolicy", definition.UpdatePolicy, "Condition", definition.Condition, "Properties", properties))
end

local function layer(work, id, definition)
  local given = resources.properties(LAYER, id, definition)
  for _, name in ipairs(TEXTS) do
    local text = given[name]
    if values.given(text) then
      text = resolve.parameters(text, work.parameters)
      if type(text) ~= "string" and not values.is_map(text) then
        failure.resource(id, "Could not resolve parameter for '%s' or parameter is not a String.", name)
      end
      given[name] = text
    end
  end
  local attributes = resources.shared_attributes(definition)
  local policy = retention(id, given.RetentionPolicy)
  if policy or attributes.DeletionPolicy == nil then values.put(attributes, "DeletionPolicy", policy or "Retain") end
  local name = id .. values.hash(identity(id, given, definition))
  work.renamed[id] = name
  check_architectures(name, given.CompatibleArchitectures)
  local made = resources.new("AWS::Lambda::LayerVersion", name, attributes, definition.DependsOn)
  return { resources.set(made, "Content", resources.s3_object(name, "ContentUri", given.ContentUri, CONTENT),
    "Description", given.Description, "LayerName", values.or_nil(given.LayerName) or id,
    "CompatibleArchitectures", given.CompatibleArchitectures, "CompatibleRuntimes", given.CompatibleRuntimes,
    "LicenseInfo", given.LicenseInfo) }
end

---------------------------------------------------------------------------------------------------------
-- AWS::Serverless::Application: a nested stack

local APPLICATION = resources.kind("AWS::Serverless::Application", [[ Location! string|map, TemplateUrl string,
  Parameters map, NotificationARNs list<string|map>, Tags map, TimeoutInMinutes integer ]])

local function known(work, value)
  return resolve.mappings(resolve.parameters(values.copy(value), work.parameters), work.tree.Mappings or {})
end

-- A place in the Serverless Application Repository, which the sandbox does not have.
local function check_repository(work, id, location)
  for _, name in ipairs { "ApplicationId", "SemanticVersion" } do
    if location[name] == nil then failure.resource(id, "Resource is missing the required [%s] property.", name) end
  end
  for _, name in ipairs { "ApplicationId", "SemanticVersion" } do
    local value = known(work, location[name])
    if name == "SemanticVersion" and not values.given(value) then
      failure.resource(id, "Property 'SemanticVersion' cannot be blank.")
    elseif values.is_map(value) then
      failure.resource(id, "Property '%s' cannot be resolved. Only FindInMap and Ref intrinsic functions are "
        .. "supported.", name)
    end
  end
  failure.resource(id, "The sandbox has no Serverless Application Repository: Location must be a template's address.")
end

local function application(work, id, definition)
  if (definition.Properties or {}).Location == nil then
    failure.resource(id, "Resource is missing the required [Location] property.")
  end
  local given = resources.properties(APPLICATION, id, definition)
  if values.is_map(given.Location) then check_repository(work, id, given.Location) end
  local made = resources.new("AWS::CloudFormation::Stack", id, resources.shared_attributes(definition),
    definition.DependsOn)
  return { resources.set(made, "Parameters", given.Parameters, "NotificationARNs", given.NotificationARNs,
    "Tags", resources.sam_tags(id, given.Tags), "TimeoutInMinutes", given.TimeoutInMinutes,
    "TemplateURL", given.Location) }
end

simple.translators = {
  ["AWS::Serverless::SimpleTable"] = { translate = simple_table },
  ["AWS::Serverless::LayerVersion"] = { translate = layer },
  ["AWS::Serverless::Application"] = { translate = application },
}

return simple
