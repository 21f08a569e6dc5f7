-- Updates as clients see them: reference parts 1.5, 2.4, 2.5, 4.4 and 6.4.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

describe("an update in the sandbox", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function update(resources, input, wait)
    local request = { StackName = "demo" }
    request.TemplateBody = resources and world.template(resources, input and input.sections)
    for member, value in pairs(input or {}) do
      if member ~= "sections" then request[member] = value end
    end
    w.cfn:update_stack(request)
    if wait ~= 0 then world.sleep(wait or 3600) end
  end

  -- The lines of the last operation, without the stack's first one.
  local function lines_since(count)
    local all, out = w:lines "demo", {}
    table.move(all, count + 1, #all, 1, out)
    return out
  end

  local function topic(name, display) return world.topic { TopicName = name, DisplayName = display } end

  it("2.4: changes in place, replaces, adds and removes, and always cleans up", function()
    w:create("demo", { A = topic("a", "old"), B = topic "b", D = topic "d" })
    local count = #w:events "demo"
    update { A = topic("a", "new"), B = topic "b2", C = topic "c" }
    local lines = lines_since(count)
    assert.equal("demo UPDATE_IN_PROGRESS: User Initiated", lines[1])
    local text = "\n" .. table.concat(lines, "\n") .. "\n"
    assert.truthy(text:find("\nA UPDATE_IN_PROGRESS\n", 1, true))
    assert.truthy(text:find("\nB UPDATE_IN_PROGRESS: Requested update requires the creation of a new "
      .. "physical resource; hence creating one.\n", 1, true))
    assert.truthy(text:find("\nB UPDATE_IN_PROGRESS: Resource creation Initiated\n", 1, true))
    assert.truthy(text:find("\nC CREATE_COMPLETE\n", 1, true))
    local _, cleanup = text:find("\ndemo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n", 1, true)
    assert.truthy(text:find("\nB DELETE_COMPLETE\n", cleanup, true))
    assert.truthy(text:find("\nD DELETE_COMPLETE\n", cleanup, true))
    assert.equal("demo UPDATE_COMPLETE", lines[#lines])
    assert.is_number(w:stack "demo".LastUpdatedTime)
  end)

  it("3.2: properties that a function gives, and that are none, fail the resource", function()
    for _, type_name in ipairs { "AWS::SNS::Topic", "Custom::Any" } do
      local resource = { Type = type_name, Properties = { ServiceToken = type_name == "Custom::Any" and "x" or nil } }
      w:create("demo", json.encode { Resources = { A = resource } })
      resource.Properties = { Ref = "AWS::Region" }
      w:update("demo", json.encode { Resources = { A = resource } })
      assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
      assert.equal("Properties validation failed for resource A with message:\n#: expected type: JSONObject, found: "
        .. "String", w:reason("demo", "A", "UPDATE_FAILED"))
      w:delete "demo"
    end
  end)

  it("2.4: deletes a replacement's old physical resource under its old id, without properties", function()
    w:create("demo", { B = topic "b" })
    update { B = topic "b2" }
    local ids = {}
    for _, event in ipairs(w:events "demo") do
      if event.LogicalResourceId == "B" then
        ids[event.ResourceStatus .. (event.ResourceStatusReason or "")] = event
      end
    end
    local first = ids["UPDATE_IN_PROGRESSRequested update requires the creation of a new physical resource; "
      .. "hence creating one."]
    assert.equal("arn:aws:sns:us-east-1:123456789012:b", first.PhysicalResourceId)
    assert.equal("arn:aws:sns:us-east-1:123456789012:b2", ids.UPDATE_COMPLETE.PhysicalResourceId)
    assert.equal("arn:aws:sns:us-east-1:123456789012:b", ids.DELETE_COMPLETE.PhysicalResourceId)
    assert.is_nil(ids.DELETE_COMPLETE.ResourceProperties)
    assert.truthy(ids.DELETE_COMPLETE.EventId:match("^B%-%x+%-%x+%-4"))
  end)

  it("2.4: deletes what depends on others first, so that nothing that is replaced stays behind", function()
    local function of(name)
      return { Profile = { Type = "AWS::IAM::InstanceProfile", Properties = { InstanceProfileName = name,
        Roles = { { Ref = "Role" } } } }, Role = { Type = "AWS::IAM::Role", Properties = { RoleName = name,
          AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = {} } } } }
    end
    w:create("demo", of "old", { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    update(of "new", { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    local deleted = {}
    for _, line in ipairs(w:lines "demo") do deleted[#deleted + 1] = line:match "^%w+ DELETE_%u+" end
    assert.same({ "Profile DELETE_IN", "Profile DELETE_COMPLETE", "Role DELETE_IN", "Role DELETE_COMPLETE" }, deleted)
  end)

  it("1.5: resources whose properties stay the same have no events", function()
    w:create("demo", { A = topic("a", "old"), B = topic "b" })
    local count = #w:events "demo"
    update { A = topic("a", "new"), B = topic "b" }
    for _, line in ipairs(lines_since(count)) do assert.is_nil(line:match "^B ") end
  end)

  it("4.4: nothing to change is refused, whatever the order of keys", function()
    w:create("demo", { A = topic("a", "x") })
    assert.equal("ValidationError: No updates are to be performed.",
      world.refusal(update, { A = topic("a", "x") }, nil, 0))
    assert.equal("ValidationError: No updates are to be performed.",
      world.refusal(update, nil, { UsePreviousTemplate = true }, 0))
  end)

  it("4.4: parameters keep their values when the caller says so", function()
    local sections = { Parameters = { P = { Type = "String" }, Q = { Type = "String" } } }
    local resources = { A = world.topic { DisplayName = { Ref = "P" } } }
    w:create("demo", world.template(resources, sections),
      { Parameters = { { ParameterKey = "P", ParameterValue = "one" },
        { ParameterKey = "Q", ParameterValue = "two" } } })
    update(nil, { UsePreviousTemplate = true, Parameters = { { ParameterKey = "P", ParameterValue = "three" },
      { ParameterKey = "Q", UsePreviousValue = true } } })
    local values = {}
    for _, parameter in ipairs(w:stack "demo".Parameters) do
      values[parameter.ParameterKey] = parameter.ParameterValue
    end
    assert.same({ P = "three", Q = "two" }, values)
    assert.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  it("2.5: a failure leads everything back and deletes what was made", function()
    w:create("other", { Taken = topic "taken" })
    w:create("demo", { A = topic("a", "old") })
    local count = #w:events "demo"
    update { A = topic("a", "new"), N = { Type = "AWS::SNS::Topic", DependsOn = "A",
      Properties = { TopicName = "taken" } } }
    local lines = lines_since(count)
    local text = "\n" .. table.concat(lines, "\n") .. "\n"
    assert.truthy(text:find("\nN CREATE_FAILED: taken already exists in stack ", 1, true))
    assert.truthy(text:find("\ndemo UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: "
      .. "[N]. \nA UPDATE_IN_PROGRESS\nA UPDATE_COMPLETE\n"
      .. "demo UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS\n", 1, true))
    assert.equal("demo UPDATE_ROLLBACK_COMPLETE", lines[#lines])
    assert.equal(1, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
    update { A = topic("a", "newer") }
    assert.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  it("1.2: with DisableRollback a failure stays, and RollbackStack leads back", function()
    w:create("other", { Taken = topic "taken" })
    w:create("demo", { A = topic("a", "old") })
    update({ A = topic("a", "new"), N = topic "taken" }, { DisableRollback = true })
    assert.equal("UPDATE_FAILED", w:status "demo")
    assert.truthy(world.refusal(update, { A = topic("a", "x") }, nil, 0):find(
      "This stack is currently in a non-terminal [UPDATE_FAILED] state.", 1, true))
    w.cfn:rollback_stack { StackName = "demo" }
    world.sleep(3600)
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    assert.equal(1, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
  end)

  it("1.2: after several failures that stayed, RollbackStack leads back to before the first", function()
    w:create("other", { Taken = topic "taken" })
    w:create("demo", { A = topic("a", "old") })
    update({ A = topic("a", "one"), N = topic "taken" }, { DisableRollback = true })
    update({ A = topic("a", "two"), N = topic "taken" }, { DisableRollback = true })
    assert.equal("UPDATE_FAILED", w:status "demo")
    w.cfn:rollback_stack { StackName = "demo" }
    world.sleep(3600)
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    local topics = w.sandbox.store:region("us-east-1").things["AWS::SNS::Topic"]
    assert.equal("old", topics.a.properties.DisplayName)
  end)

  it("1.7: CancelUpdateStack leads back, and only from an update in progress", function()
    w:create("demo", { T = { Type = "AWS::DynamoDB::Table", Properties = { TableName = "t",
      BillingMode = "PAY_PER_REQUEST" } } })
    assert.equal("ValidationError: CancelUpdateStack cannot be called from current stack status",
      world.refusal(w.cfn.cancel_update_stack, w.cfn, { StackName = "demo" }))
    update({ T = { Type = "AWS::DynamoDB::Table", Properties = { TableName = "t",
      BillingMode = "PROVISIONED" } } }, nil, 6)
    w.cfn:cancel_update_stack { StackName = "demo" }
    assert.equal("UPDATE_FAILED", w:lines("demo")[#w:lines "demo"]:match("^T (%S+):"))
    world.sleep(3600)
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("2.4: a fixed name cannot be replaced by itself", function()
    local function bucket(path)
      return { Type = "AWS::IAM::Role", Properties = { RoleName = "fixed", Path = path,
        AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = {} } } }
    end
    local named = { Capabilities = { "CAPABILITY_NAMED_IAM" } }
    w:create("demo", { R = bucket "/a/" }, named)
    update({ R = bucket "/b/" }, named)
    assert.equal("CloudFormation cannot update a stack when a custom-named resource requires replacing. "
      .. "Rename fixed and update the stack again.", w:reason("demo", "R", "UPDATE_FAILED"))
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("6.4: an export that is imported can neither change nor go", function()
    local function exporter(value)
      return { A = topic "a" }, { Outputs = { O = { Value = value, Export = { Name = "shared" } } } }
    end
    local resources, sections = exporter "one"
    w:create("demo", world.template(resources, sections))
    w:create("user", { B = world.topic { DisplayName = { ["Fn::ImportValue"] = "shared" } } })
    local _, changed = exporter "two"
    update(resources, { sections = changed })
    assert.equal("Export shared cannot be updated as it is in use by user",
      w:reason("demo", "demo", "UPDATE_ROLLBACK_IN_PROGRESS"))
    update { A = topic("a", "x") }
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    assert.equal(1, #w.cfn:list_exports({}).Exports)
  end)

  it("1.2: states that cannot be updated say so", function()
    w:create("demo", { A = topic "a" }, nil, 1)
    assert.truthy(world.refusal(update, { A = topic "b" }, nil, 0):match(
      "^ValidationError: Stack:arn:.* is in CREATE_IN_PROGRESS state and can not be updated%.$"))
    assert.equal("ValidationError: Stack [nobody] does not exist",
      world.refusal(w.cfn.update_stack, w.cfn, { StackName = "nobody", TemplateBody = "{}" }))
  end)
end)
