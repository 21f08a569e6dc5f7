-- What is read back after a deployment, and who is told how it went. Each check is made to fail once, by changing the
-- thing behind CloudFormation's back through its own service.
local helpers = require "spec.helpers"
local json = require "tap.core.json"

teardown(helpers.clean)

local function in_sandbox(body, scenario)
  helpers.with_sandbox(200, function(url)
    body(function(words)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      for name, value in pairs(words.env or {}) do env[name] = value end
      words.env = env
      return helpers.tapengine(words)
    end, url)
  end, { scenario = scenario and helpers.file("scenario.lua", scenario) })
end

local function aws(run, service, operation, input)
  local result = run { "aws", service, operation, "--input", json.encode(input) }
  assert.equal(0, result.code, result.err)
  return result.out ~= "" and json.decode(result.out) or {}
end

--- Deploys resources as stack "web", with a stack file; the template's path.
local function deploy(run, resources, settings, more)
  local t = { Resources = resources }
  for name, value in pairs(more or {}) do t[name] = value end
  local path = helpers.file("web.json", json.encode(t))
  helpers.file("web.stack.lua", settings or 'return { stack_name = "web" }', path:match("^(.*)/"))
  local result = run { "deploy", "--template", path, "--yes", "--no-verify", "--capabilities", "CAPABILITY_IAM" }
  assert.equal(0, result.code, result.err)
  return path
end

local function verify_for(limit, run, path, ...)
  local result = run { "verify", "--template", path, "--output", "json", "--timeout", limit, ... }
  assert.is_true(result.code == 0 or result.code == 9, result.err)
  local by_check = {}
  for _, one in ipairs(json.decode(result.out).results) do by_check[one.check] = one end
  return result.code, by_check
end

local function verify(run, path, ...) return verify_for("1s", run, path, ...) end

-- A group of two instances, and what is beside it: a target group "Targets" is the group's.
local function fleet(more)
  local resources = {
    Template = { Type = "AWS::EC2::LaunchTemplate", Properties = { LaunchTemplateData = {
      ImageId = "ami-0123456789abcdef0", InstanceType = "t3.micro" } } },
    Fleet = { Type = "AWS::AutoScaling::AutoScalingGroup", Properties = { AutoScalingGroupName = "fleet",
      MinSize = "2", MaxSize = "4", DesiredCapacity = "2", AvailabilityZones = { "us-east-1a" },
      TargetGroupARNs = more.Targets and { { Ref = "Targets" } } or nil,
      LaunchTemplate = { LaunchTemplateId = { Ref = "Template" }, Version = "1" } } },
  }
  for id, resource in pairs(more) do resources[id] = resource end
  return resources
end

local STRICT = 'return { stack_name = "web", verify = { strict = true } }'
local ROLE = { Type = "AWS::IAM::Role", Properties = { AssumeRolePolicyDocument = { Version = "2012-10-17",
  Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
    Principal = { Service = "lambda.amazonaws.com" } } } } } }

describe("verify", function()
  it("sees a bucket that is open, unversioned or no longer as it was asked for", function()
    in_sandbox(function(run)
      local path = deploy(run, { Bucket = { Type = "AWS::S3::Bucket", Properties = { BucketName = "web-files",
        VersioningConfiguration = { Status = "Enabled" }, PublicAccessBlockConfiguration = { BlockPublicAcls = true,
        IgnorePublicAcls = true, BlockPublicPolicy = true, RestrictPublicBuckets = true } } } }, STRICT)
      local code, found = verify(run, path)
      assert.equal(0, code)
      assert.equal("passed", found["s3-bucket"].status)
      aws(run, "s3", "put-public-access-block", { Bucket = "web-files", PublicAccessBlockConfiguration = {
        BlockPublicAcls = true, IgnorePublicAcls = false, BlockPublicPolicy = true, RestrictPublicBuckets = true } })
      aws(run, "s3", "put-bucket-versioning", { Bucket = "web-files",
        VersioningConfiguration = { Status = "Suspended" } })
      code, found = verify(run, path)
      assert.equal(9, code)
      assert.equal("IgnorePublicAcls is off; versioning is Suspended", found["s3-bucket"].message)
    end)
  end)

  it("sees a key that does not rotate, a table without recovery, an alarm that is on, a topic", function()
    in_sandbox(function(run)
      local path = deploy(run, {
        Key = { Type = "AWS::KMS::Key", Properties = { EnableKeyRotation = true, KeyPolicy = { Version = "2012-10-17",
          Statement = { { Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "*" } } } } } },
        Table = { Type = "AWS::DynamoDB::Table", Properties = { TableName = "web", BillingMode = "PAY_PER_REQUEST",
          PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = true },
          AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
          KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } },
        Alarm = { Type = "AWS::CloudWatch::Alarm", Properties = { AlarmName = "web", ComparisonOperator =
          "GreaterThanThreshold", EvaluationPeriods = 1, MetricName = "Errors", Namespace = "AWS/Lambda", Period = 60,
          Statistic = "Sum", Threshold = 1 } },
        Topic = { Type = "AWS::SNS::Topic" },
      }, STRICT)
      local code, found = verify(run, path)
      assert.equal(0, code, json.encode(found))
      for _, name in ipairs { "kms-key", "dynamodb-table", "alarm", "sns-topic" } do
        assert.equal("passed", found[name].status)
      end
      local id = aws(run, "cloudformation", "describe-stack-resource", { StackName = "web",
        LogicalResourceId = "Key" }).StackResourceDetail.PhysicalResourceId
      aws(run, "kms", "disable-key-rotation", { KeyId = id })
      aws(run, "dynamodb", "update-continuous-backups", { TableName = "web",
        PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = false } })
      aws(run, "cloudwatch", "set-alarm-state", { AlarmName = "web", StateValue = "ALARM", StateReason = "errors" })
      code, found = verify(run, path)
      assert.equal(9, code)
      assert.same({ "it does not rotate", "point-in-time recovery is off", "it is in alarm: errors" },
        { found["kms-key"].message, found["dynamodb-table"].message, found.alarm.message })
    end)
  end)

  it("sees an instance that is not healthy, in its group and among the targets", function()
    in_sandbox(function(run)
      local path = deploy(run, fleet { Targets = { Type = "AWS::ElasticLoadBalancingV2::TargetGroup", Properties = {
        Port = 80, Protocol = "HTTP", VpcId = "vpc-0123456789abcdef0", HealthCheckIntervalSeconds = 5,
        HealthyThresholdCount = 2 } } })
      local code, found = verify_for("5s", run, path)
      assert.same({ 0, "passed", "passed" }, { code, found["auto-scaling-group"].status, found["target-group"].status })
      local group = aws(run, "autoscaling", "describe-auto-scaling-groups", {}).AutoScalingGroups[1]
      local id = group.Instances[1].InstanceId
      aws(run, "autoscaling", "set-instance-health", { InstanceId = id, HealthStatus = "Unhealthy" })
      code, found = verify(run, path)
      assert.equal(9, code)
      assert.equal("1 of 2 instances are in service", found["auto-scaling-group"].message)
      assert.equal(id .. " is unhealthy (Target.FailedHealthChecks)", found["target-group"].message)
    end)
  end)

  it("sees a trail that does not log, a log group that forgets, a database that is not as it was asked for", function()
    in_sandbox(function(run)
      local path = deploy(run, {
        Trail = { Type = "AWS::CloudTrail::Trail", Properties = { TrailName = "trail", S3BucketName = "logs",
          IsLogging = true, IsMultiRegionTrail = true, EnableLogFileValidation = true } },
        Log = { Type = "AWS::Logs::LogGroup", Properties = { LogGroupName = "/web", RetentionInDays = 30 } },
        Database = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceIdentifier = "db", Engine = "postgres",
          DBInstanceClass = "db.t3.micro", AllocatedStorage = "20", StorageEncrypted = true, MultiAZ = true,
          ManageMasterUserPassword = true, MasterUsername = "root" } },
      })
      assert.equal(0, (verify(run, path)))
      aws(run, "cloudtrail", "stop-logging", { Name = "trail" })
      aws(run, "logs", "put-retention-policy", { logGroupName = "/web", retentionInDays = 1 })
      aws(run, "rds", "modify-db-instance", { DBInstanceIdentifier = "db", MultiAZ = false, ApplyImmediately = true })
      local code, found = verify_for("5s", run, path)
      assert.equal(9, code)
      assert.same({ "it is not logging", "it keeps 1 days, not 30", "MultiAZ is not as the template asks" },
        { found.cloudtrail.message, found["log-group"].message, found["rds-instance"].message })
      aws(run, "logs", "delete-log-group", { logGroupName = "/web" })
      local _, gone = verify(run, path, "--check", "log-group")
      assert.equal("it does not exist", gone["log-group"].message)
    end)
  end)

  it("sees a load balancer and a flow log that are gone", function()
    in_sandbox(function(run)
      local path = deploy(run, {
        Balancer = { Type = "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties = {
          Subnets = { "subnet-0123456789abcdef0", "subnet-0123456789abcdef1" } } },
        Flow = { Type = "AWS::EC2::FlowLog", Properties = { ResourceId = "vpc-0123456789abcdef0", ResourceType = "VPC",
          TrafficType = "ALL", LogDestinationType = "s3", LogDestination = "arn:aws:s3:::logs" } },
      })
      local code, found = verify(run, path)
      assert.same({ 9, "failed", "failed" }, { code, found["load-balancer"].status, found["flow-log"].status })
    end, 'return { teaches = "Hands.", drifts = { { resource = "Balancer", delete = true }, '
      .. '{ resource = "Flow", delete = true } } }')
  end)

  it("sees a function that fails, or has no log group", function()
    in_sandbox(function(run)
      local path = deploy(run, { Role = ROLE, Function = { Type = "AWS::Lambda::Function", Properties = {
        FunctionName = "web", Runtime = "python3.12", Handler = "index.handler", Code = { ZipFile = "x" },
        Role = { ["Fn::GetAtt"] = { "Role", "Arn" } } } } }, STRICT)
      local code, found = verify(run, path)
      assert.equal(9, code)
      assert.equal("its log group /aws/lambda/web does not exist", found["lambda-function"].message)
    end)
  end)

  it("demands outputs, probes addresses, and finds drift where a stack file asks for it", function()
    in_sandbox(function(run, url)
      local settings = ([[return { stack_name = "web", verify = { outputs = { required = { "Url", "Missing" } },
        drift = { on = true }, ["http-probe"] = { Url = { status = 403, timeout = "5s" } } } }]])
      local path = deploy(run, { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = "a" } } }, settings,
        { Outputs = { Url = { Value = url } } })
      local code, found = verify(run, path)
      assert.equal(9, code)
      assert.equal("output Missing is missing", found.outputs.message)
      assert.equal("passed", found["http-probe"].status)
      assert.equal("passed", found.drift.status)
      local arn = aws(run, "sns", "list-topics", {}).Topics[1].TopicArn
      aws(run, "sns", "set-topic-attributes", { TopicArn = arn, AttributeName = "DisplayName", AttributeValue = "b" })
      code, found = verify(run, path)
      assert.equal(9, code)
      assert.equal("Topic is MODIFIED", found.drift.message)
    end)
  end)

  it("runs a team's own check from tap/checks, gives JUnit, and can be told which", function()
    in_sandbox(function(run)
      local path = deploy(run, { Queue = { Type = "AWS::SQS::Queue" } })
      local folder = helpers.folder()
      require("tap.core.sys").mkdir_p(folder .. "/tap/checks")
      helpers.file("queue-name.lua", [[
        local tap = require "tap"
        return tap.check { name = "queue-name", summary = "queues are called <web>", type = "AWS::SQS::Queue",
          run = function(_, it) it:expect(it.physical_id:find "never", "its name is <wrong>") end }]],
        folder .. "/tap/checks")
      local result = run { "verify", "--template", path, "--junit", folder .. "/out.xml", cwd = folder }
      assert.equal(9, result.code, result.err)
      assert.matches("failed  queue-name    Queue  its name is <wrong>", result.out, 1, true)
      local xml = require("tap.core.sys").read_file(folder .. "/out.xml")
      assert.matches('<failure message="its name is &lt;wrong&gt;"/>', xml, 1, true)
      local other = helpers.folder()
      require("tap.core.sys").mkdir_p(other .. "/tap") -- a team's folder without checks
      assert.equal(0, run({ "verify", "--template", path, cwd = other }).code)
      assert.equal(0, run({ "verify", "--template", path, "--check", "outputs", cwd = folder }).code)
      assert.equal(2, run({ "verify", "--template", path, "--check", "output", cwd = folder }).code)
    end)
  end)

  it("lets a team's file take a shipped check's place, and shows it; two checks of one name are refused", function()
    local folder = helpers.folder()
    local own = folder .. "/tap/checks"
    require("tap.core.sys").mkdir_p(own)
    local words = 'return require("tap").check { name = "%s", summary = "ours", stack = true, run = function() end }'
    helpers.file("alarm.lua", words:format "alarm", own)
    local listed = helpers.tapengine { "list", "checks", cwd = folder }
    assert.matches("\nauto%-scaling%-group  a group has", listed.out)
    assert.matches("^alarm +ours +%[%./tap/checks/alarm.lua, hides ", listed.out)
    assert.equal(2, helpers.tapengine({ "list", "chekcs" }).code)
    assert.equal(4, helpers.tapengine({ "eject", "checks/alarm", cwd = folder }).code) -- it would overwrite ours
    in_sandbox(function(run)
      local path = deploy(run, { Queue = { Type = "AWS::SQS::Queue" } })
      local result = run { "verify", "--template", path, cwd = folder }
      assert.equal(0, result.code, result.err)
      assert.matches("passed  alarm         web", result.out, 1, true)
      helpers.file("other.lua", words:format "alarm", own)
      result = run { "verify", "--template", path, cwd = folder }
      assert.equal(2, result.code)
      assert.matches("other.lua are both called 'alarm'", result.err, 1, true)
    end)
  end)
end)

describe("a deployment", function()
  local BAD = 'return { stack_name = "web", on_verify_failure = "%s", verify = { outputs = { required = { "New" } } } }'

  it("is verified before it is a success, and goes back when the stack file says so", function()
    in_sandbox(function(run)
      local resources = { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = "a" } } }
      local path = deploy(run, resources, BAD:format "rollback")
      local folder = path:match "^(.*)/"
      local large = { Resources = resources, Metadata = { Text = ("x"):rep(52000) } } -- goes through S3, also back
      helpers.file("web.json", json.encode(large), folder)
      assert.equal(0, run({ "deploy", "--template", path, "--yes", "--no-verify" }).code)
      resources.Topic.Properties.DisplayName = "b"
      helpers.file("web.json", json.encode { Resources = resources }, folder)
      local result = run { "deploy", "--template", path, "--yes" }
      assert.equal(9, result.code)
      assert.matches("output New is missing", result.err, 1, true)
      assert.matches("what was deployed before has been brought back", result.err, 1, true)
      local stack = aws(run, "cloudformation", "get-template", { StackName = "web" })
      assert.matches('"DisplayName":"a"', stack.TemplateBody, 1, true)
    end)
  end)

  it("is told to the topic that an output names, else to TAP_SNS_TOPIC_ARN, else by mail", function()
    in_sandbox(function(run)
      local folder = helpers.folder()
      local resources = { Topic = { Type = "AWS::SNS::Topic", Properties = { TopicName = "told" } } }
      local settings = ('return { stack_name = "web", notify = { file = "%s/told.jsonl" } }'):format(folder)
      local path = helpers.file("web.json", json.encode { Resources = resources,
        Outputs = { NotificationTopicArn = { Value = { Ref = "Topic" } } } })
      helpers.file("web.stack.lua", settings, path:match("^(.*)/"))
      local result = run { "deploy", "--template", path, "--yes" }
      assert.equal(0, result.code, result.err)
      assert.equal("", result.err)
      local told = helpers.json_lines(require("tap.core.sys").read_file(folder .. "/told.jsonl"))[1]
      assert.same({ "web", "ok", "CREATE_COMPLETE", "deploy" },
        { told.stack_name, told.outcome, told.status, told.verb })
      assert.matches("^https://us%-east%-1.console.aws.amazon.com/cloudformation/home", told.console)

      -- A target that refuses changes nothing, and is told; its address is a secret.
      local refused = run { "delete", "--template", path, "--yes", env = {
        TAP_WEBHOOK_URL = "http://127.0.0.1:1/hook-s3cret", TAP_SNS_TOPIC_ARN = "arn:aws:sns:us-east-1:1:none" } }
      assert.equal(0, refused.code, refused.err)
      assert.matches("the notification by webhook was not delivered", refused.err, 1, true)
      assert.matches("the notification by sns was not delivered", refused.err, 1, true)
      assert.is_nil((refused.err .. refused.out .. refused.log):find("s3cret", 1, true))
    end)
  end)
end)

describe("the message", function()
  local notify = require "tap.notify"
  local function notice(more)
    local n = { stack_name = "web", stack_id = "arn:aws:cloudformation:us-west-2:1:stack/web/1", region = "us-west-2",
      status = "UPDATE_ROLLBACK_COMPLETE", outcome = "rolled_back", verb = "update", seconds = 61, run = "r1" }
    for name, value in pairs(more or {}) do n[name] = value end
    return n
  end

  it("has status, stack, duration, cause, a link and the run, within SNS's limits", function()
    assert.equal("FAILED: update web UPDATE_ROLLBACK_COMPLETE", notify.subject(notice()))
    local subject = notify.subject(notice { stack_name = ("ä\n"):rep(80) })
    assert.is_true(#subject < 100 and not subject:find("[^\32-\126]"))
    local body = notify.body(notice { cause = "Table: no" })
    for _, words in ipairs { "web", "rolled_back", "1m01s", "Table: no", "r1", "console.aws.amazon.com" } do
      assert.matches(words, body, 1, true)
    end
    assert.is_true(#notify.body(notice { cause = ("ö"):rep(300000) }) < 256 * 1024)
  end)
end)

describe("docs/checks.md", function()
  local HEAD = { "# Checks", "", "What `tapengine verify` and every deployment read back. Made from the files in "
    .. "scripts/checks by spec/verify_spec.lua", "(TAP_WRITE_DOCS=1).", "", "| check | applies to | waits | what |",
    "| --- | --- | --- | --- |" }
  local SETTINGS = { "", "## Settings", "", "In a stack file: `verify = { strict = true, alarm = false, "
    .. '["lambda-function"] = { payload = "{}" } }`. Every check takes `strict`;', "`false` switches one off.", "",
    "| check | setting | what |", "| --- | --- | --- |" }

  it("lists every check that ships, as its file says", function()
    local sys = require "tap.core.sys"
    local util = require "tap.util"
    local lines, settings = { table.unpack(HEAD) }, { table.unpack(SETTINGS) }
    for _, entry in ipairs(require("tap.check").all()) do
      local one = entry.check
      lines[#lines + 1] = ("| `%s` | %s | %s | %s |"):format(one.name,
        one.type or one.output and "outputs" or "the stack", one.retry or "", one.summary)
      for _, name in ipairs(util.sorted_keys(one.settings or {})) do
        settings[#settings + 1] = ("| `%s` | %s | %s |"):format(one.name, name == "*" and "any" or "`" .. name .. "`",
          one.settings[name][2])
      end
    end
    table.move(settings, 1, #settings, #lines + 1, lines)
    local text = table.concat(lines, "\n") .. "\n"
    if sys.getenv "TAP_WRITE_DOCS" == "1" then sys.write_file("docs/checks.md", text) end
    assert.equal(sys.read_file "docs/checks.md", text)
  end)
end)

describe("the healthy share", function()
  local function topic(word) return { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = word } } } end

  local function update(run, share)
    local path = helpers.file("web.json", json.encode { Resources = fleet(topic "b") })
    helpers.file("web.stack.lua", ('return { stack_name = "web", healthy_share = %s }'):format(share),
      path:match("^(.*)/"))
    return run { "update", "--template", path, "--yes", "--no-verify" }
  end

  it("is shown before and after an update, and lets none begin below what a stack file wants", function()
    in_sandbox(function(run)
      deploy(run, fleet(topic "a"))
      local group = aws(run, "autoscaling", "describe-auto-scaling-groups", {}).AutoScalingGroups[1]
      aws(run, "autoscaling", "set-instance-health", { InstanceId = group.Instances[1].InstanceId,
        HealthStatus = "Unhealthy" })
      local refused = update(run, 0.9)
      assert.equal(4, refused.code, refused.err)
      assert.matches("Fleet: 1 of 2 healthy: an update would begin below the healthy share of 0.9", refused.err, 1,
        true)
      local result = update(run, 0.5)
      assert.equal(0, result.code, result.err)
      assert.matches("Fleet: 1 of 2 healthy\n", result.out, 1, true)
      assert.matches("Fleet: 1 of 2 healthy (before: 1 of 2)", result.out, 1, true)
    end)
  end)

  it("is verified after it, so that a way back can follow", function()
    local capacity = require "tap.capacity"
    local calls = { autoscaling = { describe_auto_scaling_groups = function()
      return { AutoScalingGroups = { { DesiredCapacity = 2, Instances = {
        { LifecycleState = "InService", HealthStatus = "Healthy" },
        { LifecycleState = "Pending", HealthStatus = "Healthy" } } } } }
    end } }
    local job = {
      ctx = { client = function(_, name) return calls[name] end, out = { note = function() end } },
      cfn = { each = function()
        local given = false
        return function()
          if given then return nil end
          given = true
          return { ResourceType = "AWS::AutoScaling::AutoScalingGroup", LogicalResourceId = "Fleet",
            PhysicalResourceId = "fleet", ResourceStatus = "UPDATE_COMPLETE" }
        end
      end },
      stack = { id = "arn" }, target = { file = { healthy_share = 0.9 } },
      capacity = { { logical_id = "Fleet", healthy = 2, wanted = 2, share = 1 } },
    }
    local result = capacity.after(job)[1]
    assert.same({ "failed", "Fleet", "1 of 2 healthy" }, { result.status, result.subject, result.message })
    job.target.file.healthy_share = 0.5
    assert.equal("passed", capacity.after(job)[1].status)
  end)

  it("is a share", function()
    in_sandbox(function(run)
      local result = update(run, 50)
      assert.equal(2, result.code)
      assert.matches("it is a share from 0 to 1", result.err, 1, true)
    end)
  end)
end)
