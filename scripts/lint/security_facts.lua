--- What a resource type's properties have to be for people who are asked about security: lint.security checks it. Data.
-- A path is below Properties; * stands for the elements of a list, and a part that ends in ? need not be there.

local IN_CLEAR = "%s is not encrypted at rest"
local PUBLIC = "%s can be reached from the internet"

-- want: true, false, "set"; or a list of values that it must not have. unless: a property that makes it another's
-- matter.
local function row(id, path, want, message, unless)
  return { id = id, path = path, want = want, message = message, unless = unless }
end

local function encrypted(path, what, unless)
  return row("S2001", path, true, IN_CLEAR:format(what), unless)
end

local function public(path, what)
  return row("S1003", path, false, PUBLIC:format(what))
end

local function blocked(flag)
  return row("S1002", "PublicAccessBlockConfiguration?/" .. flag, true, "the bucket does not say " .. flag)
end

local IMDS = "the instance metadata service answers without a session token (IMDSv1)"

return {
  ["AWS::S3::Bucket"] = {
    row("S1002", "PublicAccessBlockConfiguration", "set", "the bucket does not block public access"),
    blocked "BlockPublicAcls", blocked "BlockPublicPolicy", blocked "IgnorePublicAcls", blocked "RestrictPublicBuckets",
    row("S1001", "AccessControl?", { "PublicRead", "PublicReadWrite", "AuthenticatedRead" },
      "the bucket's objects are public"),
    row("S2001", "BucketEncryption", "set", "the bucket does not say how it is encrypted"),
    row("S4005", "VersioningConfiguration", "set", "the bucket keeps no versions of its objects"),
  },
  ["AWS::RDS::DBInstance"] = {
    encrypted("StorageEncrypted", "the database", "DBClusterIdentifier"), public("PubliclyAccessible?", "the database"),
    row("S4003", "BackupRetentionPeriod?", { 0, "0" }, "the database has no backups"),
  },
  ["AWS::RDS::DBCluster"] = { encrypted("StorageEncrypted", "the database cluster") },
  ["AWS::DocDB::DBCluster"] = { encrypted("StorageEncrypted", "the database cluster") },
  ["AWS::Neptune::DBCluster"] = { encrypted("StorageEncrypted", "the database cluster") },
  ["AWS::Redshift::Cluster"] = {
    encrypted("Encrypted", "the warehouse"), public("PubliclyAccessible?", "the warehouse"),
  },
  ["AWS::DMS::ReplicationInstance"] = { public("PubliclyAccessible?", "the replication instance") },
  ["AWS::AmazonMQ::Broker"] = { public("PubliclyAccessible?", "the broker") },
  ["AWS::EFS::FileSystem"] = { encrypted("Encrypted", "the file system") },
  ["AWS::EC2::Volume"] = { encrypted("Encrypted", "the volume") },
  ["AWS::EC2::Instance"] = {
    encrypted("BlockDeviceMappings?/*/Ebs?/Encrypted", "the volume"),
    public("NetworkInterfaces?/*/AssociatePublicIpAddress?", "the instance"),
  },
  ["AWS::EC2::LaunchTemplate"] = {
    encrypted("LaunchTemplateData/BlockDeviceMappings?/*/Ebs?/Encrypted", "the volume"),
    row("S1006", "LaunchTemplateData/MetadataOptions/HttpTokens", "set", IMDS),
    row("S1006", "LaunchTemplateData/MetadataOptions/HttpTokens", { "optional" }, IMDS),
  },
  ["AWS::AutoScaling::LaunchConfiguration"] = { encrypted("BlockDeviceMappings?/*/Ebs?/Encrypted", "the volume") },
  ["AWS::ElastiCache::ReplicationGroup"] = {
    encrypted("AtRestEncryptionEnabled", "the cache"),
    row("S2002", "TransitEncryptionEnabled", true, "the cache is spoken to in clear text"),
  },
  ["AWS::SNS::Topic"] = { row("S2001", "KmsMasterKeyId", "set", IN_CLEAR:format "the topic") },
  ["AWS::SQS::Queue"] = { row("S2001", "SqsManagedSseEnabled?", { false, "false" }, IN_CLEAR:format "the queue") },
  ["AWS::Kinesis::Stream"] = { row("S2001", "StreamEncryption", "set", IN_CLEAR:format "the stream") },
  ["AWS::DynamoDB::Table"] = {
    row("S2001", "SSESpecification/SSEEnabled", true, "the table is not encrypted with a key of this account"),
  },
  ["AWS::OpenSearchService::Domain"] = {
    encrypted("EncryptionAtRestOptions/Enabled", "the domain"),
    row("S2002", "DomainEndpointOptions/EnforceHTTPS", true, "the domain answers in clear text"),
  },
  ["AWS::KMS::Key"] = {
    row("S2003", "EnableKeyRotation", true, "the key does not rotate", "KeySpec"),
  },
  ["AWS::CloudTrail::Trail"] = {
    row("S4001", "EnableLogFileValidation", true, "the trail's files can be changed without notice"),
    row("S4001", "IsMultiRegionTrail", true, "the trail is of one region only"),
    row("S2001", "KMSKeyId", "set", IN_CLEAR:format "the trail"),
  },
  ["AWS::CloudFront::Distribution"] = {
    row("S2002", "DistributionConfig/DefaultCacheBehavior/ViewerProtocolPolicy", { "allow-all" },
      "the distribution answers in clear text"),
  },
  ["AWS::ApiGateway::Stage"] = { row("S4002", "AccessLogSetting", "set", "the stage has no access log") },
  ["AWS::ApiGateway::Method"] = {
    row("S1005", "AuthorizationType?", { "NONE" }, "whoever finds the method may call it", "ApiKeyRequired"),
  },
  ["AWS::Lambda::Permission"] = { row("S3005", "Principal", { "*" }, "everybody may invoke the function") },
  ["AWS::Lambda::Url"] = { row("S1005", "AuthType", { "NONE" }, "whoever finds the address may invoke the function") },
}
