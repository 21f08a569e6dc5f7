--- What a planned change will do, in words: "REPLACES the database, deletes the old one, because VpcId changed
-- through parameter Net". The one place that knows which types hold data and what a type is called.

local json = require "tap.core.json"
local util = require "tap.util"

local change_words = {}

-- What is gone for good when the resource goes.
local HOLDS_DATA = {}
for name in ([[
  AWS::Backup::BackupVault AWS::Cognito::UserPool AWS::DocDB::DBCluster AWS::DocDB::DBInstance
  AWS::DynamoDB::GlobalTable AWS::DynamoDB::Table AWS::EC2::Volume AWS::ECR::Repository AWS::EFS::FileSystem
  AWS::ElastiCache::CacheCluster AWS::ElastiCache::ReplicationGroup AWS::FSx::FileSystem AWS::KMS::Key
  AWS::Kinesis::Stream AWS::Logs::LogGroup AWS::MSK::Cluster AWS::Neptune::DBCluster AWS::Neptune::DBInstance
  AWS::OpenSearchService::Domain AWS::QLDB::Ledger AWS::RDS::DBCluster AWS::RDS::DBInstance
  AWS::RDS::GlobalCluster AWS::Redshift::Cluster AWS::S3::Bucket AWS::SDB::Domain AWS::SQS::Queue
  AWS::SecretsManager::Secret AWS::Timestream::Database AWS::Timestream::Table
]]):gmatch("%S+") do HOLDS_DATA[name] = true end

-- What people call a type, where the last part of its name does not say it.
local NOUNS = {
  ["AWS::CloudFormation::Stack"] = "nested stack", ["AWS::EC2::EIP"] = "elastic IP",
  ["AWS::EC2::VPC"] = "VPC", ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = "load balancer",
  ["AWS::IAM::ManagedPolicy"] = "managed policy", ["AWS::KMS::Key"] = "key",
  ["AWS::Logs::LogGroup"] = "log group", ["AWS::RDS::DBCluster"] = "database cluster",
  ["AWS::RDS::DBInstance"] = "database", ["AWS::SNS::Topic"] = "topic", ["AWS::SSM::Parameter"] = "parameter",
}

--- Is data lost when a resource of this type is deleted?
---@param type_name string
---@return boolean
function change_words.holds_data(type_name)
  return HOLDS_DATA[type_name] == true
end

--- What people call a resource of this type: "database", "security group".
---@param type_name string
---@return string
function change_words.noun(type_name)
  if NOUNS[type_name] then return NOUNS[type_name] end
  local last = type_name:match("([^:]+)$") or type_name
  local spaced = last:gsub("(%l)(%u)", "%1 %2"):gsub("(%u)(%u%l)", "%1 %2")
  return (spaced:gsub("%f[%a]%u%l[%l%d]*", string.lower))
end

-- PolicyAction -> what becomes of the resource that goes.
local FATES = {
  Delete = "deletes it", Retain = "keeps it, outside of the stack", Snapshot = "deletes it after a snapshot",
  ReplaceAndDelete = "deletes the old one", ReplaceAndRetain = "keeps the old one, outside of the stack",
  ReplaceAndSnapshot = "deletes the old one after a snapshot",
}

--- Does the change take a resource away that may hold data, without keeping it or a snapshot of it?
---@param change table a ResourceChange
---@return boolean
function change_words.loses_data(change)
  if not change_words.holds_data(change.ResourceType) then return false end
  local kept = (change.PolicyAction or ""):find("Retain") or (change.PolicyAction or ""):find("Snapshot")
  if kept then return false end
  return change.Action == "Remove" or change.Action == "Modify" and change.Replacement ~= "False"
    and change.Replacement ~= nil
end

---------------------------------------------------------------------------------------------------------
-- Causes

local SOURCES = {
  ParameterReference = "through parameter %s", ResourceReference = "through %s",
  ResourceAttribute = "through %s", Automatic = "through its own template",
  NoModification = "(drifted)",
}

-- Where a change of a property comes from; nil for the template itself.
local function source_of(detail)
  local words = SOURCES[detail.ChangeSource]
  return words and words:format(detail.CausingEntity or "another resource")
end

-- Name of what changes -> { name, target, cause }, in the service's order: a property's several details are one.
local function changes_of(details)
  local order, by_name = {}, {}
  for _, detail in ipairs(details) do
    local target = detail.Target or {}
    local name = target.Path and target.Path:gsub("^/Properties/", "") or target.Name or target.Attribute or "?"
    local entry = by_name[name]
    if not entry then
      entry = { name = name, target = target, recreates = false }
      by_name[name], order[#order + 1] = entry, entry
    end
    entry.cause = entry.cause or source_of(detail)
    entry.recreates = entry.recreates or target.RequiresRecreation ~= nil and target.RequiresRecreation ~= "Never"
  end
  return order
end

-- "TableName through parameter Net", or with "changed" in between; only those that make the resource anew when wanted.
local function names_of(entries, wanted, between)
  local names = {}
  for _, entry in ipairs(entries) do
    if not wanted or entry.recreates then
      names[#names + 1] = entry.name .. between .. (entry.cause and " " .. entry.cause or "")
    end
  end
  return names
end

local function because(entries)
  local names = names_of(entries, true, " changed")
  if #names == 0 then names = names_of(entries, false, " changed") end
  return #names > 0 and ", because " .. table.concat(names, ", ") or ""
end

local function modify_words(change, noun)
  local entries = changes_of(change.Details or {})
  local fate = FATES[change.PolicyAction or "ReplaceAndDelete"]
  if change.Replacement == "True" then
    return ("REPLACES the %s, %s%s"):format(noun, fate, because(entries))
  elseif change.Replacement == "Conditional" then
    return ("may REPLACE the %s%s"):format(noun, because(entries))
  end
  local names = names_of(entries, false, "")
  return ("updates the %s in place%s"):format(noun, #names > 0 and ": " .. table.concat(names, ", ") or "")
end

local ACTIONS = {
  Add = function(change, noun)
    local again = change.ResourceDriftStatus == "DELETED" and " again: it was deleted by hand" or ""
    return ("creates the %s%s"):format(noun, again)
  end,
  Import = function(_, noun) return ("takes the existing %s into the stack"):format(noun) end,
  Remove = function(change, noun)
    return ("REMOVES the %s, %s"):format(noun, FATES[change.PolicyAction or "Delete"])
  end,
  Modify = modify_words,
  SyncWithActual = function(_, noun) return ("takes over what the %s really is"):format(noun) end,
  Dynamic = function(_, noun) return ("may change the %s: known only while it runs"):format(noun) end,
}

--- One clause that says what the change does.
---@param change table a ResourceChange as DescribeChangeSet gives it
---@return string
function change_words.consequence(change)
  local noun = change_words.noun(change.ResourceType)
  local words = (ACTIONS[change.Action] or ACTIONS.Dynamic)(change, noun)
  if change_words.loses_data(change) then words = words .. "; its data is lost" end
  return words
end

---------------------------------------------------------------------------------------------------------
-- Values

local MAX_VALUE = 60 -- characters of a value in a line

local function show(value)
  if value == nil then return "-" end
  value = value:gsub("%s+", " ")
  value = value:gsub("{{changeSet:KNOWN_AFTER_APPLY}}", "(known after)")
  local length = utf8.len(value)
  if not length or length <= MAX_VALUE then return value end
  return value:sub(1, utf8.offset(value, MAX_VALUE + 1) - 1) .. "..."
end

--- Before and after of each property, as far as the service tells them.
---@param change table a ResourceChange
---@return { name: string, before: string?, after: string? }[]
function change_words.values(change)
  local values = json.list {}
  for _, entry in ipairs(changes_of(change.Details or {})) do
    local target = entry.target
    if target.BeforeValue or target.AfterValue then
      values[#values + 1] = { name = entry.name, before = target.BeforeValue, after = target.AfterValue }
    end
  end
  return values
end

local MARKS = { Add = "+", Remove = "-", Import = ">", Modify = "~", SyncWithActual = "~", Dynamic = "?" }

--- Planned changes as lines for a person, nested ones indented.
---@param changes table[] as changeset.changes gives them
---@return string[]
function change_words.lines(changes)
  local rows, notes = {}, {}
  for index, item in ipairs(changes) do
    local change, indent = item.change, ("  "):rep(item.depth)
    local mark = change.Action == "Modify" and change.Replacement == "True" and "!" or MARKS[change.Action] or "?"
    rows[index] = { indent .. mark .. " " .. change.LogicalResourceId, change.ResourceType,
      change_words.consequence(change) }
    notes[index] = {}
    for _, value in ipairs(change_words.values(change)) do
      table.insert(notes[index], ("%s      %s: %s -> %s"):format(indent, value.name, show(value.before),
        show(value.after)))
    end
  end
  local lines = {}
  for index, line in ipairs(util.columns(rows, "  ")) do
    lines[#lines + 1] = line
    table.move(notes[index], 1, #notes[index], #lines + 1, lines)
  end
  return lines
end

--- How many of each kind, in one line: "2 added, 1 replaced, 1 removed".
---@param changes table[]
---@return string
function change_words.summary(changes)
  local counts = {}
  local function add(word) counts[word] = (counts[word] or 0) + 1 end
  local kinds = { Add = "added", Remove = "removed", Import = "imported" }
  for _, item in ipairs(changes) do
    local change = item.change
    if change.Action == "Modify" then
      add(change.Replacement == "True" and "replaced" or change.Replacement == "Conditional"
        and "perhaps replaced" or "changed in place")
    else
      add(kinds[change.Action] or "changed in place")
    end
  end
  local words = {}
  for _, word in ipairs { "added", "changed in place", "replaced", "perhaps replaced", "removed", "imported" } do
    if counts[word] then words[#words + 1] = ("%d %s"):format(counts[word], word) end
  end
  return #words > 0 and table.concat(words, ", ") or "no resource changes"
end

return change_words
