-- Change sets as clients see them: reference part 3.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

describe("a change set in the sandbox", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function topic(name, display) return world.topic { TopicName = name, DisplayName = display } end

  local function make(resources, input)
    local request = { StackName = "demo", ChangeSetName = "set", TemplateBody = world.template(resources,
      input and input.sections) }
    for member, value in pairs(input or {}) do
      if member ~= "sections" then request[member] = value end
    end
    local made = w.cfn:create_change_set(request)
    world.sleep(60)
    return w.cfn:describe_change_set { ChangeSetName = made.Id }
  end

  local function changes_of(set)
    local out = {}
    for _, change in ipairs(set.Changes) do
      out[change.ResourceChange.LogicalResourceId] = change.ResourceChange
    end
    return out
  end

  local function cause(detail)
    return ("%s %s %s"):format(detail.CausingEntity, detail.ChangeSource, detail.Evaluation)
  end

  it("1.2: creates a stack that waits for review, then creates it for good", function()
    local set = make({ A = topic "a" }, { ChangeSetType = "CREATE" })
    assert.equal("REVIEW_IN_PROGRESS", w:status "demo")
    assert.equal("User Initiated", w:stack("demo").StackStatusReason)
    assert.same({ "CREATE_COMPLETE", "AVAILABLE" }, { set.Status, set.ExecutionStatus })
    assert.equal("Add", changes_of(set).A.Action)
    w.cfn:execute_change_set { ChangeSetName = set.ChangeSetId }
    world.sleep(3600)
    local stack = w:stack "demo"
    assert.equal("CREATE_COMPLETE", stack.StackStatus)
    assert.equal(set.ChangeSetId, stack.ChangeSetId)
    assert.is_number(stack.LastUpdatedTime)
    assert.equal("EXECUTE_COMPLETE",
      w.cfn:describe_change_set({ ChangeSetName = set.ChangeSetId }).ExecutionStatus)
    assert.equal(0, #w.cfn:list_change_sets({ StackName = "demo" }).Summaries)
  end)

  it("1.2: a stack in review may be created directly, which makes its change sets obsolete", function()
    local set = make({ A = topic "a" }, { ChangeSetType = "CREATE" })
    local id = w:create("demo", { B = topic "b" })
    assert.equal(set.StackId, id)
    assert.equal("CREATE_COMPLETE", w:status "demo")
    assert.equal("demo REVIEW_IN_PROGRESS: User Initiated", w:lines("demo")[1])
    assert.equal("OBSOLETE", w.cfn:describe_change_set({ ChangeSetName = set.ChangeSetId }).ExecutionStatus)
    assert.truthy(world.refusal(w.cfn.execute_change_set, w.cfn, { ChangeSetName = set.ChangeSetId })
      :find("cannot be executed in its current execution status of [OBSOLETE]", 1, true))
  end)

  it("3.3: says what is added, changed, replaced and removed, and why", function()
    w:create("demo", { A = topic("a", "old"), B = topic "b", D = topic "d",
      E = world.topic { DisplayName = { ["Fn::GetAtt"] = { "A", "TopicName" } } },
      F = world.topic { DisplayName = { Ref = "B" } } })
    local changes = changes_of(make {
      A = topic("a", "new"), B = topic "b2", C = topic "c",
      E = world.topic { DisplayName = { ["Fn::GetAtt"] = { "A", "TopicName" } } },
      F = world.topic { DisplayName = { Ref = "B" } } })
    assert.equal("Modify/False", changes.A.Action .. "/" .. changes.A.Replacement)
    assert.same({ { Target = { Attribute = "Properties", Name = "DisplayName", RequiresRecreation = "Never" },
      Evaluation = "Static", ChangeSource = "DirectModification" } }, changes.A.Details)
    assert.same({ "True", "ReplaceAndDelete" }, { changes.B.Replacement, changes.B.PolicyAction })
    assert.equal("Add", changes.C.Action)
    assert.same({ "Remove", "Delete" }, { changes.D.Action, changes.D.PolicyAction })
    assert.equal("A.TopicName ResourceAttribute Dynamic", cause(changes.E.Details[1]))
    assert.equal("B ResourceReference Static", cause(changes.F.Details[1]))
  end)

  it("3.3: names the parameter that causes a change", function()
    local sections = { Parameters = { P = { Type = "String" } } }
    local resources = { A = world.topic { DisplayName = { ["Fn::Sub"] = "x-${P}" } } }
    w:create("demo", world.template(resources, sections),
      { Parameters = { { ParameterKey = "P", ParameterValue = "1" } } })
    local details = changes_of(make(resources,
      { sections = sections, Parameters = { { ParameterKey = "P", ParameterValue = "2" } } })).A.Details
    assert.equal("P ParameterReference Static", cause(details[1]))
    assert.same({ "DirectModification", "Dynamic" }, { details[2].ChangeSource, details[2].Evaluation })
  end)

  it("3.2: without changes it fails, and cannot be executed", function()
    w:create("demo", { A = topic "a" })
    local set = make { A = topic "a" }
    assert.same({ "FAILED", "UNAVAILABLE", "The submitted information didn't contain changes. Submit "
      .. "different information to create a change set." },
      { set.Status, set.ExecutionStatus, set.StatusReason })
    assert.equal(("InvalidChangeSetStatus: ChangeSet [%s] cannot be executed in its current status of "
      .. "[FAILED]"):format(set.ChangeSetId), world.refusal(w.cfn.execute_change_set, w.cfn,
      { StackName = "demo", ChangeSetName = "set" }))
  end)

  it("3.4: executing one updates the stack and removes the others", function()
    w:create("demo", { A = topic("a", "old") })
    make({ A = topic("a", "x") }, { ChangeSetName = "other" })
    make { A = topic("a", "new") }
    w.cfn:execute_change_set { StackName = "demo", ChangeSetName = "set" }
    world.sleep(3600)
    assert.equal("UPDATE_COMPLETE", w:status "demo")
    local text, status = world.refusal(w.cfn.describe_change_set, w.cfn,
      { StackName = "demo", ChangeSetName = "other" })
    assert.same({ "ChangeSetNotFound: ChangeSet [other] does not exist", 404 }, { text, status })
  end)

  it("3.2: a stack that exists cannot be created again; one that does not cannot be updated", function()
    w:create("demo", { A = topic "a" })
    assert.equal("ValidationError: Stack [demo] already exists and cannot be created again with "
      .. "the changeSet [set].", world.refusal(make, { A = topic "a" }, { ChangeSetType = "CREATE" }))
    assert.equal("ValidationError: Stack [nobody] does not exist",
      world.refusal(make, { A = topic "a" }, { StackName = "nobody" }))
  end)

  it("is refused for an empty list in place of an object, and the sandbox goes on", function()
    local set = make({ A = { Type = "AWS::S3::Bucket", Properties = { VersioningConfiguration = json.list {} } } },
      { ChangeSetType = "CREATE", StackName = "new" })
    assert.equal("FAILED", set.Status)
    assert.equal("CREATE_COMPLETE", make({ A = topic "a" }, { ChangeSetType = "CREATE", StackName = "other" }).Status)
  end)

  it("3.4: deleting one that does not exist is no error", function()
    w:create("demo", { A = topic "a" })
    make { A = topic("a", "x") }
    w.cfn:delete_change_set { StackName = "demo", ChangeSetName = "set" }
    w.cfn:delete_change_set { StackName = "demo", ChangeSetName = "set" }
    assert.equal(0, #w.cfn:list_change_sets({ StackName = "demo" }).Summaries)
  end)
end)
