--- Snapshots that resources leave behind when they are deleted (DeletionPolicy and UpdateReplacePolicy Snapshot,
-- which databases have when a template says nothing; reference part 1.8). A snapshot is a thing without a stack.

local names = require "sandbox.resources.names"

local snapshots = {}

local NAME = { max = 255, lower = true, suffix = "lower" }

-- Type -> the type of its snapshots, and the name of their key in the service's API.
local KINDS = {
  ["AWS::RDS::DBInstance"] = "AWS::RDS::DBSnapshot",
  ["AWS::RDS::DBCluster"] = "AWS::RDS::DBClusterSnapshot",
}

--- What happens to a resource that its template no longer has: "Delete", "Retain", "RetainExceptOnCreate",
--- "Snapshot".
---@param type_name string
---@param properties table
---@param policy string? that the template gives
function snapshots.policy(type_name, properties, policy)
  local member_of_cluster = properties.DBClusterIdentifier and type_name == "AWS::RDS::DBInstance"
  return policy or KINDS[type_name] and not member_of_cluster and "Snapshot" or "Delete"
end

--- Takes one, when the policy asks for it and the type has them.
---@param op table the operation that deletes
---@param resource table resource, or the old physical resource of one, whose thing still exists
---@param policy string? that the template gives
function snapshots.take(op, resource, policy)
  local thing, kind = resource.thing, KINDS[resource.type]
  local wanted = snapshots.policy(resource.type, resource.properties, policy) == "Snapshot"
  if not (thing and kind and wanted) then return end
  local name = names.of(NAME, { stack = op.stack.name .. "-snapshot", logical = resource.logical,
    stream = resource.stream, properties = {} })
  thing.home:add_thing { type = kind, key = name, id = name, properties = thing.properties, facts = thing.facts,
    home = thing.home, created = op:now(), source = thing }
end

return snapshots
