-- The checks that ship: each passes when the thing is as it was asked for, and fails when it is not, after a change
-- behind CloudFormation's back through its own service. In one process with the sandbox, on the virtual clock.

local check = require "tap.check"
local json = require "tap.core.json"
local task = require "tap.task"
local verify = require "tap.verify"
local world = require "spec.sandbox_world"

local function ref(name) return { Ref = name } end
local function arn_of(name) return { ["Fn::GetAtt"] = { name, "Arn" } } end
local function allowed(service) return { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "*",
  Principal = { Service = service }, Resource = "*" } } } end

local ELB, HOUR = "AWS::ElasticLoadBalancingV2::", 3600

-- One of everything that there is a check for, much of it asked for through parameters and conditions.
local TEMPLATE = {
  Parameters = { Recovery = { Type = "String", Default = "true" }, Days = { Type = "Number", Default = "7" } },
  Conditions = { Recovers = { ["Fn::Equals"] = { ref "Recovery", "true" } } },
  Resources = {
    Alarm = { Type = "AWS::CloudWatch::Alarm", Properties = { AlarmName = "errors", ComparisonOperator =
      "GreaterThanThreshold", EvaluationPeriods = 1, MetricName = "Errors", Namespace = "AWS/Lambda", Period = 60,
      Statistic = "Sum", Threshold = 1 } },
    Bucket = { Type = "AWS::S3::Bucket", Properties = { BucketName = "web-files",
      VersioningConfiguration = { ["Fn::If"] = { "Recovers", { Status = "Enabled" }, { Status = "Suspended" } } },
      BucketEncryption = { ServerSideEncryptionConfiguration = { { ServerSideEncryptionByDefault = {
        SSEAlgorithm = "aws:kms", KMSMasterKeyID = arn_of "Key" } } } },
      PublicAccessBlockConfiguration = { BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = true,
        RestrictPublicBuckets = true } } },
    Trail = { Type = "AWS::CloudTrail::Trail", Properties = { TrailName = "audit", S3BucketName = ref "Bucket",
      IsLogging = true, IsMultiRegionTrail = true } },
    Key = { Type = "AWS::KMS::Key", Properties = { EnableKeyRotation = true, KeyPolicy = allowed "logs" } },
    Table = { Type = "AWS::DynamoDB::Table", Properties = { TableName = "items", BillingMode = "PAY_PER_REQUEST",
      PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled =
        { ["Fn::If"] = { "Recovers", true, false } } },
      AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
      KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } },
    Topic = { Type = "AWS::SNS::Topic", Properties = { TopicName = "told" } },
    Logs = { Type = "AWS::Logs::LogGroup", Properties = { LogGroupName = "/aws/lambda/fn",
      RetentionInDays = ref "Days" } },
    Vpc = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16" } },
    Subnet = { Type = "AWS::EC2::Subnet", Properties = { VpcId = ref "Vpc", CidrBlock = "10.0.0.0/24" } },
    Flow = { Type = "AWS::EC2::FlowLog", Properties = { ResourceId = ref "Vpc", ResourceType = "VPC",
      TrafficType = "ALL", LogGroupName = ref "Logs", DeliverLogsPermissionArn = arn_of "Role" } },
    Balancer = { Type = ELB .. "LoadBalancer", Properties = { Name = "web", Subnets = { ref "Subnet" } } },
    Targets = { Type = ELB .. "TargetGroup", Properties = { Name = "web", Port = 80, Protocol = "HTTP",
      VpcId = ref "Vpc", HealthCheckIntervalSeconds = 10, HealthyThresholdCount = 2 } },
    Launch = { Type = "AWS::EC2::LaunchTemplate", Properties = { LaunchTemplateData = {
      ImageId = "ami-0123456789abcdef0", InstanceType = "t3.micro" } } },
    Fleet = { Type = "AWS::AutoScaling::AutoScalingGroup", Properties = { AutoScalingGroupName = "fleet",
      MinSize = "2", MaxSize = "4", TargetGroupARNs = { ref "Targets" }, VPCZoneIdentifier = { ref "Subnet" },
      LaunchTemplate = { LaunchTemplateId = ref "Launch", Version = "1" } } },
    Database = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceIdentifier = "db", Engine = "postgres",
      DBInstanceClass = "db.t3.micro", StorageEncrypted = true, PubliclyAccessible = false,
      MultiAZ = { ["Fn::If"] = { "Recovers", true, false } }, BackupRetentionPeriod = ref "Days",
      ManageMasterUserPassword = true } },
    Role = { Type = "AWS::IAM::Role", Properties = { AssumeRolePolicyDocument = allowed "lambda.amazonaws.com" } },
    Function = { Type = "AWS::Lambda::Function", Properties = { FunctionName = "fn", Runtime = "python3.12",
      Handler = "index.handler", Role = arn_of "Role", Code = { ZipFile = "x" } } },
  },
  Outputs = { Topic = { Value = ref "Topic" } },
}

-- What makes each check fail, as somebody with a console would, and what it then says.
local BROKEN = {
  { "alarm", "it is in alarm: many errors", "cloudwatch", "set_alarm_state",
    { AlarmName = "errors", StateValue = "ALARM", StateReason = "many errors" } },
  { "cloudtrail", "it is not logging", "cloudtrail", "stop_logging", { Name = "audit" } },
  { "dynamodb-table", "point-in-time recovery is off", "dynamodb", "update_continuous_backups",
    { TableName = "items", PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = false } } },
  { "kms-key", "it does not rotate", "kms", "disable_key_rotation", { KeyId = "Key" } },
  { "log-group", "it keeps 30 days, not 7", "logs", "put_retention_policy",
    { logGroupName = "/aws/lambda/fn", retentionInDays = 30 } },
  { "rds-instance", "it can be reached from the internet; MultiAZ is not as the template asks; "
    .. "its backups are kept for 1 days, not 7", "rds", "modify_db_instance", { DBInstanceIdentifier = "db",
      PubliclyAccessible = true, MultiAZ = false, BackupRetentionPeriod = 1 } },
  { "s3-bucket", "versioning is Suspended", "s3", "put_bucket_versioning",
    { Bucket = "web-files", VersioningConfiguration = { Status = "Suspended" } } },
  { "sns-topic", "NotFound", "sns", "delete_topic", { TopicArn = "Topic" } },
}

describe("the checks", function()
  local w, ids, notes

  local function open(scenario, template, input)
    w = world.open { scenario = scenario }
    local request = { Capabilities = { "CAPABILITY_IAM" } }
    for name, value in pairs(input or {}) do request[name] = value end
    w:create("web", json.encode(template or TEMPLATE), request, HOUR)
    ids, notes = {}, {}
    for item in w.cfn:each("list_stack_resources", { StackName = "web" }) do
      ids[item.LogicalResourceId] = item.PhysicalResourceId
    end
  end
  after_each(function() w:close() end)

  --- Runs checks; check -> its (last) result, how long it took, and all results.
  local function run(options)
    local ctx = { client = function(_, service) return w:client(service) end }
    ctx.out = { note = function(_, words) notes[#notes + 1] = words end }
    local began, by_check = task.monotonic(), {}
    local results = verify.run(ctx, w.cfn, w:stack "web", options or {})
    for _, result in ipairs(results) do by_check[result.check] = result end
    return by_check, task.monotonic() - began, results
  end

  --- "status: message" of one check.
  local function verdict(name, settings, timeout)
    local result = run({ only = { name }, timeout = timeout or 1, settings = settings })[name]
    return result.status .. ": " .. result.message
  end

  local function call(service, method, input)
    local named = {}
    for field, value in pairs(input) do named[field] = ids[value] or value end
    local client = w:client(service)
    return client[method](client, named)
  end

  it("pass on a stack that is as it was asked for, and every one of them looks", function()
    open()
    local results = run { settings = { outputs = { required = { "Topic" } }, drift = { on = true } } }
    for name, result in pairs(results) do
      assert.equal("passed", result.status, name .. ": " .. result.message)
    end
    for _, entry in ipairs(check.all()) do
      local name = entry.check.name
      assert.truthy(results[name] or name == "http-probe", name .. " did not run") -- that one needs to be told where
    end
  end)

  it("fail when the thing was changed behind CloudFormation's back", function()
    open()
    for _, case in ipairs(BROKEN) do call(case[3], case[4], case[5]) end
    local results = run { timeout = 1 }
    for _, case in ipairs(BROKEN) do
      local result = results[case[1]]
      assert.equal("failed", result.status, case[1] .. ": " .. result.message)
      assert.truthy(result.message:find(case[2], 1, true), case[1] .. ": " .. result.message)
    end
    assert.matches("Bucket is MODIFIED", verdict("drift", { drift = { on = true } }), 1, true)
  end)

  it("fail when the thing is gone", function()
    open { drifts = { { resource = "Balancer", delete = true }, { resource = "Flow", delete = true },
      { resource = "Alarm", delete = true }, { resource = "Database", delete = true },
      { resource = "Fleet", delete = true } } }
    assert.matches("^failed: .*load balancers not found", verdict "load-balancer")
    assert.matches("^failed: .*flow log ID .* does not exist", verdict "flow-log")
    assert.equal("failed: the alarm is not there", verdict "alarm")
    assert.matches("^failed: .*DBInstance db not found", verdict "rds-instance")
    assert.equal("failed: the group is not there", verdict "auto-scaling-group")
    call("logs", "delete_log_group", { logGroupName = "Logs" })
    assert.equal("failed: it does not exist", verdict "log-group")
    assert.matches("^passed: its log group .* does not exist yet", verdict "lambda-function")
    assert.matches("^failed: its log group", verdict("lambda-function", { strict = true }))
  end)

  it("wait for what takes time, until it is there or their deadline", function()
    open()
    call("autoscaling", "set_desired_capacity", { AutoScalingGroupName = "fleet", DesiredCapacity = 3 })
    assert.equal("failed: 2 of 3 instances are in service", verdict "auto-scaling-group")
    assert.matches("^failed: .* is initial %(Elb.RegistrationInProgress%)", verdict "target-group")
    notes = {}
    local results, seconds = run { only = { "auto-scaling-group", "target-group" } }
    table.sort(notes)
    assert.equal(2, #notes) -- said once each
    assert.matches("auto-scaling-group Fleet is not there yet, for at most 10m00s: 2 of 3 instances", notes[1], 1, true)
    assert.equal("3 of 3 in service", results["auto-scaling-group"].message)
    assert.equal("3 healthy", results["target-group"].message)
    assert.is_true(seconds > 60 and seconds < 120, seconds .. " s")

    local group = call("autoscaling", "describe_auto_scaling_groups", {}).AutoScalingGroups[1]
    call("autoscaling", "set_instance_health", { InstanceId = group.Instances[1].InstanceId,
      HealthStatus = "Unhealthy" })
    assert.matches("is unhealthy (Target.FailedHealthChecks)", verdict "target-group", 1, true)
    results, seconds = run { only = { "target-group" } }
    assert.equal("failed", results["target-group"].status)
    assert.is_true(seconds >= 600 and seconds < 630, seconds .. " s")
  end)

  it("wait side by side, however many there are", function()
    local resources = {}
    for index = 1, 40 do
      local properties = { AlarmName = "a" .. index }
      for name, value in pairs(TEMPLATE.Resources.Alarm.Properties) do properties[name] = properties[name] or value end
      resources["Alarm" .. index] = { Type = "AWS::CloudWatch::Alarm", Properties = properties }
    end
    open(nil, { Resources = resources })
    for index = 1, 40 do
      call("cloudwatch", "set_alarm_state", { AlarmName = "a" .. index, StateValue = "ALARM", StateReason = "x" })
    end
    local results, seconds = run { only = { "alarm" } }
    assert.equal("failed", results.alarm.status)
    assert.is_true(seconds >= 300 and seconds < 330, seconds .. " s")
  end)

  it("demand what the template asks for, by its parameters and conditions, and more when the stack file is strict",
    function()
      open(nil, nil, { Parameters = { { ParameterKey = "Recovery", ParameterValue = "false" } } })
      assert.equal("passed: ", verdict "dynamodb-table")
      assert.equal("failed: point-in-time recovery is off",
        verdict("dynamodb-table", { ["dynamodb-table"] = { recovery = true } }))
      assert.equal("passed: ", verdict "s3-bucket")
      assert.equal("failed: versioning is Suspended", verdict("s3-bucket", { strict = true }))
      assert.equal("failed: its log files are not validated; its log files are not encrypted by a key",
        verdict("cloudtrail", { cloudtrail = { strict = true } }))
    end)

  it("ask a function, when the stack file says what", function()
    open { invoke = { fn = function(payload)
      return payload == "{}" and { payload = "fine" } or { error = "no such order" }
    end } }
    assert.equal("passed: ", verdict("lambda-function", { ["lambda-function"] = { payload = "{}" } }))
    assert.matches("^failed: it failed: Unhandled: .*no such order",
      verdict("lambda-function", { ["lambda-function"] = { payload = "[]" } }))
  end)

  it("probe the addresses that the stack file names", function()
    local function probe(wanted) return verdict("http-probe", { ["http-probe"] = { Url = wanted } }) end
    open(nil, { Parameters = { Url = { Type = "String", Default = "127.0.0.1:1" } },
      Resources = { Topic = { Type = "AWS::SNS::Topic" } }, Outputs = { Url = { Value = ref "Url" } } })
    assert.matches("^failed: Url: ", probe { timeout = "1s" })
    w.cfn:update_stack { StackName = "web", UsePreviousTemplate = true,
      Parameters = { { ParameterKey = "Url", ParameterValue = w.sandbox.url } } }
    world.sleep(HOUR)
    assert.equal("failed: Url: it answers 403, not 200", probe {}) -- the sandbox wants a signature
    assert.equal("passed: ", probe { status = 403 })
    assert.equal("passed: ", probe { status = 403, path = "/x", contains = "Error" })
    assert.equal("failed: Url: the answer does not contain 'fine'", probe { status = 403, contains = "fine" })
    assert.equal("failed: there is no output Uri", verdict("http-probe", { ["http-probe"] = { Uri = {} } }))
  end)

  it("say unknown, which is not passed, where permission is missing", function()
    open { requests = { { service = "dynamodb", operation = "DescribeTable", trouble = "denied" },
      { operation = "GetBucketVersioning", trouble = "denied" }, { operation = "GetTemplate", trouble = "denied" } } }
    assert.matches("^unknown: it cannot be read: .*AccessDenied", verdict "dynamodb-table")
    assert.matches("^unknown: it cannot be read: .*AccessDenied", verdict "s3-bucket")
    local results, _, list = run { only = { "outputs" } }
    assert.equal("passed", results.outputs.status)
    assert.matches("^what was asked for is not known: .*AccessDenied", results.template.message)
    local _, e = pcall(verify.demand, "web", list)
    assert.same({ "unverified", "unknown" }, { e.class, e.failures[1].status })
  end)

  it("outlive trouble on the way to AWS, and stop when the credentials are no good", function()
    open { requests = { { service = "kms", operation = "DescribeKey", trouble = "unavailable", times = 3 },
      { service = "dynamodb", operation = "DescribeTable", trouble = "expired" } } }
    local results, seconds = run { only = { "kms-key" } }
    assert.equal("passed", results["kms-key"].status)
    assert.is_true(seconds > 2)
    local _, e = pcall(run, { only = { "dynamodb-table" } })
    assert.equal("ExpiredToken", e.code)
  end)

  it("see a stack that failed, and look only at what was made", function()
    open({ resources = { { resource = "Fleet", on = "create", fail = "No capacity." } } }, nil,
      { OnFailure = "DO_NOTHING" })
    local results = run { timeout = 1 }
    assert.matches("the stack is CREATE_FAILED; ", results["stack-status"].message, 1, true)
    assert.matches("Fleet is CREATE_FAILED: ", results["stack-status"].message, 1, true)
    assert.equal("passed", results["kms-key"].status)
    w:close()
    open { resources = { { resource = "Fleet", on = "create", fail = "No capacity." } } }
    assert.equal("failed: the stack is ROLLBACK_COMPLETE", verdict "stack-status")
  end)

  it("look into nested stacks", function()
    open(nil, { Resources = { Topic = { Type = "AWS::SNS::Topic" } } })
    w:client("s3"):create_bucket { Bucket = "templates" }
    w:client("s3"):put_object { Bucket = "templates", Key = "child.json", Body = json.encode(TEMPLATE) }
    w.cfn:update_stack { StackName = "web", Capabilities = { "CAPABILITY_IAM" }, TemplateBody = json.encode {
      Resources = { Child = { Type = "AWS::CloudFormation::Stack", Properties = {
        TemplateURL = "https://templates.s3.amazonaws.com/child.json", Parameters = { Days = "14" } } } } } }
    world.sleep(HOUR)
    assert.equal("UPDATE_COMPLETE", w:status "web")
    assert.equal("passed: ", verdict "log-group")
    call("logs", "put_retention_policy", { logGroupName = "/aws/lambda/fn", retentionInDays = 7 })
    assert.equal("failed: it keeps 7 days, not 14", verdict "log-group")
  end)
end)

describe("a stack file's words for checks", function()
  local function problem(settings)
    local ok, e = pcall(check.demand_settings, settings, "web.stack.lua")
    return ok and "" or e.message
  end

  it("are refused when they are misspelt, with the nearest right one", function()
    assert.equal("", problem { strict = true, alarm = false, drift = { on = true }, ["kms-key"] = { strict = true },
      outputs = { required = { "Url" } }, ["http-probe"] = { Url = { path = "/health", timeout = "5s" } } })
    assert.equal("web.stack.lua: verify: there is no check 'alarms', did you mean 'alarm'?", problem { alarms = false })
    assert.matches("the check 'outputs' has no setting 'require', did you mean 'required'?",
      problem { outputs = { require = {} } }, 1, true)
    assert.matches("setting 'on' of the check 'drift' is a string, not a boolean: detects drift",
      problem { drift = { on = "yes" } }, 1, true)
    assert.matches("'Url' of the check 'http-probe' has no field 'stauts', did you mean 'status'?",
      problem { ["http-probe"] = { Url = { stauts = 200 } } }, 1, true)
    assert.matches("the check 'alarm' is set to false, or to a table", problem { alarm = "off" }, 1, true)
  end)
end)
