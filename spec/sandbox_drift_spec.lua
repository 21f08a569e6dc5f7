-- Drift: what the template says against what is there.

local world = require "spec.sandbox_world"

describe("drift in the sandbox", function()
  local w
  after_each(function() w:close() end)

  local function detect(name)
    local id = w.cfn:detect_stack_drift({ StackName = name }).StackDriftDetectionId
    assert.equal("DETECTION_IN_PROGRESS",
      w.cfn:describe_stack_drift_detection_status({ StackDriftDetectionId = id }).DetectionStatus)
    world.sleep(60)
    local status = w.cfn:describe_stack_drift_detection_status { StackDriftDetectionId = id }
    assert.equal("DETECTION_COMPLETE", status.DetectionStatus)
    return status
  end

  local function drifts(name)
    local out = {}
    for _, each in ipairs(w.cfn:describe_stack_resource_drifts({ StackName = name }).StackResourceDrifts) do
      out[each.LogicalResourceId] = each
    end
    return out
  end

  local function bucket(name)
    return { Type = "AWS::S3::Bucket", Properties = { BucketName = name,
      VersioningConfiguration = { Status = "Enabled" } } }
  end

  it("is none right after a deployment", function()
    w = world.open()
    w:create("demo", { A = bucket "aaa", T = world.topic { DisplayName = "x" } })
    assert.equal("NOT_CHECKED", w:stack("demo").DriftInformation.StackDriftStatus)
    assert.equal("IN_SYNC", detect("demo").StackDriftStatus)
    assert.equal("IN_SYNC", w:stack("demo").DriftInformation.StackDriftStatus)
    assert.equal("IN_SYNC", drifts("demo").A.StackResourceDriftStatus)
  end)

  it("is what another call changed or deleted", function()
    w = world.open()
    w:create("demo", { A = bucket "aaa", B = bucket "bbb" })
    local s3 = w:client "s3"
    s3:put_bucket_versioning { Bucket = "aaa", VersioningConfiguration = { Status = "Suspended" } }
    s3:delete_bucket { Bucket = "bbb" }
    assert.same({ "DRIFTED", 2 }, (function()
      local status = detect "demo"
      return { status.StackDriftStatus, status.DriftedStackResourceCount }
    end)())
    local found = drifts "demo"
    assert.same({ { PropertyPath = "/VersioningConfiguration/Status", ExpectedValue = "Enabled",
      ActualValue = "Suspended", DifferenceType = "NOT_EQUAL" } }, found.A.PropertyDifferences)
    assert.equal("DELETED", found.B.StackResourceDriftStatus)
    assert.equal(1, #w.cfn:describe_stack_resource_drifts({ StackName = "demo",
      StackResourceDriftStatusFilters = { "DELETED" } }).StackResourceDrifts)
    assert.equal("MODIFIED", w.cfn:detect_stack_resource_drift({ StackName = "demo", LogicalResourceId =
      "A" })
      .StackResourceDrift.StackResourceDriftStatus)
  end)

  it("happens as a scenario says", function()
    w = world.open { scenario = "drifted" }
    w:create("demo", { T = world.topic { DisplayName = "mine" } })
    assert.equal("DRIFTED", detect("demo").StackDriftStatus)
    assert.equal("changed by hand", drifts("demo").T.PropertyDifferences[1].ActualValue)
  end)

  it("is not looked for while something is going on", function()
    w = world.open()
    w:create("demo", { T = world.topic() }, nil, 1)
    assert.truthy(world.refusal(w.cfn.detect_stack_drift, w.cfn, { StackName = "demo" })
      :find("while it is in CREATE_IN_PROGRESS state", 1, true))
  end)
end)

describe("a drift-aware change set", function()
  local w, sqs

  local function queue(seconds, more)
    local properties = { VisibilityTimeout = seconds }
    for name, value in pairs(more or {}) do properties[name] = value end
    return { Type = "AWS::SQS::Queue", Properties = properties }
  end

  local function url_of(id)
    return w.cfn:describe_stack_resource({ StackName = "demo", LogicalResourceId = id })
      .StackResourceDetail.PhysicalResourceId
  end

  -- What somebody did to queue A in a hurry.
  local function meddle(seconds)
    sqs:set_queue_attributes { QueueUrl = url_of "A", Attributes = { VisibilityTimeout = seconds } }
  end

  local function seconds_of(id)
    return sqs:get_queue_attributes({ QueueUrl = url_of(id), AttributeNames = { "All" } }).Attributes.VisibilityTimeout
  end

  local function open(scenario)
    w = world.open { scenario = scenario }
    sqs = w:client "sqs"
    w:create("demo", { A = queue(30), B = queue(30) })
  end
  after_each(function() w:close() end)

  local function make(resources, with_values)
    local made = w.cfn:create_change_set { StackName = "demo", ChangeSetName = "set",
      TemplateBody = world.template(resources), DeploymentMode = "REVERT_DRIFT" }
    world.sleep(60)
    local set = w.cfn:describe_change_set { ChangeSetName = made.Id, IncludePropertyValues = with_values }
    local changes = {}
    for _, item in ipairs(set.Changes) do changes[item.ResourceChange.LogicalResourceId] = item.ResourceChange end
    return set, changes
  end

  local function execute()
    w.cfn:execute_change_set { StackName = "demo", ChangeSetName = "set" }
    world.sleep(3600)
    return w:status "demo"
  end

  it("brings a resource back to what the template says", function()
    open()
    meddle "60"
    local set, changes = make({ A = queue(30), B = queue(30) }, true)
    assert.same({ "CREATE_COMPLETE", "REVERT_DRIFT", "DRIFTED" },
      { set.Status, set.DeploymentMode, set.StackDriftStatus })
    local target = changes.A.Details[1].Target
    assert.same({ "Modify", "MODIFIED", "NoModification" },
      { changes.A.Action, changes.A.ResourceDriftStatus, changes.A.Details[1].ChangeSource })
    assert.same({ "60", "ACTUAL_STATE", "30", "TEMPLATE", "30" }, { target.BeforeValue, target.BeforeValueFrom,
      target.AfterValue, target.AfterValueFrom, target.Drift.PreviousValue })
    assert.is_nil(changes.B)
    assert.equal("UPDATE_COMPLETE", execute())
    assert.equal("30", seconds_of "A")
  end)

  it("shows no values to who did not ask for them", function()
    open()
    meddle "60"
    local _, changes = make { A = queue(30), B = queue(30) }
    local target = changes.A.Details[1].Target
    assert.same({ "VisibilityTimeout" }, { target.Name, target.BeforeValue, target.Drift, target.Path })
  end)

  it("makes again what was deleted", function()
    open()
    local before = url_of "A"
    sqs:delete_queue { QueueUrl = before }
    world.sleep(120)
    local _, changes = make { A = queue(30), B = queue(30) }
    assert.same({ "Add", "DELETED", before },
      { changes.A.Action, changes.A.ResourceDriftStatus, changes.A.PhysicalResourceId })
    assert.equal("UPDATE_COMPLETE", execute())
    assert.not_equal(before, url_of "A")
    assert.equal("30", seconds_of "A")
  end)

  it("takes over what is real when the template says so, and touches nothing", function()
    open()
    meddle "60"
    local _, changes = make({ A = queue(60), B = queue(30) }, true)
    assert.same({ "SyncWithActual", "SyncWithActual" },
      { changes.A.Action, changes.A.Details[1].Target.AttributeChangeType })
    local events = #w.cfn:describe_stack_events({ StackName = "demo" }).StackEvents
    assert.equal("UPDATE_COMPLETE", execute())
    assert.equal("60", seconds_of "A")
    for index, event in ipairs(w.cfn:describe_stack_events({ StackName = "demo" }).StackEvents) do
      if index > #w.cfn:describe_stack_events({ StackName = "demo" }).StackEvents - events then break end
      assert.not_equal("A", event.LogicalResourceId)
    end
    w.cfn:detect_stack_drift { StackName = "demo" }
    world.sleep(60)
    assert.equal("IN_SYNC", w:stack("demo").DriftInformation.StackDriftStatus)
  end)

  it("that fails goes back to what really was", function()
    open { resources = { { resource = "B", on = "update", fail = "no" } } }
    meddle "60"
    local last = queue(31)
    last.DependsOn = "A"
    make { A = queue(30), B = last }
    assert.equal("UPDATE_ROLLBACK_COMPLETE", execute())
    assert.equal("60", seconds_of "A")
  end)

  it("has nothing to do where nothing has drifted", function()
    open()
    local set = make { A = queue(30), B = queue(30) }
    assert.same({ "FAILED", "IN_SYNC" }, { set.Status, w:stack("demo").DriftInformation.StackDriftStatus })
    assert.truthy(set.StatusReason:find("didn't contain changes", 1, true))
  end)

  it("is for updates only, without nested ones", function()
    open()
    for _, input in ipairs { { StackName = "new", ChangeSetType = "CREATE" },
      { StackName = "demo", IncludeNestedStacks = true } } do
      input.ChangeSetName, input.TemplateBody, input.DeploymentMode = "set", world.template { A = queue(30) },
        "REVERT_DRIFT"
      assert.truthy(world.refusal(w.cfn.create_change_set, w.cfn, input):find("REVERT_DRIFT", 1, true))
    end
  end)
end)
