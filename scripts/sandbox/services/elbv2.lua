--- Elastic Load Balancing: load balancers, listeners, target groups, and the health of targets, which comes
-- with time.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local groups = require "sandbox.services.autoscaling.groups"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"

local E = "AWS::ElasticLoadBalancingV2::"

local function balancer(thing)
  local settings, zones = thing.properties, json.list {}
  for i, id in ipairs(settings.Subnets or {}) do zones[i] = { SubnetId = id } end
  return { LoadBalancerArn = thing.id, LoadBalancerName = pattern.attribute(thing.facts, "LoadBalancerName"),
    DNSName = pattern.attribute(thing.facts, "DNSName"), Scheme = settings.Scheme or "internet-facing",
    CanonicalHostedZoneId = pattern.attribute(thing.facts, "CanonicalHostedZoneID"), Type = settings.Type
      or "application",
    State = { Code = "active" }, CreatedTime = thing.created, SecurityGroups = settings.SecurityGroups or {},
    AvailabilityZones = zones, IpAddressType = settings.IpAddressType or "ipv4" }
end

local function target_group(thing)
  local settings = thing.properties
  return { TargetGroupArn = thing.id, TargetGroupName = pattern.attribute(thing.facts, "TargetGroupName"),
    Protocol = settings.Protocol, Port = settings.Port, VpcId = settings.VpcId, TargetType =
      settings.TargetType or "instance",
    HealthCheckPath = settings.HealthCheckPath or "/", HealthCheckPort = settings.HealthCheckPort
      or "traffic-port",
    HealthCheckProtocol = settings.HealthCheckProtocol or settings.Protocol, HealthCheckEnabled = "true",
    HealthCheckIntervalSeconds = settings.HealthCheckIntervalSeconds or "30",
    HealthCheckTimeoutSeconds = settings.HealthCheckTimeoutSeconds or "5",
    HealthyThresholdCount = settings.HealthyThresholdCount or "5",
    UnhealthyThresholdCount = settings.UnhealthyThresholdCount or "2", Matcher = settings.Matcher }
end

local function listener(thing)
  local settings = thing.properties
  return { ListenerArn = thing.id, LoadBalancerArn = settings.LoadBalancerArn, Port = settings.Port,
    Protocol = settings.Protocol, DefaultActions = settings.DefaultActions or {}, SslPolicy =
      settings.SslPolicy,
    Certificates = settings.Certificates }
end

local function rule(thing)
  return { RuleArn = thing.id, Priority = thing.properties.Priority, Conditions =
    thing.properties.Conditions or {},
    Actions = thing.properties.Actions or {}, IsDefault = "false" }
end

local function by_name(attribute)
  return function(thing, input)
    if not input.Names or #input.Names == 0 then return true end
    for _, name in ipairs(input.Names) do
      if pattern.attribute(thing.facts, attribute) == name then return true end
    end
    return false
  end
end

local operations = view.operations("elbv2", {
  DescribeLoadBalancers = { type = E .. "LoadBalancer", list = "LoadBalancers", ids = "LoadBalancerArns",
    key = "LoadBalancerArn", show = balancer, where = by_name "LoadBalancerName",
    missing = { "LoadBalancerNotFound", "One or more load balancers not found", 400 } },
  DescribeTargetGroups = { type = E .. "TargetGroup", list = "TargetGroups", ids = "TargetGroupArns",
    key = "TargetGroupArn", show = target_group, where = by_name "TargetGroupName",
    missing = { "TargetGroupNotFound", "One or more target groups not found", 400 } },
  DescribeListeners = { type = E .. "Listener", list = "Listeners", ids = "ListenerArns", key = "ListenerArn",
    show = listener, missing = { "ListenerNotFound", "One or more listeners not found", 400 },
    where = function(thing, input)
      return not input.LoadBalancerArn or thing.properties.LoadBalancerArn == input.LoadBalancerArn
    end },
  DescribeRules = { type = E .. "ListenerRule", list = "Rules", ids = "RuleArns", key = "RuleArn", show =
    rule,
    missing = { "RuleNotFound", "One or more rules not found", 400 },
    where = function(thing, input)
      return not input.ListenerArn or thing.properties.ListenerArn == input.ListenerArn
    end },
})

local function find(context, arn)
  for _, thing in ipairs(things.all(context.region, E .. "TargetGroup")) do
    if thing.id == arn then return thing end
  end
  fault.raise("TargetGroupNotFound", ("Target groups '%s' not found"):format(arn))
end

local function has(list, wanted)
  for _, each in ipairs(list or {}) do
    if each == wanted then return true end
  end
  return false
end

-- What is registered: by calls, by the template, and the instances of groups that name the target group.
local function targets_of(context, thing)
  local out = {}
  for _, each in ipairs(thing.properties.Targets or {}) do out[#out + 1] = { id = each.Id, since =
    thing.created } end
  for _, each in ipairs((thing.state or {}).targets or {}) do out[#out + 1] = each end
  for _, group in ipairs(things.all(context.region, groups.TYPE)) do
    if has(group.properties.TargetGroupARNs, thing.id) then
      for _, each in ipairs(groups.instances(context, group)) do
        out[#out + 1] = { id = each.id, since = each.launched, unhealthy = each.unhealthy }
      end
    end
  end
  return out
end

-- An instance boots, then its health is checked until it has been good often enough.
local BOOT = 60

local function health_of(context, thing, target)
  local settings = thing.properties
  local checks = (things.integer(settings.HealthCheckIntervalSeconds) or 30)
    * (things.integer(settings.HealthyThresholdCount) or 5)
  if target.unhealthy then
    return { State = "unhealthy", Reason = "Target.FailedHealthChecks", Description = "Health checks failed" }
  elseif context.world.clock.now() - target.since < BOOT + checks then
    return { State = "initial", Reason = "Elb.RegistrationInProgress",
      Description = "Target registration is in progress" }
  end
  return { State = "healthy" }
end

function operations.DescribeTargetHealth(context, input)
  local thing, out = find(context, input.TargetGroupArn), json.list {}
  for i, target in ipairs(targets_of(context, thing)) do
    out[i] = { Target = { Id = target.id, Port = thing.properties.Port }, TargetHealth = health_of(context,
      thing, target) }
  end
  return typed.output("elbv2", "DescribeTargetHealth", { TargetHealthDescriptions = out })
end

function operations.RegisterTargets(context, input)
  local thing = find(context, input.TargetGroupArn)
  thing.state = thing.state or { targets = {} }
  for _, target in ipairs(input.Targets) do
    table.insert(thing.state.targets, { id = target.Id, since = context.world.clock.now() })
  end
  return {}
end

function operations.DeregisterTargets(context, input)
  local state = find(context, input.TargetGroupArn).state or { targets = {} }
  for _, gone in ipairs(input.Targets) do
    for i, target in ipairs(state.targets) do
      if target.id == gone.Id then
        table.remove(state.targets, i)
        break
      end
    end
  end
  return {}
end

-- Attributes that a template sets, each a list of { Key, Value }.
local function attributes_of(type_name, property)
  return function(context, input)
    local arn = input.LoadBalancerArn or input.TargetGroupArn
    for _, thing in ipairs(things.all(context.region, type_name)) do
      if thing.id == arn then return { Attributes = json.list(thing.properties[property] or {}) } end
    end
    fault.raise("LoadBalancerNotFound", ("'%s' not found"):format(arn))
  end
end

operations.DescribeLoadBalancerAttributes = attributes_of(E .. "LoadBalancer", "LoadBalancerAttributes")
operations.DescribeTargetGroupAttributes = attributes_of(E .. "TargetGroup", "TargetGroupAttributes")

return { operations = operations }
