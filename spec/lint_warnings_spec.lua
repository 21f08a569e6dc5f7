-- The lint's warnings: what is not used, what may not be there, what is better said otherwise, what ends.
local engine = require "lint.engine"
local json = require "tap.core.json"
local logic = require "lint.logic"
local state = require "lint.state"

--- "RULE:LINE ..." of a text, in order.
local function found(text, options)
  local list = {}
  for index, one in ipairs((engine.text(text, "t.yaml", options))) do
    list[index] = ("%s:%d"):format(one.rule, one.line)
  end
  return table.concat(list, " ")
end

local TOPIC = "Resources: { T: { Type: AWS::SNS::Topic } }"

-- Each: what is expected, then the template's lines.
local CASES = {
  ["is defined and not used"] = {
    { "W2001:1", "Parameters: { P: { Type: String } }", TOPIC },
    { "", "Parameters: { P: { Type: String } }",
      "Resources: { T: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub 'x-${P}' } } }" },
    { "", "Transform: Own", "Parameters: { P: { Type: String } }", TOPIC },
    { "W7001:1", "Mappings: { M: { a: { b: c } } }", TOPIC },
    { "W8001:1", "Conditions: { C: !Equals [ !Ref AWS::Region, x ] }", TOPIC },
    { "", "Conditions: { C: !Equals [ !Ref AWS::Region, x ], D: !Not [ { Condition: C } ] }",
      "Resources: { T: { Type: AWS::SNS::Topic, Condition: D } }" },
    { "W4001:2", "Metadata: { AWS::CloudFormation::Interface: { ParameterGroups: [",
      "  { Parameters: [ P ] } ] } }", TOPIC },
  },
  ["may not be there"] = {
    { "W1001:4", "Conditions: { C: !Equals [ !Ref AWS::Region, x ] }", "Resources:",
      "  T: { Type: AWS::SNS::Topic, Condition: C }",
      "  S: { Type: AWS::SNS::Subscription, Properties: { Protocol: sms, TopicArn: !Ref T } }" },
    { "", "Conditions: { C: !Equals [ !Ref AWS::Region, x ] }", "Resources:",
      "  T: { Type: AWS::SNS::Topic, Condition: C }",
      "  S: { Type: AWS::SNS::Subscription, Condition: C, Properties: { Protocol: sms, TopicArn: !Ref T } }" },
    { "", "Conditions: { C: !Equals [ !Ref AWS::Region, x ] }", "Resources:",
      "  T: { Type: AWS::SNS::Topic, Condition: C }",
      "Outputs: { O: { Value: !If [ C, !GetAtt T.TopicName, none ] } }" },
    { "W1001:6", "Parameters: { E: { Type: String, AllowedValues: [ dev, prod ] } }",
      "Conditions: { Dev: !Equals [ !Ref E, dev ], Prod: !Equals [ !Ref E, prod ], NotProd: !Not [ Condition: Prod ] }",
      "Resources:", "  T: { Type: AWS::SNS::Topic, Condition: Dev }",
      "  A: { Type: AWS::SNS::Topic, Condition: NotProd, Properties: { DisplayName: !Ref T } }",
      "  B: { Type: AWS::SNS::Topic, Condition: Prod, Properties: { DisplayName: !GetAtt T.TopicName } }" },
    { "W1028:5", "Conditions: { C: !Equals [ !Ref AWS::Region, x ] }", "Resources:",
      "  T: { Type: AWS::SNS::Topic, Condition: C, Properties: {", "    DisplayName: !If [ C, a,",
      "      b ] } }" },
    { "W8003:1", "Conditions: { C: !Equals [ a, b ] }",
      "Resources: { T: { Type: AWS::SNS::Topic, Condition: C } }" },
  },
  ["is better said otherwise"] = {
    { "W3005:3", "Resources:", "  T: { Type: AWS::SNS::Topic }",
      "  S: { Type: AWS::SNS::Subscription, DependsOn: T, Properties: { Protocol: sms, TopicArn: !Ref T } }" },
    { "W1020:1", "Resources: { T: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub x } } }" },
    { "W1054:1", "Resources: { T: { Type: AWS::SNS::Topic, Properties: { DisplayName: 'AWS::Region' } } }" },
    { "W3045:1", "Resources: { B: { Type: AWS::S3::Bucket, Properties: { AccessControl: Private } } }" },
    { "W3011:1", "Resources: { B: { Type: AWS::S3::Bucket, DeletionPolicy: Retain } }" },
    { "W3010:2", "Resources: { V: { Type: AWS::EC2::Volume, Properties: { Size: 1,",
      "  AvailabilityZone: eu-central-1a } } }" },
    { "W2506:1", "Parameters: { I: { Type: String } }",
      "Resources: { A: { Type: AWS::EC2::Instance, Properties: { ImageId: !Ref I } } }" },
    { "W2511:1", "Resources: { T: { Type: AWS::SQS::Queue, Metadata: {}, Properties: { RedrivePolicy: { "
      .. "Version: '2008-10-17', Statement: [] } } } }" },
  },
  ["is a secret"] = {
    { "W2501:1 W1011:2", "Parameters: { P: { Type: String } }",
      "Resources: { D: { Type: AWS::RDS::DBCluster, Properties: { Engine: aurora-mysql, "
      .. "MasterUserPassword: !Ref P } } }" },
    { "W2501:1", "Resources: { D: { Type: AWS::RDS::DBCluster, Properties: { Engine: aurora-mysql, "
      .. "MasterUserPassword: abc12345 } } }" },
    { "", "Resources: { D: { Type: AWS::RDS::DBCluster, Properties: { Engine: aurora-mysql,",
      "  MasterUserPassword: '{{resolve:secretsmanager:x}}' } } }" },
    { "W2010:3", "Parameters: { P: { Type: String, NoEcho: true } }", TOPIC, "Outputs: { O: { Value: !Ref P } }" },
  },
  ["ends"] = {
    { "E2533:1", "Resources: { F: { Type: AWS::Lambda::Function, Properties: { Runtime: nodejs12.x, Handler: a.b, "
      .. "Role: 'arn:aws:iam::123456789012:role/r', Code: { ZipFile: x } } } }" },
    { "", "Resources: { F: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.14, Handler: a.b, "
      .. "Role: 'arn:aws:iam::123456789012:role/r', Code: { ZipFile: x } } } }" },
    { "W3697:1", "Resources: { L: { Type: AWS::AutoScaling::LaunchConfiguration, Properties: { ImageId: ami-12345678, "
      .. "InstanceType: t3.micro } } }" },
  },
}

describe("the lint warns of what", function()
  for topic, cases in pairs(CASES) do
    it(topic, function()
      for _, case in ipairs(cases) do
        local text = table.concat(case, "\n", 2)
        assert.equal(case[1], found(text), text)
      end
    end)
  end

  it("leaves a deployment a warning where AWS moves its dates", function()
    local text = "Resources: { F: { Type: AWS::Lambda::Function, Properties: { Runtime: nodejs12.x, Handler: a.b, "
      .. "Role: 'arn:aws:iam::123456789012:role/r', Code: { ZipFile: x } } } }"
    assert.equal("W2531:1", found(text, { trusting = true }))
  end)
end)

describe("the logic of conditions", function()
  local function possible(conditions, assumptions, parameters)
    local root = { Conditions = conditions, Parameters = parameters or {}, Resources = {} }
    return logic.new(state.new({ root = function() return root end }, function() end)):possible(assumptions)
  end
  local function equals(name, value)
    return { ["Fn::Equals"] = json.list { { Ref = name }, value } }
  end
  local ALLOWED = { E = { Type = "String", AllowedValues = json.list { "dev", "prod" } } }

  it("knows that a value is one thing, and with AllowedValues one of them", function()
    local two = { A = equals("E", "dev"), B = equals("E", "prod") }
    assert.is_false(possible(two, { A = true, B = true }))
    assert.is_true(possible(two, { A = false, B = false }))
    assert.is_false(possible(two, { A = false, B = false }, ALLOWED))
  end)

  it("follows And, Or, Not and conditions in conditions", function()
    local all = { A = equals("P", "x"), B = equals("Q", "y"),
      Both = { ["Fn::And"] = json.list { { Condition = "A" }, { Condition = "B" } } },
      Either = { ["Fn::Or"] = json.list { { Condition = "A" }, { Condition = "B" } } },
      Neither = { ["Fn::Not"] = json.list { { Condition = "Either" } } } }
    assert.is_false(possible(all, { Both = true, A = false }))
    assert.is_false(possible(all, { Either = true, A = false, B = false }))
    assert.is_false(possible(all, { Neither = true, A = true }))
    assert.is_true(possible(all, { Either = true, A = false }))
  end)

  it("says yes where it cannot tell: too many cases, a cycle, a macro", function()
    local many, wanted = {}, {}
    for index = 1, 20 do
      many["C" .. index] = equals("P" .. index, "x")
      wanted["C" .. index] = true
    end
    assert.is_true(possible(many, wanted))
    assert.is_true(possible({ A = { ["Fn::Not"] = json.list { { Condition = "A" } } } }, { A = true }) ~= nil)
    assert.is_true(possible({ A = { ["Fn::Transform"] = { Name = "x" } } }, { A = true }))
  end)
end)
