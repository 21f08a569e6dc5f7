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
    w:create("demo", { A = bucket "a", T = world.topic { DisplayName = "x" } })
    assert.equal("NOT_CHECKED", w:stack("demo").DriftInformation.StackDriftStatus)
    assert.equal("IN_SYNC", detect("demo").StackDriftStatus)
    assert.equal("IN_SYNC", w:stack("demo").DriftInformation.StackDriftStatus)
    assert.equal("IN_SYNC", drifts("demo").A.StackResourceDriftStatus)
  end)

  it("is what another call changed or deleted", function()
    w = world.open()
    w:create("demo", { A = bucket "a", B = bucket "b" })
    local s3 = w:client "s3"
    s3:put_bucket_versioning { Bucket = "a", VersioningConfiguration = { Status = "Suspended" } }
    s3:delete_bucket { Bucket = "b" }
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
