--- DynamoDB's operations on tables as a whole. A table's settings are its properties in a template's
-- spelling.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local things = require "sandbox.things"
local pattern = require "sandbox.resources.pattern"
local paging = require "sandbox.services.paging"
local store = require "sandbox.services.dynamodb.table"

local tables = {}

local TYPE = "AWS::DynamoDB::Table"
local NOT_FOUND = "Requested resource not found: Table: %s not found"
local PAGE = 100

local truth, change = things.truth, things.change

local function number(setting)
  return things.integer(setting) or 0
end

local function throughput_of(settings)
  return { ReadCapacityUnits = number((settings or {}).ReadCapacityUnits),
    WriteCapacityUnits = number((settings or {}).WriteCapacityUnits), NumberOfDecreasesToday = 0 }
end

local function indexes_of(thing, list)
  if not list then return nil end
  local out = json.list {}
  for i, index in ipairs(list) do
    out[i] = { IndexName = index.IndexName, KeySchema = index.KeySchema, Projection = index.Projection,
      IndexStatus = "ACTIVE", ProvisionedThroughput = throughput_of(index.ProvisionedThroughput),
      IndexArn = ("%s/index/%s"):format(pattern.attribute(thing.facts, "Arn"), index.IndexName),
      ItemCount = store.count(thing), IndexSizeBytes = 0 }
  end
  return out
end

-- A table as in DescribeTable.
local function described(thing)
  local settings, mode = thing.properties, thing.properties.BillingMode
  local sse, stream = settings.SSESpecification, settings.StreamSpecification
  return {
    TableName = thing.key, TableStatus = "ACTIVE", TableArn = pattern.attribute(thing.facts, "Arn"),
    CreationDateTime = thing.created, ItemCount = store.count(thing),
    TableSizeBytes = 0, KeySchema = settings.KeySchema, AttributeDefinitions = settings.AttributeDefinitions,
    ProvisionedThroughput = throughput_of(settings.ProvisionedThroughput),
    BillingModeSummary = mode == "PAY_PER_REQUEST" and { BillingMode = mode } or nil,
    GlobalSecondaryIndexes = indexes_of(thing, settings.GlobalSecondaryIndexes),
    LocalSecondaryIndexes = indexes_of(thing, settings.LocalSecondaryIndexes),
    StreamSpecification = stream and { StreamEnabled = true, StreamViewType = stream.StreamViewType } or nil,
    LatestStreamArn = stream and pattern.attribute(thing.facts, "StreamArn") or nil,
    SSEDescription = sse and truth(sse.SSEEnabled) and { Status = "ENABLED", SSEType = sse.SSEType or "KMS",
      KMSMasterKeyArn = sse.KMSMasterKeyId } or nil,
    DeletionProtectionEnabled = truth(settings.DeletionProtectionEnabled),
  }
end

function tables.DescribeTable(context, input)
  return { Table = described(store.find(context, input.TableName, NOT_FOUND)) }
end

function tables.ListTables(context, input)
  local names = {}
  for i, thing in ipairs(things.all(context.region, TYPE)) do names[i] = thing.key end
  local first = 1
  while input.ExclusiveStartTableName and names[first] and names[first] <= input.ExclusiveStartTableName do
    first = first + 1
  end
  local last = math.min(first + (input.Limit or PAGE) - 1, #names)
  return { TableNames = json.list(table.move(names, first, last, 1, {})),
    LastEvaluatedTableName = last < #names and names[last] or nil }
end

function tables.CreateTable(context, input)
  local name = input.TableName
  if context.region:thing(TYPE, name) then
    fault.raise("ResourceInUseException", "Table already exists: " .. name)
  end
  local properties = {}
  for key, setting in pairs(input) do properties[key] = setting end
  if properties.StreamSpecification and not properties.StreamSpecification.StreamEnabled then
    properties.StreamSpecification = nil
  end
  local thing = things.make(context, TYPE, name, properties)
  return { TableDescription = described(thing) }
end

function tables.DeleteTable(context, input)
  local thing = store.find(context, input.TableName, NOT_FOUND)
  if truth(thing.properties.DeletionProtectionEnabled) then
    fault.raise("ValidationException", "Resource cannot be deleted as it is currently protected against "
      .. "deletion. "
      .. "Disable deletion protection first.")
  end
  thing.home:remove_thing(thing)
  local out = described(thing)
  out.TableStatus = "DELETING"
  return { TableDescription = out }
end

local UPDATED = { "BillingMode", "ProvisionedThroughput", "AttributeDefinitions", "StreamSpecification",
  "SSESpecification", "DeletionProtectionEnabled", "TableClass" }

function tables.UpdateTable(context, input)
  local thing = store.find(context, input.TableName, NOT_FOUND)
  if input.GlobalSecondaryIndexUpdates or input.ReplicaUpdates then
    fault.not_emulated("dynamodb UpdateTable of indexes and replicas")
  end
  local changes = {}
  for _, name in ipairs(UPDATED) do changes[name] = input[name] end
  change(thing, changes)
  return { TableDescription = described(thing) }
end

function tables.DescribeTimeToLive(context, input)
  local setting = store.find(context, input.TableName, NOT_FOUND).properties.TimeToLiveSpecification
  local enabled = setting and truth(setting.Enabled)
  return { TimeToLiveDescription = { TimeToLiveStatus = enabled and "ENABLED" or "DISABLED",
    AttributeName = enabled and setting.AttributeName or nil } }
end

function tables.UpdateTimeToLive(context, input)
  local thing = store.find(context, input.TableName, NOT_FOUND)
  change(thing, { TimeToLiveSpecification = input.TimeToLiveSpecification })
  return { TimeToLiveSpecification = input.TimeToLiveSpecification }
end

local function backups_of(context, thing)
  local setting = thing.properties.PointInTimeRecoverySpecification
  local enabled = setting and truth(setting.PointInTimeRecoveryEnabled)
  local now = context.world.clock.now()
  return { ContinuousBackupsDescription = { ContinuousBackupsStatus = "ENABLED",
    PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus = enabled and "ENABLED" or "DISABLED",
      EarliestRestorableDateTime = enabled and now or nil, LatestRestorableDateTime = enabled and now
        or nil } } }
end

function tables.DescribeContinuousBackups(context, input)
  return backups_of(context, store.find(context, input.TableName, "Table not found: %s"))
end

function tables.UpdateContinuousBackups(context, input)
  local thing = store.find(context, input.TableName, "Table not found: %s")
  change(thing, { PointInTimeRecoverySpecification = input.PointInTimeRecoverySpecification })
  return backups_of(context, thing)
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, inner in pairs(value) do out[key] = copy(inner) end
  return setmetatable(out, getmetatable(value))
end

-- The restored table has the items and the keys of the other one; its recovery, tags and lifetimes are set anew.
function tables.RestoreTableToPointInTime(context, input)
  local source = store.find(context, input.SourceTableName, "Table not found: %s")
  local setting = source.properties.PointInTimeRecoverySpecification
  if not (setting and truth(setting.PointInTimeRecoveryEnabled)) then
    fault.raise("PointInTimeRecoveryUnavailableException",
      ("Point in time recovery is not enabled for table '%s'"):format(source.key))
  end
  if context.region:thing(TYPE, input.TargetTableName) then
    fault.raise("TableAlreadyExistsException", "Table already exists: " .. input.TargetTableName)
  end
  local properties = copy(source.properties)
  properties.TableName, properties.PointInTimeRecoverySpecification = input.TargetTableName, nil
  properties.Tags, properties.TimeToLiveSpecification, properties.DeletionProtectionEnabled = nil, nil, nil
  properties.BillingMode = input.BillingModeOverride or properties.BillingMode
  local thing = things.make(context, TYPE, input.TargetTableName, properties)
  thing.state = copy(source.state)
  return { TableDescription = described(thing) }
end

function tables.ListTagsOfResource(context, input)
  local thing = store.find(context, input.ResourceArn)
  local page, next_token = paging.forward(thing.properties.Tags or {}, input.NextToken, PAGE, "tags")
  return { Tags = json.list(page), NextToken = next_token }
end

function tables.TagResource(context, input)
  local thing = store.find(context, input.ResourceArn)
  local tags, given = json.list {}, {}
  for _, tag in ipairs(input.Tags) do given[tag.Key] = true end
  for _, tag in ipairs(thing.properties.Tags or {}) do
    if not given[tag.Key] then tags[#tags + 1] = tag end
  end
  change(thing, { Tags = table.move(input.Tags, 1, #input.Tags, #tags + 1, tags) })
  return {}
end

function tables.UntagResource(context, input)
  local thing = store.find(context, input.ResourceArn)
  local tags, gone = json.list {}, {}
  for _, key in ipairs(input.TagKeys) do gone[key] = true end
  for _, tag in ipairs(thing.properties.Tags or {}) do
    if not gone[tag.Key] then tags[#tags + 1] = tag end
  end
  change(thing, { Tags = tags })
  return {}
end


return tables
