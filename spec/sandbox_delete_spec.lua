-- What happens when a stack is deleted. Names begin with the part of the reference that they hold to.
local world = require "spec.sandbox_world"

local topic, template = world.topic, world.template

local function protected_table(more)
  local resource = { Type = "AWS::DynamoDB::Table",
    Properties = { TableName = "t", DeletionProtectionEnabled = true } }
  for name, value in pairs(more or {}) do resource[name] = value end
  return resource
end

describe("deleting a stack", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("2.6 deletes its resources in reverse order, with their ids and properties in the events", function()
    local id = w:create("demo",
      { A = topic { TopicName = "a" }, B = { Type = "AWS::SNS::Topic", DependsOn = "A" } })
    w:delete "demo"
    local lines, events = w:lines(id), w:events(id)
    assert.are.same({
      "demo DELETE_IN_PROGRESS: User Initiated", "B DELETE_IN_PROGRESS", "B DELETE_COMPLETE",
      "A DELETE_IN_PROGRESS", "A DELETE_COMPLETE", "demo DELETE_COMPLETE",
    }, table.move(lines, #lines - 5, #lines, 1, {}))
    assert.are.equal([[{"TopicName":"a"}]], events[#events - 2].ResourceProperties)
    assert.are.equal("arn:aws:sns:us-east-1:123456789012:a", events[#events - 2].PhysicalResourceId)
  end)

  it("1.10 a deleted stack is found by its id only, and its name is free again", function()
    local id = w:create("demo", { T = topic() }, { Tags = { { Key = "k", Value = "v" } } })
    w:delete "demo"
    assert.are.equal("ValidationError: Stack with id demo does not exist",
      world.refusal(w.cfn.describe_stacks, w.cfn, { StackName = "demo" }))
    local stack = w:stack(id)
    assert.are.equal("DELETE_COMPLETE", stack.StackStatus)
    assert.is_number(stack.DeletionTime)
    assert.is_nil(stack.EnableTerminationProtection)
    assert.are.same({ { Key = "k", Value = "v" } }, stack.Tags)
    assert.are_not.equal(id, w:create("demo", { T = topic() }))
    assert.are.equal("DELETE_COMPLETE", w:status(id))
    assert.are.equal(1, #w.cfn:describe_stacks().Stacks)
    assert.are.equal(2, #w.cfn:list_stacks().StackSummaries)
  end)

  it("1.8 an unknown stack is no error, nor is a second delete", function()
    w:delete("nobody", nil, 0)
    local id = w:create("demo", { T = topic() })
    w:delete("demo", nil, 0)
    w:delete("demo")
    w:delete(id)
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  it("1.8 termination protection refuses it until it is taken off", function()
    w:create("demo", { T = topic() }, { EnableTerminationProtection = true })
    assert.are.equal("ValidationError: Stack [demo] cannot be deleted while TerminationProtection is enabled",
      world.refusal(w.delete, w, "demo"))
    w.cfn:update_termination_protection { StackName = "demo", EnableTerminationProtection = false }
    w:delete "demo"
    assert.are.equal(0, #w.cfn:describe_stacks().Stacks)
  end)

  it("1.8 leaves resources with DeletionPolicy Retain", function()
    local id = w:create("demo", { T = { Type = "AWS::SNS::Topic", DeletionPolicy = "Retain" } })
    w:delete "demo"
    local lines = w:lines(id)
    assert.are.same({ "T DELETE_SKIPPED", "demo DELETE_COMPLETE" },
      table.move(lines, #lines - 1, #lines, 1, {}))
  end)

  it("1.8 goes on with what does not depend on a failed deletion, and then tells it", function()
    w:create("demo", {
      Table = protected_table { DependsOn = "Below" }, Below = topic(), Other = topic(),
    })
    w:delete "demo"
    local all = table.concat(w:lines "demo", "\n")
    assert.truthy(all:find("Other DELETE_COMPLETE", 1, true))
    assert.is_nil(all:find("Below DELETE", 1, true))
    assert.truthy(all:find('Table DELETE_FAILED: Resource handler returned message: "Resource cannot be '
      .. 'deleted as it is '
      .. "currently protected against deletion.", 1, true))
    assert.are.equal("The following resource(s) failed to delete: [Table]. ",
      w:stack("demo").StackStatusReason)
    assert.are.equal("DELETE_FAILED", w:status "demo")
  end)

  it("1.2 DELETE_FAILED can be deleted again; what is gone makes no new events", function()
    w:create("demo", { Table = protected_table(), Other = topic() })
    w:delete "demo"
    w:delete "demo"
    local count = 0
    for _, line in ipairs(w:lines "demo") do count = count + (line == "Other DELETE_COMPLETE" and 1 or 0) end
    assert.are.equal(1, count)
    assert.are.equal("DELETE_FAILED", w:status "demo")
  end)

  it("2.6 RetainResources leaves what could not be deleted", function()
    local id = w:create("demo", { Table = protected_table() })
    w:delete "demo"
    w:delete("demo", { RetainResources = { "Table" } })
    local lines = w:lines(id)
    assert.are.same({ "demo DELETE_IN_PROGRESS: User Initiated", "Table DELETE_SKIPPED",
      "demo DELETE_COMPLETE" },
      table.move(lines, #lines - 2, #lines, 1, {}))
    w:create("demo", { Table = protected_table() })
    assert.are.equal("t already exists", w:reason("demo", "Table", "CREATE_FAILED"))
  end)

  it("1.8 RetainResources is for DELETE_FAILED, and for what is there", function()
    local id = w:create("demo", { Table = protected_table(), Other = topic() })
    assert.are.equal("ValidationError: Invalid operation on stack [" .. id .. "]. When you delete a stack, "
      .. "specify which resources to retain only when the stack is in the DELETE_FAILED state.",
      world.refusal(w.delete, w, "demo", { RetainResources = { "Table" } }))
    w:delete "demo"
    assert.are.equal("ValidationError: The specified resources to retain must be in a valid state. Do not "
      .. "specify resources that are in the DELETE_COMPLETE state.",
      world.refusal(w.delete, w, "demo", { RetainResources = { "Other" } }))
  end)

  it("1.8 FORCE_DELETE_STACK skips what fails again", function()
    local id = w:create("demo", { Table = protected_table() })
    w:delete "demo"
    w:delete("demo", { DeletionMode = "FORCE_DELETE_STACK" })
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  it("1.2 abandons a creation", function()
    local id = w:create("demo", { Slow = { Type = "AWS::RDS::DBInstance" } }, nil, 60)
    w:delete "demo"
    assert.are.equal("Resource creation cancelled", w:reason(id, "Slow", "CREATE_FAILED"))
    assert.are.equal("DELETE_COMPLETE", w:status(id))
  end)

  it("1.2 returns to the status before when an export is in use", function()
    local exporting = template({ T = topic() },
      { Outputs = { X = { Value = "1", Export = { Name = "n" } } } })
    local importing = { T = topic { DisplayName = { ["Fn::ImportValue"] = "n" } } }
    w:create("one", exporting)
    w:create("b", importing)
    w:create("a", importing)
    w:delete "one"
    local stack = w:stack "one"
    assert.are.equal("CREATE_COMPLETE", stack.StackStatus)
    assert.are.equal("Delete canceled. Cannot delete export n as it is in use by a and b.",
      stack.StackStatusReason)
    w:delete "a"
    w:delete "b"
    w:delete "one"
    assert.are.equal(0, #w.cfn:describe_stacks().Stacks)
    assert.are.equal(0, #w.cfn:list_exports().Exports)
  end)

  it("1.2 another list of resources to retain, while it is being deleted, is refused", function()
    local id = w:create("demo", { Table = protected_table() })
    w:delete "demo"
    w:delete("demo", { RetainResources = { "Table" } }, 0)
    assert.are.equal("ValidationError: A delete stack operation is already in progress for stack " .. id
      .. ". Do not submit another delete stack request specifying different resources to retain or resources "
      .. "to retain in a different order.", world.refusal(w.delete, w, "demo", {}, 0))
  end)
end)
