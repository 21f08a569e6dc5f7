-- What happens when a stack is created. Names begin with the part of the reference that they hold to.
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local world = require "spec.sandbox_world"

local topic, template = world.topic, world.template

local function depends(resource, ...)
  resource.DependsOn = { ... }
  return resource
end

local function place_of(lines, wanted)
  for i, line in ipairs(lines) do
    if line == wanted then return i end
  end
  error("no such event: " .. wanted .. "\n" .. table.concat(lines, "\n"))
end

describe("creating a stack", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("2.2 records a resource's life, then the stack's", function()
    w:create("demo", { Topic = topic { DisplayName = "x" } })
    assert.are.same({
      "demo CREATE_IN_PROGRESS: User Initiated",
      "Topic CREATE_IN_PROGRESS",
      "Topic CREATE_IN_PROGRESS: Resource creation Initiated",
      "Topic CREATE_COMPLETE",
      "demo CREATE_COMPLETE",
    }, w:lines "demo")
  end)

  it("2.2 tells when the configuration is complete, for the types that do, and for the stack", function()
    w:create("demo", { Queue = { Type = "AWS::SQS::Queue" } })
    local lines = w:lines "demo"
    assert.are.same({
      "Queue CREATE_IN_PROGRESS: Eventual consistency check initiated",
      "demo CREATE_IN_PROGRESS: Eventual consistency check initiated",
      "Queue CREATE_COMPLETE",
      "demo CREATE_COMPLETE",
    }, table.move(lines, 4, #lines, 1, {}))
    assert.are.equal("CONFIGURATION_COMPLETE", w:events("demo")[4].DetailedStatus)
    assert.are.equal("CONFIGURATION_COMPLETE", w:events("demo")[5].DetailedStatus)
  end)

  it("2.1 event ids: a UUID of the time for stacks, name-status-time for resources, none twice", function()
    w:create("demo", { Queue = { Type = "AWS::SQS::Queue" }, Topic = topic() })
    local seen = {}
    for _, event in ipairs(w:events "demo") do
      local pattern = event.ResourceType == "AWS::CloudFormation::Stack"
        and "^%x+%-%x+%-1%x%x%x%-[89ab]%x%x%x%-%x+$"
        or "^" .. event.LogicalResourceId .. "%-" .. event.ResourceStatus .. "%-2026%-01%-01T[%d:]+%.%d%d%dZ$"
      assert.truthy(event.EventId:match(pattern), event.EventId)
      assert.is_nil(seen[event.EventId])
      seen[event.EventId] = true
    end
  end)

  it("2.1 the first event of a resource has an empty physical id, the others the real one", function()
    local id = w:create("demo", { Topic = topic() })
    local events = w:events "demo"
    assert.are.equal(id, events[1].PhysicalResourceId)
    assert.are.equal("demo", events[1].LogicalResourceId)
    assert.are.equal("", events[2].PhysicalResourceId)
    local physical = events[3].PhysicalResourceId
    assert.truthy(physical:match "^arn:aws:sns:us%-east%-1:123456789012:demo%-Topic%-%w+$")
    assert.are.equal(physical, events[4].PhysicalResourceId)
  end)

  it("2.1 resource properties are a JSON text of resolved values, in the template's order", function()
    w:create("demo", [[{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {
      "TopicName": {"Fn::Sub": "${AWS::StackName}-z"}, "FifoTopic": false,
      "DisplayName": {"Ref": "AWS::Region"},
      "Tags": {"Ref": "AWS::NoValue"}, "Number": 80}}}}]])
    assert.are.equal([[{"TopicName":"demo-z","FifoTopic":"false","DisplayName":"us-east-1","Number":"80"}]],
      w:events("demo")[2].ResourceProperties)
    assert.is_nil(w:events("demo")[1].ResourceProperties)
  end)

  it("2.1 the caller's token and one operation id stand on every event", function()
    w:create("demo", { Topic = topic() }, { ClientRequestToken = "my-token-1" })
    local operation = w:events("demo")[1].OperationId
    for _, event in ipairs(w:events "demo") do
      assert.are.equal("my-token-1", event.ClientRequestToken)
      assert.are.equal(operation, event.OperationId)
    end
    assert.are.same({ { OperationType = "CREATE_STACK", OperationId = operation } },
      w:stack("demo").LastOperations)
  end)

  it("1.3 a resource starts when all that it refers to is there; independent ones start together", function()
    w:create("demo", {
      A = topic { DisplayName = { Ref = "B" } },
      B = topic { DisplayName = { ["Fn::Sub"] = "${C.TopicName}" } },
      C = topic(), D = depends(topic(), "A"),
    })
    local lines = w:lines "demo"
    local function starts(name) return place_of(lines, name .. " CREATE_IN_PROGRESS") end
    local function ends(name) return place_of(lines, name .. " CREATE_COMPLETE") end
    assert.is_true(ends "C" < starts "B" and ends "B" < starts "A" and ends "A" < starts "D")
  end)

  it("1.3 what depends on a resource starts when its configuration is complete", function()
    w:create("demo", { Queue = { Type = "AWS::SQS::Queue" }, Topic = depends(topic(), "Queue") })
    local lines = w:lines "demo"
    local settled = place_of(lines, "Queue CREATE_IN_PROGRESS: Eventual consistency check initiated")
    local started = place_of(lines, "Topic CREATE_IN_PROGRESS")
    assert.is_true(settled < started and started < place_of(lines, "Queue CREATE_COMPLETE"))
  end)

  it("1.3 conditions that are false leave resources and outputs out", function()
    w:create("demo", template({ A = topic(), B = { Type = "AWS::SNS::Topic", Condition = "Never" } }, {
      Conditions = { Never = { ["Fn::Equals"] = { "a", "b" } } },
      Outputs = { X = { Value = "1", Condition = "Never" }, Y = { Value = "2" } },
    }))
    assert.are.same({ Y = "2" }, w:outputs "demo")
    assert.are.equal(1, #w.cfn:list_stack_resources({ StackName = "demo" }).StackResourceSummaries)
  end)

  it("6.4 outputs are there when the stack is complete, and exports with them", function()
    w:create("demo", template({ Topic = topic() }, { Outputs = {
      Name = { Value = { ["Fn::GetAtt"] = { "Topic", "TopicName" } }, Description = "its name",
        Export = { Name = { ["Fn::Sub"] = "${AWS::StackName}-name" } } },
    } }), nil, 5)
    assert.is_nil(w:stack("demo").Outputs)
    world.sleep(600)
    local output = w:stack("demo").Outputs[1]
    assert.are.equal("demo-name", output.ExportName)
    assert.are.equal("its name", output.Description)
    local export = w.cfn:list_exports().Exports[1]
    assert.are.same({ "demo-name", output.OutputValue, w:stack("demo").StackId },
      { export.Name, export.Value, export.ExportingStackId })
  end)

  it("6.1 another stack imports an export", function()
    w:create("one", template({ T = topic() },
      { Outputs = { X = { Value = "v", Export = { Name = "shared" } } } }))
    w:create("two", { T = topic { DisplayName = { ["Fn::ImportValue"] = "shared" } } })
    assert.are.equal([[{"DisplayName":"v"}]], w:events("two")[2].ResourceProperties)
    assert.are.same({ "two" }, w.cfn:list_imports({ ExportName = "shared" }).Imports)
  end)

  it("2.2 a custom resource has its id when its answer comes, with its end", function()
    w:create("demo", { C = { Type = "Custom::Thing", Version = "1.0", Properties = { ServiceToken = "x" } } })
    local events = w:events "demo"
    assert.are.equal("Resource creation Initiated", events[3].ResourceStatusReason)
    assert.is_true(events[4].Timestamp - events[3].Timestamp < 1)
    assert.is_true(events[3].Timestamp - events[2].Timestamp > 4)
  end)

  it("10 what waits for signals of its instances takes their time to boot", function()
    w:create("demo", { G = { Type = "AWS::AutoScaling::AutoScalingGroup",
      CreationPolicy = { ResourceSignal = { Count = 1, Timeout = "PT15M" } } } })
    local events = w:events "demo"
    assert.is_true(events[#events].Timestamp - events[1].Timestamp > 120)
  end)

  it("9.2 secrets are masked in properties and parameters, also where a function cannot work on a mask",
    function()
    w:create("demo", template({
      T = topic { DisplayName = { ["Fn::Sub"] = "a ${Secret}" },
        TopicName = { ["Fn::Select"] = { "1", { ["Fn::Split"] = { "-", { Ref = "Secret" } } } } } },
    }, { Parameters = { Secret = { Type = "String", NoEcho = "true" } } }),
      { Parameters = { { ParameterKey = "Secret", ParameterValue = "open-sesame" } } })
    local shown = json.decode(w:events("demo")[2].ResourceProperties)
    assert.are.same({ DisplayName = "a ****", TopicName = "****" }, shown)
    assert.are.equal("****", w:stack("demo").Parameters[1].ParameterValue)
    assert.truthy(w:events("demo")[3].PhysicalResourceId:match "sesame$") -- the real value was used
  end)

  it("a whole run repeats byte for byte with the same seed, and differs with another", function()
    local function run(seed)
      local other = world.open { seed = seed }
      other:create("TapStackdev", sys.read_file "templates/TapStack.json")
      local text = json.encode(other:events "TapStackdev")
      other:close()
      return text
    end
    local first = run(7)
    assert.are.equal(first, run(7))
    assert.are_not.equal(first, run(8))
  end)
end)

describe("templates/TapStack.json", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("is created in the order of its dependencies", function()
    w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    local lines = w:lines "TapStackdev"
    local function span(name)
      return place_of(lines, name .. " CREATE_IN_PROGRESS"), place_of(lines, name .. " CREATE_COMPLETE")
    end
    local _, key_there = span "KMSKey"
    local table_starts, table_there = span "TurnAroundPromptTable"
    local topic_starts, topic_there = span "SNSTopic"
    local alias_starts = span "KMSKeyAlias"
    assert.is_true(key_there < table_starts and key_there < topic_starts and key_there < alias_starts)
    for _, name in ipairs { "Throttle", "SystemError", "ReadThrottle", "WriteThrottle" } do
      local starts = span("DynamoDB" .. name .. "Alarm")
      assert.is_true(table_there < starts and topic_there < starts)
    end
    assert.is_true(table_there < (span "CloudWatchDashboard"))
    assert.are.equal("TapStackdev CREATE_COMPLETE", lines[#lines])
  end)

  it("has the outputs of its document", function()
    w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    local outputs = w:outputs "TapStackdev"
    local arn = "arn:aws:dynamodb:us-east-1:123456789012:table/TurnAroundPromptTabledev"
    assert.are.equal("TurnAroundPromptTabledev", outputs.TurnAroundPromptTableName)
    assert.are.equal(arn, outputs.TurnAroundPromptTableArn)
    assert.are.equal(1, outputs.TurnAroundPromptTableStreamArn:find(arn .. "/stream/2026-01-01T", 1, true))
    assert.truthy(outputs.KMSKeyId:match "^%x+%-%x+%-4%x+%-%x+%-%x+$")
    assert.are.equal("arn:aws:kms:us-east-1:123456789012:key/" .. outputs.KMSKeyId, outputs.KMSKeyArn)
    assert.are.equal("arn:aws:sns:us-east-1:123456789012:tap-dev-alerts", outputs.SNSTopicArn)
    assert.are.equal("https://console.aws.amazon.com/cloudwatch/home?region=us-east-1"
      .. "#dashboards:name=tap-dev-dashboard", outputs.DashboardURL)
    assert.are.equal("TapStackdev", outputs.StackName)
    assert.are.equal("dev", outputs.EnvironmentSuffix)
    assert.are.equal(8, #w.cfn:list_exports().Exports)
  end)

  it("has a dashboard whose widgets CloudWatch would draw", function()
    w:create("TapStackdev", sys.read_file "templates/TapStack.json")
    local body
    for _, event in ipairs(w:events "TapStackdev") do
      if event.LogicalResourceId == "CloudWatchDashboard" then
        body = json.decode(json.decode(event.ResourceProperties).DashboardBody)
      end
    end
    assert.are.equal(4, #body.widgets)
    for _, widget in ipairs(body.widgets) do
      assert.is_nil(widget.properties.dimensions)
      assert.are.equal("us-east-1", widget.properties.region)
      for _, metric in ipairs(widget.properties.metrics) do
        local about_table = json.encode(metric):find("TurnAroundPromptTabledev", 1, true) or metric[3] == "."
        assert.truthy(about_table or metric[2] == "UserErrors")
      end
    end
  end)

  it("keeps its key's rotation on and lets alarms publish to the encrypted topic", function()
    local tree = json.decode(sys.read_file "templates/TapStack.json")
    local key = tree.Resources.KMSKey.Properties
    assert.is_true(key.EnableKeyRotation)
    local principals = {}
    for _, statement in ipairs(key.KeyPolicy.Statement) do
      if statement.Principal.Service then principals[statement.Principal.Service] = statement.Action end
    end
    assert.are.same({ ["cloudwatch.amazonaws.com"] = { "kms:Decrypt", "kms:GenerateDataKey*" } }, principals)
  end)
end)
