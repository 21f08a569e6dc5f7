-- Parts 1.3 to 1.11 of the reference, what happens on the ways between a stack's statuses: a test for each row that is
-- certain, over HTTP.

local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE, OTHER, fails = rows.topic, rows.ONE, rows.OTHER, rows.fails
local refused, id_of, begin = rows.refused, rows.id_of, rows.begin
local row = rows.by(it)

local TABLE = "AWS::DynamoDB::Table" -- takes half a minute

describe("1.3 a creation", function()
  row("that is refused leaves no stack", nil, function(w)
    for _, body in ipairs { "{", "{}", world.template({ A = topic { Ref = "Nope" } }) } do
      assert.truthy(w:create_refusal(body):find("^ValidationError: "))
    end
    assert.are.equal(0, #w.cfn:describe_stacks({}).Stacks)
  end)

  for name, sections in pairs {
    ["a parameter names nothing that exists"] =
      { Parameters = { P = { Type = "AWS::EC2::VPC::Id", Default = "vpc-0" } } },
    ["an output asks for an attribute that the type has not"] =
      { Outputs = { O = { Value = { ["Fn::GetAtt"] = { "S", "Nope" } } } } },
    ["it imports what nobody exports"] = { Outputs = { O = { Value = { ["Fn::ImportValue"] = "nope" } } } },
  } do
    row("ends with three stack events, and none of a resource, when " .. name, nil, function(w)
      w:create("demo", world.template({ S = { Type = "AWS::SSM::Parameter" } }, sections))
      assert.are.equal(3, #w:events "demo")
      assert.are.same({ "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE" }, w:statuses "demo")
    end)
  end

  row("finds at its end that the name of an export is taken, and goes all the way back", nil, function(w)
    local body = world.template({ A = topic "a" }, { Outputs = { O = { Value = "v", Export = { Name = "n" } } } })
    w:create("first", body)
    w:create("demo", body)
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
    assert.truthy(table.concat(w:lines "demo", "\n"):find("A CREATE_COMPLETE", 1, true))
    assert.are.equal("Export with name n is already exported by stack first. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
  end)

  row("starts a dependent at CONFIGURATION_COMPLETE, before CREATE_COMPLETE", nil, function(w)
    w:create("demo", { B = { Type = "AWS::S3::Bucket" }, T = topic("t", { DependsOn = "B" }) })
    local at = {}
    for _, event in ipairs(w:events "demo") do
      local key = event.LogicalResourceId .. " " .. (event.DetailedStatus or event.ResourceStatus)
      at[key] = at[key] or event.Timestamp
    end
    assert.is_true(at["T CREATE_IN_PROGRESS"] >= at["B CONFIGURATION_COMPLETE"])
    assert.is_true(at["T CREATE_IN_PROGRESS"] < at["B CREATE_COMPLETE"])
  end)

  row("waits for the whole of types without that event", nil, function(w)
    w:create("demo", { B = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16" } },
      T = topic("t", { DependsOn = "B" }) })
    local at = {}
    for _, event in ipairs(w:events "demo") do
      local key = event.LogicalResourceId .. " " .. event.ResourceStatus
      at[key] = at[key] or event.Timestamp
    end
    assert.is_true(at["T CREATE_IN_PROGRESS"] >= at["B CREATE_COMPLETE"])
  end)

  local SLOW = { A = topic "a", Slow = { Type = TABLE }, Never = topic("n", { DependsOn = "A" }) }

  row("that fails cancels what is in progress in the same second, and starts nothing more", fails "create", function(w)
    w:create("demo", SLOW)
    local at = {}
    for _, event in ipairs(w:events "demo") do
      at[event.LogicalResourceId .. " " .. event.ResourceStatus] = event.Timestamp
      assert.are_not.equal("Never", event.LogicalResourceId)
    end
    assert.are.equal("Resource creation cancelled", w:reason("demo", "Slow", "CREATE_FAILED"))
    assert.is_true(at["Slow CREATE_FAILED"] - at["A CREATE_FAILED"] < 1)
    assert.are.equal(2, math.floor(at["demo ROLLBACK_IN_PROGRESS"] - at["A CREATE_FAILED"] + 0.5))
    assert.are.equal("The following resource(s) failed to create: [A, Slow]. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
  end)

  row("that is not rolled back lets independent paths go on", fails "create", function(w)
    w:create("demo", SLOW, { OnFailure = "DO_NOTHING" })
    assert.truthy(table.concat(w:lines "demo", "\n"):find("Slow CREATE_COMPLETE", 1, true))
    assert.are.equal("The following resource(s) failed to create: [A]. ", w:reason("demo", "demo", "CREATE_FAILED"))
  end)

  row("that was rolled back has a DeletionTime", fails("create", "delete"), function(w)
    w:create("demo", ONE)
    assert.are.equal("ROLLBACK_FAILED", w:status "demo")
    assert.is_number(w:stack "demo".DeletionTime)
  end)

  row("by CreateStack has no LastUpdatedTime and no ChangeSetId, by a change set both", nil, function(w)
    w:create("demo", ONE)
    assert.are.same({}, { w:stack "demo".LastUpdatedTime, w:stack "demo".ChangeSetId })
    local set = w:change_set("other", ONE, { ChangeSetType = "CREATE" })
    w:execute(set.ChangeSetId)
    assert.is_number(w:stack "other".LastUpdatedTime)
    assert.are.equal(set.ChangeSetId, w:stack "other".ChangeSetId)
  end)
end)

describe("1.4 the rollback of a creation", function()
  row("deletes in reverse order, all leaves in the same second", fails "create", function(w)
    w:create("demo", { First = topic "f", B = topic("b", { DependsOn = "First" }),
      C = topic("c", { DependsOn = "First" }), A = topic("a", { DependsOn = { "B", "C" } }) })
    local at = {}
    for _, event in ipairs(w:events "demo") do
      at[event.LogicalResourceId .. " " .. event.ResourceStatus] = event.Timestamp
    end
    assert.are.equal(at["B DELETE_IN_PROGRESS"], at["C DELETE_IN_PROGRESS"])
    assert.is_true(at["First DELETE_IN_PROGRESS"] >= at["B DELETE_COMPLETE"])
  end)

  row("keeps what has DeletionPolicy Retain, made or failed", fails "create", function(w)
    w:create("demo", { B = topic("b", { DeletionPolicy = "Retain" }),
      A = topic("a", { DeletionPolicy = "Retain", DependsOn = "B" }) })
    local lines = table.concat(w:lines "demo", "\n")
    assert.truthy(lines:find("A DELETE_SKIPPED", 1, true))
    assert.truthy(lines:find("B DELETE_SKIPPED", 1, true))
    assert.is_nil(lines:find("DELETE_COMPLETE", 1, true))
  end)

  for name, case in pairs {
    ["the policy RetainExceptOnCreate"] = { "RetainExceptOnCreate" },
    ["the flag RetainExceptOnCreate"] = { "Retain", { RetainExceptOnCreate = true } },
  } do
    row("deletes it with " .. name, fails "create", function(w)
      w:create("demo", { B = topic("b", { DeletionPolicy = case[1] }), A = topic("a", { DependsOn = "B" }) }, case[2])
      assert.truthy(table.concat(w:lines "demo", "\n"):find("B DELETE_COMPLETE", 1, true))
    end)
  end

  row("says DELETE_COMPLETE of what never had an id", nil, function(w)
    w:create("owner", { T = world.topic { TopicName = "taken" } })
    w:create("demo", { A = world.topic { TopicName = "taken" } })
    assert.truthy(table.concat(w:lines "demo", "\n"):find("A DELETE_COMPLETE", 1, true))
  end)

  row("that fails says with what, and a blank at the end", fails("create", "delete"), function(w)
    w:create("demo", ONE)
    assert.are.equal("The following resource(s) failed to delete: [A]. ", w:stack "demo".StackStatusReason)
  end)
end)

describe("1.5 an update", function()
  row("creates and changes in the order of dependencies, then cleans up in reverse order", nil, function(w)
    w:create("demo", { Old1 = topic "1", Old2 = topic("2", { DependsOn = "Old1" }), A = topic "old" })
    w:update("demo", { N = topic "n", A = topic({ ["Fn::GetAtt"] = { "N", "TopicName" } }) })
    local order, n = {}, 0
    for _, line in ipairs(w:lines "demo") do
      n = n + 1
      order[line:match "^%S+ %S+"] = n
    end
    assert.is_true(order["N CREATE_COMPLETE"] < order["A UPDATE_COMPLETE"])
    assert.is_true(order["A UPDATE_COMPLETE"] < order["demo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
    assert.is_true(order["demo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"] < order["Old2 DELETE_IN_PROGRESS"])
    assert.is_true(order["Old2 DELETE_COMPLETE"] < order["Old1 DELETE_IN_PROGRESS"])
  end)

  row("has no events for what stays the same", nil, function(w)
    w:create("demo", { A = topic "old", B = topic "b" })
    local count = #w:events "demo"
    w:update("demo", { A = topic "new", B = topic "b" })
    for i, line in ipairs(w:lines "demo") do assert.is_true(i <= count or not line:find "^B ") end
  end)

  row("was accepted at LastUpdatedTime", nil, function(w)
    w:create("demo", ONE)
    w:update("demo", OTHER, nil, 0)
    local accepted = w:stack "demo".LastUpdatedTime
    world.sleep(3600)
    assert.are.equal(accepted, w:stack "demo".LastUpdatedTime)
    for _, event in ipairs(w:events "demo") do
      if event.ResourceStatus == "UPDATE_IN_PROGRESS" then return assert.are.equal(accepted, event.Timestamp) end
    end
  end)

  row("that fails puts the failed one and the changed ones back, points replaced ones to what was, and deletes what "
    .. "was made in the clean-up", fails "update", function(w)
    local function named(name) return world.topic { TopicName = name } end
    w:create("demo", { A = topic "old", B = topic "old", R = named "first", D = topic "d" })
    w:update("demo", { B = topic "new", R = named "second", N = topic "n",
      A = topic("new", { DependsOn = { "B", "R", "N" } }) })
    local lines, back, cleanup = w:lines "demo", nil, nil
    local done = {}
    for i, line in ipairs(lines) do
      if line:find "^demo UPDATE_ROLLBACK_IN_PROGRESS" then back = i end
      if line:find "^demo UPDATE_ROLLBACK_COMPLETE_CLEANUP" then cleanup = i end
      done[line:match "^%S+ %S+"] = i
      assert.is_nil(line:find "^D DELETE")
    end
    for _, id in ipairs { "A", "B", "R" } do assert.is_true(done[id .. " UPDATE_COMPLETE"] > back, id) end
    for _, id in ipairs { "R", "N" } do assert.is_true(done[id .. " DELETE_COMPLETE"] > cleanup, id) end
    local arn = w.cfn:describe_stack_resource { StackName = "demo", LogicalResourceId = "R" }
    assert.truthy(arn.StackResourceDetail.PhysicalResourceId:find ":first$")
  end)
end)

describe("1.6 rollback triggers", function()
  local function alarm(name) return ("arn:aws:cloudwatch:us-east-1:123456789012:alarm:%s"):format(name) end

  local function with_alarm(name, minutes)
    return { MonitoringTimeInMinutes = minutes, RollbackTriggers = { { Arn = alarm(name),
      Type = "AWS::CloudWatch::Alarm" } } }
  end

  local function put_alarm(w, name, state)
    local cloudwatch = w:client "cloudwatch"
    cloudwatch:put_metric_alarm { AlarmName = name, MetricName = "m", Namespace = "n", Period = 60, Threshold = 1,
      EvaluationPeriods = 1, ComparisonOperator = "GreaterThanThreshold", Statistic = "Sum" }
    cloudwatch:set_alarm_state { AlarmName = name, StateValue = state, StateReason = "test" }
  end

  for state, status in pairs { ALARM = "ROLLBACK_COMPLETE", INSUFFICIENT_DATA = "CREATE_COMPLETE",
    OK = "CREATE_COMPLETE" } do
    row("an alarm in " .. state .. " leads to " .. status, nil, function(w)
      put_alarm(w, "a", state)
      w:create("demo", ONE, { RollbackConfiguration = with_alarm("a", 5) })
      assert.are.equal(status, w:status "demo")
    end)
  end

  row("an alarm that is not there fails the operation", nil, function(w)
    w:create("demo", ONE, { RollbackConfiguration = with_alarm("nope", 0) })
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)

  row("a monitoring time without triggers delays the clean-up", nil, function(w)
    w:create("demo", ONE)
    w:update("demo", OTHER, { RollbackConfiguration = { MonitoringTimeInMinutes = 10 } }, 500)
    assert.are.equal("UPDATE_IN_PROGRESS", w:status "demo")
    world.sleep(600)
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  row("the configuration stays for later updates, until an empty list takes it away", nil, function(w)
    put_alarm(w, "a", "OK")
    w:create("demo", ONE, { RollbackConfiguration = with_alarm("a", 0) })
    w:client("cloudwatch"):set_alarm_state { AlarmName = "a", StateValue = "ALARM", StateReason = "test" }
    w:update("demo", OTHER)
    assert.are.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    w:update("demo", OTHER, { RollbackConfiguration = { RollbackTriggers = {} } })
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  row("the type and the ARN must be an alarm's, and there may be five", nil, function(w)
    local function create(trigger, count)
      local list = {}
      for i = 1, count or 1 do list[i] = trigger end
      return w:create_refusal(ONE, { RollbackConfiguration = { RollbackTriggers = list } })
    end
    assert.are.equal("ValidationError: Rollback Trigger Type not supported",
      (create { Arn = alarm "a", Type = "AWS::SNS::Topic" }))
    assert.are.equal("ValidationError: RelativeId of a Rollback Trigger's ARN is incorrect",
      (create { Arn = "arn:aws:cloudwatch:us-east-1:123456789012:nope", Type = "AWS::CloudWatch::Alarm" }))
    assert.truthy(create({ Arn = alarm "a", Type = "AWS::CloudWatch::Alarm" }, 6)
      :find("less than or equal to 5", 1, true))
  end)

  row("are not watched during a rollback", fails "update", function(w)
    put_alarm(w, "a", "OK")
    w:create("demo", ONE, { RollbackConfiguration = with_alarm("a", 0) })
    w:update("demo", OTHER, nil, 0)
    repeat world.sleep(0.5) until w:status "demo" == "UPDATE_ROLLBACK_IN_PROGRESS"
    w:client("cloudwatch"):set_alarm_state { AlarmName = "a", StateValue = "ALARM", StateReason = "test" }
    world.sleep(3600)
    assert.are.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
  end)
end)

describe("1.7 recovery:", function()
  row("ContinueUpdateRollback is for UPDATE_ROLLBACK_FAILED only", nil, function(w)
    w:create("demo", ONE)
    refused("RollbackUpdatedStack cannot be called from current stack status",
      w.cfn.continue_update_rollback, w.cfn, { StackName = "demo" })
  end)

  row("what is skipped is UPDATE_COMPLETE; a nested stack that there is not is refused",
    { resources = { { on = "update", fail = "no" }, { on = "rollback", fail = "no", times = 9 } } }, function(w)
      begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
      refused("Stack [nope] does not exist", w.cfn.continue_update_rollback, w.cfn,
        { StackName = "demo", ResourcesToSkip = { "nope.A" } })
      assert.are.same({}, w.cfn:continue_update_rollback { StackName = "demo", ResourcesToSkip = { "A" } })
      world.sleep(3600)
      assert.are.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
      local detail = w.cfn:describe_stack_resource { StackName = "demo", LogicalResourceId = "A" }
      assert.are.equal("UPDATE_COMPLETE", detail.StackResourceDetail.ResourceStatus)
    end)

  row("the role of ContinueUpdateRollback is remembered", fails("update", "rollback"), function(w)
    w:create("roles", { R = { Type = "AWS::IAM::Role", Properties = { RoleName = "cfn",
      AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = {} } } } },
      { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    local role = "arn:aws:iam::123456789012:role/cfn"
    w.cfn:continue_update_rollback { StackName = "demo", RoleARN = role }
    world.sleep(3600)
    assert.are.equal(role, w:stack "demo".RoleARN)
  end)

  row("RollbackStack gives the StackId", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    assert.are.equal(id_of(w), w.cfn:rollback_stack({ StackName = "demo" }).StackId)
  end)

  row("CancelUpdateStack is for UPDATE_IN_PROGRESS only, and has its own words for no stack", nil, function(w)
    w:create("demo", ONE)
    refused("CancelUpdateStack cannot be called from current stack status",
      w.cfn.cancel_update_stack, w.cfn, { StackName = "demo" })
    refused("Stack: nope does not exist", w.cfn.cancel_update_stack, w.cfn, { StackName = "nope" })
  end)

  row("a rollback is an operation of its own", fails "create", function(w)
    w:create("demo", ONE)
    local rollback, creation = table.unpack(w:stack "demo".LastOperations)
    assert.are.same({ "ROLLBACK", "CREATE_STACK" }, { rollback.OperationType, creation.OperationType })
    assert.are_not.equal(rollback.OperationId, creation.OperationId)
  end)
end)

describe("1.8 DeleteStack", function()
  row("of a name that is unknown, or deleted, is no error", nil, function(w)
    w:create("demo", ONE)
    for _ = 1, 2 do assert.are.same({}, w.cfn:delete_stack { StackName = "demo" }) world.sleep(3600) end
    assert.are.same({}, w.cfn:delete_stack { StackName = "nope" })
  end)

  row("is refused under termination protection, which nested stacks have from their root", nil, function(w)
    local s3 = w:client "s3"
    s3:create_bucket { Bucket = "templates" }
    s3:put_object { Bucket = "templates", Key = "c.json", Body = world.template(ONE) }
    w:create("demo", { C = { Type = "AWS::CloudFormation::Stack", Properties = {
      TemplateURL = "https://templates.s3.amazonaws.com/c.json" } } }, { EnableTerminationProtection = true })
    local child = w.cfn:describe_stack_resource({ StackName = "demo", LogicalResourceId = "C" })
      .StackResourceDetail.PhysicalResourceId
    assert.is_true(w:stack(child).EnableTerminationProtection)
    refused("Stack [demo] cannot be deleted while TerminationProtection is enabled", w.delete, w, "demo", nil, 0)
    refused(("Stack [%s] cannot be deleted while TerminationProtection is enabled"):format(child),
      w.delete, w, child, nil, 0)
    w.cfn:update_termination_protection { StackName = "demo", EnableTerminationProtection = false }
    w:delete "demo"
    assert.are.equal("DELETE_COMPLETE", w:status(child))
  end)

  row("retains resources of a stack in DELETE_FAILED only, and only such as are there", fails "delete", function(w)
    local id = w:create("demo", { A = topic "a", B = topic "b" })
    refused(("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when "
      .. "the stack is in the DELETE_FAILED state."):format(id), w.delete, w, "demo", { RetainResources = { "A" } }, 0)
    w:delete "demo"
    for _, name in ipairs { "B", "Nope" } do
      refused("The specified resources to retain must be in a valid state. Do not specify resources that are in the "
        .. "DELETE_COMPLETE state.", w.delete, w, "demo", { RetainResources = { name } }, 0)
    end
    w:delete("demo", { RetainResources = { "A" } })
    assert.truthy(table.concat(w:lines(id), "\n"):find("A DELETE_SKIPPED", 1, true))
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  row("with FORCE_DELETE_STACK skips what fails again",
    { resources = { { resource = "A", on = "delete", fail = "no", times = 9 } } }, function(w)
      local id = w:create("demo", ONE)
      assert.truthy(world.refusal(w.delete, w, "demo", { DeletionMode = "FORCE_DELETE_STACK" }, 0))
      w:delete "demo"
      w:delete("demo", { DeletionMode = "FORCE_DELETE_STACK" })
      assert.truthy(table.concat(w:lines(id), "\n"):find("A DELETE_SKIPPED", 1, true))
      assert.are.equal("DELETE_COMPLETE", w:status(id))
    end)

  row("skips what DeletionPolicy retains, without DELETE_IN_PROGRESS", nil, function(w)
    local id = w:create("demo", { A = topic("a", { DeletionPolicy = "Retain" }),
      B = topic("b", { DeletionPolicy = "RetainExceptOnCreate" }) })
    w:delete "demo"
    local lines = table.concat(w:lines(id), "\n")
    for _, name in ipairs { "A", "B" } do
      assert.truthy(lines:find(name .. " DELETE_SKIPPED", 1, true), name)
      assert.is_nil(lines:find(name .. " DELETE_IN_PROGRESS", 1, true))
    end
  end)

  row("leaves a snapshot where the policy says so, and of databases without a policy", nil, function(w)
    local function database(more)
      local resource = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceClass = "db.t3.micro",
        Engine = "mysql", AllocatedStorage = "20", MasterUsername = "admin", ManageMasterUserPassword = true } }
      for name, value in pairs(more or {}) do resource[name] = value end
      return resource
    end
    w:create("demo", { A = database(), B = database { DeletionPolicy = "Snapshot" },
      C = database { DeletionPolicy = "Delete" } })
    w:delete "demo"
    assert.are.equal(2, #w:client("rds"):describe_db_snapshots({}).DBSnapshots)
  end)

  row("says all that failed in the end", { resources = { { on = "delete", fail = "no", times = 2 } } }, function(w)
    w:create("demo", { A = topic "a", B = topic "b" })
    w:delete "demo"
    assert.are.equal("The following resource(s) failed to delete: [A, B]. ", w:stack "demo".StackStatusReason)
  end)
end)

describe("1.9 early validation", function()
  local EXTRA = { A = { Type = "AWS::SNS::Topic", Properties = { Nope = "x" } } }
  local FAILED = "The following hook(s)/validation failed: [AWS::EarlyValidation::%s]. To troubleshoot Early "
    .. "Validation errors, use the DescribeEvents API for detailed failure information."

  row("fails a change set for its properties; only DescribeEvents says more", nil, function(w)
    local set = w:change_set("demo", EXTRA, { ChangeSetType = "CREATE" })
    assert.are.same({ "FAILED", FAILED:format "PropertyValidation" }, { set.Status, set.StatusReason })
    assert.are.equal(1, #w:events "demo")
    local events = w.cfn:describe_events({ ChangeSetName = set.ChangeSetId, Filters = { FailedEvents = true } })
    assert.are.equal("VALIDATION_ERROR", events.OperationEvents[1].EventType)
    assert.are.equal("/Resources/A/Properties", events.OperationEvents[1].ValidationPath)
    assert.are.same({}, w.cfn:describe_change_set_hooks({ ChangeSetName = set.ChangeSetId }).Hooks)
  end)

  row("fails a change set for a name that is taken", nil, function(w)
    w:client("s3"):create_bucket { Bucket = "there" }
    local set = w:change_set("demo", { A = { Type = "AWS::S3::Bucket", Properties = { BucketName = "there" } } },
      { ChangeSetType = "CREATE" })
    assert.are.same({ "FAILED", FAILED:format "ResourceExistenceCheck" }, { set.Status, set.StatusReason })
  end)

  row("is left out with DisableValidation, and for custom resources", nil, function(w)
    assert.are.equal("CREATE_COMPLETE",
      w:change_set("demo", EXTRA, { ChangeSetType = "CREATE", DisableValidation = true }).Status)
    local custom = { A = { Type = "Custom::Thing",
      Properties = { ServiceToken = "arn:aws:sns:us-east-1:1:t", X = 1 } } }
    assert.are.equal("CREATE_COMPLETE", w:change_set("other", custom, { ChangeSetType = "CREATE" }).Status)
  end)
end)

describe("1.10 a stack's name", function()
  row("of a deleted stack is unknown; its id is not", nil, function(w)
    local id = w:create("demo", world.template({ A = topic { Ref = "P" } },
      { Parameters = { P = { Type = "String", Default = "d" } } }), { Tags = { { Key = "k", Value = "v" } } })
    w:delete "demo"
    refused("Stack with id demo does not exist", w.stack, w, "demo")
    local stack = w:stack(id)
    assert.are.equal("DELETE_COMPLETE", stack.StackStatus)
    assert.are.same({}, { stack.EnableTerminationProtection, stack.ChangeSetId })
    assert.is_number(stack.DeletionTime)
    assert.are.same({ { ParameterKey = "P", ParameterValue = "d" } }, stack.Parameters)
    assert.are.same({ { Key = "k", Value = "v" } }, stack.Tags)
  end)

  row("is in DescribeStacks only while it lives, in review too; ListStacks has the deleted ones", nil, function(w)
    rows.into.deleted(w)
    w:change_set("review", ONE, { ChangeSetType = "CREATE" })
    local stacks = w.cfn:describe_stacks({}).Stacks
    assert.are.same({ 1, "review" }, { #stacks, stacks[1].StackName })
    assert.are.equal(2, #w.cfn:list_stacks({}).StackSummaries)
  end)

  row("is free again after the deletion; the new stack has a new id", nil, function(w)
    local old = w:create("demo", ONE)
    w:delete "demo"
    local new = w:create("demo", ONE)
    assert.are_not.equal(old, new)
    assert.are.same({ "DELETE_COMPLETE", "CREATE_COMPLETE" }, { w:status(old), w:status(new) })
  end)

  row("in review takes more change sets, for the same stack", nil, function(w)
    local first = w:change_set("demo", ONE, { ChangeSetType = "CREATE" })
    local second = w:change_set("demo", ONE, { ChangeSetType = "CREATE", ChangeSetName = "second" })
    assert.are.equal(first.StackId, second.StackId)
    assert.are.equal(2, #w.cfn:list_change_sets({ StackName = "demo" }).Summaries)
  end)
end)

describe("1.11 an express deployment", function()
  local EXPRESS = { DeploymentConfig = { Mode = "EXPRESS" } }

  row("is complete when the configuration is applied", nil, function(w)
    w:create("demo", { A = { Type = TABLE } }, EXPRESS, 12)
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
  end)

  row("stays where it failed, unless rollback is asked for", fails "create", function(w)
    w:create("demo", ONE, EXPRESS)
    assert.are.equal("CREATE_FAILED", w:status "demo")
  end)

  for name, input in pairs { ["an express update"] = EXPRESS, ["DisableRollback"] = { DisableRollback = true } } do
    row("replaces nothing: " .. name, nil, function(w)
      w:create("demo", { A = world.topic { TopicName = "a" } }, input)
      w:update("demo", { A = world.topic { TopicName = "b" } }, input)
      assert.are.equal("Replacement type updates not supported on stack with disable-rollback.",
        w:reason("demo", "A", "UPDATE_FAILED"))
    end)
  end
end)
