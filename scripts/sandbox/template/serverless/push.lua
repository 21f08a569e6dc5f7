--- Events of services that call a function: S3, SNS, CloudWatch Logs, IoT, Alexa and Cognito.

local values = require "sandbox.template.serverless.values"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local pull = require "sandbox.template.serverless.pull"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local push = { kinds = {} }

-- The resource of the template that a property names by Ref.
local function named(work, value, refuse)
  local id = values.is_map(value) and value.Ref
  if id and type(id) ~= "string" then refuse(true) end
  if not id or not work.tree.Resources[id] then refuse(false) end
  return work.tree.Resources[id], id
end

local function check_type(id, resource, expected)
  if resource.Type ~= expected then
    failure.resource(id, "Resource has incorrect Type; expected '%s', got '%s'", expected, values.shown(resource.Type))
  end
end

-- The member of a map that is a map itself, made when it is not there.
local function inner(map, name, refuse)
  if map[name] == nil then values.put(map, name, {}) end
  if not values.is_map(map[name]) then refuse() end
  return map[name]
end

local function texts(value) return type(value) == "string" and { value } or value end

---------------------------------------------------------------------------------------------------------
-- S3: the bucket itself says whom it tells, and waits for the permission

local function link_bucket(work, event)
  local bucket, id = named(work, event.given.Bucket, function(wrong)
    failure.event(event.name, wrong and "'Ref' value in S3 events is not a valid string."
      or "S3 events must reference an S3 bucket in the same template.")
  end)
  return { bucket = bucket, id = id }
end

local function wait_for(bucket, id, permission)
  local condition = permission.attributes.Condition
  if not condition then
    local on = type(bucket.DependsOn) == "string" and values.list(bucket.DependsOn) or bucket.DependsOn or values.list()
    if not values.is_list(on) and next(on) then
      failure.resource(id, "Invalid type for field 'DependsOn'. Expected a string or list of strings.")
    end
    if not values.has(on, permission.id) then on = values.joined(on, { permission.id }) end
    values.put(bucket, "DependsOn", on)
    return
  end
  -- DependsOn takes no conditions; a tag may have them.
  local properties = inner(bucket, "Properties", function() failure.resource(id, "Properties should be a map.") end)
  local tags = properties.Tags or values.list()
  resources.expect(failure.resource, id, "Tags", tags, "list")
  local tag = values.map("Key", "sam:ConditionalDependsOn:" .. permission.id,
    "Value", values.choice(condition, values.ref(permission.id), "no dependency"))
  values.put(properties, "Tags", values.joined(tags, { tag }))
end

local function notify(bucket, id, event, target)
  local properties = inner(bucket, "Properties", function() failure.resource(id, "Properties should be a map.") end)
  local config = inner(properties, "NotificationConfiguration", function()
    failure.resource(id, "Property 'NotificationConfiguration' should be a map.")
  end)
  local list = config.LambdaConfigurations or values.list()
  if not values.is_list(list) then
    failure.resource(id, "Invalid type for LambdaConfigurations. Must be a list.")
  end
  for _, name in ipairs(texts(event.given.Events)) do
    local each = values.map("Function", target.arn, "Filter", event.given.Filter, "Event", name)
    if target.condition then each = values.choice(target.condition, each) end
    if not values.has(list, each) then list = values.joined(list, { each }) end
  end
  values.put(config, "LambdaConfigurations", list)
end

push.kinds.S3 = {
  kind = resources.kind("S3", [[ Bucket! string, Events!= string|list<string>, Filter map<string> ]]),
  link = link_bucket,
  make = function(_, event, target)
    local bucket, id = event.link.bucket, event.link.id
    local permission = events.permission(event, target, "s3.amazonaws.com",
      { SourceAccount = values.ref "AWS::AccountId" })
    wait_for(bucket, id, permission)
    notify(bucket, id, event, target)
    check_type(id, bucket, "AWS::S3::Bucket")
    return { permission }
  end,
}

---------------------------------------------------------------------------------------------------------
-- SNS: a subscription, through a queue when that is asked for

local SUBSCRIPTION = { "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy" }

local function subscription(event, target, protocol, endpoint)
  local out = resources.set(resources.new("AWS::SNS::Subscription", event.id, target.attributes),
    "Endpoint", endpoint, "Protocol", protocol, "TopicArn", event.given.Topic)
  for _, name in ipairs(SUBSCRIPTION) do resources.set(out, name, event.given[name]) end
  return out
end

local function is_fifo(work, topic)
  local id = values.named(topic)
  local properties = id and (work.tree.Resources[id] or {}).Properties or {}
  return values.or_nil(resolve.parameters(properties.FifoTopic, work.parameters))
end

local function made_queue(work, event, target)
  local queue = resources.new("AWS::SQS::Queue", event.id .. "Queue", target.attributes)
  resources.set(queue, "FifoQueue", is_fifo(work, event.given.Topic))
  return { arn = values.getatt(queue.id, "Arn"), url = values.ref(queue.id), resource = queue }
end

local function given_queue(event)
  local config = event.given.SqsSubscription
  resources.expect(failure.event, event.name, "SqsSubscription", config, "map")
  if not values.given(config.QueueArn) or not values.given(config.QueueUrl) then
    failure.event(event.name, "No QueueARN or QueueURL provided.")
  end
  return { arn = config.QueueArn, url = config.QueueUrl, policy = values.or_nil(config.QueuePolicyLogicalId),
    batch = config.BatchSize }
end

local function through_queue(work, event, target)
  local config = event.given.SqsSubscription
  local queue = config == true and made_queue(work, event, target) or given_queue(event)
  local made = { queue.resource }
  made[#made + 1] = events.queue_policy(queue.policy or event.id .. "QueuePolicy", target.attributes, queue.arn,
    queue.url, "*", event.given.Topic)
  made[#made + 1] = subscription(event, target, "sqs", queue.arn)
  made[#made + 1] = pull.queue(work, event.id .. "EventSourceMapping", target, queue.arn, queue.batch)
  return made
end

push.kinds.SNS = {
  kind = resources.kind("SNS", [[ Topic! string, Region string, FilterPolicy= any, FilterPolicyScope= any,
    SqsSubscription boolean|map, RedrivePolicy map ]]),
  make = function(work, event, target)
    if values.given(event.given.SqsSubscription) then return through_queue(work, event, target) end
    return { events.permission(event, target, "sns.amazonaws.com", { SourceArn = event.given.Topic }),
      subscription(event, target, "lambda", target.arn) }
  end,
}

---------------------------------------------------------------------------------------------------------
-- Others

push.kinds.CloudWatchLogs = {
  kind = resources.kind("CloudWatchLogs", [[ LogGroupName! string, FilterPattern! string ]]),
  make = function(work, event, target)
    local given = event.given
    local permission = events.permission(event, target, "logs.amazonaws.com", { SourceArn = values.sub(
      events.arn(work.partition, "logs", "log-group:${__LogGroupName__}:*"),
      values.map("__LogGroupName__", given.LogGroupName)) })
    local filter = resources.new("AWS::Logs::SubscriptionFilter", event.id, target.attributes,
      values.list(permission.id))
    return { permission, resources.set(filter, "LogGroupName", given.LogGroupName,
      "FilterPattern", given.FilterPattern, "DestinationArn", target.arn) }
  end,
}

push.kinds.IoTRule = {
  kind = resources.kind("IoTRule", [[ Sql! string, AwsIotSqlVersion string ]]),
  make = function(work, event, target)
    local permission = events.permission(event, target, "iot.amazonaws.com", {
      SourceArn = values.sub(events.arn(work.partition, "iot", "rule/${RuleName}"),
        values.map("RuleName", values.ref(event.id))),
      SourceAccount = values.sub "${AWS::AccountId}" })
    local rule = resources.new("AWS::IoT::TopicRule", event.id, target.attributes)
    return { permission, resources.set(rule, "TopicRulePayload", values.map("Sql", event.given.Sql,
      "RuleDisabled", false, "Actions", values.list(values.map("Lambda", values.map("FunctionArn", target.arn))),
      "AwsIotSqlVersion", values.or_nil(event.given.AwsIotSqlVersion))) }
  end,
}

push.kinds.AlexaSkill = {
  kind = resources.kind("AlexaSkill", [[ SkillId string ]]),
  make = function(_, event, target)
    return { events.permission(event, target, "alexa-appkit.amazon.com",
      { EventSourceToken = event.given.SkillId }) }
  end,
}

local function trigger(event, target)
  local pool, id = event.link.pool, event.link.id
  local properties = inner(pool, "Properties", function() failure.resource(id, "Properties should be a map.") end)
  local config = inner(properties, "LambdaConfig", function()
    failure.resource(id, "Property 'LambdaConfig' should be a map.")
  end)
  for _, name in ipairs(texts(event.given.Trigger)) do
    if config[name] ~= nil then
      failure.event(event.name, 'Cognito trigger "%s" defined multiple times.', values.shown(event.given.Trigger))
    end
    values.put(config, name, target.arn)
  end
end

push.kinds.Cognito = {
  kind = resources.kind("Cognito", [[ UserPool! string, Trigger!= string|list<string> ]]),
  link = function(work, event)
    local pool, id = named(work, event.given.UserPool, function(wrong)
      failure.event(wrong and event.id or event.name, wrong and "Ref in Userpool is not a string."
        or "Cognito events must reference a Cognito UserPool in the same template.")
    end)
    return { pool = pool, id = id }
  end,
  make = function(_, event, target)
    local permission = events.permission(event, target, "cognito-idp.amazonaws.com",
      { SourceArn = values.getatt(event.link.id, "Arn") }, { prefix = target.id .. "Cognito" })
    trigger(event, target)
    check_type(event.link.id, event.link.pool, "AWS::Cognito::UserPool")
    return { permission }
  end,
}

return push
