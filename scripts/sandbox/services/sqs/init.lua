--- Amazon SQS: queues and their messages.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local store = require "sandbox.services.sqs.store"

local operations = {}

local MOST = 10

local function url_of(context, name)
  return ("https://sqs.%s.amazonaws.com/%s/%s"):format(context.region.name, context.world.store.account, name)
end

function operations.GetQueueUrl(context, input)
  return { QueueUrl = store.find(context, input.QueueName).id }
end

function operations.ListQueues(context, input)
  local out = json.list {}
  for _, queue in ipairs(things.all(context.region, store.TYPE)) do
    local prefix = input.QueueNamePrefix
    if not prefix or queue.key:sub(1, #prefix) == prefix then out[#out + 1] = queue.id end
  end
  return { QueueUrls = out }
end

function operations.CreateQueue(context, input)
  local queue = context.region:thing(store.TYPE, input.QueueName)
  if not queue then
    local properties = { QueueName = input.QueueName }
    for name, value in pairs(input.Attributes or {}) do properties[name] = value end
    queue = things.make(context, store.TYPE, input.QueueName, properties, url_of(context, input.QueueName))
  end
  return { QueueUrl = queue.id }
end

function operations.DeleteQueue(context, input)
  context.region:remove_thing(store.find(context, input.QueueUrl))
  return {}
end

local SETTINGS = { "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod", "DelaySeconds",
  "ReceiveMessageWaitTimeSeconds", "KmsMasterKeyId", "FifoQueue", "RedrivePolicy", "SqsManagedSseEnabled" }
local USUAL = { VisibilityTimeout = "30", MaximumMessageSize = "262144", MessageRetentionPeriod = "345600",
  DelaySeconds = "0", ReceiveMessageWaitTimeSeconds = "0" }

local function attributes_of(context, queue)
  local visible, hidden, now = 0, 0, context.world.clock.now()
  for _, message in ipairs(store.state_of(queue).messages) do
    if message.visible <= now then visible = visible + 1 else hidden = hidden + 1 end
  end
  local out = { QueueArn = pattern.attribute(queue.facts, "Arn"), ApproximateNumberOfMessages =
    ("%d"):format(visible),
    ApproximateNumberOfMessagesNotVisible = ("%d"):format(hidden), ApproximateNumberOfMessagesDelayed = "0",
    CreatedTimestamp = ("%d"):format(queue.created // 1) }
  for _, name in ipairs(SETTINGS) do
    local value = queue.properties[name] or USUAL[name]
    out[name] = type(value) == "table" and json.encode(value) or value ~= nil and tostring(value) or nil
  end
  return out
end

function operations.GetQueueAttributes(context, input)
  local all, out = attributes_of(context, store.find(context, input.QueueUrl)), {}
  for _, name in ipairs(input.AttributeNames or {}) do
    if name == "All" then return { Attributes = all } end
    out[name] = all[name]
  end
  return { Attributes = out }
end

function operations.SetQueueAttributes(context, input)
  things.change(store.find(context, input.QueueUrl), input.Attributes)
  return {}
end

function operations.SendMessage(context, input)
  local queue = store.find(context, input.QueueUrl)
  if #input.MessageBody > store.setting(queue, "MaximumMessageSize", 262144) then
    fault.raise("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be "
      .. "shorter "
      .. "than 262144 bytes.")
  end
  local message = store.send(context, queue, input.MessageBody, input.DelaySeconds, input.MessageAttributes)
  return { MessageId = message.id, MD5OfMessageBody = message.md5 }
end

function operations.SendMessageBatch(context, input)
  local queue, sent = store.find(context, input.QueueUrl), json.list {}
  for i, entry in ipairs(input.Entries) do
    local message = store.send(context, queue, entry.MessageBody, entry.DelaySeconds, entry.MessageAttributes)
    sent[i] = { Id = entry.Id, MessageId = message.id, MD5OfMessageBody = message.md5 }
  end
  return { Successful = sent, Failed = json.list {} }
end

local function received(message)
  return { MessageId = message.id, ReceiptHandle = message.handle, Body = message.body, MD5OfBody =
    message.md5,
    MessageAttributes = message.attributes,
    Attributes = { ApproximateReceiveCount = ("%d"):format(message.received),
      SentTimestamp = ("%d"):format(message.sent * 1000 // 1),
      ApproximateFirstReceiveTimestamp = ("%d"):format(message.first * 1000 // 1) } }
end

function operations.ReceiveMessage(context, input)
  local queue, out = store.find(context, input.QueueUrl), json.list {}
  local most = math.min(input.MaxNumberOfMessages or 1, MOST)
  for i, message in ipairs(store.receive(context, queue, most, input.VisibilityTimeout)) do
    out[i] = received(message)
  end
  return { Messages = #out > 0 and out or nil }
end

local function delete(queue, handle)
  local place = store.place_of(queue, handle)
  if place then table.remove(store.state_of(queue).messages, place) end
end

function operations.DeleteMessage(context, input)
  delete(store.find(context, input.QueueUrl), input.ReceiptHandle)
  return {}
end

function operations.DeleteMessageBatch(context, input)
  local queue, done = store.find(context, input.QueueUrl), json.list {}
  for i, entry in ipairs(input.Entries) do
    delete(queue, entry.ReceiptHandle)
    done[i] = { Id = entry.Id }
  end
  return { Successful = done, Failed = json.list {} }
end

function operations.ChangeMessageVisibility(context, input)
  local queue = store.find(context, input.QueueUrl)
  local place = store.place_of(queue, input.ReceiptHandle)
    or fault.raise("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
  store.state_of(queue).messages[place].visible = context.world.clock.now() + input.VisibilityTimeout
  return {}
end

function operations.PurgeQueue(context, input)
  store.state_of(store.find(context, input.QueueUrl)).messages = {}
  return {}
end

return { operations = operations }
