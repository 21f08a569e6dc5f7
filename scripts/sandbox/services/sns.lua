--- Amazon SNS: topics, subscriptions, messages. What is published is kept on the topic (thing.state.messages)
-- for tests to read, and goes to the queues that subscribe.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local paging = require "sandbox.services.paging"
local queues = require "sandbox.services.sqs.store"

local operations = {}

local TOPIC, SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::Subscription"
local PAGE = 100
local CONFIRM = { email = true, ["email-json"] = true, http = true, https = true } -- by the receiver

local function topic_arn(context, name)
  local region = context.region
  return ("arn:%s:sns:%s:%s:%s"):format(region.partition, region.name, region.account, name)
end

local function find(context, arn)
  local name = (arn or ""):match("[^:]+$")
  local thing = name and context.region:thing(TOPIC, name)
  if not thing or thing.id ~= arn then fault.raise("NotFound", "Topic does not exist", 404) end
  return thing
end

local function state_of(topic)
  topic.state = topic.state or { messages = {}, stream = topic.facts.stream }
  return topic.state
end

-- The subscriptions of a topic: those of its template's own list, and things.
local function subscriptions_of(context, topic)
  local out = {}
  for i, each in ipairs(topic.properties.Subscription or {}) do
    out[#out + 1] = { TopicArn = topic.id, Protocol = each.Protocol, Endpoint = each.Endpoint,
      SubscriptionArn = CONFIRM[each.Protocol] and "PendingConfirmation" or ("%s:inline-%d"):format(topic.id,
        i) }
  end
  for _, thing in ipairs(things.all(context.region, SUBSCRIPTION)) do
    if thing.properties.TopicArn == topic.id then
      out[#out + 1] = { TopicArn = topic.id, Protocol = thing.properties.Protocol,
        Endpoint = thing.properties.Endpoint, raw = things.truth(thing.properties.RawMessageDelivery),
        SubscriptionArn = CONFIRM[thing.properties.Protocol] and "PendingConfirmation" or thing.id }
    end
  end
  for _, each in ipairs(out) do each.Owner = context.world.store.account end
  return out
end

local function envelope(topic, message)
  return json.encode { Type = "Notification", MessageId = message.id, TopicArn = topic.id,
    Subject = message.subject, Message = message.text,
    Timestamp = os.date("!%Y-%m-%dT%H:%M:%S.000Z", math.floor(message.at)) }
end

--- Publishes a message: to the topic's record, and to the queues that subscribe.
---@param context table world, region
---@return table message
local function publish(context, topic, text, subject)
  local state = state_of(topic)
  local message = { id = context.world.store:stream("sns/" .. topic.key .. "/" .. #state.messages):uuid(),
    text = text, subject = subject, at = context.world.clock.now() }
  state.messages[#state.messages + 1] = message
  for _, subscription in ipairs(subscriptions_of(context, topic)) do
    local queue = subscription.Protocol == "sqs" and queues.by_arn(context, subscription.Endpoint)
    if queue then queues.send(context, queue, subscription.raw and text or envelope(topic, message)) end
  end
  return message
end

function operations.Publish(context, input)
  local arn = input.TopicArn or input.TargetArn
  if not arn and input.PhoneNumber then return { MessageId = context.request_id } end
  local topic = find(context, arn)
  if input.Message == "" then fault.raise("InvalidParameter", "Invalid parameter: Empty message") end
  if #input.Message > 256 * 1024 then fault.raise("InvalidParameter",
    "Invalid parameter: Message too long") end
  if input.Subject and #input.Subject > 100 then fault.raise("InvalidParameter",
    "Invalid parameter: Subject") end
  return { MessageId = publish(context, topic, input.Message, input.Subject).id }
end

function operations.CreateTopic(context, input)
  local arn = topic_arn(context, input.Name)
  if not context.region:thing(TOPIC, input.Name) then
    things.make(context, TOPIC, input.Name, { TopicName = input.Name, Tags = input.Tags }, arn)
  end
  return { TopicArn = arn }
end

function operations.DeleteTopic(context, input)
  local ok, topic = pcall(find, context, input.TopicArn)
  if ok then context.region:remove_thing(topic) end
  return {}
end

function operations.ListTopics(context, input)
  local page, next_token = paging.forward(things.all(context.region, TOPIC), input.NextToken, PAGE, "topics")
  local out = json.list {}
  for i, topic in ipairs(page) do out[i] = { TopicArn = topic.id } end
  return { Topics = out, NextToken = next_token }
end

function operations.GetTopicAttributes(context, input)
  local topic, confirmed, pending = find(context, input.TopicArn), 0, 0
  for _, each in ipairs(subscriptions_of(context, topic)) do
    if each.SubscriptionArn == "PendingConfirmation" then pending = pending + 1 else confirmed =
      confirmed + 1 end
  end
  local out = { TopicArn = topic.id, Owner = context.world.store.account,
    SubscriptionsConfirmed = ("%d"):format(confirmed), SubscriptionsPending = ("%d"):format(pending),
    SubscriptionsDeleted = "0", DisplayName = topic.properties.DisplayName or "" }
  for _, name in ipairs { "KmsMasterKeyId", "FifoTopic", "Policy", "TracingConfig" } do
    local value = topic.properties[name]
    out[name] = type(value) == "table" and json.encode(value) or value
  end
  return { Attributes = out }
end

function operations.SetTopicAttributes(context, input)
  things.change(find(context, input.TopicArn), { [input.AttributeName] = input.AttributeValue })
  return {}
end

local function listed(all, input)
  local page, next_token = paging.forward(all, input.NextToken, PAGE, "subscriptions")
  local out = json.list {}
  for i, each in ipairs(page) do
    each.raw = nil
    out[i] = each
  end
  return { Subscriptions = out, NextToken = next_token }
end

function operations.ListSubscriptionsByTopic(context, input)
  return listed(subscriptions_of(context, find(context, input.TopicArn)), input)
end

function operations.ListSubscriptions(context, input)
  local all = {}
  for _, topic in ipairs(things.all(context.region, TOPIC)) do
    for _, each in ipairs(subscriptions_of(context, topic)) do all[#all + 1] = each end
  end
  return listed(all, input)
end

function operations.Subscribe(context, input)
  local topic = find(context, input.TopicArn)
  local count = #things.all(context.region, SUBSCRIPTION)
  local arn = topic.id .. ":" .. context.world.store:stream(("subscription/%d"):format(count)):uuid()
  things.make(context, SUBSCRIPTION, arn, { TopicArn = topic.id, Protocol = input.Protocol,
    Endpoint = input.Endpoint, RawMessageDelivery = (input.Attributes or {}).RawMessageDelivery })
  return { SubscriptionArn = CONFIRM[input.Protocol] and not input.ReturnSubscriptionArn and "pending "
    .. "confirmation"
    or arn }
end

function operations.Unsubscribe(context, input)
  local thing = context.region:thing(SUBSCRIPTION, input.SubscriptionArn)
  if thing then context.region:remove_thing(thing) end
  return {}
end

function operations.ListTagsForResource(context, input)
  return { Tags = json.list(find(context, input.ResourceArn).properties.Tags or {}) }
end

return { operations = operations, publish = publish, find = find }
