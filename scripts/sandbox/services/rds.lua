--- Amazon RDS: databases, their subnet and parameter groups.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local view = require "sandbox.services.view"

local INSTANCE, CLUSTER = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"

-- Properties that have the same name in templates and in the API.
local SAME = { "DBInstanceClass", "Engine", "EngineVersion", "MasterUsername", "DBName", "AllocatedStorage",
  "BackupRetentionPeriod", "StorageType", "StorageEncrypted", "KmsKeyId", "MultiAZ", "PubliclyAccessible",
  "DeletionProtection", "AutoMinorVersionUpgrade", "PreferredBackupWindow", "PreferredMaintenanceWindow",
  "CACertificateIdentifier", "Iops", "MaxAllocatedStorage", "CopyTagsToSnapshot", "DBClusterIdentifier" }
local USUAL = { MultiAZ = "false", StorageEncrypted = "false", PubliclyAccessible = "false",
  DeletionProtection = "false", BackupRetentionPeriod = "1", AutoMinorVersionUpgrade = "true" }

local function attribute(thing, name)
  return pattern.attribute(thing.facts, name)
end

local function copied(thing)
  local out = {}
  for _, name in ipairs(SAME) do
    out[name] = thing.properties[name]
    if out[name] == nil then out[name] = USUAL[name] end
  end
  return out
end

local function instance(thing)
  local settings, out = thing.properties, copied(thing)
  local groups = json.list {}
  for i, id in ipairs(settings.VPCSecurityGroups or {}) do
    groups[i] = { VpcSecurityGroupId = id, Status = "active" }
  end
  out.DBInstanceIdentifier, out.DBInstanceStatus = thing.key, thing.stopped and "stopped" or "available"
  out.DBInstanceArn, out.DbiResourceId = attribute(thing, "DBInstanceArn"), attribute(thing, "DbiResourceId")
  out.Endpoint = { Address = attribute(thing, "Endpoint.Address"), Port = attribute(thing, "Endpoint.Port") }
  out.InstanceCreateTime, out.VpcSecurityGroups = thing.created, groups
  out.DBSubnetGroup = settings.DBSubnetGroupName and { DBSubnetGroupName = settings.DBSubnetGroupName } or nil
  out.DBParameterGroups = settings.DBParameterGroupName
    and { { DBParameterGroupName = settings.DBParameterGroupName, ParameterApplyStatus = "in-sync" } } or {}
  local secret = attribute(thing, "MasterUserSecret.SecretArn")
  out.MasterUserSecret = secret and { SecretArn = secret, SecretStatus = "active" } or nil
  return out
end

local function cluster(thing)
  local out = copied(thing)
  out.DBClusterIdentifier, out.Status = thing.key, "available"
  out.DBClusterArn, out.Endpoint = attribute(thing, "DBClusterArn"), attribute(thing, "Endpoint.Address")
  out.ReaderEndpoint, out.ClusterCreateTime = attribute(thing, "ReadEndpoint.Address"), thing.created
  return out
end

local function subnet_group(thing)
  local subnets = json.list {}
  for i, id in ipairs(thing.properties.SubnetIds or {}) do
    subnets[i] = { SubnetIdentifier = id, SubnetStatus = "Active" }
  end
  return { DBSubnetGroupName = thing.key, DBSubnetGroupDescription =
    thing.properties.DBSubnetGroupDescription,
    SubnetGroupStatus = "Complete", Subnets = subnets }
end

local function parameter_group(thing)
  return { DBParameterGroupName = thing.key, DBParameterGroupFamily = thing.properties.Family,
    Description = thing.properties.Description }
end

-- A snapshot of an instance or a cluster, as the last deletion left it.
local function snapshot(key, source)
  return function(thing)
    local out = copied(thing)
    out[key], out[source] = thing.key, thing.source.key
    out.SnapshotCreateTime, out.Status, out.SnapshotType = thing.created, "available", "manual"
    return out
  end
end

local operations = view.operations("rds", {
  DescribeDBInstances = { type = INSTANCE, list = "DBInstances", ids = "DBInstanceIdentifier",
    key = "DBInstanceIdentifier", show = instance, missing = { "DBInstanceNotFound", "DBInstance %s not "
      .. "found.", 404 } },
  DescribeDBClusters = { type = CLUSTER, list = "DBClusters", ids = "DBClusterIdentifier",
    key = "DBClusterIdentifier", show = cluster, missing = { "DBClusterNotFoundFault", "DBCluster %s not "
      .. "found.", 404 } },
  DescribeDBSnapshots = { type = "AWS::RDS::DBSnapshot", list = "DBSnapshots", ids = "DBSnapshotIdentifier",
    key = "DBSnapshotIdentifier",
    show = snapshot("DBSnapshotIdentifier", "DBInstanceIdentifier"),
    missing = { "DBSnapshotNotFound", "DBSnapshot %s not found.", 404 } },
  DescribeDBClusterSnapshots = { type = "AWS::RDS::DBClusterSnapshot", list = "DBClusterSnapshots",
    ids = "DBClusterSnapshotIdentifier", key = "DBClusterSnapshotIdentifier",
    show = snapshot("DBClusterSnapshotIdentifier", "DBClusterIdentifier"),
    missing = { "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.", 404 } },
  DescribeDBSubnetGroups = { type = "AWS::RDS::DBSubnetGroup", list = "DBSubnetGroups", ids =
    "DBSubnetGroupName",
    key = "DBSubnetGroupName", show = subnet_group,
    missing = { "DBSubnetGroupNotFoundFault", "DB subnet group '%s' does not exist.", 404 } },
  DescribeDBParameterGroups = { type = "AWS::RDS::DBParameterGroup", list = "DBParameterGroups",
    ids = "DBParameterGroupName", key = "DBParameterGroupName", show = parameter_group,
    missing = { "DBParameterGroupNotFound", "DBParameterGroup not found: %s", 404 } },
})

local function find(context, id)
  return context.region:thing(INSTANCE, id:lower())
    or fault.raise("DBInstanceNotFound", ("DBInstance %s not found."):format(id), 404)
end

function operations.ModifyDBInstance(context, input)
  local thing, changes = find(context, input.DBInstanceIdentifier), {}
  for _, name in ipairs(SAME) do
    if input[name] ~= nil then changes[name] = tostring(input[name]) end
  end
  things.change(thing, changes)
  return { DBInstance = instance(thing) }
end

return { operations = operations }
