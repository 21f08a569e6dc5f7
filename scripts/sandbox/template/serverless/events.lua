--- Events: what starts a function or a state machine. Each kind says which properties it has, may look at the resources
-- that it names, and makes resources.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local resources = require "sandbox.template.serverless.resources"

local events = {}

-- Who has events -> the modules of their kinds: Type -> { kind, link(work, event), make(work, event, target) }.
local MODULES = {
  ["function"] = { "push", "rules", "pull", "schedules", "api_events" },
  machine = { "machine_events", "schedules" },
}

local kinds_of = {}

local function kinds(owner)
  if not kinds_of[owner] then
    local all = {}
    for _, name in ipairs(MODULES[owner]) do
      for kind, record in pairs(require("sandbox.template.serverless." .. name).kinds) do all[kind] = record end
    end
    kinds_of[owner] = all
  end
  return kinds_of[owner]
end

--- The events of a resource, checked, with the resources that they name.
---@param work table the translation
---@param owner_id string
---@param given table? as the template has them
---@param owner "function"|"machine"
---@return table[] each { id, name, definition, record, link }
function events.read(work, owner_id, given, owner)
  local out = {}
  for _, name in ipairs(work.order(given or {})) do
    local definition = given[name]
    local record = type(definition.Type) == "string" and kinds(owner)[definition.Type]
    if not record then
      failure.event(name, "Resource dict has missing or invalid value for key Type. Event Type is: %s.",
        values.shown(definition.Type))
    end
    local event = { id = owner_id .. name, name = name, definition = definition, record = record }
    event.given = resources.properties(record.kind, event.id, definition)
    event.link = record.link and record.link(work, event) or {}
    out[#out + 1] = event
  end
  if owner == "function" then
    local function order(event) return tostring((event.given.Path or event.name)) end
    for i, event in ipairs(out) do event.place = i end
    table.sort(out, function(a, b)
      if order(a) == order(b) then return a.place < b.place end
      return order(a) < order(b)
    end)
  end
  return out
end

--- What events become.
---@param sources table[] of events.read
---@param target table id, name, arn, attributes, condition, role, kind: what they start
---@return table[] made
function events.translate(work, sources, target)
  local made = {}
  for _, event in ipairs(sources) do
    for _, each in ipairs(event.record.make(work, event, target)) do made[#made + 1] = each end
  end
  return made
end

---------------------------------------------------------------------------------------------------------
-- What several kinds share

--- The permission that lets a service call a function.
---@param event table
---@param target table
---@param principal string
---@param properties table? SourceArn, SourceAccount, EventSourceToken
---@param name { prefix: string?, suffix: string? }? what its id is made of, if not the event's
function events.permission(event, target, principal, properties, name)
  local prefix, suffix = (name or {}).prefix or event.id, (name or {}).suffix or ""
  if suffix ~= "" and not suffix:find "^%w+$" then suffix = values.hash(suffix) end
  local permission = resources.new("AWS::Lambda::Permission", prefix .. "Permission" .. suffix, target.attributes)
  resources.set(permission, "Action", "lambda:InvokeFunction", "FunctionName", target.name, "Principal", principal)
  for _, key in ipairs { "SourceArn", "SourceAccount", "EventSourceToken" } do
    resources.set(permission, key, (properties or {})[key])
  end
  return permission
end

--- An ARN in which the region and the account are filled in later.
function events.arn(partition, service, resource)
  return ("arn:%s:%s:${AWS::Region}:${AWS::AccountId}:%s"):format(partition, service, resource)
end

local function one_of_two(event, config)
  if config.Arn ~= nil and config.Type ~= nil then
    failure.event(event.id, "You can either define 'Arn' or 'Type' property of DeadLetterConfig.")
  elseif config.Type ~= nil and config.Type ~= "SQS" then
    failure.event(event.id, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.")
  elseif config.Arn == nil and config.Type == nil then
    failure.event(event.id, "No 'Arn' or 'Type' property provided for DeadLetterConfig.")
  end
  if config.QueueLogicalId ~= nil and type(config.QueueLogicalId) ~= "string" then
    failure.event(event.id, "QueueLogicalId must be a string")
  end
end

--- Lets one who sends to a queue do so.
---@param principal any
function events.queue_policy(id, attributes, queue_arn, queue_url, principal, source_arn)
  local statement = values.map("Action", "sqs:SendMessage", "Effect", "Allow", "Principal", principal,
    "Resource", queue_arn, "Condition", values.map("ArnEquals", values.map("aws:SourceArn", source_arn)))
  return resources.set(resources.new("AWS::SQS::QueuePolicy", id, attributes),
    "PolicyDocument", values.map("Version", "2012-10-17", "Statement", values.list(statement)),
    "Queues", values.list(queue_url))
end

--- Where what could not be delivered goes: the ARN of a queue, and the queue when SAM makes it.
---@param source_arn any of the rule; nil when nobody needs to be let in by a policy
---@return any? arn
---@return table[] made
function events.dead_letters(event, target, source_arn)
  local config = event.given.DeadLetterConfig
  if config == nil then return nil, {} end
  one_of_two(event, config)
  if config.Arn ~= nil then return config.Arn, {} end
  local queue = resources.new("AWS::SQS::Queue", values.or_nil(config.QueueLogicalId) or event.id .. "Queue",
    target.attributes)
  local arn = values.getatt(queue.id, "Arn")
  if source_arn == nil then return arn, { queue } end
  return arn, { queue, events.queue_policy(event.id .. "QueuePolicy", target.attributes, arn, values.ref(queue.id),
    values.map("Service", "events.amazonaws.com"), source_arn) }
end

return events
