-- Services that show what stacks made: logs, trails, alarms.

local world = require "spec.sandbox_world"

describe("services that look at things", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function refusal(client, operation, input) return (world.refusal(client[operation], client,
    input)) end

  it("logs: groups and metric filters, made by stacks or by calls", function()
    w:create("demo", {
      G = { Type = "AWS::Logs::LogGroup", Properties = { LogGroupName = "/app/one", RetentionInDays =
        "30" } },
      F = { Type = "AWS::Logs::MetricFilter", DependsOn = "G", Properties = { FilterName = "errors",
        LogGroupName = "/app/one", FilterPattern = "ERROR", MetricTransformations = { {
          MetricName = "Errors", MetricNamespace = "App", MetricValue = "1" } } } },
    })
    local logs = w:client "logs"
    logs:create_log_group { logGroupName = "/app/two" }
    local groups = logs:describe_log_groups({ logGroupNamePrefix = "/app/" }).logGroups
    assert.same({ "/app/one", 30, "/app/two" },
      { groups[1].logGroupName, groups[1].retentionInDays, groups[2].logGroupName })
    local filter = logs:describe_metric_filters({ logGroupName = "/app/one" }).metricFilters[1]
    assert.equal("Errors", filter.metricTransformations[1].metricName)
    logs:put_retention_policy { logGroupName = "/app/one", retentionInDays = 7 }
    assert.equal(7, logs:describe_log_groups({ logGroupNamePrefix =
      "/app/one" }).logGroups[1].retentionInDays)
    assert.equal("ResourceNotFoundException: The specified log group does not exist.",
      refusal(logs, "delete_log_group", { logGroupName = "none" }))
  end)

  it("cloudtrail: trails and whether they log", function()
    w:create("demo", { T = { Type = "AWS::CloudTrail::Trail", Properties = { TrailName = "audit", IsLogging =
      "true",
      S3BucketName = "b", IsMultiRegionTrail = "true", EnableLogFileValidation = "true" } } })
    local trails = w:client "cloudtrail"
    local trail = trails:describe_trails({ trailNameList = { "audit" } }).trailList[1]
    assert.same({ true, true, "us-east-1" },
      { trail.IsMultiRegionTrail, trail.LogFileValidationEnabled, trail.HomeRegion })
    assert.is_true(trails:get_trail_status({ Name = trail.TrailARN }).IsLogging)
    trails:stop_logging { Name = "audit" }
    assert.is_false(trails:get_trail_status({ Name = "audit" }).IsLogging)
    assert.equal("TrailNotFoundException: Unknown trail: none", refusal(trails, "get_trail", { Name =
      "none" }))
  end)

  it("cloudwatch: alarms, whose state a call sets, and dashboards", function()
    w:create("demo", {
      A = { Type = "AWS::CloudWatch::Alarm", Properties = { AlarmName = "hot", ComparisonOperator =
        "GreaterThanThreshold", EvaluationPeriods = "2", Threshold = "10.5", MetricName = "m", Namespace =
          "n",
        Dimensions = { { Name = "d", Value = "v" } } } },
      D = { Type = "AWS::CloudWatch::Dashboard", Properties = { DashboardName = "board",
        DashboardBody = '{"widgets":[]}' } },
    })
    local watch = w:client "cloudwatch"
    local alarm = watch:describe_alarms({ AlarmNames = { "hot" } }).MetricAlarms[1]
    assert.same({ "INSUFFICIENT_DATA", 10.5, 2, "v" },
      { alarm.StateValue, alarm.Threshold, alarm.EvaluationPeriods, alarm.Dimensions[1].Value })
    watch:set_alarm_state { AlarmName = "hot", StateValue = "ALARM", StateReason = "test" }
    assert.equal(1, #watch:describe_alarms({ StateValue = "ALARM" }).MetricAlarms)
    assert.equal('{"widgets":[]}', watch:get_dashboard({ DashboardName = "board" }).DashboardBody)
    assert.equal(1, #watch:list_dashboards({}).DashboardEntries)
    assert.truthy(refusal(watch, "get_dashboard", { DashboardName = "none" }):find("Dashboard none does not "
      .. "exist",
      1, true))
  end)
end)
