-- Scenarios: what goes wrong, when, and the same way each time; and the states that they reach.

local helpers = require "spec.helpers"
local json = require "tap.core.json"
local scenario = require "sandbox.scenario"
local world = require "spec.sandbox_world"

local function topic(display) return world.topic { DisplayName = display } end

local function with(rules, body)
  local w = world.open { scenario = rules }
  local ok, problem = xpcall(body, debug.traceback, w)
  w:close()
  if not ok then error(problem, 0) end
end

local function update(w, resources, input)
  local request = { StackName = "demo", TemplateBody = world.template(resources) }
  for member, value in pairs(input or {}) do request[member] = value end
  w.cfn:update_stack(request)
  world.sleep(3600)
end

describe("a scenario", function()
  it("fails the creation of a resource, with its reason, and the stack rolls back", function()
    with({ resources = { { resource = "B", on = "create", fail = "no room" } } }, function(w)
      w:create("demo", { A = topic "a", B = topic "b" })
      assert.equal("no room", w:reason("demo", "B", "CREATE_FAILED"))
      assert.equal("ROLLBACK_COMPLETE", w:status "demo")
      w:create("second", { B = topic "b" })
      assert.equal("CREATE_COMPLETE", w:status "second") -- it strikes once
    end)
  end)

  it("strikes the N-th time, types by a pattern, and only the stacks that it names", function()
    local rule = { resource = "AWS::SNS::*", stack = "web-*", nth = 2, fail = "enough" }
    with({ resources = { rule } }, function(w)
      w:create("other", { A = topic "a", B = topic "b" })
      w:create("web-1", { A = topic "a" })
      assert.equal("CREATE_COMPLETE", w:status "web-1")
      w:create("web-2", { A = topic "a" })
      assert.equal("ROLLBACK_COMPLETE", w:status "web-2")
    end)
  end)

  it("leads a stack into UPDATE_ROLLBACK_FAILED, from which it is continued", function()
    with("update-rollback-stuck", function(w)
      w:create("demo", { A = topic "old" })
      update(w, { A = topic "new" })
      local stack = w:stack "demo"
      assert.equal("UPDATE_ROLLBACK_FAILED", stack.StackStatus)
      assert.equal("The following resource(s) failed to update: [A]. ", stack.StackStatusReason)
      assert.truthy(world.refusal(update, w, { A = topic "x" }):find(
        "is in UPDATE_ROLLBACK_FAILED state and can not be updated.", 1, true))
      w.cfn:continue_update_rollback { StackName = "demo" }
      world.sleep(3600)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
      assert.equal("CONTINUE_ROLLBACK", w:stack("demo").LastOperations[1].OperationType)
      update(w, { A = topic "newer" })
      assert.equal("UPDATE_COMPLETE", w:status "demo")
    end)
  end)

  it("1.7: a resource whose way back fails may be skipped, any other may not", function()
    local rules = { resources = {
      { resource = "B", on = "update", fail = "no" },
      { resource = "A", on = "rollback", times = 9, fail = "no" },
    } }
    local function resources(display)
      return { A = topic(display), B = { Type = "AWS::SNS::Topic", DependsOn = "A",
        Properties = { DisplayName = display } } }
    end
    with(rules, function(w)
      w:create("demo", resources "old")
      update(w, resources "new")
      assert.equal("UPDATE_ROLLBACK_FAILED", w:status "demo")
      w.cfn:continue_update_rollback { StackName = "demo" }
      world.sleep(3600)
      assert.equal("UPDATE_ROLLBACK_FAILED", w:status "demo")
      assert.truthy(world.refusal(w.cfn.continue_update_rollback, w.cfn,
        { StackName = "demo", ResourcesToSkip = { "B" } }):find("must be in a valid state", 1, true))
      w.cfn:continue_update_rollback { StackName = "demo", ResourcesToSkip = { "A" } }
      world.sleep(3600)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
      assert.equal("ValidationError: RollbackUpdatedStack cannot be called from current stack status",
        world.refusal(w.cfn.continue_update_rollback, w.cfn, { StackName = "demo" }))
    end)
  end)

  it("stops a deletion once; the next one goes through", function()
    with("delete-fails", function(w)
      w:create("demo", { A = topic "a" })
      w:delete "demo"
      assert.equal("DELETE_FAILED", w:status "demo")
      w:delete "demo"
      assert.truthy(world.refusal(w.stack, w, "demo"):find("does not exist", 1, true))
    end)
  end)

  it("makes a resource slow, or never end", function()
    local rules = { resources = { { resource = "A", slow = 100 }, { resource = "B", hang = true } } }
    with(rules, function(w)
      w:create("slow", { A = topic "a" }, nil, 600)
      assert.equal("CREATE_IN_PROGRESS", w:status "slow")
      w:create("hangs", { B = topic "b" }, { TimeoutInMinutes = 5 }, 299)
      assert.equal("CREATE_IN_PROGRESS", w:status "hangs")
      world.sleep(60)
      assert.equal("ROLLBACK_COMPLETE", w:status "hangs")
    end)
  end)

  it("disturbs requests: of one service, of an operation, by share", function()
    local rules = { requests = { { service = "cloudformation", operation = "Describe*", nth = 2,
      trouble = "throttled" } } }
    with(rules, function(w)
      w:create("demo", { A = topic "a" })
      w:client("sts"):get_caller_identity {}
      assert.equal("CREATE_COMPLETE", w:status "demo")
      assert.equal("Throttling: Rate exceeded", world.refusal(w.status, w, "demo"))
      assert.equal("CREATE_COMPLETE", w:status "demo")
    end)
  end)

  it("disturbs the operations of REST services by name, too: what a role may not do is rehearsed", function()
    with({ requests = { { operation = "GetBucketVersioning", trouble = "denied" } } }, function(w)
      local s3 = w:client "s3"
      s3:create_bucket { Bucket = "files" }
      s3:get_bucket_encryption { Bucket = "files" }
      local text, status = world.refusal(s3.get_bucket_versioning, s3, { Bucket = "files" })
      assert.same({ "AccessDenied: User: arn:aws:iam::123456789012:user/test is not authorized to "
        .. "perform: s3:GetBucketVersioning because no "
        .. "identity-based policy allows the s3:GetBucketVersioning action", 403 }, { text, status })
    end)
  end)

  it("lets what was just made be unknown for a moment, by its name", function()
    with({ requests = { { operation = "DescribeStackEvents", trouble = "not_known_yet", times = 1 } } }, function(w)
      w.cfn:create_stack { StackName = "demo", TemplateBody = world.template { A = topic "a" } }
      assert.equal("ValidationError: Stack [demo] does not exist",
        world.refusal(w.cfn.describe_stack_events, w.cfn, { StackName = "demo" }))
      assert.is_true(#w.cfn:describe_stack_events({ StackName = "demo" }).StackEvents > 0)
    end)
  end)

  it("lets a new stack be unknown for some seconds, and an old one never", function()
    with("eventual-consistency", function(w)
      w:create("demo", { A = topic "a" }, nil, 0)
      for _, seconds in ipairs { 0, 2 } do
        world.sleep(seconds)
        assert.equal("ValidationError: Stack with id demo does not exist", (world.refusal(w.stack, w, "demo")))
      end
      world.sleep(2)
      assert.equal("CREATE_IN_PROGRESS", w:status "demo")
    end)
  end)

  it("has another clock than its clients: the time is told, and a client that learns it gets through", function()
    with("wrong-clock", function(w)
      local text, status = world.refusal(w.stack, w, "demo")
      assert.truthy(text:match "^SignatureDoesNotMatch: Signature expired: %d+T%d+Z is now earlier than %d+T%d+Z "
        .. "%(%d+T%d+Z %- 5 min%.%)", text)
      assert.equal(403, status)
      local s3 = w:client "s3"
      assert.same({ "RequestTimeTooSkewed: The difference between the request time and the current time is too "
        .. "large.", 403 }, { world.refusal(s3.list_buckets, s3, {}) })
      for _, service in ipairs { "cloudformation", "s3" } do
        local patient = w:client(service, { max_attempts = 3 })
        local read = service == "s3" and patient.list_buckets or patient.describe_stacks
        for _ = 1, 2 do read(patient, {}) end
      end
    end)
    with({ clock_ahead = -3600 }, function(w)
      assert.truthy((world.refusal(w.stack, w, "demo")):find("Signature not yet current: ", 1, true))
    end)
  end)

  it("lets stacks elsewhere import what is exported", function()
    local function exporting(text)
      return world.template({ A = topic "a" }, { Outputs = { O = { Value = text, Export = { Name = "n" } } } })
    end
    with("export-in-use", function(w)
      w:create("demo", exporting "one")
      assert.same({ "reports", "website" }, w.cfn:list_imports({ ExportName = "n" }).Imports)
      w.cfn:update_stack { StackName = "demo", TemplateBody = exporting "two" }
      world.sleep(3600)
      assert.equal("Export n cannot be updated as it is in use by reports and website",
        w:reason("demo", "demo", "UPDATE_ROLLBACK_IN_PROGRESS"))
      w:delete "demo"
      assert.same({ "UPDATE_ROLLBACK_COMPLETE",
        "Delete canceled. Cannot delete export n as it is in use by reports and website." },
        { w:status "demo", w:stack "demo".StackStatusReason })
    end)
  end)

  it("lets somebody else be faster, a bucket be full, and signals be missing", function()
    with("busy-stack", function(w)
      w:create("demo", { A = topic "old" })
      assert.truthy(world.refusal(update, w, { A = topic "new" })
        :find("is in UPDATE_IN_PROGRESS state and can not be updated.", 1, true))
      update(w, { A = topic "new" })
      assert.equal("UPDATE_COMPLETE", w:status "demo")
    end)
    with("bucket-not-empty", function(w)
      local id = w:create("demo", { B = { Type = "AWS::S3::Bucket" } })
      w:delete "demo"
      assert.truthy(w:reason("demo", "B", "DELETE_FAILED"):find("is not empty", 1, true))
      w:delete("demo", { DeletionMode = "FORCE_DELETE_STACK" })
      assert.equal("DELETE_COMPLETE", w:status(id))
    end)
    with("signal-missing", function(w)
      w:create("demo", { G = { Type = "AWS::AutoScaling::AutoScalingGroup",
        CreationPolicy = { ResourceSignal = { Count = "1", Timeout = "PT15M" } } } })
      assert.equal("ROLLBACK_COMPLETE", w:status "demo")
      assert.truthy(w:reason("demo", "G", "CREATE_FAILED"):find "^Received 0 SUCCESS signal")
    end)
  end)

  it("gives the same run each time, byte for byte", function()
    local runs = {}
    for i = 1, 2 do
      with("create-fails", function(w)
        w:create("demo", { A = topic "a", B = { Type = "AWS::CloudWatch::Alarm", Properties = {} } })
        runs[i] = json.encode(w:events "demo")
      end)
    end
    assert.equal(runs[1], runs[2])
    assert.truthy(runs[1]:find("ROLLBACK_COMPLETE", 1, true))
  end)

  it("says what is wrong in it, where, and what would be right", function()
    local function refusal(definition) return world.refusal(scenario.load, definition) end
    assert.equal("BadScenario: scenario: resources[1]: 'reason' is not known; it takes at, fail, hang, nth, "
      .. "on, resource, slow, stack, times", refusal { resources = { { reason = "x" } } })
    local misspelt = { resources = { { on = "creat", fail = "x" } } }
    assert.truthy(refusal(misspelt):find("is none of create", 1, true))
    assert.truthy(refusal { resources = { {} } }:find("one of fail, hang, slow is needed", 1, true))
    assert.truthy(refusal { requests = { { trouble = "bored" } } }:find("is none of ", 1, true))
    assert.truthy(refusal "throtled":find("did you mean 'throttled'?", 1, true))
    assert.truthy(refusal "/nowhere.lua":find("no such file", 1, true))
    local path = helpers.file("broken.lua", "return {\n  resources = {{ }\n}\n")
    assert.truthy(refusal(path):find("broken.lua:", 1, true))
  end)

  it("ships under a name, each with a sentence on what it teaches", function()
    for _, name in ipairs(scenario.names()) do assert.is_string(scenario.load(name).teaches) end
    local result = helpers.tapengine { "sandbox", "--scenario", "list" }
    assert.equal(0, result.code)
    assert.truthy(result.out:find("update-rollback-stuck  An update that fails", 1, true))
  end)

  it("is what --sandbox rehearses with", function()
    local words = { "create", "--sandbox=create-fails", "--stack-name", "web", "--template",
      "templates/TapStack.json" }
    local first, second = helpers.tapengine(words), helpers.tapengine(words)
    assert.equal(6, first.code)
    assert.truthy((first.out .. first.err):find("The maximum number of alarms is reached.", 1, true))
    assert.truthy(first.out:find("CREATE_FAILED", 1, true))
    assert.equal(first.out, second.out)
  end)

  teardown(helpers.clean)
end)
