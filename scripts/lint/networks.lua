--- Address ranges of networks: a subnet lies within its VPC (E3059) and beside the others (E3060); a subnet has one
-- route table (E3022); ports of a rule are all or none (E3688). IPv4 literals only: the rest is known when it is
-- deployed.

local across = require "lint.across"
local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local values = require "lint.values"

local networks = {}

local join, is_map = state.join, state.is_map

-- First and last address of a range; nil for everything that is none.
local function range_of(text)
  local a, b, c, d, bits = tostring(text):match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/(%d+)$")
  if not a or tonumber(bits) > 32 then return nil end
  local size = 1 << (32 - math.tointeger(tonumber(bits)))
  local address = (tonumber(a) << 24) + (tonumber(b) << 16) + (tonumber(c) << 8) + tonumber(d)
  local first = address - address % size
  return first, first + size - 1
end

-- The ranges of a VPC: its own and what is added to it; nil when one of them is not known.
local function ranges_of_vpc(L, id)
  local list = {}
  local function add(properties)
    if properties.CidrBlock == nil and properties.AmazonProvidedIpv6CidrBlock ~= nil then return true end
    local first, last = range_of(properties.CidrBlock)
    if first then list[#list + 1] = { first, last } end
    return first ~= nil
  end
  local certain = add(L.resources[id].Properties or {})
  for _, other in pairs(L.resources) do
    local properties = is_map(other) and other.Type == "AWS::EC2::VPCCidrBlock" and is_map(other.Properties)
      and other.Properties
    local _, vpc = across.target(L, properties and properties.VpcId)
    if vpc == id then certain = certain and other.Condition == nil and add(properties) end
  end
  return certain and list or nil
end

local function lies_within(subnet, ranges)
  for _, range in ipairs(ranges) do
    if subnet.first >= range[1] and subnet.last <= range[2] then return true end
  end
  return false
end

local function check_subnets(L, vpc, subnets)
  local ranges = ranges_of_vpc(L, vpc)
  for index, subnet in ipairs(subnets) do
    if ranges and not lies_within(subnet, ranges) then
      L:find("E3059", subnet.path, "'%s' does not lie within the VPC's range", subnet.text)
    end
    for earlier = 1, index - 1 do
      local other = subnets[earlier]
      if subnet.first <= other.last and other.first <= subnet.last then
        L:find("E3060", subnet.path, "'%s' overlaps with '%s'", subnet.text, other.text)
      end
    end
  end
end

local function collect_subnet(L, id, resource, into)
  local properties = resource.Properties
  local _, vpc = across.target(L, properties.VpcId, "AWS::EC2::VPC")
  local first, last = range_of(properties.CidrBlock)
  if not vpc or not first or resource.Condition ~= nil then return end
  into[vpc] = into[vpc] or {}
  table.insert(into[vpc], { first = first, last = last, text = properties.CidrBlock,
    path = { "Resources", id, "Properties", "CidrBlock" } })
end

local function collect_association(id, resource, into)
  local subnet = resource.Properties.SubnetId
  local name = functions.name_of(subnet)
  if subnet == nil or name and name ~= "Ref" and name ~= "Fn::GetAtt" then return end
  local key = json.encode { subnet, resource.Condition or false }
  into[key] = into[key] or {}
  table.insert(into[key], id)
end

local function check_ports(L, rule, path)
  if not is_map(rule) or functions.name_of(rule) then return end
  local from, to = tostring(rule.FromPort) == "-1", tostring(rule.ToPort) == "-1"
  local icmp = tostring(rule.IpProtocol):find("^icmp") or tostring(rule.IpProtocol) == "1"
    or type(rule.IpProtocol) == "table"
  local broken = icmp and from and not to or not icmp and from ~= to
  local known = type(rule.FromPort) ~= "table" and type(rule.ToPort) ~= "table"
  if broken and known and tostring(rule.IpProtocol) ~= "58" then
    L:find("E3688", join(path, from and "ToPort" or "FromPort"), "FromPort and ToPort are both -1, or neither is")
  end
end

local RULES = state.by_type { { "AWS::EC2::SecurityGroup", "SecurityGroupIngress/*" },
  { "AWS::EC2::SecurityGroup", "SecurityGroupEgress/*" }, { "AWS::EC2::SecurityGroupIngress", "" },
  { "AWS::EC2::SecurityGroupEgress", "" } }

--- Every network of the template.
---@param L table
function networks.check(L)
  local subnets, associations = {}, {}
  L:each_resource(function(_, _, resource, id)
    if resource.Type == "AWS::EC2::Subnet" then collect_subnet(L, id, resource, subnets) end
    if resource.Type == "AWS::EC2::SubnetRouteTableAssociation" then collect_association(id, resource, associations) end
  end)
  L:each_row(RULES, function(row, properties, path)
    values.at(properties, row[2], path, function(rule, at) check_ports(L, rule, at) end)
  end)
  for vpc, list in pairs(subnets) do check_subnets(L, vpc, list) end
  for _, ids in pairs(associations) do
    for _, id in ipairs(#ids > 1 and ids or {}) do
      L:find("E3022", { "Resources", id, "Properties", "SubnetId" }, "%d resources give this subnet a route table",
        #ids)
    end
  end
end

return networks
