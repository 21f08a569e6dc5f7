--- What a template may look at outside of itself: pseudo parameters, and what its account holds.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local store = require "sandbox.store"
local things = require "sandbox.things"
local zones = require "sandbox.template.zones"
local buckets = require "sandbox.services.s3.store"
local secrets = require "sandbox.services.secretsmanager"
local ssm = require "sandbox.services.ssm"

local environment = {}

local function pseudo_parameters(region, stack)
  local partition, suffix = store.partition(region.name)
  return {
    ["AWS::AccountId"] = region.account, ["AWS::Region"] = region.name, ["AWS::Partition"] = partition,
    ["AWS::URLSuffix"] = suffix, ["AWS::StackName"] = stack.name, ["AWS::StackId"] = stack.id,
    ["AWS::NotificationARNs"] = json.list(stack.notification_arns),
  }
end

-- The text at s3://bucket/key, or nil and why.
local function fetch(context, location)
  local bucket, key = location:match("^s3://([^/]+)/(.+)$")
  if not bucket then return nil, "The location parameter is not a valid S3 uri." end
  if not buckets.find(context, bucket) then return nil, ("S3 bucket [%s] does not exist."):format(bucket) end
  local ok, object = pcall(buckets.get, buckets.find(context, bucket), key)
  if ok then return object.body end
  if not fault.is(object) then error(object, 0) end
  return nil, ("S3 object [%s] does not exist in bucket [%s]."):format(key, bucket)
end

-- The parameter types that name things, and the things that they name.
local NAMED = {
  ["AWS::EC2::Instance::Id"] = "AWS::EC2::Instance", ["AWS::EC2::KeyPair::KeyName"] = "AWS::EC2::KeyPair",
  ["AWS::EC2::SecurityGroup::Id"] = "AWS::EC2::SecurityGroup", ["AWS::EC2::Subnet::Id"] = "AWS::EC2::Subnet",
  ["AWS::EC2::Volume::Id"] = "AWS::EC2::Volume", ["AWS::EC2::VPC::Id"] = "AWS::EC2::VPC",
  ["AWS::Route53::HostedZone::Id"] = "AWS::Route53::HostedZone",
}

local function exists(region, type_name, value)
  if type_name == "AWS::EC2::Image::Id" then return value:match("^ami%-%x+$") ~= nil end
  if type_name == "AWS::EC2::AvailabilityZone::Name" then
    for _, zone in ipairs(zones.of(region.name)) do
      if zone == value then return true end
    end
    return false
  end
  for _, thing in pairs(NAMED[type_name] and region.things[NAMED[type_name]] or {}) do
    if thing.id == value then return true end
  end
  return NAMED[type_name] == nil
end

-- The function that answers for a macro; nil when there is no macro of that name.
local function macro(world, region, name)
  for _, thing in ipairs(things.all(region, "AWS::CloudFormation::Macro")) do
    if thing.properties.Name == name then
      local called = tostring(thing.properties.FunctionName):match("([^:]+)$")
      return function(request) return world.scenario:invoke(called, json.encode(request)) or {} end
    end
  end
end

--- The environment of a stack's template.
---@param world table
---@param region table of the store
---@param stack table name, id, notification_arns
---@return table environment
--- pseudo: name -> value; parameter(reference): { value, type, version } of SSM or nil; secret(id, version,
--- stage): its text, or nil and why; fetch(location): a text of S3, or nil and why; exists(type, value): does
--- what a parameter of an AWS type names exist?; macro(name): a function, or nil; now(): seconds
function environment.of(world, region, stack)
  local context = { world = world, region = region }
  return {
    pseudo = pseudo_parameters(region, stack),
    parameter = function(reference) return ssm.read(context, reference) end,
    secret = function(id, version, stage) return secrets.read(context, id, version, stage) end,
    fetch = function(location) return fetch(context, location) end,
    macro = function(name) return macro(world, region, name) end,
    now = function() return math.floor(world.clock.now()) end,
    exists = function(type_name, value) return exists(region, type_name, value) end,
  }
end

return environment
