--- AWS CloudTrail: trails and whether they log.

local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"

local TYPE = "AWS::CloudTrail::Trail"

local function trail(thing)
  local settings = thing.properties
  return { Name = thing.key, TrailARN = pattern.attribute(thing.facts, "Arn"), S3BucketName =
    settings.S3BucketName,
    S3KeyPrefix = settings.S3KeyPrefix, IsMultiRegionTrail = settings.IsMultiRegionTrail or "false",
    IncludeGlobalServiceEvents = settings.IncludeGlobalServiceEvents or "true", HomeRegion =
      thing.facts.region,
    LogFileValidationEnabled = settings.EnableLogFileValidation or "false", KmsKeyId = settings.KMSKeyId,
    CloudWatchLogsLogGroupArn = settings.CloudWatchLogsLogGroupArn, SnsTopicName = settings.SnsTopicName,
    CloudWatchLogsRoleArn = settings.CloudWatchLogsRoleArn, HasCustomEventSelectors = false,
    IsOrganizationTrail = settings.IsOrganizationTrail or "false" }
end

local MISSING = { "TrailNotFoundException", "Unknown trail: %s", 400 }

local operations = view.operations("cloudtrail", {
  DescribeTrails = { type = TYPE, list = "trailList", show = trail, ids = "trailNameList", key = "Name",
    missing = MISSING },
  GetTrail = { type = TYPE, item = "Trail", show = trail, ids = "Name", key = "Name", missing = MISSING },
  ListTrails = { type = TYPE, list = "Trails", key = "Name",
    show = function(thing)
      local shown = trail(thing)
      return { TrailARN = shown.TrailARN, Name = shown.Name, HomeRegion = shown.HomeRegion }
    end },
})

local function find(context, name)
  return context.region:thing(TYPE, name:match("[^/]+$"))
    or fault.raise(MISSING[1], MISSING[2]:format(name), MISSING[3])
end

function operations.GetTrailStatus(context, input)
  local thing = find(context, input.Name)
  return { IsLogging = things.truth(thing.properties.IsLogging), StartLoggingTime = thing.created,
    LatestDeliveryTime = context.world.clock.now() }
end

function operations.StartLogging(context, input)
  things.change(find(context, input.Name), { IsLogging = "true" })
  return {}
end

function operations.StopLogging(context, input)
  things.change(find(context, input.Name), { IsLogging = "false" })
  return {}
end

function operations.GetEventSelectors(context, input)
  local thing = find(context, input.TrailName)
  return { TrailARN = pattern.attribute(thing.facts, "Arn"),
    EventSelectors = typed.as("cloudtrail", "EventSelectors", thing.properties.EventSelectors or {}) }
end

return { operations = operations }
