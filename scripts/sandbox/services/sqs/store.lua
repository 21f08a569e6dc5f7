--- What queues hold: messages, oldest first, each hidden until a time after it was received.

local crypto = require "tap.core.crypto"
local fault = require "sandbox.fault"
local things = require "sandbox.things"

local store = {}

store.TYPE = "AWS::SQS::Queue"

local HIDDEN = 30 -- seconds after a message was received, unless the queue or the caller says otherwise

function store.state_of(queue)
  queue.state = queue.state or { messages = {}, sent = 0 }
  return queue.state
end

--- The queue of an address. Raises when there is none.
---@param url string its last part is the name
function store.find(context, url)
  return context.region:thing(store.TYPE, (url or ""):match("[^/]+$") or "")
    or fault.raise("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
end

--- The queue of an ARN; nil when there is none.
function store.by_arn(context, arn)
  return type(arn) == "string" and context.region:thing(store.TYPE, arn:match("[^:]+$")) or nil
end

--- The number that a queue's property says, or the usual one.
function store.setting(queue, name, usual)
  return things.integer(queue.properties[name]) or usual
end

--- Puts a message into a queue.
---@param delay number? seconds until it can be received
---@param attributes table? MessageAttributes
---@return table message
function store.send(context, queue, body, delay, attributes)
  local state = store.state_of(queue)
  state.sent = state.sent + 1
  local now = context.world.clock.now()
  local message = { body = body, md5 = crypto.md5(body), sent = now, received = 0, attributes = attributes,
    id = context.world.store:stream(("sqs/%s/%d"):format(queue.key, state.sent)):uuid(),
    visible = now + (delay or store.setting(queue, "DelaySeconds", 0)) }
  state.messages[#state.messages + 1] = message
  return message
end

--- Receives messages; they are hidden for a while.
---@param most integer
---@param timeout number? seconds
---@return table[]
function store.receive(context, queue, most, timeout)
  local out, now = {}, context.world.clock.now()
  local hidden = timeout or store.setting(queue, "VisibilityTimeout", HIDDEN)
  for _, message in ipairs(store.state_of(queue).messages) do
    if #out == most then break end
    if message.visible <= now then
      message.received, message.visible = message.received + 1, now + hidden
      message.handle = ("%s#%d"):format(message.id, message.received)
      message.first = message.first or now
      out[#out + 1] = message
    end
  end
  return out
end

--- The place of the message of a receipt handle; nil when it is gone.
---@return integer?
function store.place_of(queue, handle)
  local id = (handle or ""):match("^(.*)#%d+$")
  for i, message in ipairs(store.state_of(queue).messages) do
    if message.id == id then return i end
  end
end

return store
