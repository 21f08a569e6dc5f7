-- Events of one operation, and what is validated before anything is made: reference parts 1.9 and 2.7.

local world = require "spec.sandbox_world"

describe("DescribeEvents", function()
  local w
  after_each(function() w:close() end)

  local function topic(name) return world.topic { TopicName = name } end

  local function events(input)
    local out = {}
    for page in w.cfn:pages("describe_events", input) do
      for _, event in ipairs(page.OperationEvents) do out[#out + 1] = event end
    end
    return out
  end

  it("2.7: gives the latest operation of a stack, newest first", function()
    w = world.open()
    w:create("demo", { A = topic "a" })
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template { A = topic "b" } }
    world.sleep(600)
    local all = events { StackName = "demo" }
    assert.equal("UPDATE_STACK", all[1].OperationType)
    assert.same({ "STACK_EVENT", "SUCCEEDED", "UPDATE_COMPLETE" },
      { all[1].EventType, all[1].OperationStatus, all[1].ResourceStatus })
    assert.is_true(all[1].EndTime > all[1].StartTime)
    assert.same({ "STACK_EVENT", "IN_PROGRESS" }, { all[#all].EventType, all[#all].OperationStatus })
    assert.equal("PROGRESS_EVENT", all[3].EventType)
  end)

  it("2.7: tells the failures of an operation that was rolled back by its own id", function()
    w = world.open { scenario = { resources = { { resource = "A", on = "create", fail = "no room" } } } }
    w:create("demo", { A = topic "a" })
    assert.same({}, events { StackName = "demo", Filters = { FailedEvents = true } })
    local operations = w:stack("demo").LastOperations
    assert.same({ "ROLLBACK", "CREATE_STACK" }, { operations[1].OperationType, operations[2].OperationType })
    local failed = events { OperationId = operations[2].OperationId, Filters = { FailedEvents = true } }
    assert.same({ "PROVISIONING_ERROR", "no room" }, { failed[1].EventType, failed[1].ResourceStatusReason })
    assert.equal(1, #failed)
  end)
end)

describe("early validation", function()
  it("does not judge what nobody knows yet, or nobody is shown", function()
    local w = world.open()
    local function subnet(n) return { Type = "AWS::EC2::Subnet", Properties = { VpcId = { Ref = "V" },
      CidrBlock = ("10.0.%d.0/24"):format(n) } } end
    local set = w:change_set("demo", world.template({
      V = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16" } }, S1 = subnet(1), S2 = subnet(2),
      L = { Type = "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties = { Subnets = { { Ref = "S1" },
        { Ref = "S2" } } } },
      D = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceClass = "db.t3.small", Engine = "mysql",
        MasterUsername = { Ref = "User" } } },
    }, { Parameters = { User = { Type = "String", NoEcho = true } } }), { ChangeSetType = "CREATE",
      Parameters = { { ParameterKey = "User", ParameterValue = "admin" } } })
    assert.same({ "CREATE_COMPLETE" }, { set.Status, set.StatusReason })
    w:close()
  end)

  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function change_set(template, input)
    local request = { StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = template }
    for member, value in pairs(input or {}) do request[member] = value end
    local id = w.cfn:create_change_set(request).Id
    world.sleep(60)
    return w.cfn:describe_change_set { ChangeSetName = id }
  end

  local BROKEN = '{"Resources": {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlok": "x"}}}}'

  it("1.9: fails a change set for wrong properties, and says which", function()
    local set = change_set(BROKEN)
    assert.same({ "FAILED", "UNAVAILABLE" }, { set.Status, set.ExecutionStatus })
    assert.equal("The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To "
      .. "troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.",
      set.StatusReason)
    local event = w.cfn:describe_events({ ChangeSetName = set.ChangeSetId }).OperationEvents[2]
    assert.same({ "VALIDATION_ERROR", "FAIL", "#: extraneous key [CidrBlok] is not permitted",
      "/Resources/V/Properties", "CREATE_CHANGESET" }, { event.EventType, event.ValidationFailureMode,
      event.ValidationStatusReason, event.ValidationPath, event.OperationType })
  end)

  it("1.9: fails a change set for a name that is taken", function()
    w:create("other", { A = world.topic { TopicName = "taken" } })
    local set = change_set(world.template { A = world.topic { TopicName = "taken" } })
    assert.truthy(set.StatusReason:find("[AWS::EarlyValidation::ResourceExistenceCheck]", 1, true))
  end)

  it("1.9: is left out when the caller says so; what is not known yet is not judged", function()
    assert.equal("CREATE_COMPLETE", change_set(BROKEN, { DisableValidation = true }).Status)
    local set = change_set(world.template {
      V = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16" } },
      S = { Type = "AWS::EC2::Subnet", Properties = { VpcId = { Ref = "V" }, CidrBlock = "10.0.0.0/24" } },
    }, { StackName = "second" })
    assert.equal("CREATE_COMPLETE", set.Status)
  end)
end)

describe("DescribeStackEvents, asked again and again", function()
  local w
  after_each(function() w:close() end)

  local function page()
    local output, meta = w.cfn:describe_stack_events { StackName = "demo" }
    return output.StackEvents, meta.request_id
  end

  -- Enough events for pages that are not written and read anew while nothing happens.
  local function topics(name)
    local out = {}
    for i = 1, 12 do out["T" .. i] = world.topic { TopicName = name .. i } end
    return out
  end

  it("says the same under another request id while nothing happens", function()
    w = world.open()
    w:create("demo", topics "a")
    local first, first_id = page()
    first[1].ResourceStatus = "changed by who got it"
    local second, second_id = page()
    assert.equal("CREATE_COMPLETE", second[1].ResourceStatus)
    assert.equal(#first, #second)
    assert.not_equal(first_id, second_id)
  end)

  it("can be told not to be read anew unless it says something else", function()
    w = world.open()
    w:create("demo", topics "a")
    local _, first = w.cfn:describe_stack_events { StackName = "demo" }
    local again, second = w.cfn:describe_stack_events({ StackName = "demo" }, { unless = first.answer })
    assert.is_nil(again)
    assert.equal(first.answer, second.answer)
    assert.not_equal(first.request_id, second.request_id)
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template(topics "b") }
    local news, third = w.cfn:describe_stack_events({ StackName = "demo" }, { unless = first.answer })
    assert.equal("UPDATE_IN_PROGRESS", news.StackEvents[1].ResourceStatus)
    assert.not_equal(first.answer, third.answer)
    assert.error_matches(function() w.cfn:describe_stack_events({ StackName = "demo" }, { unles = 1 }) end, "unless")
  end)

  it("says what is new as soon as there is something", function()
    w = world.open()
    w:create("demo", topics "a")
    local before = page()
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template(topics "b") }
    local after = page()
    assert.equal("UPDATE_IN_PROGRESS", after[1].ResourceStatus)
    assert.not_equal(before[1].EventId, after[1].EventId)
  end)

  it("keeps the stacks and the regions apart", function()
    w = world.open()
    w:create("demo", topics "a")
    w:create("other", topics "c")
    for _ = 1, 2 do
      for _, name in ipairs { "demo", "other" } do
        assert.equal(name, w.cfn:describe_stack_events({ StackName = name }).StackEvents[1].StackName)
      end
    end
  end)
end)
