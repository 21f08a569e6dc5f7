--- Resource types that carry messages and events. Records: sandbox.resources.catalog.

local function rule_arn(facts, expand)
  local bus = tostring(facts.properties.EventBusName or "default"):match("([^/]+)$")
  local path = bus == "default" and "" or bus .. "/"
  return expand("arn:{partition}:events:{region}:{account}:rule/", facts) .. path .. facts.name
end

return {
  ["AWS::SNS::Topic"] = {
    name = { "TopicName", max = 256 }, id = "arn:{partition}:sns:{region}:{account}:{name}",
    create = { 11, 12 }, delete = 1, attributes = { TopicArn = "{id}", TopicName = "{name}" },
  },
  ["AWS::SNS::Subscription"] = {
    id = "{.TopicArn}:{uuid}", create = { 1, 2 }, delete = 1, attributes = { Arn = "{id}" },
  },
  ["AWS::SNS::TopicPolicy"] = {
    name = { suffix = "upper" }, create = 11, delete = 1, attributes = { Id = "{id}" },
  },
  ["AWS::SQS::Queue"] = {
    name = { "QueueName", max = 80 }, id = "https://sqs.{region}.amazonaws.com/{account}/{name}",
    create = 31, settle = 1, delete = 31,
    attributes = {
      Arn = "arn:{partition}:sqs:{region}:{account}:{name}", QueueName = "{name}", QueueUrl = "{id}",
    },
  },
  ["AWS::SQS::QueuePolicy"] = {
    name = { suffix = "upper" }, create = { 1, 2 }, delete = 1, attributes = { Id = "{id}" },
  },
  ["AWS::Events::Rule"] = {
    name = { "Name", max = 64 }, create = 62, delete = 32, attributes = { Arn = rule_arn },
  },
  ["AWS::Events::EventBus"] = {
    name = { "Name" }, create = 3, delete = 1,
    attributes = { Arn = "arn:{partition}:events:{region}:{account}:event-bus/{name}", Name = "{name}" },
  },
}
