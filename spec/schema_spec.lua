-- The facts of resource types.

local json = require "tap.core.json"
local schema = require "tap.schema"

describe("the schema of resource types", function()
  it("knows all of them, and every definition that they refer to", function()
    local types = schema.types()
    assert.is_true(#types > 1500)
    local function follow(type_name, wanted, seen)
      if type(wanted) ~= "table" then return end
      if wanted.is then
        if seen[wanted.is] then return end
        seen[wanted.is] = true
        local properties = schema.definition(type_name, wanted.is)
        assert.is_table(properties)
        for _, fact in pairs(properties) do follow(type_name, fact.type, seen) end
      end
      follow(type_name, wanted.list or wanted.map, seen)
      for _, each in ipairs(wanted.any or {}) do follow(type_name, each, seen) end
    end
    for _, type_name in ipairs(types) do
      local known = schema.of(type_name)
      assert.is_table(known, type_name)
      local seen = {}
      for _, fact in pairs(known.properties) do follow(type_name, fact.type, seen) end
    end
    assert.is_nil(schema.of "AWS::EC2::Nothing")
    assert.is_nil(schema.of "Custom::Thing")
  end)

  it("tells what a change does to the physical resource", function()
    assert.equal("Always", schema.recreation("AWS::EC2::VPC", "CidrBlock"))
    assert.equal("Conditionally", schema.recreation("AWS::EC2::VPC", "InstanceTenancy"))
    assert.equal("Never", schema.recreation("AWS::EC2::VPC", "EnableDnsSupport"))
    assert.equal("Never", schema.recreation("Custom::Thing", "Anything"))
  end)

  local function messages(type_name, properties)
    local out = {}
    for i, wrong in ipairs(schema.check(type_name, properties)) do
      out[i] = wrong.path .. ": " .. wrong.message
    end
    return out
  end

  it("takes texts for numbers and booleans, as templates have them", function()
    assert.same({}, messages("AWS::EC2::VPC", { CidrBlock = "10.0.0.0/16", Ipv4NetmaskLength = "16",
      EnableDnsSupport = "true", Tags = { { Key = "k", Value = "v" } } }))
  end)

  it("says of values, too, what is wrong with them", function()
    local function queue(properties) return messages("AWS::SQS::Queue", properties) end
    assert.same({ "#/DelaySeconds: 901 is not less or equal to 900" }, queue { DelaySeconds = "901" })
    assert.same({ "#/MaximumMessageSize: 10 is not greater or equal to 1024" }, queue { MaximumMessageSize = 10 })
    assert.same({ "#/BackupVaultName: failed validation constraint for keyword [pattern]" },
      messages("AWS::Backup::BackupVault", { BackupVaultName = "a b" }))
    assert.same({ "#/DomainName: failed validation constraint for keyword [pattern]",
      "#/DomainName: expected minLength: 2, actual: 1" },
      messages("AWS::CodeArtifact::Domain", { DomainName = "d" }))
    assert.same({ "#/Roles: expected maximum item count: 1, found: 2" },
      messages("AWS::IAM::InstanceProfile", { Roles = json.list { "a", "b" } }))
    assert.same({ "#/VPCSecurityGroups: array items are not unique" },
      messages("AWS::RDS::DBInstance", { VPCSecurityGroups = json.list { "a", "a" } }))
  end)

  it("says what is wrong in the words of the service", function()
    assert.same({ "#: extraneous key [CidrBlok] is not permitted" },
      messages("AWS::EC2::VPC", { CidrBlok = "10.0.0.0/16" }))
    assert.same({ "#: required key [Protocol] not found", "#: required key [TopicArn] not found" },
      messages("AWS::SNS::Subscription", {}))
    assert.same({ "#/Ipv4NetmaskLength: expected type: Integer, found: String",
      "#/Tags: expected type: JSONArray, found: String" },
      messages("AWS::EC2::VPC", json.decode '{"Ipv4NetmaskLength": "x", "Tags": "y"}'))
    assert.same({ "#/SecurityGroupIngress/0: required key [IpProtocol] not found" },
      messages("AWS::EC2::SecurityGroup", { GroupDescription = "d", SecurityGroupIngress =
        json.list { {} } }))
  end)
end)
