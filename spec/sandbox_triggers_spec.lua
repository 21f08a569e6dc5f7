-- Rollback triggers and messages about events: reference parts 1.6 and 8.

local world = require "spec.sandbox_world"

local ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:hot"

describe("a rollback trigger", function()
  local w
  before_each(function()
    w = world.open()
    w:client("cloudwatch"):put_metric_alarm { AlarmName = "hot", ComparisonOperator = "GreaterThanThreshold",
      EvaluationPeriods = 1, MetricName = "m", Namespace = "n", Threshold = 1, Period = 60, Statistic =
        "Sum" }
  end)
  after_each(function() w:close() end)

  local function with(arn, minutes)
    return { RollbackConfiguration = { MonitoringTimeInMinutes = minutes,
      RollbackTriggers = { { Arn = arn, Type = "AWS::CloudWatch::Alarm" } } } }
  end

  local function alarm()
    w:client("cloudwatch"):set_alarm_state { AlarmName = "hot", StateValue = "ALARM", StateReason = "test" }
  end

  it("1.6: in ALARM takes an update back, also while it is only watched", function()
    w:create("demo", { A = world.topic { DisplayName = "old" } })
    local input = with(ALARM, 10)
    input.StackName, input.TemplateBody = "demo", world.template { A = world.topic { DisplayName = "new" } }
    w.cfn:update_stack(input)
    world.sleep(300)
    assert.equal("UPDATE_IN_PROGRESS", w:status "demo")
    alarm()
    world.sleep(600)
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    assert.truthy(w:reason("demo", "demo", "UPDATE_ROLLBACK_IN_PROGRESS"):find(ALARM, 1, true))
  end)

  it("1.6: that stays quiet delays the end by the monitoring time", function()
    w:create("demo", { A = world.topic() }, with(ALARM, 5), 240)
    assert.equal("CREATE_IN_PROGRESS", w:status "demo")
    world.sleep(120)
    assert.equal("CREATE_COMPLETE", w:status "demo")
    alarm()
    world.sleep(60)
    assert.equal("CREATE_COMPLETE", w:status "demo")
  end)

  it("1.6: that is not there fails the operation", function()
    w:create("demo", { A = world.topic() }, with(ALARM .. "-none"))
    assert.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("1.6: of another type or without an alarm's ARN is refused", function()
    local input = with(ALARM)
    input.RollbackConfiguration.RollbackTriggers[1].Type = "AWS::SNS::Topic"
    assert.equal("ValidationError: Rollback Trigger Type not supported",
      w:create_refusal({ A = world.topic() }, input))
    assert.equal("ValidationError: RelativeId of a Rollback Trigger's ARN is incorrect",
      w:create_refusal({ A = world.topic() }, with "arn:aws:sns:us-east-1:123456789012:topic"))
  end)
end)

describe("a notification", function()
  it("8: tells every event of a stack to its topics", function()
    local w = world.open()
    local arn = w:client("sns"):create_topic({ Name = "told" }).TopicArn
    w:create("demo", { A = world.topic { DisplayName = "x" } }, { NotificationARNs = { arn },
      ClientRequestToken = "token" })
    local messages = w.sandbox.store:region("us-east-1"):thing("AWS::SNS::Topic", "told").state.messages
    assert.equal(#w:events "demo", #messages)
    local first, last = messages[1], messages[#messages]
    assert.equal("AWS CloudFormation Notification", first.subject)
    assert.truthy(first.text:match "^StackId='arn:aws:cloudformation:.*'\nTimestamp='2026%-01%-01T.*Z'\n")
    assert.truthy(first.text:find("\nNamespace='123456789012'\n", 1, true))
    assert.truthy(first.text:find("\nResourceProperties='null'\nResourceStatus='CREATE_IN_PROGRESS'\n", 1,
      true))
    assert.truthy(last.text:find("ResourceStatus='CREATE_COMPLETE'\nResourceStatusReason=''\n", 1, true))
    assert.equal("ClientRequestToken='token'\n", last.text:match("ClientRequestToken.*$"))
    assert.truthy(messages[2].text:find("ResourceProperties='{\"DisplayName\":\"x\"}\n'\n", 1, true))
    assert.is_nil(messages[2].text:find("PhysicalResourceId", 1, true))
    w:close()
  end)
end)
