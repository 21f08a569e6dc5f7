--- Which properties cannot change in place: a change of one makes a new physical resource (reference part 7,
-- from the resource types' create-only properties).

local replacement = {}

-- Type -> names; a type that is not listed changes in place.
local ALWAYS = {}
for line in ([[
AWS::EC2::VPC CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength
AWS::EC2::Subnet VpcId AvailabilityZone AvailabilityZoneId CidrBlock Ipv6Native OutpostArn
AWS::EC2::NatGateway SubnetId AllocationId ConnectivityType PrivateIpAddress
AWS::EC2::EIP Domain NetworkBorderGroup Address
AWS::EC2::RouteTable VpcId
AWS::EC2::Route RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId
AWS::EC2::SecurityGroup GroupDescription GroupName VpcId
AWS::EC2::LaunchTemplate LaunchTemplateName
AWS::EC2::Instance ImageId KeyName SubnetId NetworkInterfaces AvailabilityZone LaunchTemplate PrivateIpAddress
AWS::EC2::VPCEndpoint ServiceName VpcEndpointType VpcId
AWS::ElasticLoadBalancingV2::LoadBalancer Name Type Scheme
AWS::ElasticLoadBalancingV2::TargetGroup Name Port Protocol ProtocolVersion TargetType VpcId IpAddressType
AWS::ElasticLoadBalancingV2::Listener LoadBalancerArn
AWS::ElasticLoadBalancingV2::ListenerRule ListenerArn
AWS::AutoScaling::AutoScalingGroup AutoScalingGroupName InstanceId
AWS::AutoScaling::ScalingPolicy AutoScalingGroupName
AWS::RDS::DBInstance DBInstanceIdentifier DBName DBSubnetGroupName MasterUsername KmsKeyId StorageEncrypted
AWS::RDS::DBSubnetGroup DBSubnetGroupName
AWS::RDS::DBParameterGroup DBParameterGroupName Family Description
AWS::S3::Bucket BucketName
AWS::S3::BucketPolicy Bucket
AWS::KMS::Alias AliasName
AWS::IAM::Role RoleName Path
AWS::IAM::ManagedPolicy ManagedPolicyName Description Path
AWS::IAM::InstanceProfile InstanceProfileName Path
AWS::Logs::LogGroup LogGroupName
AWS::Logs::MetricFilter FilterName LogGroupName
AWS::CloudWatch::Alarm AlarmName
AWS::CloudWatch::Dashboard DashboardName
AWS::CloudTrail::Trail TrailName
AWS::Lambda::Function FunctionName PackageType
AWS::Lambda::Permission Action EventSourceToken FunctionName Principal SourceAccount SourceArn
AWS::Lambda::Alias Name FunctionName
AWS::SNS::Topic TopicName FifoTopic
AWS::SNS::Subscription Endpoint Protocol TopicArn
AWS::SQS::Queue QueueName FifoQueue
AWS::DynamoDB::Table TableName
AWS::SSM::Parameter Name
AWS::SecretsManager::Secret Name
AWS::Events::Rule Name
AWS::StepFunctions::StateMachine StateMachineName StateMachineType
AWS::ECS::Cluster ClusterName
AWS::ECS::Service ServiceName Cluster LaunchType DeploymentController SchedulingStrategy Role
AWS::ECR::Repository RepositoryName EncryptionConfiguration
AWS::Route53::RecordSet Name HostedZoneId HostedZoneName
AWS::Route53::HostedZone Name
AWS::CloudFormation::Stack StackName
AWS::CloudFormation::CustomResource ServiceToken
]]):gmatch("[^\n]+") do
  local type_name, names = line:match("^(%S+)%s+(.*)$")
  ALWAYS[type_name] = {}
  for name in names:gmatch("%S+") do ALWAYS[type_name][name] = true end
end

-- DynamoDB's keys are conditional by the schema; changing them always replaces the table.
ALWAYS["AWS::DynamoDB::Table"].KeySchema = true

--- Must a changed property of this type make a new physical resource?
---@param type_name string
---@param property string
---@return boolean
function replacement.needed(type_name, property)
  return (ALWAYS[type_name] or {})[property] == true
end

return replacement
