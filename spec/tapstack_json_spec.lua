-- templates/TapStack.json against the document that ordered it: a test a sentence, named by it.
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local worlds = require "spec.sandbox_world"

local t = json.decode(sys.read_file "templates/TapStack.json")
local R = t.Resources

local function of_type(type_name)
  local found = {}
  for id, resource in pairs(R) do
    if resource.Type == type_name then found[#found + 1] = { id = id, p = resource.Properties or {} } end
  end
  return found
end

local TABLE = of_type("AWS::DynamoDB::Table")[1].p

describe("Security", function()
  it("KMS encryption for DynamoDB using customer-managed keys", function()
    assert.equal("KMS", TABLE.SSESpecification.SSEType)
    assert.is_not_nil(TABLE.SSESpecification.KMSMasterKeyId)
  end)
  it("Encrypted SNS topics for secure notifications", function()
    assert.is_not_nil(of_type("AWS::SNS::Topic")[1].p.KmsMasterKeyId)
  end)
  it("Least privilege IAM policies via KMS key policies", function()
    for _, statement in ipairs(of_type("AWS::KMS::Key")[1].p.KeyPolicy.Statement) do
      local service = statement.Principal.Service
      assert.is_true(service == nil or statement.Action ~= "kms:*", tostring(statement.Sid))
    end
  end)
  it("Proper resource tagging for governance and compliance", function()
    for _, type_name in ipairs { "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SNS::Topic" } do
      assert.is_true(#of_type(type_name)[1].p.Tags >= 2, type_name)
    end
  end)
end)

describe("Production Readiness", function()
  it("CloudWatch monitoring with 4 comprehensive alarms", function()
    assert.equal(4, #of_type "AWS::CloudWatch::Alarm")
  end)
  it("CloudWatch dashboard for operational visibility", function()
    assert.equal(1, #of_type "AWS::CloudWatch::Dashboard")
  end)
  it("DynamoDB Streams for real-time data processing", function()
    assert.equal("NEW_AND_OLD_IMAGES", TABLE.StreamSpecification.StreamViewType)
  end)
  it("Point-in-time recovery (configurable)", function()
    assert.is_not_nil(t.Parameters.PointInTimeRecoveryEnabled)
    assert.is_not_nil(TABLE.PointInTimeRecoverySpecification)
  end)
  it("TTL for automatic data lifecycle management", function()
    assert.is_not_nil(TABLE.TimeToLiveSpecification.AttributeName)
  end)
  it("Deletion protection (configurable)", function()
    assert.is_not_nil(t.Parameters.DeletionProtectionEnabled)
    assert.is_not_nil(TABLE.DeletionProtectionEnabled)
  end)
end)

describe("Simplicity", function()
  it("Zero required parameters - deploy with defaults", function()
    for name, definition in pairs(t.Parameters) do assert.is_not_nil(definition.Default, name) end
    local w = worlds.open()
    w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    assert.equal("CREATE_COMPLETE", w:status "TapStackdev")
    w:close()
  end)
  it("Single DynamoDB table with simple hash key schema", function()
    assert.equal(1, #of_type "AWS::DynamoDB::Table")
    assert.equal(1, #TABLE.KeySchema)
    assert.equal("HASH", TABLE.KeySchema[1].KeyType)
  end)
  it("On-demand billing eliminates capacity planning", function()
    assert.equal("PAY_PER_REQUEST", TABLE.BillingMode)
  end)
end)

describe("Monitoring & Observability", function()
  it("user errors, system errors, read and write throttles are monitored", function()
    local text = {}
    for _, alarm in ipairs(of_type "AWS::CloudWatch::Alarm") do text[#text + 1] = json.encode(alarm.p) end
    text = table.concat(text)
    for _, metric in ipairs { "SystemErrors", "ReadThrottle", "WriteThrottle" } do
      assert.matches(metric, text, 1, true)
    end
  end)
  it("CloudWatch dashboard with 4 metric widgets", function()
    local w = worlds.open()
    w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    local cloudwatch = w:client "cloudwatch"
    local name = cloudwatch:list_dashboards({}).DashboardEntries[1].DashboardName
    local body = json.decode(cloudwatch:get_dashboard({ DashboardName = name }).DashboardBody)
    assert.equal(4, #body.widgets)
    w:close()
  end)
  it("Conditional email notifications via SNS", function()
    local subscription = of_type("AWS::SNS::Topic")[1].p.Subscription
    assert.same({ Endpoint = { Ref = "AlertEmail" }, Protocol = "email" }, subscription["Fn::If"][2][1])
  end)
end)

describe("Best Practices", function()
  it("Comprehensive outputs for cross-stack integration", function()
    local exported = 0
    for _, output in pairs(t.Outputs) do exported = exported + (output.Export and 1 or 0) end
    assert.is_true(exported >= 6, exported)
  end)
  it("Deletable resources for development environments", function()
    local w = worlds.open()
    local id = w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    w:delete "TapStackdev"
    assert.equal("DELETE_COMPLETE", w:status(id))
    w:close()
  end)
  it("Proper metadata for CloudFormation UI organization", function()
    assert.is_true(#t.Metadata["AWS::CloudFormation::Interface"].ParameterGroups >= 3)
  end)
end)
