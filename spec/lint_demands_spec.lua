-- What single services demand of their resources: a template that breaks it, and one that does not, for each rule.
-- luacheck: no max line length
local engine = require "lint.engine"

-- The rules found, each once, in the order of their places.
local function rules_of(text)
  local list, seen = {}, {}
  for _, one in ipairs((engine.text(text, "t.yaml", { ignore = { "W", "E2531", "E2533" } }))) do
    if not seen[one.rule] then list[#list + 1] = one.rule end
    seen[one.rule] = true
  end
  return table.concat(list, " ")
end

local function resource(type_name, properties, rest)
  return ("Parameters:\n  P: { Type: String }\nResources:\n  A: { Type: %s, Properties: { %s } }\n%s"):format(type_name,
    properties, rest or "")
end

local ROLE = "Role: !Ref P"
local FUNCTION = ROLE .. ", Handler: a.b, Code: { ZipFile: x }, "
local TARGETS = "Name: a, "
local CONTAINER = "{ Name: a, Image: a }"
local FARGATE = "RequiresCompatibilities: [FARGATE], NetworkMode: awsvpc, ContainerDefinitions: [" .. CONTAINER .. "], "
local LOGGED = "ContainerDefinitions: [{ Name: a, Image: a, LogConfiguration: { LogDriver: awslogs, Options: { %s } } }]"
local INSTANCE = "DBInstanceClass: db.t3.medium, "

-- Rule, type, properties that break it, properties that do not, the rest of the template (or of both).
local ROWS = {
  { "E2530", "AWS::Lambda::Function", FUNCTION .. "Runtime: python3.9, SnapStart: { ApplyOn: PublishedVersions }",
    FUNCTION .. "Runtime: python3.13, SnapStart: { ApplyOn: PublishedVersions }" },
  { "E3013", "AWS::CloudFront::Distribution",
    "DistributionConfig: { Enabled: true, Aliases: [a.*.example.com], DefaultCacheBehavior: { TargetOriginId: a, "
    .. "ViewerProtocolPolicy: allow-all }, Origins: [{ Id: a, DomainName: a.example, S3OriginConfig: {} }] }",
    "DistributionConfig: { Enabled: true, Aliases: ['*.example.com'], DefaultCacheBehavior: { TargetOriginId: a, "
    .. "ViewerProtocolPolicy: allow-all }, Origins: [{ Id: a, DomainName: a.example, S3OriginConfig: {} }] }" },
  { "E3057", "AWS::CloudFront::Distribution",
    "DistributionConfig: { Enabled: true, DefaultCacheBehavior: { TargetOriginId: b, ViewerProtocolPolicy: allow-all }, "
    .. "Origins: [{ Id: a, DomainName: a.example, S3OriginConfig: {} }] }",
    "DistributionConfig: { Enabled: true, DefaultCacheBehavior: { TargetOriginId: a, ViewerProtocolPolicy: allow-all }, "
    .. "Origins: [{ Id: a, DomainName: a.example, S3OriginConfig: {} }] }" },
  { "E3023", "AWS::Route53::RecordSet", "Name: a.example., HostedZoneId: Z1, TTL: '60', Type: A, ResourceRecords: [a.b]",
    "Name: a.example., HostedZoneId: Z1, TTL: '60', Type: A, ResourceRecords: [192.0.2.1]" },
  { "E3023", "AWS::Route53::RecordSet", "Name: a.example., HostedZoneId: Z1, TTL: '60', Type: AAAA, ResourceRecords: ['1:2:3:4:5:6:7']",
    "Name: a.example., HostedZoneId: Z1, TTL: '60', Type: AAAA, ResourceRecords: ['2001:db8::1', '::', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1']" },
  { "E3027", "AWS::Events::Rule", "ScheduleExpression: rate(5 minute)", "ScheduleExpression: rate(5 minutes)" },
  { "E3027", "AWS::Events::Rule", "ScheduleExpression: cron(0 12 * * * *)", "ScheduleExpression: cron(0 12 * * ? *)" },
  { "E3029", "AWS::Route53::RecordSet", "Name: a.example., HostedZoneId: Z1, Type: A, TTL: '60', AliasTarget: { "
    .. "DNSName: b.example, HostedZoneId: Z1 }",
    "Name: a.example., HostedZoneId: Z1, Type: A, AliasTarget: { DNSName: b.example, HostedZoneId: Z1 }" },
  { "E3042", "AWS::ECS::TaskDefinition", "ContainerDefinitions: [{ Name: a, Image: a, Essential: false }]",
    "ContainerDefinitions: [{ Name: a, Image: a, Essential: true }]" },
  { "E3044", "AWS::ECS::Service", "LaunchType: FARGATE, SchedulingStrategy: DAEMON",
    "LaunchType: FARGATE, SchedulingStrategy: REPLICA" },
  { "E3045", "AWS::S3::Bucket", "AccessControl: PublicRead", "AccessControl: Private" },
  { "E3046", "AWS::ECS::TaskDefinition", LOGGED:format("awslogs-group: a"),
    LOGGED:format("awslogs-group: a, awslogs-region: b") },
  { "E3046", "AWS::ECS::TaskDefinition", LOGGED:format("awslogs-group: a, awslogs-region: b, awslogs-prefix: c"),
    LOGGED:format("awslogs-group: a, awslogs-region: b, awslogs-stream-prefix: c") },
  { "E3047", "AWS::ECS::TaskDefinition", FARGATE .. "Cpu: 256, Memory: 4096", FARGATE .. "Cpu: '1 vCPU', Memory: 2 GB" },
  { "E3048", "AWS::ECS::TaskDefinition", FARGATE .. "Cpu: 256", FARGATE .. "Cpu: 256, Memory: 512" },
  { "E3053", "AWS::ECS::TaskDefinition", "NetworkMode: awsvpc, ContainerDefinitions: [{ Name: a, Image: a, "
    .. "PortMappings: [{ HostPort: 80, ContainerPort: 8080 }] }]", "NetworkMode: awsvpc, ContainerDefinitions: [{ Name: a, "
    .. "Image: a, PortMappings: [{ HostPort: 80, ContainerPort: 80 }] }]" },
  { "E3056", "AWS::AutoScaling::AutoScalingGroup",
    "MinSize: '1', MaxSize: '2', LaunchConfigurationName: a, HealthCheckType: 'EC2,ELB'",
    "MinSize: '1', MaxSize: '2', LaunchConfigurationName: a, HealthCheckType: 'EBS,ELB'" },
  { "E3061", "AWS::S3::Bucket", "IntelligentTieringConfigurations: [{ Id: a, Status: Enabled, Tierings: [{ "
    .. "AccessTier: DEEP_ARCHIVE_ACCESS, Days: 90 }] }]", "IntelligentTieringConfigurations: [{ Id: a, Status: Enabled, "
    .. "Tierings: [{ AccessTier: ARCHIVE_ACCESS, Days: 90 }] }]" },
  { "E3501", "AWS::SQS::Queue", "FifoQueue: true, QueueName: a", "FifoQueue: true, QueueName: a.fifo" },
  { "E3501", "AWS::SQS::Queue", "ContentBasedDeduplication: true", "FifoQueue: true, ContentBasedDeduplication: true" },
  { "E3502", "AWS::SQS::Queue", "FifoQueue: true, RedrivePolicy: { deadLetterTargetArn: !GetAtt B.Arn }",
    "RedrivePolicy: { deadLetterTargetArn: !GetAtt B.Arn }", "  B: { Type: AWS::SQS::Queue }" },
  { "E3503", "AWS::CertificateManager::Certificate", "DomainName: a.example.com, DomainValidationOptions: [{ "
    .. "DomainName: a.example.com, ValidationDomain: example.org }]", "DomainName: a.example.com, DomainValidationOptions: "
    .. "[{ DomainName: a.example.com, ValidationDomain: example.com }]" },
  { "E3504", "AWS::Backup::BackupPlan", "BackupPlan: { BackupPlanName: a, BackupPlanRule: [{ RuleName: a, "
    .. "TargetBackupVault: aa, Lifecycle: { MoveToColdStorageAfterDays: 30, DeleteAfterDays: 60 } }] }",
    "BackupPlan: { BackupPlanName: a, BackupPlanRule: [{ RuleName: a, TargetBackupVault: aa, Lifecycle: { "
    .. "MoveToColdStorageAfterDays: 30, DeleteAfterDays: 120 } }] }" },
  { "E3505", "AWS::Lambda::EventSourceMapping", "FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn",
    "FunctionName: !Ref P, EventSourceArn: !GetAtt Q.Arn", "  Q: { Type: AWS::SQS::Queue }\n  F: { Type: "
    .. "AWS::Lambda::Function, Properties: { Role: !Ref P, Handler: a.b, Runtime: python3.13, Code: { ZipFile: x }, "
    .. "Timeout: 60 } }" },
  { "E3615", "AWS::CloudWatch::Alarm", "ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, MetricName: a, "
    .. "Period: 44", "ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, MetricName: a, Period: 120" },
  { "E3633", "AWS::Lambda::EventSourceMapping",
    "FunctionName: a, EventSourceArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/a'",
    "FunctionName: a, EventSourceArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/a', StartingPosition: LATEST" },
  { "E3634", "AWS::Lambda::EventSourceMapping",
    "FunctionName: a, EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:a', StartingPosition: LATEST",
    "FunctionName: a, EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:a'" },
  { "E3636", "AWS::CodeBuild::Project", "ServiceRole: !Ref P, Artifacts: { Type: NO_ARTIFACTS }, Source: { Type: S3 }, "
    .. "Environment: { ComputeType: BUILD_GENERAL1_SMALL, Image: a, Type: LINUX_CONTAINER }",
    "ServiceRole: !Ref P, Artifacts: { Type: NO_ARTIFACTS }, Source: { Type: S3, Location: a/b.zip }, "
    .. "Environment: { ComputeType: BUILD_GENERAL1_SMALL, Image: a, Type: LINUX_CONTAINER }" },
  { "E3638", "AWS::DynamoDB::Table", "BillingMode: PAY_PER_REQUEST, ProvisionedThroughput: { ReadCapacityUnits: 1, "
    .. "WriteCapacityUnits: 1 }, AttributeDefinitions: [{ AttributeName: a, AttributeType: S }], KeySchema: [{ "
    .. "AttributeName: a, KeyType: HASH }]", "BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{ AttributeName: a, "
    .. "AttributeType: S }], KeySchema: [{ AttributeName: a, KeyType: HASH }]" },
  { "E3639", "AWS::DynamoDB::Table", "BillingMode: PROVISIONED, AttributeDefinitions: [{ AttributeName: a, "
    .. "AttributeType: S }], KeySchema: [{ AttributeName: a, KeyType: HASH }]", "BillingMode: PROVISIONED, "
    .. "ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 }, AttributeDefinitions: [{ AttributeName: a, "
    .. "AttributeType: S }], KeySchema: [{ AttributeName: a, KeyType: HASH }]" },
  { "E3661", "AWS::Route53::HealthCheck", "HealthCheckConfig: { Type: CLOUDWATCH_METRIC }",
    "HealthCheckConfig: { Type: CLOUDWATCH_METRIC, AlarmIdentifier: { Name: a, Region: us-east-1 } }" },
  { "E3663", "AWS::Lambda::Function", FUNCTION .. "Runtime: python3.13, Environment: { Variables: { AWS_REGION: a } }",
    FUNCTION .. "Runtime: python3.13, Environment: { Variables: { REGION: a } }" },
  { "E3671", "AWS::EC2::Instance", "ImageId: ami-12345678, BlockDeviceMappings: [{ DeviceName: a, Ebs: { VolumeType: io1, "
    .. "VolumeSize: 10 } }]", "ImageId: ami-12345678, BlockDeviceMappings: [{ DeviceName: a, Ebs: { VolumeType: io1, "
    .. "VolumeSize: 10, Iops: 100 } }]" },
  { "E3676", "AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn: !Ref P, Port: 443, Protocol: HTTPS, "
    .. "DefaultActions: [{ Type: forward, TargetGroupArn: !Ref P }]", "LoadBalancerArn: !Ref P, Port: 443, Protocol: HTTPS, "
    .. "Certificates: [{ CertificateArn: !Ref P }], DefaultActions: [{ Type: forward, TargetGroupArn: !Ref P }]" },
  { "E3677", "AWS::Lambda::Function", FUNCTION .. "Runtime: ruby3.4", FUNCTION .. "Runtime: nodejs24.x" },
  { "E3679", "AWS::ElasticLoadBalancing::LoadBalancer",
    "Listeners: [{ Protocol: HTTPS, LoadBalancerPort: '443', InstancePort: '80' }]",
    "Listeners: [{ Protocol: HTTPS, LoadBalancerPort: '443', InstancePort: '80', SSLCertificateId: !Ref P }]" },
  { "E3680", "AWS::ElasticLoadBalancingV2::LoadBalancer", "Subnets: [subnet-12345678]",
    "Subnets: [subnet-12345678, subnet-12345679]" },
  { "E3681", "AWS::ElasticLoadBalancingV2::TargetGroup", TARGETS .. "TargetType: lambda, Port: 80",
    TARGETS .. "TargetType: lambda" },
  { "E3683", "AWS::ElasticLoadBalancingV2::TargetGroup", "VpcId: vpc-12345678, Protocol: GENEVE, Port: 80",
    "VpcId: vpc-12345678, Protocol: GENEVE, Port: 6081" },
  { "E3684", "AWS::ElasticLoadBalancingV2::TargetGroup",
    "VpcId: vpc-12345678, Protocol: TCP, Port: 80, HealthCheckProtocol: TCP, Matcher: { HttpCode: '200' }",
    "VpcId: vpc-12345678, Protocol: TCP, Port: 80, HealthCheckProtocol: HTTP, Matcher: { HttpCode: '200' }" },
  { "E3682", "AWS::RDS::DBInstance", INSTANCE .. "Engine: aurora-mysql, AllocatedStorage: '10'",
    INSTANCE .. "Engine: aurora-mysql, DBClusterIdentifier: !Ref P" },
  { "E3686", "AWS::RDS::DBCluster", "Engine: aurora-mysql, EngineMode: provisioned, ScalingConfiguration: { MinCapacity: 1 }",
    "Engine: aurora-mysql, EngineMode: serverless, ScalingConfiguration: { MinCapacity: 1 }" },
  { "E3688", "AWS::EC2::SecurityGroup", "GroupDescription: a, SecurityGroupIngress: [{ IpProtocol: '-1', FromPort: -1, "
    .. "ToPort: 80, CidrIp: 10.0.0.0/8 }]", "GroupDescription: a, SecurityGroupIngress: [{ IpProtocol: '-1', FromPort: -1, "
    .. "ToPort: -1, CidrIp: 10.0.0.0/8 }]" },
  { "E3689", "AWS::RDS::DBCluster", "Engine: aurora-mysql, MonitoringRoleArn: !Ref P",
    "Engine: aurora-mysql, MonitoringRoleArn: !Ref P, MonitoringInterval: 60" },
  { "E3692", "AWS::RDS::DBCluster", "Engine: mysql", "Engine: mysql, AllocatedStorage: 100, DBClusterInstanceClass: "
    .. "db.m6gd.large, Iops: 1000, StorageType: io1" },
  { "E3693", "AWS::RDS::DBCluster", "Engine: aurora-mysql, Iops: 1000", "Engine: aurora-mysql, StorageType: aurora" },
  { "E3695", "AWS::ElastiCache::CacheCluster", "CacheNodeType: cache.t3.micro, NumCacheNodes: 1, Engine: redys",
    "CacheNodeType: cache.t3.micro, NumCacheNodes: 1, Engine: redis" },
  { "E3696", "AWS::Lambda::Function", FUNCTION .. "Runtime: python3.13, LoggingConfig: { LogFormat: Text, "
    .. "SystemLogLevel: INFO }", FUNCTION .. "Runtime: python3.13, LoggingConfig: { LogFormat: JSON, SystemLogLevel: INFO }" },
  { "E3698", "AWS::ApiGateway::Stage", "RestApiId: a, DeploymentId: !Ref D", "RestApiId: b, DeploymentId: !Ref D",
    "  D: { Type: AWS::ApiGateway::Deployment, Properties: { RestApiId: b } }" },
  { "E3700", "AWS::CodePipeline::Pipeline", "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, "
    .. "Actions: [{ Name: a, ActionTypeId: { Category: Approval, Owner: AWS, Provider: Manual, Version: '1' } }] }, { Name: b, "
    .. "Actions: [{ Name: a, ActionTypeId: { Category: Approval, Owner: AWS, Provider: Manual, Version: '1' } }] }]",
    "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, Actions: [{ Name: a, "
    .. "OutputArtifacts: [{ Name: x }], ActionTypeId: { Category: Source, Owner: AWS, Provider: CodeCommit, Version: '1' } }] "
    .. "}, { Name: b, Actions: [{ Name: a, ActionTypeId: { Category: Approval, Owner: AWS, Provider: Manual, "
    .. "Version: '1' } }] }]" },
  { "E3701", "AWS::CodePipeline::Pipeline", "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, "
    .. "Actions: [{ Name: a, OutputArtifacts: [{ Name: x }], ActionTypeId: { Category: Source, Owner: AWS, Provider: "
    .. "CodeCommit, Version: '1' } }] }, { Name: b, Actions: [{ Name: a, InputArtifacts: [{ Name: y }], ActionTypeId: { "
    .. "Category: Build, Owner: AWS, Provider: CodeBuild, Version: '1' } }] }]",
    "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, "
    .. "Actions: [{ Name: a, OutputArtifacts: [{ Name: x }], ActionTypeId: { Category: Source, Owner: AWS, Provider: "
    .. "CodeCommit, Version: '1' } }] }, { Name: b, Actions: [{ Name: a, InputArtifacts: [{ Name: x }], ActionTypeId: { "
    .. "Category: Build, Owner: AWS, Provider: CodeBuild, Version: '1' } }] }]" },
  { "E3702", "AWS::CodePipeline::Pipeline", "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, "
    .. "Actions: [{ Name: a, ActionTypeId: { Category: Source, Owner: AWS, Provider: S3, Version: '1' } }] }, { Name: b, "
    .. "Actions: [{ Name: a, ActionTypeId: { Category: Approval, Owner: AWS, Provider: Manual, Version: '1' } }] }]",
    "RoleArn: !Ref P, ArtifactStore: { Type: S3, Location: aaa }, Stages: [{ Name: a, Actions: [{ Name: a, "
    .. "OutputArtifacts: [{ Name: x }], ActionTypeId: { Category: Source, Owner: AWS, Provider: S3, Version: '1' } }] }, { "
    .. "Name: b, Actions: [{ Name: a, ActionTypeId: { Category: Approval, Owner: AWS, Provider: Manual, Version: '1' } }] }]" },
  { "E3704", "AWS::ElastiCache::ReplicationGroup", "ReplicationGroupDescription: a, Engine: valkey",
    "ReplicationGroupDescription: a, Engine: valkey, TransitEncryptionEnabled: true" },
  { "E3705", "AWS::Lambda::EventSourceMapping", "FunctionName: a, BatchSize: 100, EventSourceArn: !GetAtt Q.Arn",
    "FunctionName: a, BatchSize: 10, EventSourceArn: !GetAtt Q.Arn",
    "  Q: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true } }" },
  { "E3706", "AWS::AutoScaling::AutoScalingGroup", "MinSize: '3', MaxSize: '2', LaunchConfigurationName: a",
    "MinSize: '2', MaxSize: '3', LaunchConfigurationName: a" },
  { "E3707", "AWS::RDS::DBInstance", INSTANCE .. "Engine: aurora-mysql, DBClusterIdentifier: !Ref C",
    INSTANCE .. "Engine: aurora-postgresql, DBClusterIdentifier: !Ref C",
    "  C: { Type: AWS::RDS::DBCluster, Properties: { Engine: aurora-postgresql } }" },
  { "E3708", "AWS::ApiGateway::Method", "RestApiId: a, ResourceId: b, HttpMethod: GET, AuthorizationType: CUSTOM, "
    .. "AuthorizerId: !Ref Z", "RestApiId: a, ResourceId: b, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, "
    .. "AuthorizerId: !Ref Z", "  Z: { Type: AWS::ApiGateway::Authorizer, Properties: { Name: a, RestApiId: a, Type: "
    .. "COGNITO_USER_POOLS } }" },
  { "E3710", "AWS::QLDB::Ledger", "PermissionsMode: STANDARD", nil },
  { "E3715", "AWS::EC2::Instance", "ImageId: ami-12345678, BlockDeviceMappings: [{ DeviceName: a, VirtualName: disk0 }]",
    "ImageId: ami-12345678, BlockDeviceMappings: [{ DeviceName: a, VirtualName: ephemeral0 }]" },
  { "E3719", "AWS::RDS::DBInstance", INSTANCE .. "Engine: mysql, BackupRetentionPeriod: 36",
    INSTANCE .. "Engine: mysql, BackupRetentionPeriod: 35" },
  { "E3720", "AWS::RDS::DBInstance", INSTANCE .. "Engine: mysql, KmsKeyId: !Ref P",
    INSTANCE .. "Engine: mysql, KmsKeyId: !Ref P, StorageEncrypted: true" },
}

local POLICY = "ManagedPolicyName: a, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Resource: '*', %s }] }"
for _, row in ipairs {
  { "E3510", "Action: []", "Action: ['s3:Get*']" },
  { "E3510", "Action: [{ a: b }]", "Action: [!Ref P]" },
  { "E3510", "Action: 's3:*', Condition: { StringEqual: { 'aws:SourceAccount': '123456789012' } }",
    "Action: 's3:*', Condition: { 'ForAnyValue:StringEqualsIfExists': { 'aws:SourceAccount': '123456789012' } }" },
} do
  ROWS[#ROWS + 1] = { row[1], "AWS::IAM::ManagedPolicy", POLICY:format(row[2]), POLICY:format(row[3]) }
end

-- Classes of instances: rule, type, property, a class that is none, one that is.
local CLASSES = {
  { "E3641", "AWS::GameLift::Fleet", "Name: a, EC2InstanceType: %s", "t1.small", "c5.large" },
  { "E3670", "AWS::AmazonMQ::Broker", "BrokerName: a, EngineType: ACTIVEMQ, DeploymentMode: SINGLE_INSTANCE, "
    .. "PubliclyAccessible: false, Users: [{ Username: abc, Password: !Ref P }], HostInstanceType: %s", "t2.micro",
    "mq.t3.micro" },
  { "E3672", "AWS::DAX::Cluster", "IAMRoleARN: !Ref P, ReplicationFactor: 1, NodeType: %s", "t2.small", "dax.t2.small" },
  { "E3620", "AWS::DocDB::DBInstance", "DBClusterIdentifier: !Ref P, DBInstanceClass: %s", "db.r4.16xl", "db.r5.large" },
  { "E3635", "AWS::Neptune::DBInstance", "DBInstanceClass: %s", "db.r3.xlarge", "db.r5.xlarge" },
  { "E3647", "AWS::ElastiCache::CacheCluster", "Engine: memcached, NumCacheNodes: 1, CacheNodeType: %s", "t2.small",
    "cache.t3.small" },
  { "E3667", "AWS::Redshift::Cluster", "ClusterType: single-node, DBName: a, MasterUsername: a, MasterUserPassword: "
    .. "!Ref P, NodeType: %s", "ds2.xlarge", "ra3.large" },
  { "E3025", "AWS::RDS::DBInstance", "Engine: mysql, DBInstanceClass: %s", "db.t3.tiny", "db.t3.medium" },
  { "E3694", "AWS::RDS::DBCluster", "Engine: mysql, AllocatedStorage: 100, StorageType: io1, Iops: 1000, "
    .. "DBClusterInstanceClass: %s", "r6gd.large", "db.r6gd.large" },
}
for _, row in ipairs(CLASSES) do
  ROWS[#ROWS + 1] = { row[1], row[2], row[3]:format(row[4]), row[3]:format(row[5]) }
end

-- Rule, a whole template that breaks it, one that does not.
local VPC = "Resources:\n  V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }\n"
local function subnet(name, range)
  return ("  %s: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref V, CidrBlock: %s } }\n"):format(name, range)
end
local function route(name)
  return ("  %s: { Type: AWS::EC2::SubnetRouteTableAssociation, Properties: { SubnetId: !Ref S, RouteTableId: %s } }\n")
    :format(name, name)
end
local TOPIC = "Resources: { A: { Type: AWS::SNS::Topic } }\n"

local SERVERLESS = "Transform: AWS::Serverless-2016-10-31\nResources:\n  A: { Type: AWS::SNS::Topic, Properties: { "
  .. "DisplayName: !GetAtt F.%s } }\n  F: { Type: AWS::Serverless::Function, Properties: { Handler: a.b, Runtime: "
  .. "python3.13, InlineCode: x } }\n"
local MACHINE = "Resources:\n  A: { Type: AWS::StepFunctions::StateMachine, Properties: { RoleArn: !Sub '${AWS::StackName}', "
  .. "Definition: %s } }\n"
local TEXT_MACHINE = "Resources:\n  A: { Type: AWS::StepFunctions::StateMachine, Properties: { RoleArn: !Sub "
  .. "'${AWS::StackName}', DefinitionString: '%s' } }\n"
local GOOD_MACHINE = MACHINE:format("{ StartAt: a, States: { a: { Type: Pass, Next: b }, b: { Type: Succeed } } }")

local TEMPLATES = {
  { "E3022", VPC .. subnet("S", "10.0.0.0/24") .. route "A" .. route "B",
    VPC .. subnet("S", "10.0.0.0/24") .. route "A" },
  { "E3059", VPC .. subnet("S", "10.1.0.0/24"), VPC .. subnet("S", "10.0.1.0/24") },
  { "E3060", VPC .. subnet("S", "10.0.0.0/23") .. subnet("T", "10.0.1.0/24"),
    VPC .. subnet("S", "10.0.0.0/24") .. subnet("T", "10.0.1.0/24") },
  { "E3052", "Resources:\n  S: { Type: AWS::ECS::Service, Properties: { TaskDefinition: !Ref T } }\n  T: { Type: "
    .. "AWS::ECS::TaskDefinition, Properties: { NetworkMode: awsvpc } }", "Resources:\n  S: { Type: AWS::ECS::Service, "
    .. "Properties: { TaskDefinition: !Ref T } }\n  T: { Type: AWS::ECS::TaskDefinition, Properties: { NetworkMode: host } }" },
  { "E3009", "Resources: { A: { Type: AWS::SNS::Topic, Metadata: { AWS::CloudFormation::Init: { config: { packages: { "
    .. "yam: {} } } } } } }", "Resources: { A: { Type: AWS::SNS::Topic, Metadata: { AWS::CloudFormation::Init: { config: { "
    .. "packages: { yum: { httpd: [] } } } } } } }" },
  { "E3016", "Resources: { A: { Type: AWS::SNS::Topic, UpdatePolicy: { EnableVersionUpgrade: true } } }",
    "Resources: { A: { Type: AWS::OpenSearchService::Domain, UpdatePolicy: { EnableVersionUpgrade: true } } }" },
  { "E3055", "Resources: { A: { Type: AWS::CloudFormation::WaitCondition, CreationPolicy: { ResourceSignal: { Counts: 1 } } } }",
    "Resources: { A: { Type: AWS::CloudFormation::WaitCondition, CreationPolicy: { ResourceSignal: { Count: 1 } } } }" },
  { "E4001", TOPIC .. "Metadata: { AWS::CloudFormation::Interface: { ParameterGroup: [] } }",
    TOPIC .. "Metadata: { AWS::CloudFormation::Interface: { ParameterGroups: [] } }" },
  { "E1020", TOPIC .. "Conditions: { C: !Equals [!Ref AWS::RegionId, a] }",
    TOPIC .. "Conditions: { C: !Equals [!Ref AWS::Region, a] }" },
  { "E3002", "Resources: { A: { Type: AWS::CDK::Metadata, Properties: { Analytic: v2 } } }",
    "Resources: { A: { Type: AWS::CDK::Metadata, Properties: { Analytics: v2 } } }" },
  { "E1019", "Resources: { A: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub ['${a}', { a: [b] }] } } }",
    "Resources: { A: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub ['${a}', { a: b }] } } }" },
  { "E1010", SERVERLESS:format("Arnx"), SERVERLESS:format("Arn") },
  { "E3601", MACHINE:format("{ States: { a: { Type: Succeed } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: b, States: { a: { Type: Succeed } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Done } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Pass } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Pass, End: true, Nxt: a } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Task, End: true, Resource: '{$x}' } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Choice } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Map, End: true } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Parallel, End: true, Branches: [{ StartAt: b, States: {} }] } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Choice, Choices: [{ Variable: $.a, Next: a }] } } }"), GOOD_MACHINE },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Pass, End: true, Arguments: {} } } }"), GOOD_MACHINE },
  { "E3601", TEXT_MACHINE:format('{"StartAt":"a","States":{"a":{"Type":"Pass"}}}'),
    TEXT_MACHINE:format('{"StartAt":"a","States":{"a":{"Type":"Pass","Result":"${x}","End":true}}}') },
  { "E3601", MACHINE:format("{ StartAt: a, States: { a: { Type: Succeed, Next: b } } }"),
    MACHINE:format("{ StartAt: a, QueryLanguage: JSONata, States: { a: { Type: Choice, Choices: [{ Condition: x, Next: b }] "
      .. "}, b: { Type: Task, Resource: arn:aws:states:::sqs:sendMessage.waitForTaskToken, Arguments: {}, End: true } } }") },
  { "E7001", TOPIC .. "Mappings: { M: { a-b: { c-d: x } } }", TOPIC .. "Mappings: { M: { a-b: { cd: x } } }" },
}

describe("the demands of a service", function()
  for index, row in ipairs(ROWS) do
    it(("are known: %s (%d)"):format(row[1], index), function()
      assert.equal(row[1], rules_of(resource(row[2], row[3], row[5])))
      if row[4] then assert.equal("", rules_of(resource(row[2], row[4], row[5]))) end
    end)
  end

  for _, row in ipairs(TEMPLATES) do
    it("are known: " .. row[1], function()
      assert.equal(row[1], rules_of(row[2]))
      assert.equal("", rules_of(row[3]))
    end)
  end

  it("are not broken by what a function gives", function()
    assert.equal("", rules_of(resource("AWS::SQS::Queue", "FifoQueue: true, QueueName: !Ref P")))
    assert.equal("", rules_of(resource("AWS::DynamoDB::Table", "BillingMode: !Ref P, ProvisionedThroughput: { "
      .. "ReadCapacityUnits: 1, WriteCapacityUnits: 1 }, AttributeDefinitions: [{ AttributeName: a, AttributeType: S }], "
      .. "KeySchema: [{ AttributeName: a, KeyType: HASH }]")))
    assert.equal("", rules_of(resource("AWS::ElasticLoadBalancingV2::LoadBalancer", "Subnets: !Split [',', !Ref P]")))
  end)
end)
