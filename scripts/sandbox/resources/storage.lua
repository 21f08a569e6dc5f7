--- Resource types that keep data: buckets, tables, databases, keys, parameters, secrets. Records:
-- sandbox.resources.catalog.

local bucket_store = require "sandbox.services.s3.store"

local RDS = "arn:{partition}:rds:{region}:{account}:"

local function refuse_full_bucket(thing)
  if not bucket_store.is_empty(thing) then
    return 'Resource handler returned message: "The bucket you tried to delete is not empty (Service: S3, '
      .. 'Status Code: 409, Error Code: BucketNotEmpty)" (HandlerErrorCode: GeneralServiceException)'
  end
end

-- Engine, up to its first hyphen -> the port that it listens at.
local PORTS = { aurora = "3306", db2 = "50000", mariadb = "3306", mysql = "3306", oracle = "1521", postgres = "5432",
  sqlserver = "1433" }

local function port_of_engine(facts)
  local engine = tostring(facts.properties.Engine)
  local family = engine == "aurora-postgresql" and "postgres" or engine:match("^%a[%a%d]*")
  return tostring(facts.properties.Port or PORTS[family] or "3306")
end

return {
  ["AWS::S3::Bucket"] = {
    name = { "BucketName", max = 63, lower = true, suffix = "lower" }, global = true,
    create = { 15, 24 }, settle = 11, delete = { 1, 2 },
    attributes = {
      Arn = "arn:{partition}:s3:::{name}", DomainName = "{name}.s3.amazonaws.com",
      RegionalDomainName = "{name}.s3.{region}.amazonaws.com",
      DualStackDomainName = "{name}.s3.dualstack.{region}.amazonaws.com",
      WebsiteURL = "http://{name}.s3-website-{region}.amazonaws.com",
    },
    refuse_delete = refuse_full_bucket,
  },
  ["AWS::S3::BucketPolicy"] = { id = "{.Bucket}", create = { 1, 2 }, delete = 1 },
  ["AWS::DynamoDB::Table"] = {
    name = { "TableName" }, create = { 30, 44 }, delete = { 10, 20 },
    attributes = {
      Arn = "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
      StreamArn = { when = "StreamSpecification", "{@Arn}/stream/{created}" },
    },
    protection = {
      property = "DeletionProtectionEnabled", code = "InvalidRequest", service = "DynamoDb",
      message = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
        .. "protection first.",
    },
  },
  ["AWS::RDS::DBInstance"] = {
    name = { "DBInstanceIdentifier", max = 63, lower = true, suffix = "lower" },
    create = { 300, 480 }, delete = { 180, 420 },
    attributes = {
      ["Endpoint.Address"] = "{name}.{lower:12}.{region}.rds.amazonaws.com",
      ["Endpoint.Port"] = port_of_engine,
      ["Endpoint.HostedZoneId"] = "Z2R2ITUGPM61AM", DBInstanceArn = RDS .. "db:{name}",
      DbiResourceId = "db-{upper:26}",
      ["MasterUserSecret.SecretArn"] = {
        when = "ManageMasterUserPassword",
        "arn:{partition}:secretsmanager:{region}:{account}:secret:rds!db-{uuid}-{mixed:6}",
      },
      ["CertificateDetails.CAIdentifier"] = "rds-ca-rsa2048-g1",
      ["CertificateDetails.ValidTill"] = "2061-05-18T21:54:32Z",
    },
    protection = {
      property = "DeletionProtection", code = "InvalidRequest", service = "Rds",
      message = "Cannot delete protected DB Instance, please disable deletion protection and try again.",
    },
  },
  ["AWS::RDS::DBCluster"] = {
    name = { "DBClusterIdentifier", max = 63, lower = true, suffix = "lower" },
    create = { 60, 120 }, delete = { 60, 180 },
    attributes = {
      ["Endpoint.Address"] = "{name}.cluster-{lower:12}.{region}.rds.amazonaws.com",
      ["ReadEndpoint.Address"] = "{name}.cluster-ro-{lower:12}.{region}.rds.amazonaws.com",
      ["Endpoint.Port"] = "{.Port|3306}", DBClusterArn = RDS .. "cluster:{name}",
      DBClusterResourceId = "cluster-{upper:26}",
      ["MasterUserSecret.SecretArn"] = {
        when = "ManageMasterUserPassword",
        "arn:{partition}:secretsmanager:{region}:{account}:secret:rds!cluster-{uuid}-{mixed:6}",
      },
    },
    protection = {
      property = "DeletionProtection", code = "InvalidRequest", service = "Rds",
      message = "Cannot delete protected Cluster, please disable deletion protection and try again.",
    },
  },
  ["AWS::RDS::DBSubnetGroup"] = {
    name = { "DBSubnetGroupName", lower = true, suffix = "lower" }, create = { 2, 5 }, delete = { 1, 2 },
  },
  ["AWS::RDS::DBParameterGroup"] = {
    name = { "DBParameterGroupName", lower = true, suffix = "lower" }, create = { 10, 60 }, delete = { 1, 2 },
    attributes = { DBParameterGroupName = "{name}" },
  },
  ["AWS::KMS::Key"] = {
    id = "{uuid}", create = { 20, 120 }, delete = { 1, 2 },
    attributes = { Arn = "arn:{partition}:kms:{region}:{account}:key/{id}", KeyId = "{id}" },
  },
  ["AWS::KMS::Alias"] = { name = { "AliasName" }, create = 60, delete = { 1, 2 } },
  ["AWS::SSM::Parameter"] = {
    name = { "Name", form = "parameter" }, create = 1, delete = 1,
    attributes = { Type = "{.Type}", Value = "{.Value}" },
  },
  ["AWS::SecretsManager::Secret"] = {
    name = { "Name", form = "logical" }, create = { 1, 9 }, delete = { 1, 9 },
    id = "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{mixed:6}",
    attributes = { Id = "{id}" },
  },
  ["AWS::SecretsManager::SecretTargetAttachment"] = {
    id = "{.SecretId}", create = { 1, 2 }, delete = 1, attributes = { Id = "{id}" },
  },
}
