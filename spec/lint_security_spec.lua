-- Security findings: each with a resource that has it, and the same without.
local engine = require "lint.engine"
local facts = require "lint.security_facts"
local helpers = require "spec.helpers"
local json = require "tap.core.json"

teardown(helpers.clean)

--- The ids found in a template of one resource A (and others), each once, sorted.
local function found(type_name, properties, more)
  local root = { Resources = { A = { Type = type_name, Properties = properties } } }
  for name, value in pairs(more or {}) do root[name] = value end
  local ids, list = {}, {}
  for _, one in ipairs((engine.text(json.encode(root), "t.json", { security = true, ignore = { "E", "W" } }))) do
    if not ids[one.rule] then list[#list + 1] = one.rule end
    ids[one.rule] = true
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function ingress(cidr, from, to)
  return { SecurityGroupIngress = json.list { { IpProtocol = "tcp", FromPort = from, ToPort = to, CidrIp = cidr } } }
end

local function allow(statement)
  statement.Effect = "Allow"
  return { PolicyName = "p", PolicyDocument = { Version = "2012-10-17", Statement = json.list { statement } } }
end

local function variables(map)
  return { Environment = { Variables = map } }
end

local GOOD_BUCKET = { BucketEncryption = {}, VersioningConfiguration = { Status = "Enabled" },
  PublicAccessBlockConfiguration = { BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true,
    RestrictPublicBuckets = true } }

-- What is expected, the type, its properties, other sections.
local CASES = {
  ["what is public"] = {
    { "S1002 S2001 S4005", "AWS::S3::Bucket", {} }, { "", "AWS::S3::Bucket", GOOD_BUCKET },
    { "S1003 S2001", "AWS::RDS::DBInstance", { PubliclyAccessible = true } },
    { "", "AWS::RDS::DBInstance", { PubliclyAccessible = false, StorageEncrypted = true } },
    { "S1004", "AWS::EC2::SecurityGroup", ingress("0.0.0.0/0", 22, 22) },
    { "S1004", "AWS::EC2::SecurityGroup", ingress("0.0.0.0/0", 0, 65535) },
    { "", "AWS::EC2::SecurityGroup", ingress("0.0.0.0/0", 443, 443) },
    { "", "AWS::EC2::SecurityGroup", ingress("10.0.0.0/8", 22, 22) },
    { "S1004", "AWS::EC2::SecurityGroupIngress", { IpProtocol = "-1", CidrIpv6 = "::/0" } },
    { "S1005", "AWS::ApiGateway::Method", { AuthorizationType = "NONE" } },
    { "", "AWS::ApiGateway::Method", { AuthorizationType = "AWS_IAM" } },
    { "S1006", "AWS::EC2::LaunchTemplate", { LaunchTemplateData = {} } },
    { "S1006", "AWS::EC2::LaunchTemplate", { LaunchTemplateData = { MetadataOptions = { HttpTokens = "optional" } } } },
    { "", "AWS::EC2::LaunchTemplate", { LaunchTemplateData = { MetadataOptions = { HttpTokens = "required" } } } },
  },
  ["what is in clear text"] = {
    { "S2001", "AWS::EC2::Volume", { Encrypted = false } }, { "", "AWS::EC2::Volume", { Encrypted = "true" } },
    { "", "AWS::EC2::Volume", { Encrypted = { Ref = "P" } }, { Parameters = { P = { Type = "String" } } } },
    { "S2001", "AWS::EC2::Volume", { Encrypted = { ["Fn::If"] = json.list { "C", true, { Ref = "AWS::NoValue" } } } } },
    { "S2003", "AWS::KMS::Key", {} }, { "", "AWS::KMS::Key", { EnableKeyRotation = true } },
    { "S2002", "AWS::ElasticLoadBalancingV2::Listener",
      { Protocol = "HTTP", DefaultActions = json.list { { Type = "forward" } } } },
    { "", "AWS::ElasticLoadBalancingV2::Listener",
      { Protocol = "HTTP", DefaultActions = json.list { { Type = "redirect" } } } },
  },
  ["what is allowed too much"] = {
    { "S3001", "AWS::IAM::Role", { Policies = json.list { allow { Action = "*", Resource = "*" } } } },
    { "S3002", "AWS::IAM::Role", { Policies = json.list { allow { Action = json.list { "s3:*" }, Resource = "*" } } } },
    { "", "AWS::IAM::Role", { Policies = json.list { allow { Action = "s3:*", Resource = "arn:aws:s3:::b" } } } },
    { "", "AWS::IAM::Role", { Policies = json.list { allow { Action = "s3:ListAllMyBuckets", Resource = "*" } } } },
    { "S3003", "AWS::IAM::Role", { Policies = json.list { allow { Action = "iam:PassRole", Resource = "*" } } } },
    { "S3004", "AWS::IAM::Role", { Policies = json.list { allow { NotAction = "iam:*", Resource = "*" } } } },
    { "S3001", "AWS::IAM::Role", { ManagedPolicyArns = json.list { "arn:aws:iam::aws:policy/AdministratorAccess" } } },
    { "S3005", "AWS::SQS::QueuePolicy", allow { Principal = "*", Action = "sqs:*", Resource = "*" } },
    { "S3005", "AWS::SQS::QueuePolicy", allow { Principal = { AWS = "*" }, Action = "sqs:*", Resource = "*" } },
    { "", "AWS::SQS::QueuePolicy", allow { Principal = "*", Action = "sqs:*", Resource = "*", Condition = {} } },
    { "S3005", "AWS::Lambda::Permission", { Principal = "*" } },
  },
  ["what is not logged or kept"] = {
    { "S2001 S4001", "AWS::CloudTrail::Trail", {} }, { "S4002", "AWS::ApiGateway::Stage", {} },
    { "S4003", "AWS::RDS::DBInstance", { StorageEncrypted = true, BackupRetentionPeriod = 0 } },
    { "S4004", "AWS::EC2::VPC", {} },
  },
  ["secrets that everybody reads"] = {
    { "S5001", "AWS::Lambda::Function", variables { DB_PASSWORD = "hunter2" } },
    { "", "AWS::Lambda::Function", variables { DB_PASSWORD_ARN = "arn:x", TABLE = "t" } },
    { "", "AWS::Lambda::Function", variables { API_KEY = "{{resolve:secretsmanager:x}}" } },
    { "S5002", "AWS::SSM::Parameter", { Value = "AKIA" .. "ABCDEFGHIJKLMNOP" } },
    { "S5002", "AWS::SSM::Parameter", { Value = "-----BEGIN " .. "RSA PRIVATE KEY-----" } },
    { "S5003", "AWS::CloudFormation::WaitConditionHandle", {},
      { Parameters = { P = { Type = "String", NoEcho = true, Default = "x" } } } },
  },
}

describe("--security tells", function()
  for topic, cases in pairs(CASES) do
    it(topic, function()
      for _, case in ipairs(cases) do
        assert.equal(case[1], found(table.unpack(case, 2)), json.encode(case))
      end
    end)
  end

  it("what every row of its table says, and nothing without being asked", function()
    for type_name, rows in pairs(facts) do
      for _, row in ipairs(rows) do
        if row.want ~= false and type(row.want) ~= "table" and not row.path:find("?", 1, true) then
          assert.matches(row.id, found(type_name, {}), 1, true)
        end
      end
    end
    local path = helpers.file("t.json", '{ "Resources": { "K": { "Type": "AWS::KMS::Key", "Properties": {} } } }')
    assert.is_nil(helpers.tapengine({ "lint", path }).out:find("S2003", 1, true))
    local asked = helpers.tapengine { "lint", "--security", path }
    assert.equal(3, asked.code)
    assert.matches("S2003", asked.out, 1, true)
  end)

  it("a flow log that the VPC has, and silence where a resource says so", function()
    assert.equal("", found("AWS::EC2::VPC", {}, { Resources = { A = { Type = "AWS::EC2::VPC" },
      L = { Type = "AWS::EC2::FlowLog", Properties = { ResourceId = { Ref = "A" } } } } }))
    assert.equal("", found("AWS::KMS::Key", {}, { Metadata = { ["cfn-lint"] = { config = {
      ignore_checks = json.list { "S2" } } } } }))
  end)

  it("nothing about the templates that ship", function()
    for _, path in ipairs { "templates/TapStack.yml", "templates/TapStack.json" } do
      assert.equal(0, helpers.tapengine({ "lint", "--security", path }).code)
    end
  end)
end)
