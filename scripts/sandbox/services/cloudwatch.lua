--- Amazon CloudWatch: alarms and their states, dashboards. An alarm begins in INSUFFICIENT_DATA and is in
-- another state when a call or a scenario says so.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"

local ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
local DASHBOARD = "AWS::CloudWatch::Dashboard"
local INITIAL = { value = "INSUFFICIENT_DATA", reason = "Unchecked: Initial alarm creation" }

-- Properties that alarms have under the same names in templates and in the API.
local SAME = {
  "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName",
  "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
  "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics", "ThresholdMetricId",
  "AlarmRule",
}

local function state_of(thing)
  return thing.state or INITIAL
end

local function alarm(thing)
  local state, out = state_of(thing), {}
  for _, name in ipairs(SAME) do out[name] = thing.properties[name] end
  if out.ActionsEnabled == nil then out.ActionsEnabled = "true" end
  out.AlarmName, out.AlarmArn = thing.key, pattern.attribute(thing.facts, "Arn")
  out.StateValue, out.StateReason = state.value, state.reason
  out.StateUpdatedTimestamp, out.AlarmConfigurationUpdatedTimestamp = state.at or thing.created, thing.created
  return out
end

local function is_wanted(thing, input)
  return (not input.StateValue or state_of(thing).value == input.StateValue)
    and (not input.AlarmNamePrefix or thing.key:sub(1, #input.AlarmNamePrefix) == input.AlarmNamePrefix)
end

local function names_of(input)
  if not input.AlarmNames or #input.AlarmNames == 0 then return nil end
  local out = {}
  for _, name in ipairs(input.AlarmNames) do out[name] = true end
  return out
end

local operations = view.operations("cloudwatch", {
  ListDashboards = { type = DASHBOARD, list = "DashboardEntries", key = "DashboardName",
    show = function(thing)
      return { DashboardName = thing.key, LastModified = thing.created, Size =
        #(thing.properties.DashboardBody or ""),
        DashboardArn = ("arn:%s:cloudwatch::%s:dashboard/%s"):format(thing.facts.partition,
          thing.facts.account,
          thing.key) }
    end,
    where = function(thing, input)
      local prefix = input.DashboardNamePrefix
      return not prefix or thing.key:sub(1, #prefix) == prefix
    end },
  GetDashboard = { type = DASHBOARD, ids = "DashboardName", key = "DashboardName",
    missing = { "DashboardNotFoundError", "Dashboard %s does not exist", 404 },
    show = function(thing)
      return { DashboardName = thing.key, DashboardBody = thing.properties.DashboardBody,
        DashboardArn = ("arn:%s:cloudwatch::%s:dashboard/%s"):format(thing.facts.partition,
          thing.facts.account,
          thing.key) }
    end },
})

local function shown(context, type_name, input)
  local wanted, out = names_of(input), json.list {}
  for _, thing in ipairs(things.all(context.region, type_name)) do
    if (not wanted or wanted[thing.key]) and is_wanted(thing, input) then out[#out + 1] = alarm(thing) end
  end
  return out
end

function operations.DescribeAlarms(context, input)
  return typed.output("cloudwatch", "DescribeAlarms", {
    MetricAlarms = shown(context, ALARM, input), CompositeAlarms = shown(context, COMPOSITE, input) })
end

local function find(context, name)
  return context.region:thing(ALARM, name) or context.region:thing(COMPOSITE, name)
    or fault.raise("ResourceNotFound", "Alarm does not exist", 404)
end

function operations.SetAlarmState(context, input)
  find(context, input.AlarmName).state = { value = input.StateValue, reason = input.StateReason,
    at = context.world.clock.now() }
  return {}
end

local function enable(context, input, enabled)
  for _, name in ipairs(input.AlarmNames) do things.change(find(context, name), { ActionsEnabled =
    enabled }) end
  return {}
end

function operations.EnableAlarmActions(context, input) return enable(context, input, "true") end
function operations.DisableAlarmActions(context, input) return enable(context, input, "false") end

function operations.PutMetricAlarm(context, input)
  local properties = {}
  for _, name in ipairs(SAME) do properties[name] = input[name] end
  properties.AlarmName = input.AlarmName
  local thing = context.region:thing(ALARM, input.AlarmName)
  if thing then things.change(thing, properties) else things.make(context, ALARM, input.AlarmName,
    properties) end
  return {}
end

function operations.DeleteAlarms(context, input)
  for _, name in ipairs(input.AlarmNames) do context.region:remove_thing(find(context, name)) end
  return {}
end

function operations.PutMetricData() return {} end

return { operations = operations, state_of = state_of }
