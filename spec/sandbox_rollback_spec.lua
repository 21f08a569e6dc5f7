-- What happens when a creation fails. Names begin with the part of the reference that they hold to.
local world = require "spec.sandbox_world"

local topic, template = world.topic, world.template

-- A name that another stack has makes a creation fail without any scenario.
local TAKEN = "taken"

local function with(resources)
  resources.Bad = resources.Bad or topic { TopicName = TAKEN }
  return resources
end

local LONG = "AWS::RDS::DBInstance" -- takes minutes

describe("a creation that fails", function()
  local w, owner
  before_each(function()
    w = world.open()
    owner = w:create("owner", { T = topic { TopicName = TAKEN } })
  end)
  after_each(function() w:close() end)

  it("2.8 names the stack that has the name", function()
    w:create("demo", with {})
    assert.are.equal("taken already exists in stack " .. owner, w:reason("demo", "Bad", "CREATE_FAILED"))
  end)

  it("2.3 cancels what is in progress, rolls back, and starts nothing new", function()
    w:create("demo", with {
      Done = { Type = "AWS::SSM::Parameter" },
      Bad = { Type = "AWS::SNS::Topic", DependsOn = "Done", Properties = { TopicName = TAKEN } },
      Slow = { Type = LONG }, Never = { Type = "AWS::SNS::Topic", DependsOn = "Bad" },
    })
    local lines = w:lines "demo"
    local failure, failed = "Bad CREATE_FAILED: taken already exists in stack " .. owner, #lines
    while lines[failed] ~= failure do failed = failed - 1 end
    assert.are.same({
      failure,
      "Slow CREATE_FAILED: Resource creation cancelled",
      "demo ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Bad, Slow]. Rollback "
        .. "requested by user.",
    }, table.move(lines, failed, failed + 2, 1, {}))
    local all = table.concat(lines, "\n")
    assert.is_nil(all:find("Never", 1, true))
    for _, gone in ipairs { "Done DELETE_COMPLETE", "Slow DELETE_COMPLETE", "Bad DELETE_COMPLETE" } do
      assert.truthy(all:find(gone, 1, true), gone)
    end
    assert.are.equal("demo ROLLBACK_COMPLETE", lines[#lines])
  end)

  it("2.3 names what failed in the order of the alphabet", function()
    w:create("demo", with { Aaa = { Type = LONG } })
    assert.truthy(w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"):find("[Aaa, Bad].", 1, true))
  end)

  it("2.1 a resource that was never made has an empty physical id, also in its failure", function()
    w:create("demo", with {})
    for _, event in ipairs(w:events "demo") do
      if event.LogicalResourceId == "Bad" then assert.are.equal("", event.PhysicalResourceId) end
    end
  end)

  it("1.4 deletes in reverse order, all leaves at once", function()
    w:create("demo", with {
      A = topic(), B = { Type = "AWS::SNS::Topic", DependsOn = "A" },
      C = { Type = "AWS::SNS::Topic", DependsOn = "A" },
      Bad = { Type = "AWS::SNS::Topic", DependsOn = { "B", "C" }, Properties = { TopicName = TAKEN } },
    })
    local at = {}
    for _, event in ipairs(w:events "demo") do
      at[event.LogicalResourceId .. " " .. event.ResourceStatus] = event.Timestamp
    end
    assert.are.equal(at["B DELETE_IN_PROGRESS"], at["C DELETE_IN_PROGRESS"])
    assert.is_true(at["A DELETE_IN_PROGRESS"] >= at["B DELETE_COMPLETE"])
    assert.is_true(at["A DELETE_IN_PROGRESS"] >= at["C DELETE_COMPLETE"])
  end)

  it("1.4 keeps resources with DeletionPolicy Retain, and deletes those with RetainExceptOnCreate", function()
    w:create("demo", with {
      Keep = { Type = "AWS::SNS::Topic", DeletionPolicy = "Retain", Properties = { TopicName = "kept" } },
      Lose = { Type = "AWS::SNS::Topic", DeletionPolicy = "RetainExceptOnCreate" },
      Bad = { Type = "AWS::SNS::Topic", DependsOn = { "Keep", "Lose" }, Properties = { TopicName = TAKEN } },
    })
    local all = table.concat(w:lines "demo", "\n")
    assert.truthy(all:find("Keep DELETE_SKIPPED", 1, true))
    assert.is_nil(all:find("Keep DELETE_IN_PROGRESS", 1, true))
    assert.truthy(all:find("Lose DELETE_COMPLETE", 1, true))
    w:create("again", { T = topic { TopicName = "kept" } })
    assert.are.equal("kept already exists", w:reason("again", "T", "CREATE_FAILED"))
  end)

  it("1.2 RetainExceptOnCreate of the request deletes what Retain would keep", function()
    w:create("demo", with {
      Keep = { Type = "AWS::SNS::Topic", DeletionPolicy = "Retain" },
      Bad = { Type = "AWS::SNS::Topic", DependsOn = "Keep", Properties = { TopicName = TAKEN } },
    }, { RetainExceptOnCreate = true })
    assert.truthy(table.concat(w:lines "demo", "\n"):find("Keep DELETE_COMPLETE", 1, true))
  end)

  it("1.3 a rolled-back stack has a DeletionTime and no reason; its name is taken", function()
    w:create("demo", with {})
    local stack = w:stack "demo"
    assert.are.equal("ROLLBACK_COMPLETE", stack.StackStatus)
    assert.is_nil(stack.StackStatusReason)
    assert.is_number(stack.DeletionTime)
    assert.is_nil(stack.LastUpdatedTime)
    assert.are.equal("AlreadyExistsException: Stack [demo] already exists", w:create_refusal({ T = topic() }))
  end)

  it("1.7 the rollback is an operation of its own", function()
    w:create("demo", with {})
    local operations = w:stack("demo").LastOperations
    assert.are.equal("ROLLBACK", operations[1].OperationType)
    assert.are.equal("CREATE_STACK", operations[2].OperationType)
    assert.are_not.equal(operations[1].OperationId, operations[2].OperationId)
  end)

  for _, input in ipairs { { OnFailure = "DO_NOTHING" }, { DisableRollback = true } } do
    it("1.2 leaves everything with " .. next(input) .. ", after independent resources have gone on",
      function()
      w:create("demo", with { Slow = { Type = LONG } }, input)
      local lines = w:lines "demo"
      assert.are.equal("Slow CREATE_COMPLETE", lines[#lines - 1])
      assert.are.equal("demo CREATE_FAILED: The following resource(s) failed to create: [Bad]. ",
        lines[#lines])
      assert.is_true(w:stack("demo").DisableRollback)
      assert.are.equal("The following resource(s) failed to create: [Bad]. ",
        w:stack("demo").StackStatusReason)
    end)
  end

  it("1.2 OnFailure DELETE deletes the stack", function()
    local id = w:create("demo", with {}, { OnFailure = "DELETE" })
    assert.are.equal("The following resource(s) failed to create: [Bad]. Delete requested by user.",
      w:reason(id, "demo", "DELETE_IN_PROGRESS"))
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  it("1.2 TimeoutInMinutes ends a creation", function()
    w:create("demo", { Slow = { Type = LONG } }, { TimeoutInMinutes = 2 })
    assert.are.equal("Stack creation time exceeded the specified timeout. Rollback requested by user.",
      w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
    assert.are.equal("Resource creation cancelled", w:reason("demo", "Slow", "CREATE_FAILED"))
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("1.2 a creation that ends in time is not touched by its timeout", function()
    w:create("demo", { T = topic() }, { TimeoutInMinutes = 2 })
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
  end)

  it("2.8 a wait condition that gets no signal times out", function()
    w:create("demo", {
      Handle = { Type = "AWS::CloudFormation::WaitConditionHandle" },
      Wait = { Type = "AWS::CloudFormation::WaitCondition",
        Properties = { Handle = { Ref = "Handle" }, Timeout = 60 } },
    })
    assert.are.equal("WaitCondition timed out. Received 0 conditions when expecting 1",
      w:reason("demo", "Wait", "CREATE_FAILED"))
  end)

  it("6.1 a function that cannot be computed fails its resource", function()
    local third_of_two = { ["Fn::Select"] = { "2", { ["Fn::Split"] = { ",", "a,b" } } } }
    w:create("demo", { T = topic { DisplayName = third_of_two } })
    assert.are.equal("Template error: Fn::Select cannot select nonexistent value at index 2",
      w:reason("demo", "T", "CREATE_FAILED"))
  end)
end)

describe("a creation that fails before its first resource", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function early(name, resources, sections, reason)
    it(name, function()
      w:create("demo", template(resources, sections))
      assert.are.same({
        "demo CREATE_IN_PROGRESS: User Initiated", "demo ROLLBACK_IN_PROGRESS: " .. reason,
        "demo ROLLBACK_COMPLETE",
      }, w:lines "demo")
    end)
  end

  early("2.3 imports what nobody exports", { T = topic { DisplayName = { ["Fn::ImportValue"] = "nope" } } },
    {},
    "No export named nope found. Rollback requested by user.")
  early("2.3 asks in an output for an attribute that the type does not have",
    { P = { Type = "AWS::SSM::Parameter" } },
    { Outputs = { InvalidOutput = { Value = { ["Fn::GetAtt"] = { "P", "Invalid" } } } } },
    "[Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support "
      .. "attribute {Invalid}. Rollback requested by user.")
end)

describe("exports of a creation", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("6.4 a name that is taken rolls everything back, at the end", function()
    local outputs = { Outputs = { X = { Value = "1", Export = { Name = "n" } } } }
    w:create("one", template({ T = topic() }, outputs))
    w:create("two", template({ T = topic() }, outputs))
    assert.are.equal("Export with name n is already exported by stack one. Rollback requested by user.",
      w:reason("two", "two", "ROLLBACK_IN_PROGRESS"))
    assert.truthy(table.concat(w:lines "two", "\n"):find("T DELETE_COMPLETE", 1, true))
    assert.are.equal(1, #w.cfn:list_exports().Exports)
  end)
end)
