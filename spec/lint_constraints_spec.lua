-- What the registry's schemas demand of values: a bad and a good template for each kind of demand.
local engine = require "lint.engine"
local schema = require "tap.schema"

-- The rules found in the properties of one resource, with the rest of the template behind it.
local function rules_of(type_name, properties, rest)
  local text = ("Resources:\n  A: { Type: %s, Properties: { %s } }\n%s"):format(type_name, properties, rest or "")
  local list = {}
  for index, one in ipairs((engine.text(text, "t.yaml", { ignore = { "W" } }))) do list[index] = one.rule end
  return table.concat(list, " ")
end

-- Rule, type, what breaks it, what does not, what else stands in the template.
local CASES = {
  { "E3031", "AWS::Backup::BackupVault", "BackupVaultName: 'a b'", "BackupVaultName: a-b" },
  { "E3033", "AWS::IAM::Role", "AssumeRolePolicyDocument: !Ref AWS::NoValue, RoleName: " .. ("x"):rep(65),
    "AssumeRolePolicyDocument: !Ref AWS::NoValue, RoleName: " .. ("x"):rep(64) },
  { "E3034", "AWS::SQS::Queue", "VisibilityTimeout: '43201'", "VisibilityTimeout: '43200'" },
  { "E3032", "AWS::IAM::InstanceProfile", "Roles: [a, b]", "Roles: [a]" },
  { "E3030", "AWS::S3::Bucket", "VersioningConfiguration: { Status: Some }",
    "VersioningConfiguration: { Status: Enabled }" },
  { "E3037", "AWS::RDS::DBInstance", "DBInstanceClass: db.t3.medium, VPCSecurityGroups: [!Ref P, !Ref P]",
    "DBInstanceClass: db.t3.medium, VPCSecurityGroups: [!Ref P]", "Parameters: { P: { Type: String } }" },
  { "E3003", "AWS::S3::Bucket", "Tags: [{ Key: a }]", "Tags: [{ Key: a, Value: b }]" },
  { "E3012", "AWS::S3::Bucket", "Tags: [{ Key: a, Value: [b] }]", "Tags: [{ Key: a, Value: !Ref AWS::Region }]" },
  { "E3002", "AWS::SQS::Queue", "Tags: [{ Key: a, Value: b, Valeu: c }]", "Tags: [{ Key: a, Value: b }]" },
  { "E3024", "AWS::S3::Bucket", "Tags: [{ Key: a, Value: b }, { Key: a, Value: c }]",
    "Tags: [{ Key: a, Value: b }, { Key: A, Value: c }]" },
  { "E3024", "AWS::S3::Bucket", "Tags: [{ Key: 'aws:a', Value: b }]", "Tags: [{ Key: 'my:a', Value: b }]" },
  { "E3012", "AWS::S3::Bucket", "VersioningConfiguration: []", "VersioningConfiguration: { Status: Enabled }" },
  { "E3014", "AWS::EC2::VPC", "EnableDnsSupport: true", "CidrBlock: 10.0.0.0/16" },
  { "E3018", "AWS::DocDB::GlobalCluster", "GlobalClusterIdentifier: a", "GlobalClusterIdentifier: a, Engine: docdb" },
  { "E3017", "AWS::EC2::Volume", "AvailabilityZone: a", "AvailabilityZone: a, Size: 1" },
  { "E3058", "AWS::Events::Rule", "Description: a", "ScheduleExpression: rate(1 day)" },
  { "E3020 E3020", "AWS::EC2::Instance", "ImageId: ami-12345678, SubnetId: subnet-12345678, NetworkInterfaces: []",
    "ImageId: ami-12345678, SubnetId: subnet-12345678" },
  { "E3021", "AWS::EC2::SecurityGroup", "GroupDescription: a, SecurityGroupEgress: []",
    "GroupDescription: a, VpcId: vpc-12345678, SecurityGroupEgress: []" },
  { "E3002", "AWS::DynamoDB::Table", "AttributeDefinitions: [{ AttributeName: a, AttributeType: S }], "
    .. "KeySchema: [{ AttributeName: a, KeyType: RANGE }]", "AttributeDefinitions: [{ AttributeName: a, "
    .. "AttributeType: S }], KeySchema: [{ AttributeName: a, KeyType: HASH }]" },
  { "E1150", "AWS::EC2::NetworkInterface", "SubnetId: subnet-12345678, GroupSet: [a]",
    "SubnetId: subnet-12345678, GroupSet: [sg-12345678]" },
  { "E1151", "AWS::EC2::SecurityGroup", "GroupDescription: a, VpcId: main",
    "GroupDescription: a, VpcId: vpc-12345678" },
  { "E1154", "AWS::EC2::NatGateway", "AllocationId: a, SubnetId: a", "AllocationId: a, SubnetId: subnet-12345678" },
  { "E1156", "AWS::Config::ConfigurationRecorder", "RoleARN: admin",
    "RoleARN: 'arn:aws:iam::123456789012:role/admin'" },
  { "E1103", "AWS::EC2::VPC", "CidrBlock: 10.0.0.256/16", "CidrBlock: 10.0.0.0/16" },
  { "E1041", "AWS::EC2::SecurityGroup", "GroupDescription: a, VpcId: !Ref B", "GroupDescription: a, VpcId: !Ref V",
    "  B: { Type: AWS::S3::Bucket }\n  V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }" },
  { "E1040", "AWS::Config::ConfigurationRecorder", "RoleARN: !GetAtt Q.Arn", "RoleARN: !GetAtt R.Arn",
    "  Q: { Type: AWS::SQS::Queue }\n  R: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: !Ref P } }\n"
    .. "Parameters: { P: { Type: String } }" },
}

describe("a value that the schema does not take", function()
  for _, case in ipairs(CASES) do
    it(("is found: %s of %s"):format(case[1], case[2]), function()
      assert.equal(case[1], rules_of(case[2], case[3], case[5]))
      assert.equal("", rules_of(case[2], case[4], case[5]))
    end)
  end

  it("is looked for in the branches of Fn::If, and nowhere where a function gives it", function()
    local rest = "Conditions: { C: !Equals [!Ref AWS::Region, a] }\nParameters: { P: { Type: Number } }"
    assert.equal("E3034", rules_of("AWS::SQS::Queue", "DelaySeconds: !If [C, 5, 901]", rest))
    assert.equal("", rules_of("AWS::SQS::Queue", "DelaySeconds: !If [C, 5, !Ref P]", rest))
    assert.equal("", rules_of("AWS::SQS::Queue", "DelaySeconds: '{{resolve:ssm:delay}}'", rest))
  end)

  it("is not said to be missing where a condition may bring it", function()
    local rest = "Conditions: { C: !Equals [!Ref AWS::Region, a] }"
    assert.equal("", rules_of("AWS::EC2::VPC", "CidrBlock: !If [C, 10.0.0.0/16, !Ref AWS::NoValue], Ipv4IpamPoolId: a, "
      .. "Ipv4NetmaskLength: 20", rest))
  end)

  it("is judged by schemas of which every pattern is read, or left to the service", function()
    local regex = require "tap.regex"
    local read, left = 0, 0
    local function walk(node)
      for key, value in pairs(node) do
        if key == "pattern" and type(value) == "string" then
          if regex.compile(value) then read = read + 1 else left = left + 1 end
        elseif type(value) == "table" then
          walk(value)
        end
      end
    end
    for _, type_name in ipairs(schema.types()) do walk(schema.constraints(type_name) or {}) end
    assert.is_true(read > 5000, read .. " patterns are read")
    assert.is_true(left < read / 10, left .. " patterns are left out")
  end)
end)

describe("what a parameter may be, where a property refers to it", function()
  -- The lines at which W1030 is told of a template of one parameter (line 2) and one property (line 3).
  local function lines_of(parameter, type_name, property)
    local text = ("Parameters:\n  P: { %s }\nResources: { A: { Type: %s, Properties: { %s: !Ref P } } }\n"):format(
      parameter, type_name, property)
    local lines = {}
    for _, one in ipairs((engine.text(text, "t.yaml"))) do
      if one.rule == "W1030" then lines[#lines + 1] = one.line end
    end
    return table.concat(lines, " ")
  end

  it("is judged at the values that it may have, and at its default when it may have any", function()
    assert.equal("2", lines_of("Type: String, Default: open", "AWS::S3::Bucket", "AccessControl"))
    assert.equal("", lines_of("Type: String, Default: Private", "AWS::S3::Bucket", "AccessControl"))
    assert.equal("2", lines_of("Type: Number, AllowedValues: [900, 901]", "AWS::SQS::Queue", "DelaySeconds"))
    assert.equal("", lines_of("Type: Number, AllowedValues: [0, 900]", "AWS::SQS::Queue", "DelaySeconds"))
  end)

  it("is judged where it is referred to, when it is a form that its user has to know", function()
    assert.equal("3", lines_of("Type: String, Default: everywhere", "AWS::EC2::Subnet", "CidrBlock"))
    assert.equal("", lines_of("Type: String, Default: 10.0.0.0/16", "AWS::EC2::Subnet", "CidrBlock"))
  end)

  it("is not judged when it is nothing, a secret, or in SSM", function()
    for _, parameter in ipairs { "Type: String", "Type: String, Default: ''", "Type: String, NoEcho: true, Default: x",
      "Type: AWS::SSM::Parameter::Value<String>, Default: /a/b" } do
      assert.equal("", lines_of(parameter, "AWS::EC2::Subnet", "CidrBlock"))
    end
  end)
end)
