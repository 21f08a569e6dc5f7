-- Parts 1.1 and 1.2 of the reference, the stack's statuses and transitions: a test for each row that is certain, over
-- HTTP. How a test gets into its first status: spec/reference_rows.lua.

local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE, OTHER, fails = rows.topic, rows.ONE, rows.OTHER, rows.fails
local last, refused, id_of, begin = rows.last, rows.refused, rows.id_of, rows.begin
local row = rows.by(it)

local TABLE = "AWS::DynamoDB::Table" -- takes half a minute

local function not_updateable(w, status)
  refused(("Stack:%s is in %s state and can not be updated."):format(id_of(w), status),
    w.update, w, "demo", OTHER, nil, 0)
end

describe("1.2 from nothing and REVIEW_IN_PROGRESS:", function()
  row("CreateStack goes to CREATE_IN_PROGRESS, by the user, and to CREATE_COMPLETE", nil, function(w)
    w:create("demo", ONE, nil, 0)
    assert.are.same({ "CREATE_IN_PROGRESS", "User Initiated" },
      { w:status "demo", w:stack "demo".StackStatusReason })
    world.sleep(3600)
    assert.are.same({ "CREATE_IN_PROGRESS", "CREATE_COMPLETE" }, w:statuses "demo")
  end)

  for _, kind in ipairs { "CREATE", "IMPORT" } do
    row("CreateChangeSet of type " .. kind .. " goes to REVIEW_IN_PROGRESS", nil, function(w)
      w:client("s3"):create_bucket { Bucket = "there" }
      local bucket = { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain", Properties = { BucketName = "there" } }
      w:change_set("demo", { A = bucket }, { ChangeSetType = kind, ResourcesToImport = kind == "IMPORT" and { {
        ResourceType = "AWS::S3::Bucket", LogicalResourceId = "A", ResourceIdentifier = { BucketName = "there" } } }
        or nil })
      assert.are.same({ "REVIEW_IN_PROGRESS", "User Initiated" },
        { w:status "demo", w:stack "demo".StackStatusReason })
    end)
  end

  row("ExecuteChangeSet goes to CREATE_IN_PROGRESS and CREATE_COMPLETE", nil, function(w)
    w:execute(w:change_set("demo", ONE, { ChangeSetType = "CREATE" }).ChangeSetId)
    assert.are.same({ "REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE" }, w:statuses "demo")
  end)

  row("CreateStack of the same name keeps the id, and makes the change set OBSOLETE", nil, function(w)
    local set = w:change_set("demo", ONE, { ChangeSetType = "CREATE" })
    assert.are.equal(set.StackId, w:create("demo", OTHER))
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
    assert.are.equal("OBSOLETE", w.cfn:describe_change_set({ ChangeSetName = set.ChangeSetId }).ExecutionStatus)
  end)

  row("DeleteStack ends it", nil, function(w)
    local set = w:change_set("demo", ONE, { ChangeSetType = "CREATE" })
    w:delete "demo"
    assert.are.equal("DELETE_COMPLETE", w:status(set.StackId))
  end)
end)

describe("1.2 from CREATE_IN_PROGRESS:", function()
  row("a failure with OnFailure=ROLLBACK goes to ROLLBACK_COMPLETE", fails "create", function(w)
    w:create("demo", ONE, { OnFailure = "ROLLBACK" })
    assert.are.same({ "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE" }, w:statuses "demo")
  end)

  row("a failure, and one of its rollback, goes to ROLLBACK_FAILED", fails("create", "delete"), function(w)
    w:create("demo", ONE)
    assert.are.same({ "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED" }, w:statuses "demo")
  end)

  for _, input in ipairs { { OnFailure = "DO_NOTHING" }, { DisableRollback = true } } do
    row("a failure with " .. next(input) .. " goes to CREATE_FAILED", fails "create", function(w)
      w:create("demo", ONE, input)
      assert.are.same({ "CREATE_IN_PROGRESS", "CREATE_FAILED" }, w:statuses "demo")
    end)
  end

  row("a failure with OnFailure=DELETE goes to DELETE_COMPLETE, with its text", fails "create", function(w)
    local id = w:create("demo", ONE, { OnFailure = "DELETE" })
    assert.are.same({ "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, w:statuses(id))
    assert.truthy(w:reason(id, "demo", "DELETE_IN_PROGRESS")
      :find("The following resource(s) failed to create: [A].", 1, true))
  end)

  row("a failure with OnFailure=DELETE that cannot delete goes to DELETE_FAILED", fails("create", "delete"),
    function(w)
      w:create("demo", ONE, { OnFailure = "DELETE" })
      assert.are.equal("DELETE_FAILED", w:status "demo")
    end)

  row("TimeoutInMinutes is a failure", { resources = { { resource = "A", hang = true } } }, function(w)
    w:create("demo", ONE, { TimeoutInMinutes = 1 })
    assert.are.equal("Stack creation time exceeded the specified timeout. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)

  row("DeleteStack abandons the creation", nil, function(w)
    local id = w:create("demo", { A = { Type = TABLE } }, nil, 10)
    w:delete "demo"
    assert.are.equal("Resource creation cancelled", w:reason(id, "A", "CREATE_FAILED"))
    assert.are.same({ "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, w:statuses(id))
  end)
end)

describe("1.2 from a creation that failed:", function()
  row("CREATE_FAILED is deleted by DeleteStack", fails "create", function(w)
    begin(w, "CREATE_FAILED")
    local id = id_of(w)
    w:delete "demo"
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  row("CREATE_FAILED is updated with DisableRollback, which makes again what failed", fails "create", function(w)
    begin(w, "CREATE_FAILED")
    w:update("demo", OTHER, { DisableRollback = true })
    assert.are.same({ "CREATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
      "UPDATE_COMPLETE" }, last(w, "demo", 4))
    assert.truthy(table.concat(w:lines "demo", "\n"):find("A CREATE_COMPLETE", 1, true))
  end)

  row("CREATE_FAILED is updated by ExecuteChangeSet with DisableRollback", fails "create", function(w)
    begin(w, "CREATE_FAILED")
    w:execute(w:change_set("demo", OTHER).ChangeSetId, { DisableRollback = true })
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  row("CREATE_FAILED is led back by RollbackStack, which deletes its resources", fails "create", function(w)
    w:create("demo", { A = topic "a", B = topic "b" }, { OnFailure = "DO_NOTHING" })
    w.cfn:rollback_stack { StackName = "demo" }
    world.sleep(3600)
    assert.are.same({ "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE" }, last(w, "demo", 3))
    assert.truthy(table.concat(w:lines "demo", "\n"):find("B DELETE_COMPLETE", 1, true))
  end)

  for _, case in ipairs { { "ROLLBACK_COMPLETE", fails "create" }, { "ROLLBACK_FAILED", fails("create", "delete") } } do
    row(case[1] .. " can only be deleted", case[2], function(w)
      local id = w:create("demo", ONE)
      assert.are.equal(case[1], w:status "demo")
      not_updateable(w, case[1])
      assert.are.equal("AlreadyExistsException: Stack [demo] already exists", (w:create_refusal(ONE)))
      w:delete "demo"
      assert.are.equal("DELETE_COMPLETE", w:status(id))
    end)
  end

  row("ROLLBACK_FAILED that cannot be deleted either goes to DELETE_FAILED",
    { resources = { { on = "create", fail = "no" }, { on = "delete", fail = "no", times = 2 } } }, function(w)
      w:create("demo", ONE)
      w:delete "demo"
      assert.are.same({ "ROLLBACK_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED" }, last(w, "demo", 3))
    end)
end)

describe("1.2 an update", function()
  local WAY = { "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE" }

  row("is possible from CREATE_COMPLETE and UPDATE_COMPLETE, and always cleans up", nil, function(w)
    begin(w, "updated", "UPDATE_COMPLETE")
    assert.are.same(WAY, last(w, "demo", 3))
    w:update("demo", ONE)
    assert.are.same(WAY, last(w, "demo", 3))
  end)

  row("is possible from UPDATE_ROLLBACK_COMPLETE, by UpdateStack and by ExecuteChangeSet", fails "update",
    function(w)
      begin(w, "updated", "UPDATE_ROLLBACK_COMPLETE")
      w:execute(w:change_set("demo", OTHER).ChangeSetId)
      assert.are.equal("UPDATE_COMPLETE", w:status "demo")
    end)

  row("whose clean-up fails is complete, says so, and drops the resource", fails "delete", function(w)
    w:create("demo", { A = topic "a", B = topic "b" })
    w:update("demo", { B = topic "b" })
    assert.are.same({ "UPDATE_COMPLETE", "Update successful. One or more resources could not be deleted." },
      { w:status "demo", w:stack "demo".StackStatusReason })
    assert.are.equal(1, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
  end)

  row("that fails goes back, and cleans up", fails "update", function(w)
    begin(w, "updated", "UPDATE_ROLLBACK_COMPLETE")
    assert.are.same({ "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS",
      "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE" }, last(w, "demo", 4))
  end)

  row("that fails with DisableRollback stays in UPDATE_FAILED", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    assert.are.same({ "UPDATE_IN_PROGRESS", "UPDATE_FAILED" }, last(w, "demo", 2))
  end)

  row("that is cancelled goes back; what is in flight is cancelled", { resources = { { on = "update", hang = true } } },
    function(w)
      w:create("demo", ONE)
      w:update("demo", OTHER, nil, 30)
      w.cfn:cancel_update_stack { StackName = "demo" }
      world.sleep(3600)
      assert.are.equal("Resource update cancelled", w:reason("demo", "A", "UPDATE_FAILED"))
      assert.are.same({ "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE" }, last(w, "demo", 4))
    end)

  row("whose way back fails is stuck in UPDATE_ROLLBACK_FAILED, and says with what", fails("update", "rollback"),
    function(w)
      begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
      assert.are.equal("The following resource(s) failed to update: [A]. ", w:stack "demo".StackStatusReason)
    end)
end)

describe("1.2 from UPDATE_ROLLBACK_FAILED", function()
  row("ContinueUpdateRollback goes to UPDATE_ROLLBACK_COMPLETE", fails("update", "rollback"), function(w)
    begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    w.cfn:continue_update_rollback { StackName = "demo" }
    world.sleep(3600)
    assert.are.same({ "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS",
      "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE" }, last(w, "demo", 4))
  end)

  row("ContinueUpdateRollback that fails again is stuck again",
    { resources = { { on = "update", fail = "no" }, { on = "rollback", fail = "no", times = 2 } } }, function(w)
      begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
      w.cfn:continue_update_rollback { StackName = "demo" }
      world.sleep(3600)
      assert.are.same({ "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED" },
        last(w, "demo", 3))
    end)

  row("DeleteStack deletes", fails("update", "rollback"), function(w)
    begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    local id = id_of(w)
    w:delete "demo"
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  row("UpdateStack and CreateChangeSet are refused", fails("update", "rollback"), function(w)
    begin(w, "updated", "UPDATE_ROLLBACK_FAILED")
    not_updateable(w, "UPDATE_ROLLBACK_FAILED")
    refused(("Stack:%s is in UPDATE_ROLLBACK_FAILED state and can not be updated."):format(id_of(w)),
      w.change_set, w, "demo", OTHER)
  end)
end)

describe("1.2 from UPDATE_FAILED", function()
  row("RollbackStack goes back to UPDATE_ROLLBACK_COMPLETE", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    w.cfn:rollback_stack { StackName = "demo" }
    world.sleep(3600)
    assert.are.same({ "UPDATE_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS",
      "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE" }, last(w, "demo", 4))
  end)

  row("UpdateStack with DisableRollback goes on", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    w:update("demo", OTHER, { DisableRollback = true })
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  row("ExecuteChangeSet with DisableRollback goes on", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    w:execute(w:change_set("demo", OTHER).ChangeSetId, { DisableRollback = true })
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  local NON_TERMINAL = "This stack is currently in a non-terminal [UPDATE_FAILED] state. To update the stack from "
    .. "this state, please use the disable-rollback parameter with update-stack API. To rollback to the last known "
    .. "good state, use the rollback-stack API"

  row("UpdateStack and ExecuteChangeSet without it are refused", fails "update", function(w)
    begin(w, "UPDATE_FAILED")
    refused(NON_TERMINAL, w.update, w, "demo", OTHER, nil, 0)
    refused(NON_TERMINAL, w.execute, w, w:change_set("demo", OTHER).ChangeSetId)
  end)
end)

describe("1.2 DeleteStack", function()
  for _, case in ipairs {
    { "CREATE_COMPLETE", nil, function(w) w:create("demo", ONE) end },
    { "UPDATE_COMPLETE", nil, rows.into.updated }, { "UPDATE_ROLLBACK_COMPLETE", fails "update", rows.into.updated },
    { "UPDATE_FAILED", fails "update", rows.into.UPDATE_FAILED },
  } do
    row("deletes from " .. case[1], case[2], function(w)
      case[3](w)
      assert.are.equal(case[1], w:status "demo")
      local id = id_of(w)
      w:delete "demo"
      assert.are.same({ case[1], "DELETE_IN_PROGRESS", "DELETE_COMPLETE" }, last(w, id, 3))
    end)
  end

  for status, story in pairs {
    UPDATE_IN_PROGRESS = { resources = { { on = "update", hang = true } } },
    UPDATE_ROLLBACK_IN_PROGRESS = { resources = { { on = "update", fail = "no" }, { on = "rollback", hang = true } } },
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = { resources = { { resource = "B", on = "delete", hang = true } } },
  } do
    row("is refused in " .. status, story, function(w)
      w:create("demo", { A = topic "old", B = topic "b" })
      w:update("demo", { A = topic "new" })
      assert.are.equal(status, w:status "demo")
      refused("Stack [demo] cannot be deleted while in status " .. status, w.delete, w, "demo", nil, 0)
    end)
  end

  row("again, in DELETE_IN_PROGRESS, has no effect", nil, function(w)
    local id = w:create("demo", ONE)
    w:delete("demo", nil, 0)
    local count = #w:events(id)
    w:delete("demo", nil, 0)
    assert.are.equal(count, #w:events(id))
    refused(("A delete stack operation is already in progress for stack %s. Do not submit another delete stack "
      .. "request specifying different resources to retain or resources to retain in a different order."):format(id),
      w.delete, w, "demo", { RetainResources = { "A" } }, 0)
  end)

  row("whose resource fails deletes what does not depend on it, then goes to DELETE_FAILED", fails "delete", function(w)
    w:create("demo", { A = topic "a", B = topic "b", First = topic "c", C = topic("d", { DependsOn = "First" }) })
    w:delete "demo"
    assert.are.equal("DELETE_FAILED", w:status "demo")
    local lines = table.concat(w:lines "demo", "\n")
    for _, id in ipairs { "B", "C", "First" } do
      assert.truthy(lines:find(id .. " DELETE_COMPLETE", 1, true), id)
    end
    assert.truthy(lines:find("A DELETE_FAILED", 1, true))
  end)

  row("of a stack whose export is in use returns to the status before, with the reason", nil, function(w)
    local exporter = world.template({ A = topic "a" },
      { Outputs = { O = { Value = "v", Export = { Name = "shared" } } } })
    w:create("demo", exporter)
    for _, user in ipairs { "one", "two" } do
      w:create(user, { B = world.topic { DisplayName = { ["Fn::ImportValue"] = "shared" } } })
    end
    w:delete "demo"
    assert.are.same({ "CREATE_COMPLETE",
      "Delete canceled. Cannot delete export shared as it is in use by one and two." },
      { w:status "demo", w:stack "demo".StackStatusReason })
  end)

  row("from DELETE_FAILED goes on, without and with RetainResources",
    { resources = { { resource = "A", on = "delete", fail = "no", times = 2 } } }, function(w)
      local id = w:create("demo", ONE)
      w:delete "demo"
      w:delete "demo"
      assert.are.same({ "DELETE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED" }, last(w, "demo", 3))
      w:delete("demo", { RetainResources = { "A" } })
      assert.are.equal("DELETE_COMPLETE", w:status(id))
    end)
end)

describe("1.2 an import", function()
  local BUCKET = { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain", Properties = { BucketName = "there" } }

  local function import(w)
    w:create("demo", ONE)
    w:client("s3"):create_bucket { Bucket = "there" }
    local set = w:change_set("demo", { A = topic "old", B = BUCKET }, { ChangeSetType = "IMPORT",
      ResourcesToImport = { { ResourceType = "AWS::S3::Bucket", LogicalResourceId = "B",
        ResourceIdentifier = { BucketName = "there" } } } })
    w:execute(set.ChangeSetId)
  end

  row("goes to IMPORT_COMPLETE, from where updates go on", nil, function(w)
    import(w)
    assert.are.same({ "CREATE_COMPLETE", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE" }, last(w, "demo", 3))
    w:update("demo", { A = topic "new", B = BUCKET })
    assert.are.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  row("that fails goes to IMPORT_ROLLBACK_COMPLETE, from where updates go on",
    { resources = { { on = "import", fail = "no" } } }, function(w)
      import(w)
      assert.are.same({ "IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE" },
        last(w, "demo", 3))
      w:update("demo", OTHER)
      assert.are.equal("UPDATE_COMPLETE", w:status "demo")
    end)

  row("whose way back fails goes to IMPORT_ROLLBACK_FAILED",
    { resources = { { on = "import", fail = "no" }, { on = "rollback", fail = "no" } } }, function(w)
      import(w)
      assert.are.equal("IMPORT_ROLLBACK_FAILED", w:status "demo")
    end)
end)
