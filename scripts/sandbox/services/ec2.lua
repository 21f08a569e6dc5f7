--- Amazon EC2: the network and the instances, as they are. Everything here is made by stacks.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local groups = require "sandbox.services.autoscaling.groups"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"
local zones = require "sandbox.template.zones"

local function tags_of(thing)
  local out = json.list {}
  for i, tag in ipairs(thing.properties.Tags or {}) do out[i] = { Key = tag.Key, Value = tag.Value } end
  if thing.owner then
    out[#out + 1] = { Key = "aws:cloudformation:logical-id", Value = thing.owner.logical }
    out[#out + 1] = { Key = "aws:cloudformation:stack-name", Value = thing.owner.stack.name }
  end
  return out
end

local function attribute(thing, name)
  return pattern.attribute(thing.facts, name)
end

local function vpc(thing)
  return { VpcId = thing.id, CidrBlock = thing.properties.CidrBlock, State = "available", IsDefault = false,
    InstanceTenancy = thing.properties.InstanceTenancy or "default", OwnerId = thing.facts.account,
    Tags = tags_of(thing) }
end

local function subnet(thing)
  local settings = thing.properties
  return { SubnetId = thing.id, VpcId = settings.VpcId, CidrBlock = settings.CidrBlock, State = "available",
    AvailabilityZone = attribute(thing, "AvailabilityZone"), AvailableIpAddressCount = 251,
    MapPublicIpOnLaunch = settings.MapPublicIpOnLaunch or "false", OwnerId = thing.facts.account,
    Tags = tags_of(thing) }
end

-- The things of a type whose property names another thing.
local function pointing(context, type_name, property, id)
  local out = {}
  for _, thing in ipairs(things.all(context.region, type_name)) do
    if thing.properties[property] == id then out[#out + 1] = thing end
  end
  return out
end

local function route_table(thing, context)
  local routes, associations = json.list {}, json.list {}
  for i, route in ipairs(pointing(context, "AWS::EC2::Route", "RouteTableId", thing.id)) do
    local to = route.properties
    routes[i] = { DestinationCidrBlock = to.DestinationCidrBlock, GatewayId = to.GatewayId,
      NatGatewayId = to.NatGatewayId, State = "active", Origin = "CreateRoute" }
  end
  for i, each in ipairs(pointing(context, "AWS::EC2::SubnetRouteTableAssociation", "RouteTableId",
    thing.id)) do
    associations[i] = { RouteTableAssociationId = each.id, RouteTableId = thing.id, Main = false,
      SubnetId = each.properties.SubnetId, AssociationState = { State = "associated" } }
  end
  return { RouteTableId = thing.id, VpcId = thing.properties.VpcId, Routes = routes, Associations =
    associations,
    OwnerId = thing.facts.account, Tags = tags_of(thing) }
end

local function internet_gateway(thing, context)
  local attachments = json.list {}
  for i, each in ipairs(pointing(context, "AWS::EC2::VPCGatewayAttachment", "InternetGatewayId", thing.id)) do
    attachments[i] = { VpcId = each.properties.VpcId, State = "available" }
  end
  return { InternetGatewayId = thing.id, Attachments = attachments, OwnerId = thing.facts.account,
    Tags = tags_of(thing) }
end

local function nat_gateway(thing)
  return { NatGatewayId = thing.id, SubnetId = thing.properties.SubnetId, State = "available",
    ConnectivityType = thing.properties.ConnectivityType or "public", CreateTime = thing.created,
    NatGatewayAddresses = { { AllocationId = thing.properties.AllocationId } }, Tags = tags_of(thing) }
end

local function permission(rule)
  return { IpProtocol = rule.IpProtocol, FromPort = rule.FromPort, ToPort = rule.ToPort,
    IpRanges = rule.CidrIp and { { CidrIp = rule.CidrIp, Description = rule.Description } } or {},
    Ipv6Ranges = rule.CidrIpv6 and { { CidrIpv6 = rule.CidrIpv6 } } or {},
    UserIdGroupPairs = (rule.SourceSecurityGroupId or rule.DestinationSecurityGroupId)
      and { { GroupId = rule.SourceSecurityGroupId or rule.DestinationSecurityGroupId } } or {} }
end

-- A group's own rules and those that stand by themselves.
local function permissions(thing, context, property, type_name)
  local out = json.list {}
  for _, rule in ipairs(thing.properties[property] or {}) do out[#out + 1] = permission(rule) end
  for _, rule in ipairs(pointing(context, type_name, "GroupId", thing.id)) do
    out[#out + 1] = permission(rule.properties)
  end
  return out
end

local function security_group(thing, context)
  return { GroupId = thing.id, GroupName = thing.properties.GroupName or thing.id, VpcId =
    thing.properties.VpcId,
    Description = thing.properties.GroupDescription, OwnerId = thing.facts.account, Tags = tags_of(thing),
    IpPermissions = permissions(thing, context, "SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress"),
    IpPermissionsEgress = permissions(thing, context, "SecurityGroupEgress",
      "AWS::EC2::SecurityGroupEgress") }
end

local function launch_template(thing)
  return { LaunchTemplateId = thing.id, LaunchTemplateName = thing.properties.LaunchTemplateName or thing.key,
    CreateTime = thing.created, DefaultVersionNumber = 1,
    LatestVersionNumber = tonumber(attribute(thing, "LatestVersionNumber")) or 1, Tags = tags_of(thing) }
end

local function flow_log(thing)
  local settings = thing.properties
  return { FlowLogId = thing.id, FlowLogStatus = "ACTIVE", DeliverLogsStatus = "SUCCESS",
    ResourceId = settings.ResourceId, TrafficType = settings.TrafficType, LogGroupName =
      settings.LogGroupName,
    LogDestination = settings.LogDestination, LogDestinationType = settings.LogDestinationType
      or "cloud-watch-logs",
    DeliverLogsPermissionArn = settings.DeliverLogsPermissionArn, CreationTime = thing.created,
    Tags = tags_of(thing) }
end

local function address(thing)
  return { PublicIp = attribute(thing, "PublicIp"), AllocationId = attribute(thing, "AllocationId"),
    Domain = thing.properties.Domain or "vpc", Tags = tags_of(thing) }
end

local function endpoint(thing)
  return { VpcEndpointId = thing.id, VpcId = thing.properties.VpcId, ServiceName =
    thing.properties.ServiceName,
    VpcEndpointType = thing.properties.VpcEndpointType or "Gateway", State = "available", Tags =
      tags_of(thing) }
end

local function key_pair(thing)
  return { KeyName = thing.key, KeyPairId = attribute(thing, "KeyPairId"), Tags = tags_of(thing) }
end

local function missing(code, word)
  return { code, "The " .. word .. " '%s' does not exist", 400 }
end

local operations = view.operations("ec2", {
  DescribeVpcs = { type = "AWS::EC2::VPC", list = "Vpcs", ids = "VpcIds", key = "VpcId", show = vpc,
    filters = true,
    missing = missing("InvalidVpcID.NotFound", "vpc ID") },
  DescribeSubnets = { type = "AWS::EC2::Subnet", list = "Subnets", ids = "SubnetIds", key = "SubnetId",
    show = subnet, filters = true, missing = missing("InvalidSubnetID.NotFound", "subnet ID") },
  DescribeRouteTables = { type = "AWS::EC2::RouteTable", list = "RouteTables", ids = "RouteTableIds",
    key = "RouteTableId", show = route_table, filters = true,
    missing = missing("InvalidRouteTableID.NotFound", "routeTable ID") },
  DescribeInternetGateways = { type = "AWS::EC2::InternetGateway", list = "InternetGateways",
    ids = "InternetGatewayIds", key = "InternetGatewayId", show = internet_gateway, filters = true,
    missing = missing("InvalidInternetGatewayID.NotFound", "internetGateway ID") },
  DescribeNatGateways = { type = "AWS::EC2::NatGateway", list = "NatGateways", ids = "NatGatewayIds",
    key = "NatGatewayId", show = nat_gateway, filters = true, missing = missing("NatGatewayNotFound",
      "NAT gateway") },
  DescribeSecurityGroups = { type = "AWS::EC2::SecurityGroup", list = "SecurityGroups", ids = "GroupIds",
    key = "GroupId", show = security_group, filters = true,
    missing = missing("InvalidGroup.NotFound", "security group") },
  DescribeLaunchTemplates = { type = "AWS::EC2::LaunchTemplate", list = "LaunchTemplates", ids =
    "LaunchTemplateIds",
    key = "LaunchTemplateId", show = launch_template, filters = true,
    missing = missing("InvalidLaunchTemplateId.NotFound", "launch template ID") },
  DescribeFlowLogs = { type = "AWS::EC2::FlowLog", list = "FlowLogs", ids = "FlowLogIds", key = "FlowLogId",
    show = flow_log, missing = missing("InvalidFlowLogId.NotFound", "flow log ID") },
  DescribeAddresses = { type = "AWS::EC2::EIP", list = "Addresses", ids = "AllocationIds", key =
    "AllocationId",
    show = address, filters = true, missing = missing("InvalidAllocationID.NotFound", "allocation ID") },
  DescribeVpcEndpoints = { type = "AWS::EC2::VPCEndpoint", list = "VpcEndpoints", ids = "VpcEndpointIds",
    key = "VpcEndpointId", show = endpoint, filters = true,
    missing = missing("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id") },
  DescribeKeyPairs = { type = "AWS::EC2::KeyPair", list = "KeyPairs", ids = "KeyNames", key = "KeyName",
    show = key_pair, filters = true, missing = missing("InvalidKeyPair.NotFound", "key pair") },
})

local function zone(region)
  return function(name)
    return { ZoneName = name, RegionName = region.name, State = "available", ZoneType = "availability-zone",
      ZoneId = name:gsub("%-", ""), OptInStatus = "opt-in-not-required" }
  end
end

function operations.DescribeAvailabilityZones(context)
  local out, show = json.list {}, zone(context.region)
  for i, name in ipairs(zones.of(context.region.name)) do out[i] = show(name) end
  return { AvailabilityZones = out }
end

local function instance(thing)
  local settings = thing.properties
  local is_running = not thing.stopped
  return { InstanceId = thing.id, InstanceType = settings.InstanceType or "t3.micro", ImageId =
    settings.ImageId,
    State = { Code = is_running and 16 or 80, Name = is_running and "running" or "stopped" },
    SubnetId = settings.SubnetId, PrivateIpAddress = attribute(thing, "PrivateIp"), LaunchTime =
      thing.created,
    Tags = tags_of(thing) }
end

local function of_group(each)
  return { InstanceId = each.id, InstanceType = "t3.micro", State = { Code = 16, Name = "running" },
    LaunchTime = each.launched, Placement = { AvailabilityZone = each.zone },
    Tags = json.list { { Key = "aws:autoscaling:groupName", Value = each.group } } }
end

-- The instances of templates, then those of Auto Scaling groups.
local function all_instances(context)
  local out = {}
  for _, thing in ipairs(things.all(context.region, "AWS::EC2::Instance")) do out[#out + 1] =
    instance(thing) end
  for _, each in ipairs(groups.all_instances(context)) do out[#out + 1] = of_group(each) end
  return out
end

local function has(list, wanted)
  for _, each in ipairs(list) do
    if each == wanted then return true end
  end
  return false
end

function operations.DescribeInstances(context, input)
  local ids, found, reservations = input.InstanceIds or {}, {}, json.list {}
  for _, each in ipairs(all_instances(context)) do
    if (#ids == 0 or has(ids, each.InstanceId)) and view.passes(each, input.Filters) then
      found[each.InstanceId] = true
      reservations[#reservations + 1] = { ReservationId = "r-" .. each.InstanceId:sub(3),
        OwnerId = context.world.store.account, Instances = json.list { each } }
    end
  end
  for _, id in ipairs(ids) do
    if not found[id] then
      fault.raise("InvalidInstanceID.NotFound", ("The instance ID '%s' does not exist"):format(id))
    end
  end
  return typed.output("ec2", "DescribeInstances", { Reservations = reservations })
end

return { operations = operations }
