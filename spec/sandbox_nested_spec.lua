-- Resources that complete when something else says so: nested stacks, custom resources, wait conditions.
-- Reference parts 1.7, 2.8, 6.3 and 12.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local function topic(display) return world.topic { DisplayName = display } end

describe("a nested stack", function()
  local w, s3
  after_each(function() w:close() end)

  local function open(scenario)
    w = world.open { scenario = scenario }
    s3 = w:client "s3"
    s3:create_bucket { Bucket = "templates" }
  end

  local function put(name, resources, sections)
    s3:put_object { Bucket = "templates", Key = name, Body = world.template(resources, sections) }
    return "https://templates.s3.amazonaws.com/" .. name
  end

  local PARAMETER = { Parameters = { Text = { Type = "String", Default = "old" } },
    Outputs = { Name = { Value = { ["Fn::GetAtt"] = { "Inner", "TopicName" } } } } }

  local function child(name, text)
    return { Type = "AWS::CloudFormation::Stack", Properties = {
      TemplateURL = put(name or "child", { Inner = topic { Ref = "Text" } }, PARAMETER),
      Parameters = { Text = text or "old" } } }
  end

  local function parent(text)
    return { Child = child("child", text),
      After = topic { ["Fn::GetAtt"] = { "Child", "Outputs.Name" } } }
  end

  local function child_of(name)
    return w.cfn:describe_stack_resource({ StackName = name, LogicalResourceId = "Child" })
      .StackResourceDetail.PhysicalResourceId
  end

  local function update(resources)
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template(resources) }
    world.sleep(3600)
  end

  it("is a stack of its own, whose outputs its parent uses", function()
    open()
    w:create("demo", parent())
    assert.equal("CREATE_COMPLETE", w:status "demo")
    local stack = w:stack(child_of "demo")
    assert.truthy(stack.StackName:match("^demo%-Child%-%u"))
    assert.same({ w:stack("demo").StackId, w:stack("demo").StackId }, { stack.ParentId, stack.RootId })
    w:delete "demo"
    assert.equal("DELETE_COMPLETE", w:status(stack.StackId))
  end)

  it("2.8: that fails fails its parent, with its own reason", function()
    open { resources = { { resource = "Inner", on = "create", fail = "no" } } }
    w:create("demo", parent())
    assert.equal("ROLLBACK_COMPLETE", w:status "demo")
    local reason = w:reason("demo", "Child", "CREATE_FAILED")
    assert.truthy(reason:match("^Embedded stack arn:.* was not successfully created: The following "
      .. "resource%(s%) failed to create: %[Inner%]%. $"))
  end)

  it("2.8: whose template is not there fails", function()
    open()
    w:create("demo", { Child = { Type = "AWS::CloudFormation::Stack",
      Properties = { TemplateURL = "https://templates.s3.amazonaws.com/none" } } })
    assert.truthy(w:reason("demo", "Child", "CREATE_FAILED"):find("The specified key does not exist.", 1,
      true))
  end)

  it("is updated with its parent", function()
    open()
    w:create("demo", parent "old")
    local id = child_of "demo"
    update(parent "new")
    assert.same({ "UPDATE_COMPLETE", "UPDATE_COMPLETE" }, { w:status "demo", w:status(id) })
    assert.equal("new", w:stack(id).Parameters[1].ParameterValue)
  end)

  it("goes back with its parent, whichever of them failed", function()
    open { resources = { { resource = "After", on = "update", fail = "no" } } }
    w:create("demo", parent "old")
    local id = child_of "demo"
    local changed = parent "new"
    changed.After = { Type = "AWS::SNS::Topic", DependsOn = "Child", Properties = { DisplayName = "other" } }
    update(changed)
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    assert.equal("old", w:stack(id).Parameters[1].ParameterValue)
  end)

  it("1.7, 2.8: that is stuck on its way back is continued by its parent, which may skip in it", function()
    open { resources = { { resource = "Inner", on = "update", fail = "no" },
      { resource = "Inner", on = "rollback", times = 9, fail = "never" } } }
    w:create("demo", parent "old")
    local id = child_of "demo"
    update(parent "new")
    assert.truthy(w:reason("demo", "Child", "UPDATE_FAILED"):find(
      "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: The following "
      .. "resource(s) failed to update: [Inner].", 1, true))
    assert.same({ "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED" }, { w:status "demo", w:status(id) })
    local function continue(skip)
      w.cfn:continue_update_rollback { StackName = "demo", ResourcesToSkip = skip }
      world.sleep(3600)
      return w:status "demo"
    end
    assert.equal("UPDATE_ROLLBACK_FAILED", continue(nil))
    assert.equal("ValidationError: Stack [nobody] does not exist", world.refusal(continue,
      { "nobody.Inner" }))
    assert.equal("ValidationError: RollbackUpdatedStack cannot be invoked on child stacks",
      world.refusal(w.cfn.continue_update_rollback, w.cfn, { StackName = id }))
    assert.equal("UPDATE_ROLLBACK_COMPLETE", continue { w:stack(id).StackName .. ".Inner" })
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status(id))
  end)

  it("that cannot be deleted stops its parent", function()
    open { resources = { { resource = "Inner", on = "delete", fail = "in use" } } }
    w:create("demo", parent())
    w:delete "demo"
    assert.equal("DELETE_FAILED", w:status "demo")
    assert.truthy(w:reason("demo", "Child", "DELETE_FAILED"):find("was not successfully deleted: The "
      .. "following "
      .. "resource(s) failed to delete: [Inner].", 1, true))
    w:delete "demo"
    assert.truthy(world.refusal(w.status, w, "demo"):find("does not exist", 1, true))
  end)
end)

describe("a custom resource", function()
  local w
  after_each(function() w:close() end)

  local function custom(properties)
    properties.ServiceToken = "arn:aws:lambda:us-east-1:123456789012:function:f"
    return { Type = "Custom::Thing", Properties = properties }
  end

  local function outputs(attribute)
    return { Outputs = { O = { Value = { ["Fn::GetAtt"] = { "C", attribute } } } } }
  end

  it("12: is answered by the scenario's function, over its whole life", function()
    local seen = {}
    w = world.open { scenario = { custom = { ["Custom::*"] = function(request)
      seen[#seen + 1] = { request.RequestType, request.ResourceProperties.Size,
        request.OldResourceProperties and request.OldResourceProperties.Size, request.PhysicalResourceId }
      return { Status = "SUCCESS", PhysicalResourceId = "thing-" .. request.ResourceProperties.Size,
        Data = { Url = "http://" .. request.ResourceProperties.Size } }
    end } } }
    w:create("demo", world.template({ C = custom { Size = "1" } }, outputs "Url"))
    assert.equal("http://1", w:outputs("demo").O)
    w.cfn:update_stack { StackName = "demo",
      TemplateBody = world.template({ C = custom { Size = "2" } }, outputs "Url") }
    world.sleep(3600)
    assert.equal("http://2", w:outputs("demo").O)
    w:delete "demo"
    assert.same({ { "Create", "1" }, { "Update", "2", "1", "thing-1" }, { "Delete", "1", nil, "thing-1" },
      { "Delete", "2", nil, "thing-2" } }, seen)
  end)

  it("2.8: that fails says what its provider said", function()
    w = world.open { scenario = { custom = { ["*"] = function(request)
      if request.RequestType == "Create" then return { Status = "FAILED", Reason = "no such zone" } end
      return { Status = "SUCCESS" }
    end } } }
    w:create("demo", { C = custom {} })
    assert.truthy(w:reason("demo", "C", "CREATE_FAILED"):match("^Received response status %[FAILED%] from "
      .. "custom "
      .. "resource%. Message returned: no such zone %(RequestId: %x+%-.*%)$"))
    assert.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("2.8: that never answers, answers too much or lacks data fails", function()
    local answer
    w = world.open { scenario = { custom = { ["*"] = function(request)
      if request.RequestType ~= "Create" then return { Status = "SUCCESS" } end
      return answer
    end } } }
    w:create("silent", { C = custom { ServiceTimeout = "60" } })
    assert.truthy(w:reason("silent", "C", "CREATE_FAILED"):find("did not receive a response", 1, true))
    answer = { Status = "SUCCESS", Data = { Text = ("x"):rep(5000) } }
    w:create("long", { C = custom {} })
    assert.equal("Response is too long.", w:reason("long", "C", "CREATE_FAILED"))
    answer = { Status = "SUCCESS", Data = {} }
    w:create("lacks", world.template({ C = custom {} }, outputs "Url"))
    assert.truthy(w:reason("lacks", "lacks", "ROLLBACK_IN_PROGRESS"):find(
      "Vendor response doesn't contain Url key in object ", 1, true))
  end)

  it("answers by itself when nobody says otherwise", function()
    w = world.open()
    w:create("demo", world.template({ C = custom {} }, outputs "Anything"))
    assert.equal("CREATE_COMPLETE", w:status "demo")
    assert.is_string(w:outputs("demo").O)
  end)
end)

describe("a wait condition", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function waiting(count)
    return { Handle = { Type = "AWS::CloudFormation::WaitConditionHandle" },
      Wait = { Type = "AWS::CloudFormation::WaitCondition", DependsOn = "Handle",
        Properties = { Handle = { Ref = "Handle" }, Timeout = "600", Count = count } } }
  end

  local function signal(id, status)
    w.cfn:signal_resource { StackName = "demo", LogicalResourceId = "Wait", UniqueId = id,
      Status = status or "SUCCESS" }
  end

  it("6.3: completes with its signals, each of which is an event", function()
    w:create("demo", world.template(waiting "2",
      { Outputs = { Data = { Value = { ["Fn::GetAtt"] = { "Wait", "Data" } } } } }), nil, 60)
    signal "one"
    assert.equal("ValidationError: Signal with ID one for resource Wait already exists. Signals may only be "
      .. "updated with a FAILURE status.", world.refusal(signal, "one"))
    assert.equal("CREATE_IN_PROGRESS", w:status "demo")
    signal "two"
    world.sleep(60)
    assert.equal("CREATE_COMPLETE", w:status "demo")
    local lines = table.concat(w:lines "demo", "\n")
    assert.truthy(lines:find("Wait CREATE_IN_PROGRESS: Received SUCCESS signal with UniqueId one\n", 1, true))
    assert.same({ one = "SUCCESS", two = "SUCCESS" }, json.decode(w:outputs("demo").Data))
    assert.equal("ValidationError: Resource Wait is in CREATE_COMPLETE state and can not be signaled.",
      world.refusal(signal, "three"))
  end)

  it("2.8: fails with a failure signal, or when time is up", function()
    w:create("demo", waiting "1", nil, 60)
    signal("one", "FAILURE")
    assert.truthy(w:reason("demo", "Wait", "CREATE_FAILED"):find("for uniqueId: one", 1, true))
    w:create("late", waiting "3")
    assert.equal("WaitCondition timed out. Received 0 conditions when expecting 3",
      w:reason("late", "Wait", "CREATE_FAILED"))
  end)
end)
