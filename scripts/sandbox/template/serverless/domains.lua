--- Custom domains of APIs: the domain's name, mappings of base paths, and records of Route 53.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local python2 = require "sandbox.template.serverless.python2"
local resources = require "sandbox.template.serverless.resources"

local domains = {}

-- What is put into the domain of a REST API is a part of what its deployment is known by.
local put = python2.put

local EDGE_ZONE = "Z2FDTNDATAQYW2" -- CloudFront's hosted zone

local function listed(names) return "['" .. table.concat(names, "', '") .. "']" end

local function expect(id, path, value, form) return resources.expect(failure.resource, id, path, value, form) end

local function required(id, domain, name)
  if domain[name] == nil then failure.resource(id, "Property 'Domain.%s' is required.", name) end
  return domain[name]
end

local V2_PATH = "MutualTlsAuthentication"
local TRUST = { "TruststoreUri", "TruststoreVersion" }

local function mutual_tls(id, config, path)
  if not values.given(config) then return nil end
  local wrong = {}
  for _, key in ipairs(values.sorted(expect(id, path, config, "map"))) do
    if not values.has(TRUST, key) then wrong[#wrong + 1] = key end
  end
  if #wrong > 0 then
    -- Of APIs of version 2 the text has the keys where the resource's id belongs.
    failure.resource(path == V2_PATH and table.concat(wrong, ",") or id, "Available %s fields are %s.", path,
      listed(TRUST))
  end
  local out = {}
  for _, name in ipairs(TRUST) do values.put(out, name, values.or_nil(config[name])) end
  return out
end

-- The base paths of a domain: nil when it has none.
local function base_paths(domain)
  local given = values.or_nil(domain.BasePath)
  return type(given) == "string" and { given } or values.is_list(given) and given or nil
end

---------------------------------------------------------------------------------------------------------
-- Records of Route 53

local function alias_target(domain, name, route)
  local kind = domain.EndpointConfiguration
  local out = values.map("EvaluateTargetHealth", route.EvaluateTargetHealth)
  if kind == "REGIONAL" then
    values.put(out, "HostedZoneId", values.getatt(name, "RegionalHostedZoneId"))
    values.put(out, "DNSName", values.getatt(name, "RegionalDomainName"))
  elseif kind == "EDGE" then
    values.put(out, "HostedZoneId", EDGE_ZONE)
    if route.DistributionDomainName == nil then
      put(route, "DistributionDomainName", values.getatt(name, "DistributionDomainName"))
    end
    values.put(out, "DNSName", route.DistributionDomainName)
  else
    values.put(out, "HostedZoneId", route.VpcEndpointHostedZoneId)
    values.put(out, "DNSName", route.VpcEndpointDomainName)
  end
  return out
end

local function records_of(domain, name, route)
  local out = values.list()
  for _, kind in ipairs { "A", route.IpV6 == true and "AAAA" or nil } do
    out[#out + 1] = values.map("Name", domain.DomainName, "Type", kind,
      "AliasTarget", alias_target(domain, name, route), "Region", route.Region, "SetIdentifier", route.SetIdentifier)
  end
  return out
end

-- The records of a domain, in a group of their own or in the one of their zone.
local function records(groups, id, domain, name, attributes)
  local route = domain.Route53
  if route == nil then return nil end
  expect(id, "Domain.Route53", route, "map")
  local zone = values.or_nil(route.HostedZoneId) or route.HostedZoneName
  if route.HostedZoneId == nil and route.HostedZoneName == nil then
    failure.resource(id, "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.")
  end
  local separate = values.given(route.SeparateRecordSetGroup)
  if separate then expect(id, "Domain.Route53.SeparateRecordSetGroup", route.SeparateRecordSetGroup, "boolean") end
  local group_id = "RecordSetGroup" .. values.hash(separate and values.list(zone, domain.DomainName) or zone)
  local group = not separate and groups[group_id] or resources.set(
    resources.new("AWS::Route53::RecordSetGroup", group_id, attributes), "HostedZoneId", route.HostedZoneId,
    "HostedZoneName", route.HostedZoneName)
  if not separate then groups[group_id] = group end
  return resources.set(group, "RecordSets",
    values.joined(group.properties.RecordSets or {}, records_of(domain, name, route)))
end

---------------------------------------------------------------------------------------------------------
-- REST APIs

local OPTIONAL = { "SecurityPolicy", "EndpointAccessMode" }

-- A domain that is seen in the internet.
local function public(id, domain, attributes)
  local kind = domain.EndpointConfiguration
  local out = resources.new("AWS::ApiGateway::DomainName",
    "ApiGatewayDomainName" .. values.hash(domain.DomainName), attributes)
  return resources.set(out, "DomainName", domain.DomainName,
    "EndpointConfiguration", values.map("Types", values.list(kind),
      "IpAddressType", values.or_nil(domain.IpAddressType)),
    "MutualTlsAuthentication", mutual_tls(id, domain.MutualTlsAuthentication, "Domain.MutualTlsAuthentication"),
    kind == "REGIONAL" and "RegionalCertificateArn" or "CertificateArn", domain.CertificateArn,
    "OwnershipVerificationCertificateArn", values.or_nil(domain.OwnershipVerificationCertificateArn))
end

-- A domain that is seen inside of networks only.
local function private(domain, attributes)
  local out = resources.new("AWS::ApiGateway::DomainNameV2",
    "ApiGatewayDomainNameV2" .. values.hash(domain.DomainName), attributes)
  return resources.set(out, "DomainName", domain.DomainName, "CertificateArn", domain.CertificateArn,
    "EndpointConfiguration", values.map("Types", values.list "PRIVATE",
      "IpAddressType", values.or_nil(domain.IpAddressType)), "Policy", values.or_nil(domain.Policy))
end

local function mappings(id, domain, name, is_private, attributes)
  local type_name = is_private and "AWS::ApiGateway::BasePathMappingV2" or "AWS::ApiGateway::BasePathMapping"
  local out = {}
  local function add(mapping_id, path)
    out[#out + 1] = resources.set(resources.new(type_name, mapping_id, attributes), "BasePath", path,
      is_private and "DomainNameArn" or "DomainName", values.ref(name), "RestApiId", values.ref(id),
      "Stage", values.ref(id .. ".Stage"))
  end
  for i, path in ipairs(base_paths(domain) or {}) do
    expect(id, ("Domain.BasePath[%d]"):format(i - 1), path, "string")
    local plain = path:gsub("%W", "")
    add(id .. plain .. "BasePathMapping", domain.NormalizeBasePath ~= false and plain or path)
  end
  if not base_paths(domain) then add(id .. "BasePathMapping") end
  return out
end

local ENDPOINTS = { "EDGE", "REGIONAL", "PRIVATE" }

--- What a REST API's domain becomes.
---@param given table the API's properties
---@return table[]
function domains.rest(work, id, given, attributes)
  local domain = given.Domain
  if domain == nil then return {} end
  expect(id, "Domain", domain, "map")
  required(id, domain, "DomainName")
  required(id, domain, "CertificateArn")
  local kind = domain.EndpointConfiguration
  if kind ~= nil and not values.has(ENDPOINTS, kind) then
    failure.resource(id, "EndpointConfiguration for Custom Domains must be one of %s.", listed(ENDPOINTS))
  end
  local is_private = kind == "PRIVATE"
  if not is_private then
    put(domain, "ApiDomainName", "ApiGatewayDomainName" .. values.hash(domain.DomainName))
    if kind == nil then put(domain, "EndpointConfiguration", "REGIONAL") end
  end
  local resource = is_private and private(domain, attributes) or public(id, domain, attributes)
  for _, name in ipairs(OPTIONAL) do resources.set(resource, name, values.or_nil(domain[name])) end
  local made = { resource }
  for _, each in ipairs(mappings(id, domain, resource.id, is_private, attributes)) do made[#made + 1] = each end
  local association = is_private and domain.AccessAssociation
  if association then
    local endpoint = association.VpcEndpointId
    made[#made + 1] = resources.set(resources.new("AWS::ApiGateway::DomainNameAccessAssociation",
      "DomainNameAccessAssociation" .. values.hash(values.list(endpoint, resource.id)), attributes),
      "AccessAssociationSource", endpoint, "AccessAssociationSourceType", "VPCE",
      "DomainNameArn", values.ref(resource.id))
  end
  made[#made + 1] = records(work.records, id, domain, resource.id, attributes)
  return made
end

---------------------------------------------------------------------------------------------------------
-- HTTP and WebSocket APIs

local function check_path(id, path)
  if type(path) ~= "string" then failure.resource(id, "Basepath must be a string.") end
  if path:find "[^%w/_-]" then failure.resource(id, "Invalid Basepath name provided.") end
end

local function api_mappings(id, domain, name, attributes)
  local out = {}
  local function add(mapping_id, key)
    out[#out + 1] = resources.set(resources.new("AWS::ApiGatewayV2::ApiMapping", mapping_id, attributes),
      "ApiId", values.ref(id), "ApiMappingKey", key, "DomainName", values.ref(name),
      "Stage", values.ref(id .. ".Stage"))
  end
  for _, path in ipairs(base_paths(domain) or {}) do
    check_path(id, path)
    add(id .. path:gsub("[-_/]+", "") .. "ApiMapping", (path:gsub("^/+", ""):gsub("/+$", "")))
  end
  if not base_paths(domain) then add(id .. "ApiMapping") end
  return out
end

-- What the domain of an API of version 2 becomes.
local function version_2(groups, id, domain, tag, attributes)
  if domain == nil then return {} end
  if domain.DomainName == nil or domain.CertificateArn == nil then
    failure.resource(id, "Custom Domains only works if both DomainName and CertificateArn are provided.")
  end
  if domain.EndpointConfiguration == nil then values.put(domain, "EndpointConfiguration", "REGIONAL") end
  if domain.EndpointConfiguration ~= "REGIONAL" then
    failure.resource(id, "EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].")
  end
  local tls = domain.MutualTlsAuthentication
  if values.given(tls) and not values.is_map(tls) then
    failure.resource(id, "MutualTlsAuthentication must be a map with at least one of the following fields %s.",
      listed(TRUST))
  end
  local resource = resources.new("AWS::ApiGatewayV2::DomainName",
    "ApiGatewayDomainNameV2" .. values.hash(domain.DomainName), attributes)
  resources.set(resource, "DomainName", domain.DomainName, "DomainNameConfigurations", values.list(values.map(
    "CertificateArn", domain.CertificateArn, "EndpointType", domain.EndpointConfiguration,
    "OwnershipVerificationCertificateArn", values.or_nil(domain.OwnershipVerificationCertificateArn),
    "SecurityPolicy", values.or_nil(domain.SecurityPolicy))),
    "MutualTlsAuthentication", mutual_tls(id, tls, V2_PATH),
    "Tags", values.map(tag, "SAM"))
  local made = { resource }
  for _, each in ipairs(api_mappings(id, domain, resource.id, attributes)) do made[#made + 1] = each end
  made[#made + 1] = records(groups, id, domain, resource.id, attributes)
  return made
end

--- What an HTTP API's domain becomes.
---@return table[]
function domains.http(work, id, given, attributes)
  return version_2(work.records, id, given.Domain, "httpapi:createdBy", attributes)
end

--- What a WebSocket API's domain becomes. Its records are in no group with those of others.
---@return table[]
function domains.websocket(id, given)
  return version_2({}, id, given.Domain, "websocketapi:createdBy", {})
end

return domains
