--- Amazon EventBridge: rules and their targets.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"

local RULE, BUS = "AWS::Events::Rule", "AWS::Events::EventBus"

local function bus_of(thing)
  return tostring(thing.properties.EventBusName or "default"):match("[^/]+$")
end

local function rule(thing)
  local settings = thing.properties
  local event_pattern = settings.EventPattern
  return { Name = thing.key, Arn = pattern.attribute(thing.facts, "Arn"), State = settings.State or "ENABLED",
    Description = settings.Description, ScheduleExpression = settings.ScheduleExpression, RoleArn =
      settings.RoleArn,
    EventPattern = type(event_pattern) == "table" and json.encode(event_pattern) or event_pattern,
    EventBusName = bus_of(thing) }
end

local operations = view.operations("events", {
  ListRules = { type = RULE, list = "Rules", key = "Name", show = rule,
    where = function(thing, input)
      local prefix = input.NamePrefix
      return bus_of(thing) == (input.EventBusName or "default"):match("[^/]+$")
        and (not prefix or thing.key:sub(1, #prefix) == prefix)
    end },
  DescribeRule = { type = RULE, ids = "Name", key = "Name", show = rule,
    missing = { "ResourceNotFoundException", "Rule %s does not exist on EventBus default.", 400 } },
  ListEventBuses = { type = BUS, list = "EventBuses", key = "Name",
    show = function(thing) return { Name = thing.key, Arn = pattern.attribute(thing.facts, "Arn") } end },
})

local function find(context, name)
  return context.region:thing(RULE, name)
    or fault.raise("ResourceNotFoundException", ("Rule %s does not exist on EventBus default."):format(name))
end

function operations.ListTargetsByRule(context, input)
  return { Targets = typed.as("events", "TargetList", find(context, input.Rule).properties.Targets
    or json.list {}) }
end

function operations.EnableRule(context, input)
  things.change(find(context, input.Name), { State = "ENABLED" })
  return {}
end

function operations.DisableRule(context, input)
  things.change(find(context, input.Name), { State = "DISABLED" })
  return {}
end

function operations.PutEvents(_, input)
  local out = json.list {}
  for i in ipairs(input.Entries) do out[i] = { EventId = ("%08d"):format(i) } end
  return { Entries = out, FailedEntryCount = 0 }
end

return { operations = operations }
