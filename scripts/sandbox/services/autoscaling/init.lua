--- Amazon EC2 Auto Scaling: groups with their instances, and their capacity.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local groups = require "sandbox.services.autoscaling.groups"
local view = require "sandbox.services.view"

local function instance(context, each)
  local ready = groups.is_in_service(context, each)
  return { InstanceId = each.id, AvailabilityZone = each.zone, LifecycleState = ready and "InService"
    or "Pending",
    HealthStatus = each.unhealthy and "Unhealthy" or "Healthy", ProtectedFromScaleIn = false,
    InstanceType = "t3.micro" }
end

local function group(thing, context)
  local settings, instances, tags = thing.properties, json.list {}, json.list {}
  for i, each in ipairs(groups.instances(context, thing)) do instances[i] = instance(context, each) end
  for i, tag in ipairs(settings.Tags or {}) do
    tags[i] = { Key = tag.Key, Value = tag.Value, PropagateAtLaunch = tag.PropagateAtLaunch, ResourceId =
      thing.key,
      ResourceType = "auto-scaling-group" }
  end
  local zones = settings.VPCZoneIdentifier
  return { AutoScalingGroupName = thing.key, AutoScalingGroupARN = pattern.attribute(thing.facts,
    "AutoScalingGroupARN"),
    MinSize = settings.MinSize, MaxSize = settings.MaxSize, DesiredCapacity = groups.desired(thing),
    DefaultCooldown = settings.Cooldown or "300", HealthCheckType = settings.HealthCheckType or "EC2",
    HealthCheckGracePeriod = settings.HealthCheckGracePeriod, CreatedTime = thing.created, Instances =
      instances,
    AvailabilityZones = settings.AvailabilityZones or {}, TargetGroupARNs = settings.TargetGroupARNs,
    VPCZoneIdentifier = type(zones) == "table" and table.concat(zones, ",") or zones, Tags = tags,
    LaunchTemplate = settings.LaunchTemplate }
end

local function policy(thing)
  return { PolicyName = thing.id:match("policyName/(.+)$"), PolicyARN = thing.id,
    AutoScalingGroupName = thing.properties.AutoScalingGroupName, PolicyType = thing.properties.PolicyType,
    TargetTrackingConfiguration = thing.properties.TargetTrackingConfiguration, Enabled = "true" }
end

local operations = view.operations("autoscaling", {
  DescribeAutoScalingGroups = { type = groups.TYPE, list = "AutoScalingGroups", ids = nil, key =
    "AutoScalingGroupName",
    show = group,
    where = function(thing, input)
      if not input.AutoScalingGroupNames or #input.AutoScalingGroupNames == 0 then return true end
      for _, name in ipairs(input.AutoScalingGroupNames) do
        if name == thing.key then return true end
      end
      return false
    end },
  DescribePolicies = { type = "AWS::AutoScaling::ScalingPolicy", list = "ScalingPolicies", key = "PolicyName",
    show = policy,
    where = function(thing, input)
      return not input.AutoScalingGroupName
        or thing.properties.AutoScalingGroupName == input.AutoScalingGroupName
    end },
})

local function find(context, name)
  return context.region:thing(groups.TYPE, name)
    or fault.raise("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup " .. name
      .. " not found")
end

local function check_between(thing, capacity)
  local least, most = things.integer(thing.properties.MinSize), things.integer(thing.properties.MaxSize)
  if least and capacity < least then
    fault.raise("ValidationError", ("New SetDesiredCapacity value %d is below min value %d for the "
      .. "AutoScalingGroup."):format(capacity, least))
  elseif most and capacity > most then
    fault.raise("ValidationError", ("New SetDesiredCapacity value %d is above max value %d for the "
      .. "AutoScalingGroup."):format(capacity, most))
  end
end

function operations.SetDesiredCapacity(context, input)
  local thing = find(context, input.AutoScalingGroupName)
  check_between(thing, input.DesiredCapacity)
  groups.instances(context, thing)
  things.change(thing, { DesiredCapacity = ("%d"):format(input.DesiredCapacity) })
  return {}
end

function operations.UpdateAutoScalingGroup(context, input)
  local thing, changes = find(context, input.AutoScalingGroupName), {}
  for _, name in ipairs { "MinSize", "MaxSize", "DesiredCapacity" } do
    if input[name] then changes[name] = ("%d"):format(input[name]) end
  end
  things.change(thing, changes)
  return {}
end

local function instance_of(context, id)
  local thing, found, place = groups.find_instance(context, id)
  if not thing then
    fault.raise("ValidationError", "Instance Id not found - No managed instance found for instance ID: "
      .. id)
  end
  return thing, found, place
end

function operations.SetInstanceHealth(context, input)
  local _, found = instance_of(context, input.InstanceId)
  found.unhealthy = input.HealthStatus == "Unhealthy" or nil
  return {}
end

function operations.TerminateInstanceInAutoScalingGroup(context, input)
  local thing, found, place = instance_of(context, input.InstanceId)
  table.remove(thing.state.list, place)
  if input.ShouldDecrementDesiredCapacity then
    things.change(thing, { DesiredCapacity = ("%d"):format(groups.desired(thing) - 1) })
  end
  return { Activity = { ActivityId = context.request_id, AutoScalingGroupName = thing.key, StatusCode =
    "InProgress",
    Cause = "instance " .. found.id .. " was taken out of service in response to a user request",
    StartTime = context.world.clock.now() } }
end

function operations.DescribeAutoScalingInstances(context, input)
  local out, wanted = json.list {}, input.InstanceIds or {}
  for _, each in ipairs(groups.all_instances(context)) do
    local ok = #wanted == 0
    for _, id in ipairs(wanted) do ok = ok or id == each.id end
    if ok then
      local shown = instance(context, each)
      shown.AutoScalingGroupName = each.group
      shown.HealthStatus = shown.HealthStatus:upper()
      out[#out + 1] = shown
    end
  end
  return { AutoScalingInstances = out }
end

function operations.DescribeScalingActivities() return { Activities = json.list {} } end

return { operations = operations }
