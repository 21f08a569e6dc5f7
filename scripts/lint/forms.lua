--- Forms of values that the schemas name (AWS::EC2::VPC.Id, AWS::IAM::Role.Arn): what a literal looks like, and what a
-- Ref or Fn::GetAtt has to give where such a value is wanted.

local json = require "tap.core.json"
local regex = require "tap.regex"
local schema = require "tap.schema"
local state = require "lint.state"

local forms = {}

local is_map, show = state.is_map, state.show

local ARN = [[arn:aws[a-z-]*:]]

-- Form -> rule, what it is called, Java expression of the whole value.
local LITERALS = {
  ["AWS::EC2::SecurityGroup.Id"] = { "E1150", "a security group's id", "sg-([a-fA-F0-9]{8}|[a-fA-F0-9]{17})" },
  ["AWS::EC2::VPC.Id"] = { "E1151", "a VPC's id", "vpc-([a-fA-F0-9]{8}|[a-fA-F0-9]{17})" },
  ["AWS::EC2::Image.Id"] = { "E1152", "an image's id", "ami-([0-9a-z]{8}|[0-9a-z]{17})" },
  ["AWS::EC2::SecurityGroup.Name"] = { "E1153", "a security group's name",
    [[[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+]] },
  ["AWS::EC2::Subnet.Id"] = { "E1154", "a subnet's id", "subnet-([a-fA-F0-9]{8}|[a-fA-F0-9]{17})" },
  ["AWS::Logs::LogGroup.Name"] = { "E1155", "a log group's name", [[[.\-_/#A-Za-z0-9]{1,512}]] },
  ["AWS::IAM::Role.Arn"] = { "E1156", "the ARN of a role", ARN .. [[iam::\d{12}:role/.+]] },
  ["AWS::KMS::Key.Arn"] = { "E1157", "the ARN of a key", ARN .. [[kms:[a-z0-9-]+:\d{12}:(key|alias)/.+]] },
  ["AWS::SNS::Topic.Arn"] = { "E1158", "the ARN of a topic", ARN .. [[sns:[a-z0-9-]+:\d{12}:.+]] },
  ["AWS::ACM::Certificate.Arn"] = { "E1159", "the ARN of a certificate", ARN
    .. [[acm:[a-z0-9-]+:\d{12}:certificate/.+]] },
  ["AWS::Lambda::Function.Arn"] = { "E1160", "the ARN of a function", ARN .. [[lambda:[a-z0-9-]+:\d{12}:function:.+]] },
  ["AWS::S3::Bucket.Name"] = { "E1161", "a bucket's name",
    [[(?!.*\.\.)(?!.*-\.)(?!.*\.-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/?]] },
  ["AWS::KMS::Key.Id"] = { "E1162", "a key's id",
    [[(mrk-[a-f0-9]{32}|[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12})]] },
  ["AWS::Lambda::Function.Name"] = { "E1163", "a function's name", "[a-zA-Z0-9_-]{1,140}" },
  ["ipv4-network"] = { "E1103", "an address range, as 10.0.0.0/16",
    [[((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)(/(3[0-2]|[12]?\d))?]] },
  ["ipv6-network"] = { "E1103", "an address range, as 2001:db8::/32",
    [[[0-9a-fA-F:]*:[0-9a-fA-F:.]*(/\d{1,3})?]] },
  ["AWS::KMS::Alias.AliasName"] = { "E1164", "the name of a key's alias", "alias/[a-zA-Z0-9:/_-]+" },
}

local compiled = {} -- form -> matcher

local function fits(form, value)
  local row = LITERALS[form]
  compiled[form] = compiled[form] or assert(regex.compile(row[3]))
  return compiled[form]:match_whole(value) ~= false
end

--- Tells when a literal has none of the forms.
---@param L table
---@param wanted string[] forms
---@param value any
---@param path table
function forms.check_literal(L, wanted, value, path)
  if type(value) ~= "string" then return end
  local names = {}
  for index, form in ipairs(wanted) do
    if not LITERALS[form] then return end
    if fits(form, value) then return end
    names[index] = LITERALS[form][2]
  end
  L:find(LITERALS[wanted[1]][1], path, "%s is not %s", show(value), table.concat(names, " or "))
end

---------------------------------------------------------------------------------------------------------
-- What references give

-- Without a VPC a security group's Ref is its name.
local function forms_of_ref(resource, gives)
  if resource.Type ~= "AWS::EC2::SecurityGroup" then return gives.ref end
  local properties = is_map(resource.Properties) and resource.Properties or {}
  return { properties.VpcId ~= nil and "AWS::EC2::SecurityGroup.Id" or "AWS::EC2::SecurityGroup.Name" }
end

local function forms_of_attribute(gives, attribute)
  return (gives.attributes or {})[attribute]
end

-- What a stack, a custom resource or a parameter of SSM gives is its author's.
local function is_open(type_name)
  return type_name:find "^Custom::" or type_name:find "^AWS::CloudFormation::" or type_name:find "^AWS::Serverless::"
    or type_name == "AWS::SSM::Parameter" or type_name:find "^AWS::ServiceCatalog::" or type_name:find "::MODULE$"
end

local function agree(wanted, given)
  for _, form in ipairs(wanted) do
    for _, other in ipairs(given) do
      if form == other then return true end
    end
  end
  return false
end

local RULES = { Ref = "E1041", ["Fn::GetAtt"] = "E1040" }

local function split(argument)
  if json.is_list(argument) then return argument[1], argument[2] end
  return tostring(argument):match "^([^.]+)%.(.+)$"
end

--- Tells when a reference gives another form than is wanted.
---@param L table
---@param wanted string[] forms
---@param name string the function's
---@param argument any
---@param path table
function forms.check_reference(L, wanted, name, argument, path)
  if not RULES[name] then return end
  local id, attribute = argument, nil
  if name == "Fn::GetAtt" then id, attribute = split(argument) end
  local resource = type(id) == "string" and L.resources[id]
  if not is_map(resource) or type(resource.Type) ~= "string" or is_open(resource.Type) then return end
  local gives = (schema.constraints(resource.Type) or {}).gives
  if not gives then return end
  local given = name == "Ref" and forms_of_ref(resource, gives) or attribute and forms_of_attribute(gives, attribute)
  if given and not agree(wanted, given) then
    L:find(RULES[name], path, "this gives %s, and %s is wanted", table.concat(given, ", "),
      table.concat(wanted, " or "))
  end
end

return forms
