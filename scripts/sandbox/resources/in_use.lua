--- Why a service does not delete what other things use. A stack deletes the users first; what is refused here
-- is used by another stack, or by what was made by hand.

local in_use = {}

local function mentions(node, id)
  if node == id then return true end
  if type(node) ~= "table" then return false end
  for _, inner in pairs(node) do
    if mentions(inner, id) then return true end
  end
  return false
end

--- Does a thing of these types mention an id in its properties?
---@param region table where the users live
---@param types string[]
---@param thing table that is to be deleted
---@return table? user
function in_use.by(region, types, thing)
  for _, type_name in ipairs(types) do
    for _, other in pairs(region.things[type_name] or {}) do
      if other ~= thing and mentions(other.properties, thing.id) then return other end
    end
  end
end

local MESSAGE = 'Resource handler returned message: "%s (Service: %s, Status Code: %d)" (HandlerErrorCode: '
  .. "%s)"

local function message(text, service, status, code)
  return MESSAGE:format(text, service, status, code)
end

local GROUP_USERS = { "AWS::EC2::Instance", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress",
  "AWS::EC2::VPCEndpoint", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBInstance",
  "AWS::RDS::DBCluster", "AWS::Lambda::Function" }

--- A security group that something is in, or that another group's rule names.
function in_use.security_group(thing, region)
  if not in_use.by(region, GROUP_USERS, thing) then return nil end
  return message(("resource %s has a dependent object"):format(thing.id), "Ec2", 400, "InvalidRequest")
end

--- A role that is in an instance profile.
function in_use.role(thing, region)
  if not in_use.by(region, { "AWS::IAM::InstanceProfile" }, thing) then return nil end
  return message("Cannot delete entity, must remove roles from instance profile first.", "Iam", 409,
    "ResourceConflict")
end

--- A network that has subnets, or a subnet that something is in.
function in_use.network(thing, region)
  local types = thing.type == "AWS::EC2::VPC" and { "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPCGatewayAttachment" } or { "AWS::EC2::Instance", "AWS::EC2::NatGateway",
    "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBSubnetGroup" }
  if not in_use.by(region, types, thing) then return nil end
  local word = thing.type == "AWS::EC2::VPC" and "vpc" or "subnet"
  return message(("The %s '%s' has dependencies and cannot be deleted."):format(word, thing.id), "Ec2", 400,
    "InvalidRequest")
end

return in_use
