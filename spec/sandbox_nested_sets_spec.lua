-- Change sets of nested stacks as clients see them: reference part 3.2.

local world = require "spec.sandbox_world"

local function topic(display) return world.topic { DisplayName = display } end

describe("change sets of nested stacks", function()
  local w, s3

  before_each(function()
    w = world.open()
    s3 = w:client "s3"
    s3:create_bucket { Bucket = "templates" }
  end)
  after_each(function() w:close() end)

  local function put(name, resources, sections)
    s3:put_object { Bucket = "templates", Key = name, Body = world.template(resources, sections) }
    return "https://templates.s3.amazonaws.com/" .. name
  end

  local function stack(url, parameters)
    return { Type = "AWS::CloudFormation::Stack", Properties = { TemplateURL = url, Parameters = parameters } }
  end

  local TEXT = { Parameters = { Text = { Type = "String", AllowedPattern = "[a-z:]+" } } }

  local function set_of(resources, input)
    local request = { StackName = "demo", ChangeSetName = "set", TemplateBody = world.template(resources),
      IncludeNestedStacks = true }
    for member, value in pairs(input or {}) do request[member] = value end
    local made = w.cfn:create_change_set(request)
    world.sleep(60)
    return w.cfn:describe_change_set { ChangeSetName = made.Id }
  end

  local function change_of(set, id)
    for _, item in ipairs(set.Changes) do
      if item.ResourceChange.LogicalResourceId == id then return item.ResourceChange end
    end
  end

  local function child_of(set, id)
    return w.cfn:describe_change_set { ChangeSetName = change_of(set, id).ChangeSetId, IncludePropertyValues = true }
  end

  it("3.2: name their parent and their root, down to the last child", function()
    local leaf = put("leaf", { Leaf = topic "a" })
    w:create("demo", { Child = stack(put("child", { Grandchild = stack(leaf) })) })
    put("leaf", { Leaf = topic "b" })
    local set = set_of { Child = stack "https://templates.s3.amazonaws.com/child" }
    assert.equal("CREATE_COMPLETE", set.Status)
    assert.is_nil(set.ParentChangeSetId)
    local child = child_of(set, "Child")
    local last = child_of(child, "Grandchild")
    assert.same({ set.ChangeSetId, set.ChangeSetId }, { child.ParentChangeSetId, child.RootChangeSetId })
    assert.same({ child.ChangeSetId, set.ChangeSetId }, { last.ParentChangeSetId, last.RootChangeSetId })
    assert.equal("Modify", change_of(last, "Leaf").Action)
    w.cfn:execute_change_set { ChangeSetName = set.ChangeSetId }
    world.sleep(3600)
    assert.equal("UPDATE_COMPLETE", w:status "demo")
    assert.equal("EXECUTE_COMPLETE", w.cfn:describe_change_set({ ChangeSetName = last.ChangeSetId }).ExecutionStatus)
    assert.same({}, w.cfn:list_change_sets({ StackName = last.StackId }).Summaries)
  end)

  it("3.2: without a change below there is nothing to do", function()
    local resources = { Child = stack(put("child", { Leaf = topic "a" })) }
    w:create("demo", resources)
    local set = set_of(resources)
    assert.same({ "FAILED", "No updates are to be performed." }, { set.Status, set.StatusReason })
  end)

  it("tells the one that changes from the one that stays", function()
    local one, other = put("one", { Leaf = topic "a" }), put("other", { Leaf = topic "a" })
    w:create("demo", { One = stack(one), Other = stack(other) })
    put("one", { Leaf = topic "b" })
    local set = set_of { One = stack(one), Other = stack(other) }
    assert.equal(1, #set.Changes)
    assert.equal("Modify", change_of(child_of(set, "One"), "Leaf").Action)
  end)

  it("of a new child show a stack in review, which the execution fills", function()
    local url = put("child", { Leaf = topic { Ref = "Text" } }, TEXT)
    w:create("demo", { Top = topic "a" })
    local set = set_of { Top = topic "a", New = topic "a",
      Child = stack(url, { Text = { ["Fn::GetAtt"] = { "New", "TopicName" } } }) }
    assert.equal("CREATE_COMPLETE", set.Status, set.StatusReason)
    local child = child_of(set, "Child")
    assert.equal("{{changeSet:KNOWN_AFTER_APPLY}}", child.Parameters[1].ParameterValue)
    assert.same({ "REVIEW_IN_PROGRESS", w:stack("demo").StackId },
      { w:status(child.StackId), w:stack(child.StackId).ParentId })
    assert.equal("Add", change_of(child, "Leaf").Action)
  end)

  it("of a new child are filled by the execution", function()
    local url = put("child", { Leaf = topic { Ref = "Text" } }, TEXT)
    local set = set_of({ Child = stack(url, { Text = "a" }) }, { ChangeSetType = "CREATE" })
    local child = child_of(set, "Child")
    w.cfn:execute_change_set { ChangeSetName = set.ChangeSetId }
    world.sleep(3600)
    assert.same({ "CREATE_COMPLETE", "CREATE_COMPLETE" }, { w:status "demo", w:status(child.StackId) })
  end)

  it("go with their root, and the stacks in review with them", function()
    local set = set_of({ Child = stack(put("child", { Leaf = topic "a" })) }, { ChangeSetType = "CREATE" })
    local child = child_of(set, "Child")
    w.cfn:delete_change_set { ChangeSetName = set.ChangeSetId }
    world.sleep(60)
    assert.equal("DELETE_COMPLETE", w:status(child.StackId))
    assert.truthy(world.refusal(w.cfn.describe_change_set, w.cfn, { ChangeSetName = child.ChangeSetId })
      :find("ChangeSetNotFound", 1, true))
  end)

  it("are left to their root's caller", function()
    local set = set_of({ Child = stack(put("child", { Leaf = topic "a" })) }, { ChangeSetType = "CREATE" })
    local id = change_of(set, "Child").ChangeSetId
    for _, operation in ipairs { "execute_change_set", "delete_change_set" } do
      assert.truthy(world.refusal(w.cfn[operation], w.cfn, { ChangeSetName = id }):find("root change set", 1, true))
    end
    w:delete "demo"
    assert.equal("DELETE_COMPLETE", w:status(child_of(set, "Child").StackId))
  end)

  it("3.2: one that fails fails its parent, and says which", function()
    local set = set_of({ Child = stack(put("child", { Leaf = topic { Ref = "Text" } }, TEXT), { Text = "NO" }) },
      { ChangeSetType = "CREATE" })
    local id = set.StatusReason:match(
      "^Nested change set (arn:%S+) was not successfully created: Currently in FAILED%.$")
    assert.equal("FAILED", set.Status)
    assert.truthy(w.cfn:describe_change_set({ ChangeSetName = id }).StatusReason
      :find("Parameter 'Text' must match pattern", 1, true))
  end)
end)
