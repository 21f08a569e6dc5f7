-- Part 2 of the reference, the event streams and the texts of failures: a test for each row that is certain, over HTTP.

local json = require "tap.core.json"
local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE, fails = rows.topic, rows.ONE, rows.fails
local refused = rows.refused
local row = rows.by(it)

local TIME_UUID, RANDOM_UUID = "%x+%-%x+%-1%x+%-%x+%-%x+", "%x+%-%x+%-4%x+%-%x+%-%x+"

-- The events of a resource or, by its name, of the stack, oldest first.
local function of(w, logical, name)
  local out = {}
  for _, event in ipairs(w:events(name or "demo")) do
    if event.LogicalResourceId == logical then out[#out + 1] = event end
  end
  return out
end

-- "CREATE_FAILED: why" of each.
local function said(events)
  local out = {}
  for i, event in ipairs(events) do
    out[i] = event.ResourceStatus .. (event.ResourceStatusReason and ": " .. event.ResourceStatusReason or "")
  end
  return out
end

local function contains(text, part)
  assert.truthy(text and text:find(part, 1, true), ("%s\nis not in\n%s"):format(part, text))
end

describe("2.1 an event", function()
  row("of a stack has a time's UUID, the stack's name and id, and no properties", nil, function(w)
    local id = w:create("demo", ONE)
    for _, event in ipairs(of(w, "demo")) do
      assert.truthy(event.EventId:match("^" .. TIME_UUID .. "$"))
      assert.are.same({ id, id, "AWS::CloudFormation::Stack" },
        { event.PhysicalResourceId, event.StackId, event.ResourceType })
      assert.is_nil(event.ResourceProperties)
    end
  end)

  row("of a resource has its name, status and time for an id", nil, function(w)
    w:create("demo", ONE)
    for _, event in ipairs(of(w, "A")) do
      assert.truthy(event.EventId:match("^A%-" .. event.ResourceStatus .. "%-%d+%-%d+%-%d+T%d+:%d+:%d+%.%d%d%dZ$"))
    end
  end)

  row("of a clean-up has a random UUID after the name, and no properties", nil, function(w)
    w:create("demo", { A = world.topic { TopicName = "a" } })
    w:update("demo", { A = world.topic { TopicName = "b" } })
    local events = of(w, "A")
    for i = #events - 1, #events do
      assert.truthy(events[i].EventId:match("^A%-" .. RANDOM_UUID .. "$"))
      assert.is_nil(events[i].ResourceProperties)
    end
  end)

  row("has an empty physical id at first and in the failure of what was never made, else the real one", nil, function(w)
    w:create("owner", { T = world.topic { TopicName = "taken" } })
    w:create("demo", { A = topic "a", B = world.topic { TopicName = "taken" } }, { OnFailure = "DO_NOTHING" })
    local made, failed = of(w, "A"), of(w, "B")
    assert.are.equal("", made[1].PhysicalResourceId)
    for i = 2, #made do assert.truthy(made[i].PhysicalResourceId:find "^arn:aws:sns:") end
    for _, event in ipairs(failed) do assert.are.equal("", event.PhysicalResourceId) end
  end)

  row("has the resolved properties as JSON, in the template's order, with **** for secrets", nil, function(w)
    w:create("demo", [[{"Parameters": {"P": {"Type": "String", "NoEcho": true}}, "Resources": {
      "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${AWS::StackName}-t"},
        "DisplayName": {"Ref": "P"}}}}}]], { Parameters = { { ParameterKey = "P", ParameterValue = "hush" } } })
    assert.are.equal('{"TopicName":"demo-t","DisplayName":"****"}', of(w, "A")[1].ResourceProperties)
  end)

  row("carries the caller's token on each step of the operation", nil, function(w)
    w:create("demo", ONE, { ClientRequestToken = "Console-CreateStack-1" })
    for _, event in ipairs(w:events "demo") do
      assert.are.equal("Console-CreateStack-1", event.ClientRequestToken)
    end
  end)

  row("is listed newest first, with milliseconds, a page of a hundred at a time", nil, function(w)
    local resources = {}
    for i = 1, 40 do resources["T" .. i] = topic "t" end
    w:create("demo", resources)
    local page = w.cfn:describe_stack_events { StackName = "demo" }
    assert.are.same({ 100, "CREATE_COMPLETE" }, { #page.StackEvents, page.StackEvents[1].ResourceStatus })
    for i = 2, 100 do assert.is_true(page.StackEvents[i].Timestamp <= page.StackEvents[i - 1].Timestamp) end
    local rest = w.cfn:describe_stack_events { StackName = "demo", NextToken = page.NextToken }
    assert.are.equal("User Initiated", rest.StackEvents[#rest.StackEvents].ResourceStatusReason)
  end)

  row("of a stack that is unknown, or deleted, is asked for in vain; by its id the deleted one's are there", nil,
    function(w)
      local id = w:create("demo", ONE)
      w:delete "demo"
      for _, name in ipairs { "demo", "nope" } do
        refused(("Stack [%s] does not exist"):format(name), w.cfn.describe_stack_events, w.cfn, { StackName = name })
      end
      assert.are.equal("DELETE_COMPLETE", w:events(id)[#w:events(id)].ResourceStatus)
    end)
end)

describe("2.2 a creation that succeeds", function()
  row("is begun, initiated and complete; S3's is consistent in between, and so is the stack", nil, function(w)
    w:create("demo", { B = { Type = "AWS::S3::Bucket" }, V = { Type = "AWS::EC2::VPC" } })
    assert.are.same({ "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS: Resource creation Initiated",
      "CREATE_IN_PROGRESS: Eventual consistency check initiated", "CREATE_COMPLETE" }, said(of(w, "B")))
    assert.are.equal("CONFIGURATION_COMPLETE", of(w, "B")[3].DetailedStatus)
    assert.are.same({ "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS: Resource creation Initiated", "CREATE_COMPLETE" },
      said(of(w, "V")))
    assert.are.same({ "CREATE_IN_PROGRESS: User Initiated", "CREATE_IN_PROGRESS: Eventual consistency check initiated",
      "CREATE_COMPLETE" }, said(of(w, "demo")))
    assert.are.equal("CONFIGURATION_COMPLETE", of(w, "demo")[2].DetailedStatus)
  end)

  local SETTLES = { "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::EC2::EIP", "AWS::EC2::InternetGateway",
    "AWS::EC2::RouteTable", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::AutoScaling::AutoScalingGroup",
    "AWS::ECS::Service" }
  local DOES_NOT = { "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::IAM::Role",
    "AWS::EC2::NatGateway", "AWS::DynamoDB::Table", "AWS::Events::Rule", "AWS::SNS::Topic", "AWS::SSM::Parameter",
    "AWS::ApiGateway::RestApi", "AWS::EC2::LaunchTemplate", "AWS::ElasticLoadBalancingV2::Listener", "AWS::EC2::Route",
    "AWS::EC2::VPCEndpoint" }

  row("tells of consistency for the types that do, and for no other", nil, function(w)
    local resources, names = {}, {}
    for _, list in ipairs { SETTLES, DOES_NOT } do
      for _, name in ipairs(list) do
        local id = name:gsub("%W", "")
        resources[id], names[id] = { Type = name }, list == SETTLES
      end
    end
    w:create("demo", resources, { Capabilities = { "CAPABILITY_IAM" }, OnFailure = "DO_NOTHING" })
    local found = {}
    for _, event in ipairs(w:events "demo") do
      if event.DetailedStatus then found[event.LogicalResourceId] = true end
    end
    for id, settles in pairs(names) do assert.are.equal(settles, found[id] or false, id) end
  end)

  row("of a custom resource is initiated in the second of its end", nil, function(w)
    w:create("demo", { C = { Type = "Custom::C", Properties = { ServiceToken = "arn:aws:sns:us-east-1:1:t" } } })
    local events = of(w, "C")
    assert.are.equal("Resource creation Initiated", events[2].ResourceStatusReason)
    assert.is_true(events[3].Timestamp - events[2].Timestamp < 1)
  end)

  row("by a change set begins with the review", nil, function(w)
    w:execute(w:change_set("demo", ONE, { ChangeSetType = "CREATE" }).ChangeSetId)
    assert.are.same({ "REVIEW_IN_PROGRESS: User Initiated", "CREATE_IN_PROGRESS: User Initiated", "CREATE_COMPLETE" },
      said(of(w, "demo")))
  end)
end)

describe("2.3 a creation that fails", function()
  local SLOW = { Type = "AWS::DynamoDB::Table" }

  row("says why, cancels, rolls back in two seconds, and deletes in two more", fails "create", function(w)
    w:create("demo", { A = topic "a", B = SLOW, K = topic("k", { DeletionPolicy = "Retain" }) })
    local at, lines = {}, table.concat(w:lines "demo", "\n")
    for _, event in ipairs(w:events "demo") do
      at[event.LogicalResourceId .. " " .. event.ResourceStatus] = event.Timestamp
    end
    assert.are.same({ "CREATE_FAILED: no" }, { said(of(w, "A"))[3] })
    contains(lines, "\nB CREATE_FAILED: Resource creation cancelled\n")
    contains(lines, "\nK DELETE_SKIPPED")
    local began = at["demo ROLLBACK_IN_PROGRESS"]
    assert.is_true(began - at["A CREATE_FAILED"] > 1.5 and began - at["A CREATE_FAILED"] < 2.5)
    assert.is_true(at["A DELETE_IN_PROGRESS"] - began > 1.5 and at["A DELETE_IN_PROGRESS"] - began < 2.5)
    assert.are.equal("ROLLBACK_COMPLETE", said(of(w, "demo"))[3])
  end)

  local function early(name, text, resources, sections, prepare)
    row("before its first resource, " .. name, nil, function(w)
      if prepare then prepare(w) end
      w:create("demo", world.template(resources, sections))
      assert.are.same({ "demo CREATE_IN_PROGRESS: User Initiated", "demo ROLLBACK_IN_PROGRESS: " .. text,
        "demo ROLLBACK_COMPLETE" }, w:lines "demo")
    end)
  end

  early("for an attribute that the type has not",
    "[Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support attribute "
      .. "{Invalid}. Rollback requested by user.", { P = { Type = "AWS::SSM::Parameter" } },
    { Outputs = { InvalidOutput = { Value = { ["Fn::GetAtt"] = { "P", "Invalid" } } } } })
  early("for values of parameters that do not exist",
    "Parameter validation failed: parameter value vpc-1 for parameter name P does not exist, parameter value subnet-1 "
      .. "for parameter name Q does not exist. Rollback requested by user.", { A = topic "a" },
    { Parameters = { P = { Type = "AWS::EC2::VPC::Id", Default = "vpc-1" },
      Q = { Type = "AWS::EC2::Subnet::Id", Default = "subnet-1" } } })
  early("for an import that nobody exports", "No export named nope found. Rollback requested by user.",
    { A = topic { ["Fn::ImportValue"] = "nope" } })

  row("for an export that is there says whose it is", nil, function(w)
    local body = world.template(ONE, { Outputs = { O = { Value = "v", Export = { Name = "n" } } } })
    w:create("first", body)
    w:create("demo", body)
    assert.are.equal("Export with name n is already exported by stack first. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
  end)

  row("because its time is up says so", { resources = { { hang = true } } }, function(w)
    w:create("demo", ONE, { TimeoutInMinutes = 1 })
    assert.are.equal("Stack creation time exceeded the specified timeout. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
  end)

  row("and does nothing then, ends with a blank", fails "create", function(w)
    w:create("demo", ONE, { OnFailure = "DO_NOTHING" })
    assert.are.equal("CREATE_FAILED: The following resource(s) failed to create: [A]. ", said(of(w, "demo"))[2])
  end)
end)

describe("2.4 an update that succeeds", function()
  local REPLACES = "UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence "
    .. "creating one."

  local function named(name, more)
    local resource = world.topic { TopicName = name }
    for attribute, value in pairs(more or {}) do resource[attribute] = value end
    return resource
  end

  row("changes, replaces, adds, then cleans up", nil, function(w)
    w:create("demo", { A = topic "old", B = named "b", D = topic "d" })
    local count = #w:events "demo"
    w:update("demo", { A = topic "new", B = named "b2", C = topic "c" })
    local function new(id)
      local out = {}
      for i, event in ipairs(w:events "demo") do
        if i > count and event.LogicalResourceId == id then out[#out + 1] = event end
      end
      return out
    end
    assert.are.same({ "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE" }, said(new "A"))
    assert.are.same({ REPLACES, "UPDATE_IN_PROGRESS: Resource creation Initiated", "UPDATE_COMPLETE",
      "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, said(new "B"))
    local ids = {}
    for i, event in ipairs(new "B") do ids[i] = event.PhysicalResourceId:match ":([^:]+)$" end
    assert.are.same({ "b", "b2", "b2", "b", "b" }, ids)
    assert.are.same({ "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS: Resource creation Initiated", "CREATE_COMPLETE" },
      said(new "C"))
    assert.are.same({ "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, said(new "D"))
    assert.are.same({ "UPDATE_IN_PROGRESS: User Initiated", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE" },
      said(new "demo"))
  end)

  row("skips the old one with UpdateReplacePolicy Retain", nil, function(w)
    w:create("demo", { B = named("b", { UpdateReplacePolicy = "Retain" }) })
    w:update("demo", { B = named("b2", { UpdateReplacePolicy = "Retain" }) })
    local last = of(w, "B")[#of(w, "B")]
    assert.are.same({ "DELETE_SKIPPED", "arn:aws:sns:us-east-1:123456789012:b" },
      { last.ResourceStatus, last.PhysicalResourceId })
  end)

  local REPLACED_BY_PROVIDER = { custom = { ["*"] = function(request)
    return { Status = "SUCCESS", PhysicalResourceId = "id-" .. request.ResourceProperties.V }
  end } }

  row("says when a provider made a new physical resource, and deletes the old id", REPLACED_BY_PROVIDER, function(w)
    local function custom(v)
      return { C = { Type = "Custom::C", Properties = { ServiceToken = "arn:aws:sns:us-east-1:1:t", V = v } } }
    end
    w:create("demo", custom "1")
    w:update("demo", custom "2")
    contains(table.concat(said(of(w, "C")), "\n"),
      "UPDATE_IN_PROGRESS: Requested update required the provider to create a new physical resource")
    local last = of(w, "C")[#of(w, "C")]
    assert.are.same({ "DELETE_COMPLETE", "id-1" }, { last.ResourceStatus, last.PhysicalResourceId })
  end)

  row("is not possible where a fixed name would be replaced by itself", nil, function(w)
    local function role(path)
      return { R = { Type = "AWS::IAM::Role", Properties = { RoleName = "fixed", Path = path } } }
    end
    w:create("demo", role "/a/", { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    w:update("demo", role "/b/", { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    assert.are.equal("CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
      .. "fixed and update the stack again.", w:reason("demo", "R", "UPDATE_FAILED"))
  end)
end)

describe("2.5 an update that fails", function()
  row("cancels changes and creations, goes back, and deletes what was made", { resources = {
    { resource = "X", on = "update", fail = "no" }, { resource = "Y", on = "update", hang = true } } }, function(w)
      local function table_of(mode)
        return { Type = "AWS::DynamoDB::Table", Properties = { BillingMode = mode } }
      end
      w:create("demo", { X = topic "old", Y = table_of "PAY_PER_REQUEST" })
      local count = #w:events "demo"
      w:update("demo", { X = topic("new", { DependsOn = "N" }), Y = table_of "PROVISIONED",
        N = topic "n", M = { Type = "AWS::RDS::DBInstance" } })
      local lines = w:lines "demo"
      local text = "\n" .. table.concat(lines, "\n", count + 1) .. "\n"
      contains(text, "\nX UPDATE_FAILED: no\n")
      contains(text, "\nY UPDATE_FAILED: Resource update cancelled\n")
      contains(text, "\nM CREATE_FAILED: Resource creation cancelled\n")
      contains(text, "\ndemo UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [M]. The "
        .. "following resource(s) failed to update: [X, Y]. \n")
      contains(text, "\nX UPDATE_COMPLETE\n")
      local _, cleanup = text:find("\ndemo UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS\n", 1, true)
      for _, id in ipairs { "N", "M" } do
        assert.truthy(text:find("\n" .. id .. " DELETE_COMPLETE\n", cleanup - 1, true), id)
      end
      assert.are.equal("demo UPDATE_ROLLBACK_COMPLETE", lines[#lines])
    end)

  row("and cannot go back says with what; going on is by the user", fails("update", "rollback"), function(w)
    rows.begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    w.cfn:continue_update_rollback { StackName = "demo" }
    world.sleep(3600)
    local all = said(of(w, "demo"))
    assert.are.same({ "UPDATE_ROLLBACK_FAILED: The following resource(s) failed to update: [A]. ",
      "UPDATE_ROLLBACK_IN_PROGRESS: User Initiated", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
      "UPDATE_ROLLBACK_COMPLETE" }, table.move(all, #all - 3, #all, 1, {}))
  end)

  row("by the stack's policy names the statement and the resource", nil, function(w)
    w:create("demo", { X = world.topic { TopicName = "a" } }, { StackPolicyBody = json.encode { Statement = {
      { Effect = "Deny", Action = "Update:Replace", Principal = "*", Resource = "LogicalResourceId/X" },
      { Effect = "Allow", Action = "Update:*", Principal = "*", Resource = "*" } } } })
    w:update("demo", { X = world.topic { TopicName = "b" } })
    assert.are.equal("Action denied by stack policy: Statement [#1] does not allow [Update:Replace] for resource "
      .. "[LogicalResourceId/X];", w:reason("demo", "X", "UPDATE_FAILED"))
    assert.are.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
  end)
end)

describe("2.6 a deletion", function()
  row("is begun by the user, and has ids and properties", nil, function(w)
    local id = w:create("demo", ONE)
    w:delete "demo"
    local events = of(w, "A", id)
    local first, last = events[#events - 1], events[#events]
    assert.are.same({ "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, { first.ResourceStatus, last.ResourceStatus })
    assert.truthy(first.PhysicalResourceId:find "^arn:")
    assert.are.equal('{"DisplayName":"old"}', first.ResourceProperties)
    assert.are.same({ "DELETE_IN_PROGRESS: User Initiated", "DELETE_COMPLETE" },
      table.move(said(of(w, "demo", id)), 3, 4, 1, {}))
  end)

  row("that fails is tried again with RetainResources; what is gone makes no new events", fails "delete", function(w)
    local id = w:create("demo", { A = topic "a", B = topic "b" })
    w:delete "demo"
    assert.are.equal("DELETE_FAILED: The following resource(s) failed to delete: [A]. ", said(of(w, "demo"))[4])
    local count = #of(w, "B")
    w:delete("demo", { RetainResources = { "A" } })
    assert.are.equal(count, #of(w, "B", id))
    assert.are.same({ "DELETE_FAILED: no", "DELETE_SKIPPED" },
      table.move(said(of(w, "A", id)), #of(w, "A", id) - 1, #of(w, "A", id), 1, {}))
  end)

  row("of a full bucket, and of a group in use, says so in the service's words", nil, function(w)
    w:create("demo", { B = { Type = "AWS::S3::Bucket", Properties = { BucketName = "full" } },
      G = { Type = "AWS::EC2::SecurityGroup" } })
    local group = w.cfn:describe_stack_resource({ StackName = "demo", LogicalResourceId = "G" })
      .StackResourceDetail.PhysicalResourceId
    w:create("user", { H = { Type = "AWS::EC2::SecurityGroup", Properties = { SecurityGroupIngress = {
      { IpProtocol = "tcp", SourceSecurityGroupId = group } } } } })
    w:client("s3"):put_object { Bucket = "full", Key = "k", Body = "v" }
    w:delete "demo"
    contains(w:reason("demo", "B", "DELETE_FAILED"), "The bucket you tried to delete is not empty")
    contains(w:reason("demo", "G", "DELETE_FAILED"), ("resource %s has a dependent object"):format(group))
  end)

  row("of what is gone already is complete", nil, function(w)
    local id = w:create("demo", { B = { Type = "AWS::S3::Bucket", Properties = { BucketName = "gone" } } })
    w:client("s3"):delete_bucket { Bucket = "gone" }
    w:delete "demo"
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)
end)

describe("2.7 DescribeEvents", function()
  row("tells an operation's events with its type, status and times", nil, function(w)
    w:create("demo", ONE)
    local operation = w:stack "demo".LastOperations[1]
    assert.are.equal("CREATE_STACK", operation.OperationType)
    local events = w.cfn:describe_events({ OperationId = operation.OperationId }).OperationEvents
    local newest, oldest = events[1], events[#events]
    assert.are.same({ "STACK_EVENT", "SUCCEEDED", "CREATE_COMPLETE", "CREATE_STACK" },
      { newest.EventType, newest.OperationStatus, newest.ResourceStatus, newest.OperationType })
    assert.is_number(newest.EndTime)
    assert.are.equal("IN_PROGRESS", oldest.OperationStatus)
    for _, event in ipairs(events) do
      assert.are.equal(operation.OperationId, event.OperationId)
      if event.LogicalResourceId == "A" then assert.are.equal("PROGRESS_EVENT", event.EventType) end
    end
  end)

  row("with FailedEvents tells what failed, in the operation where it did", fails "create", function(w)
    w:create("demo", ONE)
    local function failed(request)
      request.Filters = { FailedEvents = true }
      return w.cfn:describe_events(request).OperationEvents
    end
    assert.are.equal(0, #failed { StackName = "demo" }) -- the latest is the rollback, which succeeded
    local events = failed { OperationId = w:stack "demo".LastOperations[2].OperationId }
    assert.are.same({ 1, "PROVISIONING_ERROR", "A", "no" },
      { #events, events[1].EventType, events[1].LogicalResourceId, events[1].ResourceStatusReason })
  end)

  row("tells every kind of operation", fails("update", "rollback"), function(w)
    rows.begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    w.cfn:continue_update_rollback { StackName = "demo" }
    world.sleep(3600)
    w:delete("demo", nil, 0)
    local kinds = {}
    for i, operation in ipairs(w:stack "demo".LastOperations) do kinds[i] = operation.OperationType end
    assert.are.same({ "DELETE_STACK", "CONTINUE_ROLLBACK", "ROLLBACK", "UPDATE_STACK", "CREATE_STACK" }, kinds)
  end)

  row("of a change set tells where a property is missing, and the failure of the whole", nil, function(w)
    local set = w:change_set("demo", { A = { Type = "AWS::SNS::Topic", Properties = { Subscription = {
      { Protocol = "sqs" } } } } }, { ChangeSetType = "CREATE" })
    local events = w.cfn:describe_events({ ChangeSetName = set.ChangeSetId }).OperationEvents
    local whole, wrong = events[1], events[2]
    assert.are.same({ "STACK_EVENT", "FAILED", "CREATE_CHANGESET" },
      { whole.EventType, whole.OperationStatus, whole.OperationType })
    assert.is_number(whole.StartTime)
    assert.is_number(whole.EndTime)
    assert.are.same({ "VALIDATION_ERROR", "PROPERTY_VALIDATION", "FAILED", "FAIL",
      "#/Subscription/0: required key [Endpoint] not found", "/Resources/A/Properties/Subscription/0", "" },
      { wrong.EventType, wrong.ValidationName, wrong.ValidationStatus, wrong.ValidationFailureMode,
        wrong.ValidationStatusReason, wrong.ValidationPath, wrong.PhysicalResourceId })
  end)
end)
