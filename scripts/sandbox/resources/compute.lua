--- Resource types that run things: instances, groups, functions, containers, state machines, APIs. Records:
-- sandbox.resources.catalog.

local groups = require "sandbox.services.autoscaling.groups"
local rolling = require "sandbox.resources.rolling"

local LAMBDA = "arn:{partition}:lambda:{region}:{account}:"

local function function_arn(facts, expand)
  local name = tostring(facts.properties.FunctionName or facts.properties.TargetFunctionArn or "function")
  if name:match("^arn:") then return name end
  return expand(LAMBDA .. "function:", facts) .. name
end

local function version_arn(facts, expand)
  return function_arn(facts, expand) .. ":" .. facts.number
end

local function alias_arn(facts, expand)
  return function_arn(facts, expand) .. ":" .. tostring(facts.properties.Name)
end

-- "arn:...:cluster/name" or a plain name.
local function cluster_of(facts)
  return tostring(facts.properties.Cluster or "default"):match("([^/]+)$")
end

-- What signals that it has booted.
local function itself(resource) return { resource.physical_id } end

local function its_instances(resource, op)
  local out = {}
  for i, each in ipairs(groups.instances({ world = op.world, region = op.stack.region }, resource.thing)) do
    out[i] = each.id
  end
  return out
end

return {
  ["AWS::EC2::Instance"] = {
    signals = { kind = "instance", senders = itself },
    id = "i-{hex:17}", create = { 15, 40 }, delete = { 30, 60 },
    attributes = {
      InstanceId = "{id}", AvailabilityZone = "{.AvailabilityZone|{region}a}",
      PrivateIp = "10.0.0.{digits:2}",
      PublicIp = "203.0.113.{digits:2#public}", PrivateDnsName = "ip-10-0-0-{digits:2}.ec2.internal",
      PublicDnsName = "ec2-203-0-113-{digits:2#public}.compute-1.amazonaws.com", VpcId = "vpc-{hex:17#vpc}",
      State = "running",
    },
  },
  ["AWS::EC2::LaunchTemplate"] = {
    id = "lt-{hex:17}", create = 2, delete = 1,
    attributes = { LaunchTemplateId = "{id}", LatestVersionNumber = "1", DefaultVersionNumber = "1" },
  },
  ["AWS::EC2::KeyPair"] = {
    name = { "KeyName" }, create = { 1, 2 }, delete = 1,
    attributes = { KeyPairId = "key-{hex:17}", KeyFingerprint = "{hex:40}" },
  },
  ["AWS::AutoScaling::AutoScalingGroup"] = {
    steps = rolling.steps, signals = { kind = "group", senders = its_instances },
    name = { "AutoScalingGroupName" }, create = 25, settle = 10, delete = { 60, 120 },
    attributes = {
      AutoScalingGroupARN = "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:{uuid}:"
        .. "autoScalingGroupName/{name}",
    },
  },
  ["AWS::AutoScaling::ScalingPolicy"] = {
    name = { "PolicyName" }, create = { 1, 2 }, delete = 1,
    id = "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid}:"
      .. "autoScalingGroupName/{.AutoScalingGroupName}:policyName/{name}",
    attributes = { Arn = "{id}", PolicyName = "{name}" },
  },
  ["AWS::AutoScaling::LaunchConfiguration"] = {
    name = { "LaunchConfigurationName", suffix = "upper" }, create = { 1, 2 }, delete = 1,
  },
  ["AWS::Lambda::Function"] = {
    name = { "FunctionName", max = 64 }, create = 8, settle = 2, delete = { 3, 9 },
    attributes = {
      Arn = LAMBDA .. "function:{name}", ["SnapStartResponse.ApplyOn"] = "None",
      ["SnapStartResponse.OptimizationStatus"] = "Off",
    },
  },
  ["AWS::Lambda::Version"] = {
    id = "{@FunctionArn}", numbered = "{.FunctionName}", create = { 1, 2 }, delete = 1,
    attributes = { FunctionArn = version_arn, Version = "{number}" },
  },
  ["AWS::Lambda::Alias"] = {
    id = "{@AliasArn}", create = { 1, 2 }, delete = 1, attributes = { AliasArn = alias_arn },
  },
  ["AWS::Lambda::Permission"] = { name = {}, create = { 1, 2 }, delete = 1, attributes = { Id = "{id}" } },
  ["AWS::Lambda::EventSourceMapping"] = {
    id = "{uuid}", create = { 20, 60 }, delete = { 10, 30 },
    attributes = { Id = "{id}", EventSourceMappingArn = LAMBDA .. "event-source-mapping:{uuid}" },
  },
  ["AWS::Lambda::LayerVersion"] = {
    name = { "LayerName", max = 64, shared = true }, id = LAMBDA .. "layer:{name}:{number}", numbered = "{name}",
    create = { 2, 4 }, delete = 1,
    attributes = { LayerVersionArn = "{id}" },
  },
  ["AWS::Lambda::Url"] = {
    id = "{@FunctionArn}", create = { 1, 2 }, delete = 1,
    attributes = {
      FunctionArn = function_arn, FunctionUrl = "https://{lower:32}.lambda-url.{region}.on.aws/",
    },
  },
  ["AWS::ECS::Cluster"] = {
    name = { "ClusterName" }, create = { 2, 8 }, delete = { 1, 2 },
    attributes = { Arn = "arn:{partition}:ecs:{region}:{account}:cluster/{name}" },
  },
  ["AWS::ECS::Service"] = {
    name = { "ServiceName" }, id = "{@ServiceArn}", create = { 62, 92 }, settle = 2, delete = { 60, 300 },
    attributes = {
      Name = "{name}",
      ServiceArn = function(facts, expand)
        local prefix = expand("arn:{partition}:ecs:{region}:{account}:service/", facts)
        return prefix .. cluster_of(facts) .. "/" .. facts.name
      end,
    },
  },
  ["AWS::ECS::TaskDefinition"] = {
    name = { "Family", shared = true }, id = "arn:{partition}:ecs:{region}:{account}:task-definition/{name}:{number}",
    numbered = "{name}", create = { 1, 2 }, delete = { 1, 2 }, attributes = { TaskDefinitionArn = "{id}" },
  },
  ["AWS::ECS::CapacityProvider"] = { name = { "Name" }, create = 1, delete = { 1, 2 } },
  ["AWS::ECS::ClusterCapacityProviderAssociations"] = { id = "{.Cluster}", create = 16, delete = { 1, 2 } },
  ["AWS::ECR::Repository"] = {
    name = { "RepositoryName", lower = true, suffix = "lower" }, create = 1, delete = 1,
    attributes = {
      Arn = "arn:{partition}:ecr:{region}:{account}:repository/{name}",
      RepositoryUri = "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
    },
  },
  ["AWS::StepFunctions::StateMachine"] = {
    name = { "StateMachineName", form = "logical", max = 80 }, create = { 1, 3 }, delete = { 10, 30 },
    id = "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    attributes = { Arn = "{id}", Name = "{name}", StateMachineRevisionId = "INITIAL" },
  },
  ["AWS::ApiGateway::RestApi"] = {
    id = "{lower:10}", create = 2, delete = 1,
    attributes = { RestApiId = "{id}", RootResourceId = "{lower:10#root}" },
  },
  ["AWS::ApiGateway::Resource"] = {
    id = "{lower:6}", create = 2, delete = 1, attributes = { ResourceId = "{id}" },
  },
  ["AWS::ApiGateway::Method"] = { id = "{.RestApiId}-{.ResourceId}-{.HttpMethod}", create = 3, delete = 1 },
  ["AWS::ApiGateway::Deployment"] = {
    id = "{lower:6}", create = 1, delete = 1, attributes = { DeploymentId = "{id}" },
  },
  ["AWS::ApiGateway::Stage"] = { id = "{.StageName|prod}", create = 1, delete = 1 },
  ["AWS::ApiGatewayV2::Api"] = {
    id = "{lower:10}", create = { 1, 2 }, delete = 1,
    attributes = { ApiId = "{id}", ApiEndpoint = "https://{id}.execute-api.{region}.amazonaws.com" },
  },
}
