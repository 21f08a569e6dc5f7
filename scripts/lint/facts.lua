--- What resource types demand beyond their schema: values, ranges, lengths, members that exclude or need each other.
-- Data, from the services' documentation; lint.services checks it. A path is that of a property below Properties, with
-- * for the elements of a list.

local facts = {}

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local RUNTIMES = words [[ dotnet10 dotnet6 dotnet8 dotnetcore1.0 dotnetcore2.0 dotnetcore2.1 dotnetcore3.1 go1.x java8
  java8.al2 java11 java17 java21 java25 nodejs nodejs4.3 nodejs4.3-edge nodejs6.10 nodejs8.10 nodejs10.x nodejs12.x
  nodejs14.x nodejs16.x nodejs18.x nodejs20.x nodejs22.x nodejs24.x provided provided.al2 provided.al2023 python2.7
  python3.6 python3.7 python3.8 python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 ruby2.5 ruby2.7 ruby3.2
  ruby3.3 ruby3.4 ]]
local REGIONS = words [[ af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
  ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-central-1 ca-west-1 cn-north-1
  cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1
  me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1 ]]
local ENGINES = words [[ aurora-mysql aurora-postgresql custom-oracle-ee custom-oracle-ee-cdb custom-sqlserver-ee
  custom-sqlserver-se custom-sqlserver-web custom-oracle-se2 custom-oracle-se2-cdb db2-ae db2-se mariadb mysql oracle-ee
  oracle-ee-cdb oracle-se2 oracle-se2-cdb postgres sqlserver-ee sqlserver-se sqlserver-ex sqlserver-web ]]
local VOLUMES = words "gp2 gp3 io1 io2 sc1 st1 standard"
local PROTOCOLS = words "HTTP HTTPS TCP SSL"

--- Path -> { rule, values }; ignoring: case does not matter.
facts.ENUMS = {
  ["AWS::AutoScaling::LaunchConfiguration"] = { ["BlockDeviceMappings/*/Ebs/VolumeType"] = { "E3030", VOLUMES } },
  ["AWS::DynamoDB::Table"] = { ["KeySchema/*/KeyType"] = { "E3030", { "HASH", "RANGE" } },
    ["AttributeDefinitions/*/AttributeType"] = { "E3030", { "S", "N", "B" } },
    ["StreamSpecification/StreamViewType"] = { "E3030", words "KEYS_ONLY NEW_AND_OLD_IMAGES NEW_IMAGE OLD_IMAGE" },
    ["BillingMode"] = { "E3030", { "PROVISIONED", "PAY_PER_REQUEST" } } },
  ["AWS::EC2::EIP"] = { Domain = { "E3030", { "standard", "vpc" }, ignoring = true } },
  ["AWS::EC2::Instance"] = { ["BlockDeviceMappings/*/Ebs/VolumeType"] = { "E3030", VOLUMES },
    Tenancy = { "E3030", { "dedicated", "default", "host" } } },
  ["AWS::EC2::LaunchTemplate"] = {
    ["LaunchTemplateData/BlockDeviceMappings/*/Ebs/VolumeType"] = { "E3030", VOLUMES } },
  ["AWS::EC2::Volume"] = { VolumeType = { "E3030", VOLUMES } },
  ["AWS::EC2::VPC"] = { InstanceTenancy = { "E3030", { "dedicated", "default", "host" } } },
  ["AWS::ElasticLoadBalancing::LoadBalancer"] = { ["Listeners/*/Protocol"] = { "E3030", PROTOCOLS, ignoring = true },
    ["Listeners/*/InstanceProtocol"] = { "E3030", PROTOCOLS, ignoring = true } },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { Scheme = { "E3030", { "internal", "internet-facing" } },
    Type = { "E3030", { "application", "gateway", "network" } } },
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = { TargetType = { "E3030", { "alb", "instance", "ip", "lambda" } },
    Protocol = { "E3030", words "GENEVE HTTP HTTPS QUIC TCP TCP_QUIC TCP_UDP TLS UDP" } },
  ["AWS::Events::Rule"] = { State = { "E3030", words
    "DISABLED ENABLED ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" } },
  ["AWS::Lambda::Function"] = { Runtime = { "E3030", RUNTIMES }, PackageType = { "E3030", { "Image", "Zip" } },
    ["Architectures/*"] = { "E3030", { "arm64", "x86_64" } }, ["TracingConfig/Mode"] = { "E3030",
    { "Active", "PassThrough" } } },
  ["AWS::Lambda::LayerVersion"] = { ["CompatibleRuntimes/*"] = { "E3030", RUNTIMES } },
  ["AWS::RDS::DBCluster"] = { Engine = { "E3690", words "aurora-mysql aurora-postgresql mysql postgres neptune" } },
  ["AWS::RDS::DBInstance"] = { Engine = { "E3691", ENGINES, ignoring = true } },
  ["AWS::Route53::HealthCheck"] = { ["HealthCheckConfig/AlarmIdentifier/Region"] = { "E3030", REGIONS },
    ["HealthCheckConfig/Type"] = { "E3030", words [[ CALCULATED CLOUDWATCH_METRIC HTTP HTTP_STR_MATCH HTTPS
      HTTPS_STR_MATCH TCP RECOVERY_CONTROL ]] } },
  ["AWS::Route53::RecordSet"] = { Type = { "E3030", words
    "A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT" } },
  ["AWS::S3::Bucket"] = { ["VersioningConfiguration/Status"] = { "E3030", { "Enabled", "Suspended" } },
    ["CorsConfiguration/CorsRules/*/AllowedMethods/*"] = { "E3030", words "GET PUT HEAD POST DELETE" } },
}

--- Path -> { rule of ranges, least, most }.
facts.RANGES = {
  ["AWS::SQS::Queue"] = { ReceiveMessageWaitTimeSeconds = { 0, 20 }, VisibilityTimeout = { 0, 43200 },
    MessageRetentionPeriod = { 60, 1209600 }, DelaySeconds = { 0, 900 }, MaximumMessageSize = { 1024, 1048576 },
    KmsDataKeyReusePeriodSeconds = { 60, 86400 } },
  ["AWS::Lambda::Function"] = { MemorySize = { 128, 10240 }, Timeout = { 1, 900 } },
  ["AWS::EC2::SecurityGroup"] = { ["SecurityGroupIngress/*/FromPort"] = { -1, 65535 },
    ["SecurityGroupIngress/*/ToPort"] = { -1, 65535 } },
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = { Port = { 1, 65535 }, HealthCheckIntervalSeconds = { 5, 300 } },
  ["AWS::ElasticLoadBalancingV2::Listener"] = { Port = { 1, 65535 } },
  ["AWS::KMS::Key"] = { PendingWindowInDays = { 7, 30 } },
}

--- Path -> { shortest, longest }.
facts.LENGTHS = {
  ["AWS::EC2::SecurityGroup"] = { GroupDescription = { 1, 255 } },
  ["AWS::IAM::Role"] = { RoleName = { 1, 64 }, Description = { 0, 1000 } },
  ["AWS::IAM::InstanceProfile"] = { InstanceProfileName = { 1, 128 } },
  ["AWS::Lambda::Function"] = { Description = { 0, 256 } },
  ["AWS::CodeCommit::Repository"] = { RepositoryName = { 1, 100 } },
  ["AWS::S3::Bucket"] = { BucketName = { 3, 63 } },
  ["AWS::CodePipeline::Webhook"] = { ["Filters/*/JsonPath"] = { 1, 150 } },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { Name = { 1, 32 } },
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = { Name = { 1, 32 } },
}

--- Path -> { least, most } items.
facts.ITEMS = {
  ["AWS::IAM::InstanceProfile"] = { Roles = { 1, 1 } }, ["AWS::Events::Rule"] = { Targets = { 0, 5 } },
  ["AWS::Route53Resolver::ResolverEndpoint"] = { IpAddresses = { 2, 10 } },
  ["AWS::DynamoDB::Table"] = { KeySchema = { 1, 2 } },
  ["AWS::CloudWatch::Alarm"] = { AlarmActions = { 0, 5 }, OKActions = { 0, 5 }, Dimensions = { 0, 30 } },
}

--- { path of the object ("" for Properties), members }: exactly one of them.
facts.ONLY_ONE = {
  ["AWS::AutoScaling::AutoScalingGroup"] = { { "", words
    "InstanceId LaunchConfigurationName LaunchTemplate MixedInstancesPolicy" } },
  ["AWS::AutoScaling::LaunchConfiguration"] = { { "BlockDeviceMappings/*", words "VirtualName Ebs NoDevice" } },
  ["AWS::EC2::Instance"] = { { "BlockDeviceMappings/*", words "VirtualName Ebs NoDevice" } },
  ["AWS::CloudWatch::Alarm"] = { { "", { "Metrics", "MetricName" } } },
  ["AWS::EC2::SecurityGroupIngress"] = { { "", words [[ CidrIp CidrIpv6 SourcePrefixListId SourceSecurityGroupId
    SourceSecurityGroupName ]] } },
  ["AWS::EC2::SecurityGroupEgress"] = { { "", words
    "CidrIp CidrIpv6 DestinationPrefixListId DestinationSecurityGroupId" } },
  ["AWS::EC2::SecurityGroup"] = { { "SecurityGroupIngress/*", words [[ CidrIp CidrIpv6 SourcePrefixListId
    SourceSecurityGroupId SourceSecurityGroupName ]] }, { "SecurityGroupEgress/*", words
    "CidrIp CidrIpv6 DestinationPrefixListId DestinationSecurityGroupId" } },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { { "", { "Subnets", "SubnetMappings" } } },
  ["AWS::Route53::RecordSet"] = { { "", { "HostedZoneId", "HostedZoneName" } } },
  ["AWS::Route53::RecordSetGroup"] = { { "", { "HostedZoneId", "HostedZoneName" } } },
}

--- { path, members, rule }: at least one of them.
facts.ONE_OF = {
  ["AWS::Events::Rule"] = { { "", { "EventPattern", "ScheduleExpression" }, "E3058" } },
  ["AWS::EC2::VPC"] = { { "", { "CidrBlock", "Ipv4IpamPoolId" }, "E3058" } },
  ["AWS::EC2::Subnet"] = { { "", { "CidrBlock", "Ipv4IpamPoolId", "Ipv6IpamPoolId", "Ipv6CidrBlock" }, "E3058" } },
  ["AWS::EC2::Volume"] = { { "", { "Size", "SnapshotId", "SourceVolumeId" }, "E3017" } },
  ["AWS::IAM::Policy"] = { { "", { "Groups", "Roles", "Users" }, "E3003" } },
  ["AWS::CloudFormation::Stack"] = { { "", { "TemplateURL", "TemplateBody" }, "E3003" } },
  ["AWS::DynamoDB::GlobalTable"] = { { "", { "Replicas" }, "E3003" } },
  ["AWS::EC2::Instance"] = { { "", { "ImageId", "LaunchTemplate" }, "E3673" } },
  ["AWS::ApiGateway::RestApi"] = { { "", { "Name", "Body", "BodyS3Location" }, "E3660" } },
}

--- { path, members }: at most one of them.
facts.EXCLUSIVE = {
  ["AWS::GuardDuty::Detector"] = { { "", { "DataSources", "Features" }, "E3063" } },
  ["AWS::RDS::DBInstance"] = { { "", { "SourceDBInstanceIdentifier", "DBSnapshotIdentifier" }, "E3063" } },
}

--- Path -> { rule, Lua pattern, what it should be }.
facts.PATTERNS = {
  ["AWS::Route53::RecordSet"] = { HostedZoneName = { "E3041", "%.$", "end in a dot" } },
  ["AWS::Route53::RecordSetGroup"] = { HostedZoneName = { "E3041", "%.$", "end in a dot" } },
  ["AWS::CodeCommit::Repository"] = { RepositoryName = { "E3031", "^[%w._-]+$", "match [a-zA-Z0-9._-]+" } },
  ["AWS::Transfer::User"] = { ServerId = { "E3031", "^s%-%x+$", "be a server's id" } },
  ["AWS::EC2::SecurityGroup"] = { GroupDescription = { "E3031", "^[%w%. _%-:/()#,@%[%]+=&;{}!$*]*$",
    "hold only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*" } },
  ["AWS::Lambda::EventSourceMapping"] = { EventSourceArn = { "E3031", "^arn:aws[%w-]*:[%w-]+:[%w-]*:%d*:.+$",
    "be an ARN" } },
  ["AWS::IAM::Role"] = { ["ManagedPolicyArns/*"] = { "E3031", "^arn:aws[%a-]*:iam::[%d%a]+:policy/.+$",
    "be a policy's ARN" } },
  ["AWS::Lambda::Function"] = { ["DeadLetterConfig/TargetArn"] = { "E3031", "^arn:aws[%w-]*:[%w-]+:[%w-]*:%d*:.+$",
    "be an ARN" } },
  ["AWS::Events::Rule"] = { ["Targets/*/DeadLetterConfig/Arn"] = { "E3031", "^arn:aws[%w-]*:sqs:[%w-]+:%d+:.+$",
    "be a queue's ARN" } },
  ["AWS::CloudTrail::Trail"] = { S3BucketName = { "E1161", "^[%l%d.-]+$", "be a bucket's name" } },
}

--- Properties that `aws cloudformation package` fills from a local path: a text is good where an object is wanted.
facts.PACKAGED = {
  ["AWS::Lambda::Function"] = { Code = true }, ["AWS::Lambda::LayerVersion"] = { Content = true },
  ["AWS::ApiGateway::RestApi"] = { BodyS3Location = true },
  ["AWS::StepFunctions::StateMachine"] = { DefinitionS3Location = true },
  ["AWS::AppSync::Resolver"] = { RequestMappingTemplateS3Location = true },
  ["AWS::ElasticBeanstalk::ApplicationVersion"] = { SourceBundle = true },
}

--- Attributes that exist and that the schema does not have.
facts.ATTRIBUTES = {
  ["AWS::Elasticsearch::Domain"] = { DomainArn = "string" },
  ["AWS::OpenSearchService::Domain"] = { DomainArn = "string" },
}

return facts
