--- Resource types of networks, load balancing, DNS, certificates and delivery. Records:
-- sandbox.resources.catalog.

local in_use = require "sandbox.resources.in_use"

local ELB = "arn:{partition}:elasticloadbalancing:{region}:{account}:"

local function load_balancer_kind(facts)
  local kinds = { network = "net", gateway = "gwy" }
  return kinds[facts.properties.Type] or "app"
end

local function load_balancer_path(facts, expand)
  return load_balancer_kind(facts) .. expand("/{name}/{hex:16}", facts)
end

-- ".../app/lb/1234" of a load balancer's or listener's ARN becomes the path of what hangs on it.
local function below(property, kind, owner)
  return function(facts, expand)
    local parent = tostring(facts.properties[property] or ""):match(owner .. "/(.+)$") or "app/unknown/0"
    return expand(ELB .. kind .. "/", facts) .. parent .. expand("/{hex:16}", facts)
  end
end

local listener, rule = below("LoadBalancerArn", "listener", "loadbalancer"),
  below("ListenerArn", "listener%-rule", "listener")

return {
  ["AWS::EC2::VPC"] = {
    refuse_delete = in_use.network,
    id = "vpc-{hex:17}", initiate = 2, create = 14, delete = { 1, 2 },
    attributes = {
      VpcId = "{id}", CidrBlock = "{.CidrBlock|10.0.0.0/16}",
      CidrBlockAssociations = { "vpc-cidr-assoc-{hex:17#cidr}" },
      DefaultNetworkAcl = "acl-{hex:17#acl}", DefaultSecurityGroup = "sg-{hex:17#sg}", Ipv6CidrBlocks = {},
    },
  },
  ["AWS::EC2::Subnet"] = {
    refuse_delete = in_use.network,
    id = "subnet-{hex:17}", create = 5, delete = { 1, 2 },
    attributes = {
      SubnetId = "{id}", AvailabilityZone = "{.AvailabilityZone|{region}a}", AvailabilityZoneId = "use1-az1",
      CidrBlock = "{.CidrBlock}", VpcId = "{.VpcId}", NetworkAclAssociationId = "aclassoc-{hex:17#acl}",
      Ipv6CidrBlocks = {}, OutpostArn = "{.OutpostArn}",
    },
  },
  ["AWS::EC2::InternetGateway"] = {
    id = "igw-{hex:17}", create = 17, settle = 2, delete = 1, attributes = { InternetGatewayId = "{id}" },
  },
  ["AWS::EC2::VPCGatewayAttachment"] = {
    id = "IGW|{.VpcId}", create = 3, delete = 1, attributes = { AttachmentType = "IGW" },
  },
  ["AWS::EC2::NatGateway"] = {
    id = "nat-{hex:17}", create = { 96, 106 }, delete = { 44, 64 },
    attributes = { NatGatewayId = "{id}", EniId = "eni-{hex:17#eni}" },
  },
  ["AWS::EC2::EIP"] = {
    id = "203.0.113.{digits:2}", create = 17, settle = 2, delete = 1,
    attributes = { AllocationId = "eipalloc-{hex:17}", PublicIp = "{id}" },
  },
  ["AWS::EC2::RouteTable"] = {
    id = "rtb-{hex:17}", create = 12, settle = 2, delete = { 1, 2 }, attributes = { RouteTableId = "{id}" },
  },
  ["AWS::EC2::Route"] = {
    id = "{.RouteTableId}|{.DestinationCidrBlock|{.DestinationIpv6CidrBlock}}", create = { 2, 3 },
    delete = { 1, 2 },
    attributes = { CidrBlock = "{.DestinationCidrBlock}" },
  },
  ["AWS::EC2::SubnetRouteTableAssociation"] = {
    id = "rtbassoc-{hex:17}", create = 2, delete = { 15, 27 }, attributes = { Id = "{id}" },
  },
  ["AWS::EC2::SecurityGroup"] = {
    refuse_delete = in_use.security_group,
    id = "sg-{hex:17}", initiate = 3, create = 10, delete = 2,
    attributes = { GroupId = "{id}", Id = "{id}", VpcId = "{.VpcId}" },
  },
  ["AWS::EC2::SecurityGroupIngress"] = {
    id = "sgr-{hex:17}", create = { 1, 2 }, delete = 1, attributes = { Id = "{id}" },
  },
  ["AWS::EC2::SecurityGroupEgress"] = {
    id = "sgr-{hex:17}", create = { 1, 2 }, delete = 1, attributes = { Id = "{id}" },
  },
  ["AWS::EC2::VPCEndpoint"] = {
    id = "vpce-{hex:17}", initiate = 2, create = { 3, 60 }, delete = { 1, 60 },
    attributes = {
      Id = "{id}", CreationTimestamp = "{created}", NetworkInterfaceIds = { "eni-{hex:17#eni}" },
      DnsEntries = { "Z{upper:13}:{id}-{lower:8}.vpce.{region}.amazonaws.com" },
    },
  },
  ["AWS::EC2::FlowLog"] = { id = "fl-{hex:17}", create = { 2, 3 }, delete = 1, attributes = { Id = "{id}" } },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = {
    name = { "Name", max = 32, form = "short", suffix = "upper" },
    id = ELB .. "loadbalancer/{@LoadBalancerFullName}", create = { 120, 180 }, delete = { 1, 15 },
    attributes = {
      LoadBalancerArn = "{id}", LoadBalancerFullName = load_balancer_path, LoadBalancerName = "{name}",
      CanonicalHostedZoneID = "Z35SXDOTRQ7X7K",
      SecurityGroups = function(facts) return facts.properties.SecurityGroups end,
      DNSName = function(facts, expand)
        local prefix = facts.properties.Scheme == "internal" and "internal-" or ""
        return prefix .. expand("{name}-{digits:10}.{region}.elb.amazonaws.com", facts)
      end,
    },
  },
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = {
    name = { "Name", max = 32, form = "short", suffix = "upper" },
    id = ELB .. "targetgroup/{name}/{hex:16}", create = { 2, 16 }, delete = 1,
    attributes = {
      TargetGroupArn = "{id}", TargetGroupFullName = "targetgroup/{name}/{hex:16}",
      TargetGroupName = "{name}",
      LoadBalancerArns = {},
    },
  },
  ["AWS::ElasticLoadBalancingV2::Listener"] = {
    id = "{@ListenerArn}", create = { 1, 2 }, delete = 1, attributes = { ListenerArn = listener },
  },
  ["AWS::ElasticLoadBalancingV2::ListenerRule"] = {
    id = "{@RuleArn}", create = { 1, 2 }, delete = 1, attributes = { RuleArn = rule, IsDefault = "false" },
  },
  ["AWS::Route53::HostedZone"] = {
    id = "Z{upper:20}", create = { 40, 60 }, delete = { 30, 60 }, global = true,
    attributes = {
      Id = "{id}", NameServers = { "ns-{digits:3}.awsdns-01.com", "ns-{digits:4}.awsdns-02.net" },
    },
  },
  ["AWS::Route53::RecordSet"] = {
    id = "{.Name}", create = { 30, 60 }, delete = { 30, 60 }, global = true, attributes = { Id = "{id}" },
  },
  ["AWS::CertificateManager::Certificate"] = {
    id = "arn:{partition}:acm:{region}:{account}:certificate/{uuid}", create = { 120, 600 },
    delete = { 1, 5 },
    attributes = { Id = "{id}" },
  },
  ["AWS::CloudFront::Distribution"] = {
    id = "E{upper:13}", create = { 180, 360 }, delete = { 180, 400 }, global = true,
    attributes = { Id = "{id}", DomainName = "d{lower:13}.cloudfront.net" },
  },
  ["AWS::WAFv2::WebACL"] = {
    name = { "Name", max = 128 }, id = "{name}|{uuid}|{.Scope|REGIONAL}", create = { 2, 6 },
    delete = { 1, 2 },
    attributes = {
      Id = "{uuid}", Capacity = "0",
      Arn = "arn:{partition}:wafv2:{region}:{account}:regional/webacl/{name}/{uuid}",
    },
  },
}
