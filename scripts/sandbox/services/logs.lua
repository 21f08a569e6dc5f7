--- Amazon CloudWatch Logs: log groups and metric filters.

local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local view = require "sandbox.services.view"

local GROUP, FILTER = "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"

local function group(thing)
  local arn = pattern.attribute(thing.facts, "Arn")
  return { logGroupName = thing.key, arn = arn, logGroupArn = arn:gsub(":%*$", ""), storedBytes = 0,
    creationTime = math.floor((thing.created or 0) * 1000), metricFilterCount = 0,
    retentionInDays = thing.properties.RetentionInDays, kmsKeyId = thing.properties.KmsKeyId }
end

local function metric_filter(thing)
  local transformations = {}
  for i, each in ipairs(thing.properties.MetricTransformations or {}) do
    transformations[i] = { metricName = each.MetricName, metricNamespace = each.MetricNamespace,
      metricValue = each.MetricValue, defaultValue = each.DefaultValue }
  end
  return { filterName = thing.key, filterPattern = thing.properties.FilterPattern,
    logGroupName = thing.properties.LogGroupName, metricTransformations = transformations }
end

local function starts(text, prefix)
  return not prefix or text:sub(1, #prefix) == prefix
end

local operations = view.operations("logs", {
  DescribeLogGroups = { type = GROUP, list = "logGroups", show = group, key = "logGroupName",
    where = function(thing, input)
      return starts(thing.key, input.logGroupNamePrefix)
        and (not input.logGroupNamePattern or thing.key:find(input.logGroupNamePattern, 1, true) ~= nil)
    end },
  DescribeMetricFilters = { type = FILTER, list = "metricFilters", show = metric_filter, key = "filterName",
    where = function(thing, input)
      return starts(thing.key, input.filterNamePrefix)
        and (not input.logGroupName or thing.properties.LogGroupName == input.logGroupName)
    end },
})

local function find(context, name)
  return context.region:thing(GROUP, name)
    or fault.raise("ResourceNotFoundException", "The specified log group does not exist.")
end

function operations.CreateLogGroup(context, input)
  if context.region:thing(GROUP, input.logGroupName) then
    fault.raise("ResourceAlreadyExistsException", "The specified log group already exists")
  end
  things.make(context, GROUP, input.logGroupName, { LogGroupName = input.logGroupName, KmsKeyId =
    input.kmsKeyId })
  return {}
end

function operations.DeleteLogGroup(context, input)
  context.region:remove_thing(find(context, input.logGroupName))
  return {}
end

function operations.PutRetentionPolicy(context, input)
  things.change(find(context, input.logGroupName), { RetentionInDays = tostring(input.retentionInDays) })
  return {}
end

function operations.DeleteRetentionPolicy(context, input)
  things.change(find(context, input.logGroupName), {}, { "RetentionInDays" })
  return {}
end

return { operations = operations }
