-- What resources are called and what they give. Names begin with the part of the reference that they hold to.
local catalog = require "sandbox.resources.catalog"
local ids = require "sandbox.ids"
local world = require "spec.sandbox_world"

local UUID = "%x+%-%x+%-4%x%x%x%-%x+%-%x+"

-- type -> properties, Ref's pattern, { attribute -> pattern }
local FORMATS = {
  ["AWS::EC2::VPC"] = { { CidrBlock = "10.1.0.0/16" }, "^vpc%-%x+$",
    { VpcId = "^vpc%-%x+$", CidrBlock = "^10%.1%.0%.0/16$", DefaultSecurityGroup = "^sg%-" } },
  ["AWS::EC2::EIP"] = { {}, "^203%.0%.113%.%d%d$", { AllocationId = "^eipalloc%-%x+$" } },
  ["AWS::EC2::Route"] = {
    { RouteTableId = "rtb-1", DestinationIpv6CidrBlock = "::/0" }, "^rtb%-1|::/0$", {},
  },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { {},
    "^arn:aws:elasticloadbalancing:us%-east%-1:123456789012:loadbalancer/app/formt%-Thing%-%w+/%x+$",
    { DNSName = "^formt%-Thing%-%w+%-%d+%.us%-east%-1%.elb%.amazonaws%.com$",
      LoadBalancerFullName = "^app/formt" } },
  ["AWS::ElasticLoadBalancingV2::Listener"] = {
    { LoadBalancerArn = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/lb/12ab" },
    ":listener/app/lb/12ab/%x+$", { ListenerArn = ":listener/" } },
  ["AWS::RDS::DBInstance"] = { {}, "^formtest%-thing%-[%l%d]+$",
    { ["Endpoint.Address"] = "^formtest%-thing%-[%l%d]+%.%w+%.us%-east%-1%.rds%.amazonaws%.com$",
      ["Endpoint.Port"] = "^3306$", DBInstanceArn = ":db:formtest%-thing" } },
  ["AWS::S3::Bucket"] = { {}, "^formtest%-thing%-[%l%d]+$",
    { Arn = "^arn:aws:s3:::formtest%-thing", RegionalDomainName = "%.s3%.us%-east%-1%.amazonaws%.com$" } },
  ["AWS::KMS::Key"] = {
    {}, "^" .. UUID .. "$", { Arn = "^arn:aws:kms:us%-east%-1:123456789012:key/" .. UUID .. "$" },
  },
  ["AWS::IAM::Role"] = { { Path = "/team/" }, "^formtest%-Thing%-%w+$",
    { Arn = "^arn:aws:iam::123456789012:role/team/formtest%-Thing", RoleId = "^AROA" } },
  ["AWS::IAM::ManagedPolicy"] = { {}, "^arn:aws:iam::123456789012:policy/formtest%-Thing", {} },
  ["AWS::Logs::LogGroup"] = { {}, "^formtest%-Thing", { Arn = ":log%-group:formtest%-Thing%-%w+:%*$" } },
  ["AWS::Lambda::Function"] = {
    {}, "^formtest%-Thing%-%w+$", { Arn = "^arn:aws:lambda:us%-east%-1:123456789012:function:" },
  },
  ["AWS::SNS::Topic"] = {
    { TopicName = "t" }, "^arn:aws:sns:us%-east%-1:123456789012:t$", { TopicName = "^t$" },
  },
  ["AWS::SQS::Queue"] = { { QueueName = "q" }, "^https://sqs%.us%-east%-1%.amazonaws%.com/123456789012/q$",
    { Arn = "^arn:aws:sqs:us%-east%-1:123456789012:q$" } },
  ["AWS::DynamoDB::Table"] = { { StreamSpecification = { StreamViewType = "KEYS_ONLY" } },
    "^formtest%-Thing%-%w+$",
    { Arn = ":table/formtest", StreamArn = "/stream/2026%-01%-01T%d%d:%d%d:%d%d%.%d%d%d$" } },
  ["AWS::SSM::Parameter"] = {
    { Type = "String", Value = "v" }, "^CFN%-Thing%-%w+$", { Value = "^v$", Type = "^String$" },
  },
  ["AWS::SecretsManager::Secret"] = { {}, ":secret:Thing%-%w+%-%w%w%w%w%w%w$", { Id = ":secret:" } },
  ["AWS::Events::Rule"] = { { EventBusName = "bus", Name = "r" }, "^r$", { Arn = ":rule/bus/r$" } },
  ["AWS::ECS::Service"] = {
    { Cluster = "c" }, ":service/c/formtest%-Thing%-%w+$", { Name = "^formtest%-Thing" },
  },
  ["AWS::CloudFormation::WaitConditionHandle"] = { {},
    "^https://cloudformation%-waitcondition%-us%-east%-1%.s3%..*%.com/arn%%3Aaws%%3A.*/Thing%?X%-Amz", {} },
  ["Custom::Thing"] = { { ServiceToken = "x" }, "^formtest%-Thing%-%w+$", { Anything = "Anything$" } },
  -- by rule, from their schemas
  ["AWS::Athena::WorkGroup"] = { { Name = "w" }, "^w$", {} },
  ["AWS::Backup::BackupVault"] = { { BackupVaultName = "vault" }, "^vault$",
    { BackupVaultArn = "^arn:aws:backup:us%-east%-1:123456789012:backup%-vault:vault$" } },
  ["AWS::CodeBuild::Fleet"] = { {}, "^arn:aws:codebuild:us%-east%-1:123456789012:fleet/formtest%-Thing", {} },
}

describe("resource types", function()
  for type_name, case in pairs(FORMATS) do
    it("11.2 " .. type_name .. " gives ids and attributes in its format", function()
      local w = world.open()
      local outputs = { Ref = { Value = { Ref = "Thing" } } }
      local names = {}
      for attribute in pairs(case[3]) do
        names[#names + 1] = attribute
        outputs["A" .. #names] = { Value = { ["Fn::GetAtt"] = { "Thing", attribute } } }
      end
      w:create("formtest", world.template({ Thing = { Type = type_name, Properties = case[1] } },
        { Outputs = outputs }),
        { Capabilities = { "CAPABILITY_NAMED_IAM" } })
      local values = w:outputs "formtest"
      assert.truthy(values.Ref and values.Ref:match(case[2]), values.Ref)
      for i, attribute in ipairs(names) do
        assert.truthy(values["A" .. i]:match(case[3][attribute]), attribute .. ": " .. values["A" .. i])
      end
      w:close()
    end)
  end

  it("2.8 whose properties are wrong fail with what their schema says", function()
    local w = world.open()
    w:create("demo", '{"Resources": {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlok": "x"}}, '
      .. '"S": {"Type": "AWS::SNS::Subscription", "DependsOn": "V"}}}')
    assert.are.equal("Properties validation failed for resource V with message:\n"
      .. "#: extraneous key [CidrBlok] is not permitted", w:reason("demo", "V", "CREATE_FAILED"))
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
    w:close()
  end)

  it("11.2 an attribute that only some resources have fails the stack without it", function()
    local w = world.open()
    w:create("demo", world.template({ T = { Type = "AWS::DynamoDB::Table" } },
      { Outputs = { O = { Value = { ["Fn::GetAtt"] = { "T", "StreamArn" } } } } }))
    assert.are.equal("Attribute 'StreamArn' does not exist. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
    w:close()
  end)

  it("11.1 long names are cut so that their suffix stays", function()
    local names = require "sandbox.resources.names"
    local facts = { stack = ("s"):rep(100), logical = ("L"):rep(60), properties = {},
      stream = ids.stream(1, "x") }
    local name = names.of({ max = 64 }, facts)
    assert.are.equal(64, #name)
    assert.truthy(name:match "^s+%-L+%-%w+$")
    assert.are.equal(12, #name:match "%-(%w+)$")
  end)

  it("11.2 have a name of their own only within what they belong to, when their schema says so", function()
    local w = world.open()
    local function stage(api) return { Type = "AWS::ApiGatewayV2::Stage", Properties = { ApiId = { Ref = api },
      StageName = "prod" } } end
    local api = { Type = "AWS::ApiGatewayV2::Api", Properties = { Name = "n", ProtocolType = "HTTP" } }
    w:create("apis", { A = api, B = api, SA = stage "A", SB = stage "B",
      M = { Type = "AWS::Events::EventBusPolicy", Properties = { EventBusName = "bus", StatementId = "s" } } })
    assert.equal("CREATE_COMPLETE", w:status "apis")
    local physical = {}
    for _, each in ipairs(w.cfn:describe_stack_resources({ StackName = "apis" }).StackResources) do
      physical[each.LogicalResourceId] = each.PhysicalResourceId
    end
    assert.same({ "prod", "prod", "bus|s" }, { physical.SA, physical.SB, physical.M })
    w:delete "apis"
    w:close()
  end)

  it("10 every record can be expanded and every duration drawn", function()
    local durations = require "sandbox.resources.durations"
    for _, file in ipairs { "network", "compute", "storage", "identity", "messaging", "operations" } do
      for type_name in pairs(require("sandbox.resources." .. file)) do
        local record, stream = catalog.of(type_name), ids.stream(1, type_name)
        local initiated, total, settle = durations.create(record, stream)
        assert.is_true(initiated > 0 and initiated < total, type_name)
        assert.is_true(not settle or settle > initiated and settle < total, type_name)
        assert.is_true(durations.delete(record, stream) > 0)
      end
    end
  end)
end)

describe("ids", function()
  it("repeat with their seed and name, and only then", function()
    assert.are.equal(ids.stream(1, "a"):uuid(), ids.stream(1, "a"):uuid())
    assert.are_not.equal(ids.stream(1, "a"):uuid(), ids.stream(2, "a"):uuid())
    assert.are_not.equal(ids.stream(1, "a"):uuid(), ids.stream(1, "b"):uuid())
  end)

  it("of a time say when: version 1 of 2026-01-01", function()
    assert.truthy(ids.stream(1, "a"):time_uuid(1767225600):match "^%x+%-e6a4%-11f0%-[89ab]%x%x%x%-%x+$")
  end)
end)
