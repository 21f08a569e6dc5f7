--- Events that Lambda fetches: streams, queues, brokers and databases. Each is an event source mapping, and policies of
-- the function's role.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local pull = { kinds = {} }

local COMMON = [[ BatchSize integer, StartingPosition= any, StartingPositionTimestamp= any, Enabled boolean,
  MaximumBatchingWindowInSeconds integer, MaximumRetryAttempts integer, BisectBatchOnFunctionError boolean,
  MaximumRecordAgeInSeconds integer, DestinationConfig map, ParallelizationFactor integer, Topics list, Queues list,
  SourceAccessConfigurations list, SecretsManagerKmsKeyId string, TumblingWindowInSeconds integer,
  FunctionResponseTypes list, KafkaBootstrapServers list, FilterCriteria map, KmsKeyArn= any, ConsumerGroupId string,
  ScalingConfig map, ProvisionedPollerConfig map, SchemaRegistryConfig map, MetricsConfig map, LoggingConfig map, ]]

-- The properties that are the same for CloudFormation.
local SAME = { "StartingPosition", "StartingPositionTimestamp", "BatchSize", "Enabled",
  "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds",
  "ParallelizationFactor", "Topics", "Queues", "SourceAccessConfigurations", "TumblingWindowInSeconds",
  "FunctionResponseTypes",
  "FilterCriteria", "KmsKeyArn", "ScalingConfig", "ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig" }

local function allow(actions, resource)
  return values.map("Action", type(actions) == "table" and values.list(table.unpack(actions)) or actions,
    "Effect", "Allow", "Resource", resource)
end

local function own_arn(service, resource)
  return values.sub(("arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"):format(service, resource))
end

local NETWORK = { "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
  "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups" }

local function secret(uri) return allow({ "secretsmanager:GetSecretValue" }, uri) end

-- The key of secrets: a text of the template, put into an ARN.
local function key_statement(event, actions)
  local key = event.given.SecretsManagerKmsKeyId
  if not values.given(key) then return nil end
  resources.expect(failure.event, event.name, "SecretsManagerKmsKeyId", key, "string")
  return allow(actions, own_arn("kms", "key/" .. key))
end

---------------------------------------------------------------------------------------------------------
-- Checks

local FILTERED = "DocumentDB, DynamoDB, Kinesis, MQ, MSK, SelfManagedKafka, SQS"

local function check_filter(event)
  local criteria = event.given.FilterCriteria
  if not values.given(criteria) or values.intrinsic(criteria) then return end
  if not (", " .. FILTERED .. ","):find(", " .. event.definition.Type .. ",", 1, true) then
    failure.event(event.name, "FilterCriteria is only available for %s events.", FILTERED)
  end
  if not (next(criteria) == "Filters" and next(criteria, "Filters") == nil) then
    failure.event(event.name, "FilterCriteria field has a wrong format")
  end
end

local function quoted(words)
  return "['" .. table.concat(words, "', '") .. "']"
end

-- The URI of the one configuration of a type among those of an event.
local function access_uri(event, allowed)
  local list, wanted = event.given.SourceAccessConfigurations, allowed[1]
  if not values.given(list) then
    failure.event(event.name, "No SourceAccessConfigurations for Amazon %s event provided.", event.definition.Type)
  end
  if not values.is_list(list) then
    failure.event(event.name, "Provided SourceAccessConfigurations cannot be parsed into a list.")
  end
  local uri
  for i, each in ipairs(list) do
    local path = ("SourceAccessConfigurations[%d]"):format(i - 1)
    resources.expect(failure.event, event.name, path, each, "map")
    resources.expect(failure.event, event.name, path .. ".Type", each.Type, "string")
    if not values.has(allowed, each.Type) then
      failure.event(event.name, "Invalid property Type specified in SourceAccessConfigurations. The supported values "
        .. "are: %s.", quoted(allowed))
    end
    if each.Type == wanted then
      if uri then
        failure.event(event.name, "Multiple %s properties specified in SourceAccessConfigurations.", wanted)
      end
      uri = values.or_nil(each.URI)
      if not uri then
        failure.event(event.name, "No %s URI property specified in SourceAccessConfigurations.", wanted)
      end
    end
  end
  if not uri then failure.event(event.name, "No %s property specified in SourceAccessConfigurations.", wanted) end
  return uri
end

---------------------------------------------------------------------------------------------------------
-- Schema registries of Kafka

local REGISTRY = { "SchemaRegistryURI", "EventRecordFormat", "SchemaValidationConfigs" }

local function check_registry(event, config)
  resources.expect(failure.event, event.name, "SchemaRegistryConfig", config, "map")
  for _, name in ipairs(REGISTRY) do
    if config[name] == nil then failure.event(event.name, "Missing required field %s in SchemaRegistryConfig", name) end
  end
  if config.EventRecordFormat ~= "JSON" and config.EventRecordFormat ~= "SOURCE" then
    failure.event(event.name, "EventRecordFormat in SchemaRegistryConfig must be either 'JSON' or 'SOURCE'")
  end
  if not values.is_list(config.SchemaValidationConfigs) then
    failure.event(event.name, "SchemaValidationConfigs must be a list")
  end
  local access = config.AccessConfigs
  if values.given(access) and not values.is_list(access) then
    failure.event(event.name, "AccessConfigs in SchemaRegistryConfig must be a list")
  end
  for _, each in ipairs(access or {}) do
    if not values.is_map(each) or each.Type == nil or each.URI == nil then
      failure.event(event.name, "Each AccessConfig must be a dict with 'Type' and 'URI' fields")
    end
  end
end

local function registry_statements(work, event)
  local config, out = event.given.SchemaRegistryConfig, {}
  if not values.given(config) then return out end
  check_registry(event, config)
  for _, each in ipairs(config.AccessConfigs or {}) do out[#out + 1] = secret(each.URI) end
  local uri = config.SchemaRegistryURI
  local text = uri
  if values.is_map(uri) then text = resolve.parameters(values.copy(uri), work.parameters)["Fn::Sub"] end
  local name = tostring(text):match "^arn[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:registry/([^:]*)"
  if name then
    out[#out + 1] = allow({ "glue:GetRegistry" }, uri)
    out[#out + 1] = allow({ "glue:GetSchemaVersion" }, values.list(own_arn("glue", "schema/" .. name .. "/*")))
  end
  return out
end

---------------------------------------------------------------------------------------------------------
-- What the role gets, by kind

local function policy(name, statements)
  return values.map("PolicyName", name, "PolicyDocument", values.map("Statement", values.joined(statements)))
end

local function kafka_service(work, event)
  local statements = registry_statements(work, event)
  for _, each in ipairs(event.given.SourceAccessConfigurations or {}) do
    if values.is_map(each) and each.Type == "CLIENT_CERTIFICATE_TLS_AUTH" and values.given(each.URI) then
      statements[#statements + 1] = secret(each.URI)
    end
  end
  return #statements > 0 and policy("MSKExecutionRolePolicy", statements) or nil
end

local function broker(_, event)
  local uri = access_uri(event, { "BASIC_AUTH", "VIRTUAL_HOST" })
  local statements = { secret(uri), allow({ "mq:DescribeBroker" }, event.given.Broker) }
  statements[3] = key_statement(event, "kms:Decrypt")
  return policy(event.given.DynamicPolicyName and event.id .. "AMQPolicy" or "SamAutoGeneratedAMQPolicy", statements)
end

local function document_database(_, event)
  local uri = access_uri(event, { "BASIC_AUTH" })
  local statements = { secret(uri),
    allow({ "rds:DescribeDBClusterParameters" }, own_arn("rds", "cluster-pg:*")),
    allow({ "rds:DescribeDBSubnetGroups" }, own_arn("rds", "subgrp:*")),
    allow({ "rds:DescribeDBClusters" }, event.given.Cluster), allow(NETWORK, "*") }
  statements[6] = key_statement(event, { "kms:Decrypt" })
  return policy("SamAutoGeneratedDocumentDBPolicy", statements)
end

-- Type of a self-managed Kafka's access -> what it is for, and the word for it in errors.
local ACCESS = { VPC_SUBNET = { "subnet", "VPC_SUBNET" }, VPC_SECURITY_GROUP = { "group", "VPC_SECURITY_GROUP" },
  SERVER_ROOT_CA_CERTIFICATE = { "root", "SERVER_ROOT_CA_CERTIFICATE" } }
for _, name in ipairs { "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH" } do
  ACCESS[name] = { "auth", "auth mechanism" }
end

local function kafka_access(event)
  local found = {}
  if not values.is_list(event.given.SourceAccessConfigurations) then
    failure.event(event.name, "SourceAccessConfigurations for self managed kafka event should be a list.")
  end
  for _, each in ipairs(event.given.SourceAccessConfigurations) do
    resources.expect(failure.resource, event.name, "SourceAccessConfigurations", each, "map")
    local use = ACCESS[each.Type]
    if not use then
      failure.event(event.name, "Invalid SourceAccessConfigurations Type provided for self managed kafka event.")
    elseif use[1] == "auth" and found.auth then
      failure.event(event.name, "Multiple auth mechanism properties specified in SourceAccessConfigurations for self "
        .. "managed kafka event.")
    elseif not values.given(each.URI) then
      failure.event(event.name, "No %s URI property specified in SourceAccessConfigurations for self managed kafka "
        .. "event.", use[2])
    elseif type(each.URI) ~= "string" and not values.intrinsic(each.URI) then
      failure.event(event.name, "Wrong Type for %s URI property specified in SourceAccessConfigurations for self "
        .. "managed kafka event.", use[2])
    end
    found[use[1]] = each.URI
  end
  if (found.subnet == nil) ~= (found.group == nil) then
    failure.event(event.name, "VPC_SUBNET and VPC_SECURITY_GROUP in SourceAccessConfigurations for SelfManagedKafka "
      .. "must be both provided.")
  end
  return found
end

local function own_kafka(work, event)
  local given = event.given
  if not values.given(given.KafkaBootstrapServers) then
    failure.event(event.name, "No KafkaBootstrapServers provided for self managed kafka as an event source")
  elseif not values.given(given.Topics) then
    failure.event(event.name, "No Topics provided for self managed kafka as an event source")
  elseif not values.intrinsic(given.Topics) and #given.Topics ~= 1 then
    failure.event(event.name, "Topics for self managed kafka only supports single configuration entry.")
  elseif not values.given(given.SourceAccessConfigurations) then
    failure.event(event.name, "No SourceAccessConfigurations for self managed kafka event provided.")
  end
  local found, statements = kafka_access(event), {}
  if found.auth then statements[#statements + 1] = secret(found.auth) end
  -- As in SAM: the certificate's own secret is not named.
  if found.root and found.auth then statements[#statements + 1] = secret(found.auth) end
  if found.subnet then statements[#statements + 1] = allow(NETWORK, "*") end
  statements[#statements + 1] = key_statement(event, { "kms:Decrypt" })
  for _, each in ipairs(registry_statements(work, event)) do statements[#statements + 1] = each end
  return values.map("PolicyDocument", values.map("Statement", values.joined(statements), "Version", "2012-10-17"),
    "PolicyName", "SelfManagedKafkaExecutionRolePolicy")
end

---------------------------------------------------------------------------------------------------------
-- The role

local function has_document(inline, document)
  for _, each in ipairs(inline) do
    if values.same(each.PolicyDocument, document) then return true end
  end
  return false
end

local function add_policy(role, each)
  if not each then return end
  local inline = role.properties.Policies or values.list()
  if not has_document(inline, each.PolicyDocument) then
    resources.set(role, "Policies", values.joined(inline, { each }))
  end
end

local function add_managed(work, role, name)
  if not name then return end
  local arn, list = policies.managed(work.partition, "service-role/" .. name), role.properties.ManagedPolicyArns
  if not values.has(list, arn) then list[#list + 1] = arn end
end

local FAILURES = { SQS = "SQS", SNS = "SNS", S3 = "S3", Kafka = false }

-- Where what failed goes; its type is for the role's policy and stands in no template of CloudFormation.
local function failures(event)
  local config = event.given.DestinationConfig
  if not values.given(config) then return nil end
  resources.expect(failure.event, event.id, "DestinationConfig.OnFailure", config.OnFailure, "map")
  local on_failure = values.merged(config.OnFailure)
  local kind = values.or_nil(on_failure.Type)
  on_failure.Type = nil
  if kind and FAILURES[kind] == nil then
    failure.event(event.id, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'")
  end
  local shown = values.merged(config)
  shown.OnFailure = on_failure
  return shown, kind and FAILURES[kind] and policies.send(kind, event.id, on_failure.Destination) or nil
end

---------------------------------------------------------------------------------------------------------
-- The mapping

local KAFKA = { MSK = "AmazonManagedKafkaEventSourceConfig", SelfManagedKafka = "SelfManagedKafkaEventSourceConfig" }

local function kafka_config(event, mapping)
  local given, name = event.given, KAFKA[event.definition.Type]
  if values.given(given.ConsumerGroupId) and not name then
    failure.event(event.id, "Property ConsumerGroupId not defined for resource of type %s.", event.definition.Type)
  end
  local config = values.map("ConsumerGroupId", values.or_nil(given.ConsumerGroupId),
    "SchemaRegistryConfig", values.or_nil(given.SchemaRegistryConfig))
  if name and next(config) then resources.set(mapping, name, config) end
end

local function mapping_of(event, target, source)
  local mapping = resources.new("AWS::Lambda::EventSourceMapping", event.id, target.attributes)
  resources.set(mapping, "EventSourceArn", source, "FunctionName", target.name)
  for _, name in ipairs(SAME) do resources.set(mapping, name, event.given[name]) end
  check_filter(event)
  if values.given(event.given.KafkaBootstrapServers) then
    resources.set(mapping, "SelfManagedEventSource", values.map("Endpoints",
      values.map("KafkaBootstrapServers", event.given.KafkaBootstrapServers)))
  end
  kafka_config(event, mapping)
  return mapping
end

local function document_config(event, mapping)
  local given = event.given
  resources.set(mapping, "DocumentDBEventSourceConfig", values.map("DatabaseName", given.DatabaseName,
    "CollectionName", values.or_nil(given.CollectionName), "FullDocument", values.or_nil(given.FullDocument)))
end

-- Type -> { source = the property that names it, managed = policy of AWS, inline = policy of the event, extend }.
local TYPES = {
  Kinesis = { source = "Stream", more = "Stream!= any, StartingPosition!= any",
    managed = "AWSLambdaKinesisExecutionRole" },
  DynamoDB = { source = "Stream", more = "Stream!= any, StartingPosition!= any",
    managed = "AWSLambdaDynamoDBExecutionRole" },
  SQS = { source = "Queue", more = "Queue!= any", managed = "AWSLambdaSQSQueueExecutionRole" },
  MSK = { source = "Stream", more = "Stream!= any, StartingPosition!= any", managed = "AWSLambdaMSKExecutionRole",
    inline = kafka_service },
  MQ = { source = "Broker", more = "Broker!= any, DynamicPolicyName= boolean", inline = broker },
  SelfManagedKafka = { more = "", inline = own_kafka },
  DocumentDB = { source = "Cluster", extend = document_config, inline = document_database,
    more = "Cluster!= any, DatabaseName!= any, CollectionName= any, FullDocument= any" },
}

for type_name, use in pairs(TYPES) do
  pull.kinds[type_name] = {
    kind = resources.kind(type_name, COMMON .. use.more),
    make = function(work, event, target)
      local mapping = mapping_of(event, target, use.source and event.given[use.source])
      local shown, destination_policy = failures(event)
      resources.set(mapping, "DestinationConfig", shown)
      if use.extend then use.extend(event, mapping) end
      add_managed(work, target.role, use.managed)
      if use.inline then add_policy(target.role, use.inline(work, event)) end
      add_policy(target.role, destination_policy)
      return { mapping }
    end,
  }
end

--- The mapping of a queue that another event has; the role may fetch from queues.
---@param work table the translation
---@param id string
---@param target table
---@param arn any of the queue
---@param batch any? messages that a function gets at once
function pull.queue(work, id, target, arn, batch)
  add_managed(work, target.role, TYPES.SQS.managed)
  return resources.set(resources.new("AWS::Lambda::EventSourceMapping", id, target.attributes),
    "BatchSize", values.or_nil(batch) or 10, "Enabled", true, "EventSourceArn", arn, "FunctionName", target.name)
end

return pull
