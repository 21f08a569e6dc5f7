-- Networks, balancers, groups, databases, functions and roles as the services show them.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local function ref(name) return { Ref = name } end

local RESOURCES = {
  Vpc = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16",
    Tags = { { Key = "Name", Value = "main" } } } },
  A = { Type = "AWS::EC2::Subnet", Properties = { VpcId = ref "Vpc", CidrBlock = "10.0.0.0/24",
    AvailabilityZone = "us-east-1a" } },
  Group = { Type = "AWS::EC2::SecurityGroup", Properties = { GroupDescription = "web", VpcId = ref "Vpc",
    SecurityGroupIngress = { { IpProtocol = "tcp", FromPort = "443", ToPort = "443", CidrIp =
      "0.0.0.0/0" } } } },
  Balancer = { Type = "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties = { Name = "web",
    Subnets = { ref "A" }, SecurityGroups = { ref "Group" } } },
  Targets = { Type = "AWS::ElasticLoadBalancingV2::TargetGroup", Properties = { Name = "web", Port = "80",
    Protocol = "HTTP", VpcId = ref "Vpc", HealthCheckIntervalSeconds = "10", HealthyThresholdCount = "2" } },
  Listener = { Type = "AWS::ElasticLoadBalancingV2::Listener", Properties = { LoadBalancerArn =
    ref "Balancer",
    Port = "80", Protocol = "HTTP", DefaultActions = { { Type = "forward", TargetGroupArn =
      ref "Targets" } } } },
  Fleet = { Type = "AWS::AutoScaling::AutoScalingGroup", Properties = { AutoScalingGroupName = "fleet",
    MinSize = "2", MaxSize = "4", TargetGroupARNs = { ref "Targets" }, VPCZoneIdentifier = { ref "A" } } },
  Database = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceIdentifier = "db", Engine = "postgres",
    DBInstanceClass = "db.t3.micro", StorageEncrypted = "true", MultiAZ = "true", Port = "5432",
    ManageMasterUserPassword = "true" } },
  Role = { Type = "AWS::IAM::Role", Properties = { RoleName = "app", AssumeRolePolicyDocument = { a = "b" },
    ManagedPolicyArns = { "arn:aws:iam::aws:policy/ReadOnlyAccess" },
    Policies = { { PolicyName = "inline", PolicyDocument = { Version = "2012-10-17" } } } } },
  Function = { Type = "AWS::Lambda::Function", Properties = { FunctionName = "fn", Runtime = "python3.12",
    Handler = "index.handler", Role = { ["Fn::GetAtt"] = { "Role", "Arn" } }, Code = { ZipFile = "x" },
    Timeout = "30" } },
  Rule = { Type = "AWS::Events::Rule", Properties = { Name = "nightly", ScheduleExpression = "rate(1 day)",
    Targets = { { Id = "1", Arn = { ["Fn::GetAtt"] = { "Function", "Arn" } } } } } },
}

describe("what a stack made is shown by", function()
  local w
  setup(function()
    w = world.open { scenario = { invoke = { fn = function(payload)
      return { payload = { got = json.decode(payload).n } }
    end } } }
    w:create("demo", RESOURCES, { Capabilities = { "CAPABILITY_NAMED_IAM" } }, 1800)
    assert.equal("CREATE_COMPLETE", w:status "demo")
  end)
  teardown(function() w:close() end)

  it("EC2: networks by id and by filter", function()
    local ec2 = w:client "ec2"
    local vpc = ec2:describe_vpcs({ Filters = { { Name = "tag:Name", Values = { "main" } } } }).Vpcs[1]
    assert.equal("10.0.0.0/16", vpc.CidrBlock)
    local subnet = ec2:describe_subnets({ Filters = { { Name = "vpc-id", Values =
      { vpc.VpcId } } } }).Subnets[1]
    assert.equal("us-east-1a", subnet.AvailabilityZone)
    local group = ec2:describe_security_groups({ Filters = { { Name = "vpc-id", Values = { vpc.VpcId } } } })
      .SecurityGroups[1]
    assert.equal(443, group.IpPermissions[1].FromPort)
    assert.equal("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
      (world.refusal(ec2.describe_vpcs, ec2, { VpcIds = { "vpc-1" } })))
    assert.equal(0, #ec2:describe_vpcs({ Filters = { { Name = "tag:Name", Values = { "other" } } } }).Vpcs)
    assert.equal(2, #ec2:describe_instances({}).Reservations)
  end)

  it("load balancing: targets that become healthy with time", function()
    local elb = w:client "elbv2"
    local targets = elb:describe_target_groups({ Names = { "web" } }).TargetGroups[1]
    assert.same({ 80, 10 }, { targets.Port, targets.HealthCheckIntervalSeconds })
    local health = elb:describe_target_health({ TargetGroupArn =
      targets.TargetGroupArn }).TargetHealthDescriptions
    assert.same({ 2, "healthy" }, { #health, health[1].TargetHealth.State })
    local balancer = elb:describe_load_balancers({ Names = { "web" } }).LoadBalancers[1]
    assert.equal("active", balancer.State.Code)
    assert.equal("HTTP", elb:describe_listeners({ LoadBalancerArn =
      balancer.LoadBalancerArn }).Listeners[1].Protocol)
  end)

  it("Auto Scaling: as many instances as wanted, in service after they booted", function()
    local scaling = w:client "autoscaling"
    local function group()
      return scaling:describe_auto_scaling_groups({ AutoScalingGroupNames =
        { "fleet" } }).AutoScalingGroups[1]
    end
    assert.same({ 2, "InService" }, { #group().Instances, group().Instances[1].LifecycleState })
    scaling:set_desired_capacity { AutoScalingGroupName = "fleet", DesiredCapacity = 3 }
    assert.equal("Pending", group().Instances[3].LifecycleState)
    world.sleep(100)
    assert.equal("InService", group().Instances[3].LifecycleState)
    assert.truthy(world.refusal(scaling.set_desired_capacity, scaling,
      { AutoScalingGroupName = "fleet", DesiredCapacity = 9 }):find("above max value 4", 1, true))
    scaling:set_instance_health { InstanceId = group().Instances[1].InstanceId, HealthStatus = "Unhealthy" }
    assert.equal("Unhealthy", group().Instances[1].HealthStatus)
  end)

  it("RDS: a database that is available", function()
    local database = w:client("rds"):describe_db_instances({ DBInstanceIdentifier = "db" }).DBInstances[1]
    assert.same({ "available", true, true, 5432 },
      { database.DBInstanceStatus, database.StorageEncrypted, database.MultiAZ, database.Endpoint.Port })
    local rds = w:client "rds"
    local text, status = world.refusal(rds.describe_db_instances, rds, { DBInstanceIdentifier = "none" })
    assert.same({ "DBInstanceNotFound: DBInstance none not found.", 404 }, { text, status })
  end)

  it("Lambda: a function that answers as the scenario says", function()
    local lambda = w:client "lambda"
    local configuration = lambda:get_function_configuration { FunctionName = "fn" }
    assert.same({ "python3.12", 30, "Active" },
      { configuration.Runtime, configuration.Timeout, configuration.State })
    assert.equal('{"got":5}', lambda:invoke({ FunctionName = "fn", Payload = '{"n":5}' }).Payload)
    assert.truthy(world.refusal(lambda.get_function, lambda, { FunctionName = "none" })
      :find("Function not found: arn:aws:lambda:us-east-1:123456789012:function:none", 1, true))
  end)

  it("IAM: a role with its policies", function()
    local iam = w:client "iam"
    assert.equal("arn:aws:iam::123456789012:role/app", iam:get_role({ RoleName = "app" }).Role.Arn)
    assert.same({ "inline" }, iam:list_role_policies({ RoleName = "app" }).PolicyNames)
    assert.equal("ReadOnlyAccess",
      iam:list_attached_role_policies({ RoleName = "app" }).AttachedPolicies[1].PolicyName)
    assert.equal("NoSuchEntity: The role with name none cannot be found.",
      (world.refusal(iam.get_role, iam, { RoleName = "none" })))
  end)

  it("EventBridge and SES", function()
    local events = w:client "events"
    assert.equal("ENABLED", events:describe_rule({ Name = "nightly" }).State)
    assert.equal("1", events:list_targets_by_rule({ Rule = "nightly" }).Targets[1].Id)
    local mail = { FromEmailAddress = "a@example.com", Destination = { ToAddresses = { "b@example.com" } },
      Content = { Simple = { Subject = { Data = "s" }, Body = { Text = { Data = "t" } } } } }
    assert.is_string(w:client("sesv2"):send_email(mail).MessageId)
    assert.equal("s", w.sandbox.store:region("us-east-1").mail[1].content.Simple.Subject.Data)
  end)
end)

describe("a service refuses", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("to delete a security group that another stack's group names", function()
    w:create("first", { G = { Type = "AWS::EC2::SecurityGroup", Properties = { GroupDescription = "d" } } })
    local id = w.cfn:describe_stack_resources({ StackName = "first" }).StackResources[1].PhysicalResourceId
    w:create("second", { G = { Type = "AWS::EC2::SecurityGroup", Properties = { GroupDescription = "d",
      SecurityGroupIngress = { { IpProtocol = "tcp", SourceSecurityGroupId = id } } } } })
    w:delete "first"
    assert.truthy(w:reason("first", "G", "DELETE_FAILED"):find(id .. " has a dependent object", 1, true))
    w:delete "second"
    w:delete "first"
    assert.truthy(world.refusal(w.status, w, "first"):find("does not exist", 1, true))
  end)

  it("to delete a role that is in a profile, or to make one whose name is too long", function()
    local named = { Capabilities = { "CAPABILITY_NAMED_IAM" } }
    local function role(name) return { Type = "AWS::IAM::Role", Properties = { RoleName = name } } end
    w:create("first", { R = role "used" }, named)
    w:create("second", { P = { Type = "AWS::IAM::InstanceProfile", Properties = { Roles = { "used" } } } },
      named)
    w:delete "first"
    assert.truthy(w:reason("first", "R", "DELETE_FAILED"):find("must remove roles from instance profile "
      .. "first", 1,
      true))
    w:create("long", { R = role(("x"):rep(65)) }, named)
    assert.truthy(w:reason("long", "R", "CREATE_FAILED"):find("at 'roleName' failed to satisfy constraint: "
      .. "Member "
      .. "must have length less than or equal to 64", 1, true))
  end)
end)

describe("an Auto Scaling group with a rolling update policy", function()
  it("6.3: replaces its instances in batches, each step an event", function()
    local w = world.open()
    local function group(version)
      return { Fleet = { Type = "AWS::AutoScaling::AutoScalingGroup", Properties = { AutoScalingGroupName =
        "fleet",
        MinSize = "2", MaxSize = "3", LaunchTemplate = { LaunchTemplateId = "lt-1", Version = version } },
        UpdatePolicy = { AutoScalingRollingUpdate = { MaxBatchSize = "1", MinInstancesInService = "1",
          PauseTime = "PT5M", WaitOnResourceSignals = "true" } } } }
    end
    local function instances()
      local out = {}
      local groups = w:client("autoscaling"):describe_auto_scaling_groups({}).AutoScalingGroups
      for i, each in ipairs(groups[1].Instances) do out[i] = each.InstanceId end
      return out
    end
    w:create("demo", group "1")
    local before = instances()
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template(group "2") }
    world.sleep(3600)
    assert.equal("UPDATE_COMPLETE", w:status "demo")
    local lines = table.concat(w:lines "demo", "\n")
    assert.truthy(lines:find("Fleet UPDATE_IN_PROGRESS: Rolling update initiated. Terminating 2 obsolete "
      .. "instance(s) in batches of 1, while keeping at least 1 instance(s) in service. Waiting on resource "
      .. "signals with a timeout of PT5M when new instances are added to the autoscaling group.", 1, true))
    assert.truthy(lines:find(("Successfully terminated instance(s) [%s] (Progress 50%%)."):format(before[1]),
      1,
      true))
    local after = instances()
    assert.equal(2, #after)
    assert.not_equal(before[1], after[1])
    assert.not_equal(before[2], after[2])
    w:close()
  end)
end)
