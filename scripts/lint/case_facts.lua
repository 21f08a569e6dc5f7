--- What properties demand of each other in certain cases: { type, path of the object, rule, when, demands }. Data, from
-- the services' documentation; lint.cases has the form and checks it.

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local AURORA = { like = "^aurora" }
local FARGATE = { like = "^FARGATE$" }
local EBS = { "AWS::EC2::Instance|BlockDeviceMappings/*/Ebs",
  "AWS::EC2::LaunchTemplate|LaunchTemplateData/BlockDeviceMappings/*/Ebs",
  "AWS::AutoScaling::LaunchConfiguration|BlockDeviceMappings/*/Ebs",
  "AWS::EC2::SpotFleet|SpotFleetRequestConfigData/LaunchSpecifications/*/BlockDeviceMappings/*/Ebs" }
local MULTI_AZ_ONLY = words [[ AvailabilityZones BacktrackWindow Domain DomainIAMRoleName EnableGlobalWriteForwarding
  EnableHttpEndpoint EnableIAMDatabaseAuthentication EngineMode GlobalClusterIdentifier NetworkType
  ReplicationSourceIdentifier ScalingConfiguration ServerlessV2ScalingConfiguration SourceRegion ]]

local cases = {
  { "AWS::ApiGateway::Authorizer", "", "E3718", { Type = { "TOKEN", "REQUEST" } },
    range = { AuthorizerResultTtlInSeconds = { 0, 3600 } } },
  { "AWS::CodeBuild::Project", "Artifacts", "E3636", { Type = "S3" }, needs = { "Location" } },
  { "AWS::CodeBuild::Project", "Source", "E3636", { Type = "S3" }, needs = { "Location" } },
  { "AWS::DynamoDB::Table", "", "E3638", { BillingMode = "PAY_PER_REQUEST" }, forbids = { "ProvisionedThroughput" } },
  { "AWS::DynamoDB::Table", "", "E3639", { BillingMode = "PROVISIONED" }, needs = { "ProvisionedThroughput" } },
  { "AWS::ECS::Service", "", "E3044", { LaunchType = FARGATE }, values = { SchedulingStrategy = { "REPLICA" } } },
  { "AWS::ECS::TaskDefinition", "ContainerDefinitions/*/LogConfiguration", "E3046", { LogDriver = "awslogs" },
    needs = { "Options" } },
  { "AWS::ECS::TaskDefinition", "ContainerDefinitions/*/LogConfiguration/Options", "E3046",
    { ["awslogs-region"] = true }, needs = { "awslogs-group" } },
  { "AWS::ECS::TaskDefinition", "ContainerDefinitions/*/LogConfiguration/Options", "E3046",
    { ["awslogs-group"] = true }, needs = { "awslogs-region" } },
  { "AWS::ElastiCache::CacheCluster", "", "E3695", { Engine = true }, values = { Engine = words
    "memcached redis valkey" } },
  { "AWS::ElastiCache::ReplicationGroup", "", "E3704", { Engine = "valkey" }, needs = { "TransitEncryptionEnabled" } },
  { "AWS::ElasticLoadBalancing::LoadBalancer", "Listeners/*", "E3679", { Protocol = { "HTTPS", "SSL" } },
    needs = { "SSLCertificateId" } },
  { "AWS::ElasticLoadBalancingV2::Listener", "", "E3676", { Protocol = { "HTTPS", "TLS" } },
    needs = { "Certificates" } },
  { "AWS::ElasticLoadBalancingV2::LoadBalancer", "", "E3680", { Type = "application" },
    count = { Subnets = { 2 }, SubnetMappings = { 2 } } },
  { "AWS::ElasticLoadBalancingV2::LoadBalancer", "", "E3680", { Type = false },
    count = { Subnets = { 2 }, SubnetMappings = { 2 } } },
  { "AWS::ElasticLoadBalancingV2::TargetGroup", "", "E3681", { TargetType = "lambda" },
    forbids = words "HealthCheckPort HealthCheckProtocol Port Protocol ProtocolVersion VpcId" },
  { "AWS::ElasticLoadBalancingV2::TargetGroup", "", "E3681", { TargetType = { "alb", "instance", "ip" } },
    needs = words "Port Protocol VpcId" },
  { "AWS::ElasticLoadBalancingV2::TargetGroup", "", "E3683", { Protocol = "GENEVE" }, values = { Port = { "6081" } } },
  { "AWS::ElasticLoadBalancingV2::TargetGroup", "", "E3684",
    { HealthCheckProtocol = { "TCP", "TLS", "UDP", "TCP_UDP" } }, forbids = { "Matcher", "ProtocolVersion" } },
  { "AWS::Lambda::EventSourceMapping", "", "E3633", { EventSourceArn = { like = "^arn:aws.*:kinesis:" } },
    needs = { "StartingPosition" } },
  { "AWS::Lambda::EventSourceMapping", "", "E3633", { EventSourceArn = { like = "^arn:aws.*:dynamodb:" } },
    needs = { "StartingPosition" } },
  { "AWS::Lambda::EventSourceMapping", "", "E3633", { EventSourceArn = { like = "^arn:aws.*:kafka:" } },
    needs = { "StartingPosition" } },
  { "AWS::Lambda::EventSourceMapping", "", "E3634", { EventSourceArn = { like = "^arn:aws[%w-]*:sqs:" } },
    forbids = { "StartingPosition" } },
  { "AWS::Lambda::Function", "LoggingConfig", "E3696", { LogFormat = "Text" }, forbids = { "SystemLogLevel" } },
  { "AWS::RDS::DBCluster", "", "E3686", { EngineMode = "provisioned" }, forbids = { "ScalingConfiguration" } },
  { "AWS::RDS::DBCluster", "", "E3686", { EngineMode = false }, forbids = { "ScalingConfiguration" } },
  { "AWS::RDS::DBCluster", "", "E3686", { EngineMode = "serverless" },
    forbids = { "ServerlessV2ScalingConfiguration" } },
  { "AWS::RDS::DBCluster", "", "E3689", { MonitoringRoleArn = true }, needs = { "MonitoringInterval" },
    range = { MonitoringInterval = { 1 } } },
  { "AWS::RDS::DBCluster", "", "E3689", { MonitoringInterval = { like = "^[1-9]" } }, needs = { "MonitoringRoleArn" } },
  { "AWS::RDS::DBCluster", "", "E3692", { Engine = { "mysql", "postgres" } }, forbids = MULTI_AZ_ONLY,
    needs = words "AllocatedStorage DBClusterInstanceClass Iops StorageType",
    values = { StorageType = words "io1 io2 gp3" } },
  { "AWS::RDS::DBCluster", "", "E3693", { Engine = { "aurora-mysql", "aurora-postgresql" } },
    forbids = words "AllocatedStorage DBClusterInstanceClass Iops PubliclyAccessible",
    values = { StorageType = words "aurora aurora-iopt1" } },
  { "AWS::RDS::DBInstance", "", "E3682", { Engine = AURORA }, forbids = words
    "AllocatedStorage CopyTagsToSnapshot DeletionProtection EnableIAMDatabaseAuthentication MasterUserPassword" },
  { "AWS::RDS::DBInstance", "", "E3719", { DBClusterIdentifier = false, Engine = { unlike = "^aurora" },
    SourceDBInstanceIdentifier = false }, range = { BackupRetentionPeriod = { 0, 35 } } },
  { "AWS::RDS::DBInstance", "", "E3720", { KmsKeyId = true, Engine = { unlike = "^custom%-" } },
    needs = { "StorageEncrypted" }, values = { StorageEncrypted = { "true" } } },
  { "AWS::RDS::DBInstance", "", "E3721", { Engine = { like = "^oracle" } }, values = { ReplicaMode = words
    "mounted open-read-only" } },
  { "AWS::Route53::HealthCheck", "HealthCheckConfig", "E3661", { Type = "CLOUDWATCH_METRIC" },
    needs = { "AlarmIdentifier" } },
  { "AWS::Route53::RecordSet", "", "E3029", { AliasTarget = true }, forbids = { "TTL" } },
  { "AWS::Route53::RecordSetGroup", "RecordSets/*", "E3029", { AliasTarget = true }, forbids = { "TTL" } },
  { "AWS::S3::Bucket", "IntelligentTieringConfigurations/*/Tierings/*", "E3061", { AccessTier = "ARCHIVE_ACCESS" },
    range = { Days = { 90, 730 } } },
  { "AWS::S3::Bucket", "IntelligentTieringConfigurations/*/Tierings/*", "E3061", { AccessTier = "DEEP_ARCHIVE_ACCESS" },
    range = { Days = { 180, 730 } } },
  { "AWS::SQS::Queue", "", "E3501", { FifoQueue = "true" }, like = { QueueName = "%.fifo$" } },
  { "AWS::SQS::Queue", "", "E3501", { FifoQueue = "false" },
    forbids = words "ContentBasedDeduplication DeduplicationScope FifoThroughputLimit" },
  { "AWS::SQS::Queue", "", "E3501", { FifoQueue = false },
    forbids = words "ContentBasedDeduplication DeduplicationScope FifoThroughputLimit" },
}

for _, place in ipairs(EBS) do
  local type_name, path = place:match("^(.-)|(.+)$")
  cases[#cases + 1] = { type_name, path, "E3671", { VolumeType = "io1" }, needs = { "Iops" },
    range = { Iops = { 100, 64000 } } }
  cases[#cases + 1] = { type_name, path, "E3671", { VolumeType = "io2" }, needs = { "Iops" },
    range = { Iops = { 100, 256000 } } }
  cases[#cases + 1] = { type_name, path, "E3671", { VolumeType = "gp3" }, range = { Iops = { 3000, 80000 } } }
  cases[#cases + 1] = { type_name, path:gsub("/Ebs$", ""), "E3715", { VirtualName = true, Ebs = false },
    like = { VirtualName = "^ephemeral[12]?%d$" } }
end

return cases
