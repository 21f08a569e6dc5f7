-- templates/TapStack.yml against the document that ordered it: a test a sentence, named by it; and its life in
-- the sandbox.
local documents = require "tap.core.document"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local worlds = require "spec.sandbox_world"

local TEXT = sys.read_file "templates/TapStack.yml"
local t = documents.yaml(TEXT, "templates/TapStack.yml"):root()
local R, P = t.Resources, t.Parameters

local function of_type(type_name)
  local found = {}
  for name, resource in pairs(R) do
    if resource.Type == type_name then found[name] = resource.Properties or {} end
  end
  return found
end

local function count(map)
  local n = 0
  for _ in pairs(map) do n = n + 1 end
  return n
end

-- Calls f on every value below one, with its key.
local function walk(value, f, key)
  f(value, key)
  if type(value) ~= "table" then return end
  for k, inner in pairs(value) do walk(inner, f, k) end
end

local function statements()
  local found = {}
  walk(R, function(value) if type(value) == "table" and value.Effect then found[#found + 1] = value end end)
  return found
end

local function list(value)
  return type(value) == "table" and #value > 0 and value or { value }
end

describe("Region & naming guarantees", function()
  it("Target region is us-west-2.", function()
    assert.same({ { "us-west-2" }, { Ref = "AWS::Region" } }, t.Rules.Zones.Assertions[1].Assert["Fn::Contains"])
  end)

  it("All names MUST include ENVIRONMENT_SUFFIX to avoid cross-environment collisions.", function()
    local naming = { Name = true, GroupName = true, RoleName = true, InstanceProfileName = true, AlarmName = true,
      BucketName = true, TopicName = true, TrailName = true, FunctionName = true, LogGroupName = true,
      AliasName = true, DBInstanceIdentifier = true, DBSubnetGroupName = true, DBParameterGroupName = true,
      AutoScalingGroupName = true, LaunchTemplateName = true, FilterName = true }
    local seen = 0
    for id, resource in pairs(R) do
      for key, value in pairs(resource.Properties or {}) do
        if naming[key] and not (type(value) == "table" and value.Ref) then
          seen = seen + 1
          assert.matches("%-%${EnvironmentSuffix}$", value["Fn::Sub"], id .. "." .. key)
        end
      end
    end
    assert.is_true(seen >= 40, seen)
  end)

  it("Enforce a safe naming regex for EnvironmentSuffix; no AllowedValues lists.", function()
    assert.equal("^[a-z0-9-]{2,20}$", P.EnvironmentSuffix.AllowedPattern)
    assert.is_nil(P.EnvironmentSuffix.AllowedValues)
  end)
end)

describe("Constraints & standards", function()
  it("YAML template only; small enough for ValidateTemplate.", function()
    assert.is_nil(TEXT:find("^%s*{"))
    assert.is_true(#TEXT <= 51200, #TEXT)
  end)

  it("Parameters must have sensible defaults for all parameters.", function()
    for name, definition in pairs(P) do
      assert.is_not_nil(definition.Default, name)
      assert.is_not_nil(definition.Description, name)
    end
  end)

  it("no public S3 ACLs, blocked public access on buckets", function()
    for id, bucket in pairs(of_type "AWS::S3::Bucket") do
      for _, name in ipairs { "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets" } do
        assert.is_true(bucket.PublicAccessBlockConfiguration[name], id)
      end
      assert.is_nil(bucket.AccessControl)
    end
  end)

  it("minimal inbound exposure, and controlled egress", function()
    for id, group in pairs(of_type "AWS::EC2::SecurityGroup") do
      for _, rule in ipairs(group.SecurityGroupEgress or {}) do
        local open = rule.CidrIp == "0.0.0.0/0"
        assert.is_true(not open or rule.FromPort == 443, id)
      end
      for _, rule in ipairs(group.SecurityGroupIngress or {}) do
        assert.is_not.equal("0.0.0.0/0", rule.CidrIp, id)
      end
    end
  end)

  it("Include Metadata for documentation and version notes: author, version, changelog, major resources.", function()
    local about = t.Metadata.Template
    for _, field in ipairs { "Author", "Version", "Changelog", "Resources" } do assert.is_not_nil(about[field]) end
    local grouped = {}
    for _, group in ipairs(t.Metadata["AWS::CloudFormation::Interface"].ParameterGroups) do
      for _, name in ipairs(group.Parameters) do grouped[name] = true end
    end
    for name in pairs(P) do assert.is_true(grouped[name], name) end
    for name in pairs(grouped) do assert.is_not_nil(P[name], name) end
  end)
end)

describe("Security requirements", function()
  it("KMS CMKs with rotation enabled for logs and data.", function()
    local keys = of_type "AWS::KMS::Key"
    assert.equal(2, count(keys))
    for id, key in pairs(keys) do assert.is_true(key.EnableKeyRotation, id) end
    for id, group in pairs(of_type "AWS::Logs::LogGroup") do assert.is_not_nil(group.KmsKeyId, id) end
  end)

  it("CloudTrail enabled (include global service events; multi-region), logs encrypted.", function()
    local trail = R.Trail.Properties
    for _, name in ipairs { "IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents",
      "EnableLogFileValidation" } do
      assert.is_true(trail[name], name)
    end
    assert.same({ ["Fn::GetAtt"] = { "LogsKey", "Arn" } }, trail.KMSKeyId)
  end)

  it("S3 buckets versioned, encrypted (KMS), and public access blocked.", function()
    for id, bucket in pairs(of_type "AWS::S3::Bucket") do
      assert.equal("Enabled", bucket.VersioningConfiguration.Status, id)
      local rule = bucket.BucketEncryption.ServerSideEncryptionConfiguration[1].ServerSideEncryptionByDefault
      -- Access logs cannot be written into a bucket that a key encrypts.
      assert.equal(id == "AccessLogsBucket" and "AES256" or "aws:kms", rule.SSEAlgorithm)
    end
    for _, policy in pairs(of_type "AWS::S3::BucketPolicy") do
      assert.equal("false", policy.PolicyDocument.Statement[1].Condition.Bool["aws:SecureTransport"])
    end
  end)

  it("No plaintext secrets in the template.", function()
    assert.is_true(R.Database.Properties.ManageMasterUserPassword)
    walk(R, function(_, key) assert.is_not.equal("MasterUserPassword", key) end)
    walk(R, function(value) if type(value) == "string" then assert.is_nil(value:find("AKIA%u%u")) end end)
  end)

  it("least-privilege: no wildcard action, and no wildcard resource where one can be named", function()
    for _, statement in ipairs(statements()) do
      for _, action in ipairs(list(statement.Action)) do
        local owner = type(statement.Principal) == "table" and statement.Principal.AWS
        assert.is_true(statement.Effect == "Deny" or owner ~= nil or not action:find(":%*$"), action)
        assert.is_true(statement.Resource ~= "*" or action:find("^kms:") ~= nil, action) -- a key's own policy
      end
    end
  end)
end)

describe("Resources", function()
  it("VPC + 2+ AZ public/private subnets, NAT Gateways, IGW, route tables/associations.", function()
    assert.equal(1, count(of_type "AWS::EC2::VPC"))
    assert.equal(4, count(of_type "AWS::EC2::Subnet"))
    assert.equal(4, count(of_type "AWS::EC2::SubnetRouteTableAssociation"))
    assert.equal(2, count(of_type "AWS::EC2::NatGateway"))
    assert.equal("NatPerZone", R.NatGateway2.Condition)
  end)

  it("Launch Template + Auto Scaling Group tied to an ALB Target Group with listener rules, health checks.", function()
    local group = R.WebGroup
    assert.same({ { Ref = "TargetGroup" } }, group.Properties.TargetGroupARNs)
    assert.equal("ELB", group.Properties.HealthCheckType)
    assert.is_true(group.UpdatePolicy.AutoScalingRollingUpdate.WaitOnResourceSignals)
    assert.is_not_nil(group.CreationPolicy.ResourceSignal)
    assert.equal(1, count(of_type "AWS::ElasticLoadBalancingV2::ListenerRule"))
    assert.same({ Ref = "HealthCheckPath" }, R.TargetGroup.Properties.HealthCheckPath)
    local data = R.LaunchTemplate.Properties.LaunchTemplateData
    assert.equal("required", data.MetadataOptions.HttpTokens)
    assert.is_true(data.BlockDeviceMappings[1].Ebs.Encrypted)
  end)

  it("RDS (Multi-AZ recommended), encrypted with KMS; subnet group in private subnets; locked down.", function()
    local database = R.Database.Properties
    assert.is_true(database.StorageEncrypted)
    assert.is_false(database.PubliclyAccessible)
    assert.same({ { Ref = "PrivateSubnet1" }, { Ref = "PrivateSubnet2" } }, R.DatabaseSubnetGroup.Properties.SubnetIds)
    assert.equal("HasStandby", database.MultiAZ["Fn::If"][1])
    assert.is_nil(R.DatabaseSecurityGroup.Properties.SecurityGroupIngress)
    assert.same({ ["rds.force_ssl"] = "1" }, R.DatabaseParameters.Properties.Parameters["Fn::If"][2])
  end)

  it("S3 (artifacts/logs) with lifecycle policies (e.g., transition older logs to Glacier).", function()
    for _, id in ipairs { "AuditBucket", "AccessLogsBucket" } do
      assert.equal("GLACIER", R[id].Properties.LifecycleConfiguration.Rules[1].Transitions[1].StorageClass)
    end
    assert.is_not_nil(R.ArtifactsBucket.Properties.LifecycleConfiguration)
  end)

  it("CloudWatch: log groups, metric filters/alarms for key signals, and VPC Flow Logs.", function()
    local metrics = {}
    for _, alarm in pairs(of_type "AWS::CloudWatch::Alarm") do metrics[alarm.MetricName] = true end
    for _, name in ipairs { "HTTPCode_ELB_5XX_Count", "UnHealthyHostCount", "CPUUtilization", "FreeStorageSpace",
      "FreeableMemory", "Errors", "RootUse", "TrailChanges" } do
      assert.is_true(metrics[name], name)
    end
    assert.equal("cloud-watch-logs", R.FlowLog.Properties.LogDestinationType)
  end)

  it("Example Lambda (Python 3.12) + IAM role; log group name must match function.", function()
    local f = R.Function.Properties
    assert.equal("python3.12", f.Runtime)
    assert.equal("/aws/lambda/" .. f.FunctionName["Fn::Sub"], R.FunctionLogGroup.Properties.LogGroupName["Fn::Sub"])
    assert.equal("FunctionLogGroup", R.Function.DependsOn)
  end)

  it("SNS topic for stack notifications; parameterize subscription email(s).", function()
    assert.is_not_nil(R.NotificationTopic.Properties.KmsMasterKeyId)
    assert.same({ Ref = "NotificationEmail" }, R.EmailSubscription.Properties.Endpoint)
  end)
end)

describe("Outputs", function()
  it("Export ARNs/IDs/Names for all that the document lists.", function()
    for _, key in ipairs { "VpcId", "PublicSubnetIds", "PrivateSubnetIds", "LoadBalancerDnsName",
      "AutoScalingGroupName", "DatabaseEndpoint", "ArtifactsBucketName", "AuditBucketName", "DataKeyArn",
      "LogsKeyArn", "TrailName", "TrailArn", "NotificationTopicArn", "FunctionName", "FunctionArn" } do
      assert.equal("${AWS::StackName}-" .. key, t.Outputs[key].Export.Name["Fn::Sub"])
    end
  end)
end)

describe("The stack's life in the sandbox", function()
  local w
  before_each(function() w = worlds.open() end)
  after_each(function() w:close() end)

  local function client() return w:client("cloudformation", { region = "us-west-2" }) end

  local function request(parameters)
    local values = {}
    for name, value in pairs(parameters or {}) do
      values[#values + 1] = { ParameterKey = name, ParameterValue = value }
    end
    return { StackName = "tapstack", TemplateBody = TEXT, Capabilities = { "CAPABILITY_NAMED_IAM" },
      Parameters = values }
  end

  local function status(cfn)
    return cfn:describe_stacks({ StackName = "tapstack" }).Stacks[1].StackStatus
  end

  -- What stays is told by the events: every resource that was made has been deleted.
  local function delete(cfn)
    local id = cfn:describe_stacks({ StackName = "tapstack" }).Stacks[1].StackId
    cfn:delete_stack { StackName = "tapstack" }
    task.sleep(7200)
    assert.equal("DELETE_COMPLETE", cfn:describe_stacks({ StackName = id }).Stacks[1].StackStatus)
    for item in cfn:each("list_stack_resources", { StackName = id }) do
      assert.equal("DELETE_COMPLETE", item.ResourceStatus, item.LogicalResourceId)
    end
  end

  it("deploys with default parameters, and is deleted with nothing left", function()
    local cfn = client()
    cfn:validate_template { TemplateBody = TEXT }
    cfn:create_stack(request())
    task.sleep(7200)
    assert.equal("CREATE_COMPLETE", status(cfn))
    delete(cfn)
    assert.same({}, w:client("s3", { region = "us-west-2" }):list_buckets({}).Buckets)
    assert.same({}, w:client("rds", { region = "us-west-2" }):describe_db_instances({}).DBInstances)
    assert.same({}, w:client("logs", { region = "us-west-2" }):describe_log_groups({}).logGroups)
  end)

  it("deploys with the longest names, for production", function()
    local cfn = client()
    cfn:create_stack(request { ProjectName = "abcdefghij", EnvironmentSuffix = "abcdefghij0123456789",
      EnvironmentType = "production", DatabaseDeletionProtection = "false", NotificationEmail = "ops@example.com" })
    task.sleep(7200)
    assert.equal("CREATE_COMPLETE", status(cfn))
  end)

  it("takes a change of each parameter, one after the other", function()
    local cfn = client()
    local values = {}
    cfn:create_stack(request())
    task.sleep(7200)
    for _, change in ipairs {
      { "NotificationEmail", "a@example.com" }, { "SecondNotificationEmail", "b@example.com" },
      { "NatGateways", "per-zone" }, { "AllowedIngressCidr", "10.0.0.0/8" }, { "InstanceType", "t3.small" },
      { "MinSize", "1" }, { "DesiredCapacity", "3" }, { "MaxSize", "6" }, { "ApplicationPort", "9090" },
      { "HealthCheckPath", "/well" }, { "DatabaseEngineVersion", "16.9" }, { "DatabaseInstanceClass", "db.t4g.small" },
      { "CertificateArn", "arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" },
      { "DatabaseStorageGiB", "30" }, { "DatabaseMultiAz", "true" }, { "DatabaseDeletionProtection", "false" },
      { "DatabaseBackupDays", "14" }, { "FunctionInVpc", "true" }, { "LogRetentionDays", "60" },
      { "LogArchiveDays", "120" }, { "LogExpireDays", "400" }, { "EnvironmentType", "production" },
    } do
      values[change[1]] = change[2]
      cfn:update_stack(request(values))
      task.sleep(7200)
      assert.equal("UPDATE_COMPLETE", status(cfn), change[1])
    end
  end)
end)

describe("the README's command", function()
  it("deploys the stack file in the sandbox, by a change set, and verifies it", function()
    local helpers = require "spec.helpers"
    local result = helpers.tapengine { "deploy", "--stack-file", "templates/TapStack.stack.lua", "--sandbox", "--yes" }
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches("CREATE_COMPLETE in %d+m", result.out)
    assert.matches("%d+ checks passed", result.out)
    helpers.clean()
  end)
end)

describe("self-test", function()
  it("runs the template's life and its troubles in the sandbox, and passes", function()
    local helpers = require "spec.helpers"
    local result = helpers.tapengine { "self-test" }
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches("15 scenes passed, 0 failed", result.out, 1, true)
    helpers.clean()
  end)
end)
