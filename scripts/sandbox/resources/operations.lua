--- Resource types of watching and operating, and CloudFormation's own. Records: sandbox.resources.catalog.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"

-- Where a real handle's signals would be put: a presigned URL.
local function handle_url(facts, expand)
  return expand("https://cloudformation-waitcondition-{region}.s3.{region}.amazonaws.com/", facts)
    .. crypto.uri_encode(facts.stack_id)
    .. expand("/{logical}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host&X-Amz-Expires=86399"
      .. "&X-Amz-Signature={hex:64}", facts)
end

return {
  ["AWS::Logs::LogGroup"] = {
    name = { "LogGroupName", max = 512 }, create = 10, settle = 9, delete = 1,
    attributes = { Arn = "arn:{partition}:logs:{region}:{account}:log-group:{name}:*" },
  },
  ["AWS::Logs::MetricFilter"] = { name = { "FilterName" }, create = { 1, 2 }, delete = 1 },
  ["AWS::Logs::SubscriptionFilter"] = { name = { "FilterName" }, create = { 1, 2 }, delete = 1 },
  ["AWS::CloudWatch::Alarm"] = {
    name = { "AlarmName" }, create = { 1, 6 }, delete = 1,
    attributes = { Arn = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}" },
  },
  ["AWS::CloudWatch::Dashboard"] = { name = { "DashboardName" }, create = { 1, 2 }, delete = 1 },
  ["AWS::CloudTrail::Trail"] = {
    name = { "TrailName", max = 128 }, create = { 3, 8 }, delete = 1,
    attributes = {
      Arn = "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
      SnsTopicArn = { when = "SnsTopicName", "arn:{partition}:sns:{region}:{account}:{.SnsTopicName}" },
    },
  },
  ["AWS::Budgets::Budget"] = { name = {}, create = { 1, 3 }, delete = 1, global = true },
  ["AWS::CDK::Metadata"] = { id = "{uuid}", create = 1, delete = 1 },
  ["AWS::CloudFormation::WaitConditionHandle"] = { id = handle_url, create = 1, delete = 1 },
  ["AWS::CloudFormation::WaitCondition"] = {
    id = function(facts)
      local handle = tostring(facts.properties.Handle or ""):match("/([^/?]+)%?") or facts.logical
      return facts.stack_id .. "/" .. handle
    end,
    create = 1, delete = 1, signals = { kind = "condition", longest = 43200 },
    attributes = { Data = function(facts) return json.encode(facts.resource.signal_data or {}) end },
  },
  ["AWS::CloudFormation::Stack"] = {
    name = { suffix = "upper" }, any_attribute = true, create = 10, delete = 10, driver = "nested",
    always_updated = true,
  },
}
