-- Imports, property values of change sets, and roles: reference parts 3.3 and 3.5.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local function bucket(properties, policy)
  return { Type = "AWS::S3::Bucket", Properties = properties, DeletionPolicy = policy }
end

describe("an import in the sandbox", function()
  local w
  after_each(function() w:close() end)

  local function open(scenario)
    w = world.open { scenario = scenario }
    w:client("s3"):create_bucket { Bucket = "there" }
  end

  local function change_set(resources, input)
    local request = { StackName = "demo", ChangeSetName = "set", ChangeSetType = "IMPORT",
      TemplateBody = world.template(resources), ResourcesToImport = { { ResourceType = "AWS::S3::Bucket",
        LogicalResourceId = "B", ResourceIdentifier = { BucketName = "there" } } } }
    for member, value in pairs(input or {}) do request[member] = value end
    local id = w.cfn:create_change_set(request).Id
    world.sleep(60)
    return w.cfn:describe_change_set { ChangeSetName = id }
  end

  local function execute(set)
    w.cfn:execute_change_set { ChangeSetName = set.ChangeSetId }
    world.sleep(3600)
  end

  local IMPORTED = { B = bucket({ BucketName = "there" }, "Retain") }

  it("3.5: takes a thing over, with the events of the service", function()
    open()
    local set = change_set(IMPORTED)
    local change = set.Changes[1].ResourceChange
    assert.same({ "Import", "there" }, { change.Action, change.PhysicalResourceId })
    execute(set)
    assert.same({
      "demo REVIEW_IN_PROGRESS: User Initiated", "demo IMPORT_IN_PROGRESS: User Initiated",
      "B IMPORT_IN_PROGRESS: Resource import started.", "B IMPORT_COMPLETE: Resource import completed.",
      "B UPDATE_IN_PROGRESS: Apply stack-level tags to imported resource if applicable.", "B UPDATE_COMPLETE",
      "demo IMPORT_COMPLETE" }, w:lines "demo")
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template {
      B = bucket({ BucketName = "there", VersioningConfiguration = { Status = "Enabled" } }, "Retain") } }
    world.sleep(600)
    assert.equal("Enabled", w:client("s3"):get_bucket_versioning({ Bucket = "there" }).Status)
  end)

  it("1.2: that fails is rolled back, or is stuck", function()
    open { resources = { { resource = "B", on = "import", fail = "no" } } }
    execute(change_set(IMPORTED))
    assert.equal("IMPORT_ROLLBACK_COMPLETE", w:status "demo")
    w:close()
    open { resources = { { resource = "B", on = "import", fail = "no" },
      { resource = "B", on = "rollback", fail = "no" } } }
    execute(change_set(IMPORTED))
    assert.equal("IMPORT_ROLLBACK_FAILED", w:status "demo")
  end)

  it("3.5: changes nothing else and adds nothing else", function()
    open()
    assert.equal("ValidationError: Resources [T] is missing from ResourceToImport list",
      world.refusal(change_set, { B = IMPORTED.B, T = world.topic() }))
    assert.truthy(world.refusal(change_set, { B = bucket { BucketName = "there" } })
      :find("must have a DeletionPolicy: [B]", 1, true))
    assert.truthy(world.refusal(change_set, { B = bucket({ BucketName = "none" }, "Retain") }, {
      ResourcesToImport = { { ResourceType = "AWS::S3::Bucket", LogicalResourceId = "B",
        ResourceIdentifier = { BucketName = "none" } } } }):find("none of type AWS::S3::Bucket does not "
          .. "exist", 1,
      true))
    assert.equal("ValidationError: As part of the import operation, you cannot modify or add [Outputs]",
      world.refusal(change_set, {}, { TemplateBody = world.template(IMPORTED,
        { Outputs = { O = { Value = "x" } } }) }))
  end)

  it("3.5: may be part of a creation, for what has the name that the template gives", function()
    open()
    local set = change_set({ B = bucket { BucketName = "there" }, T = world.topic() },
      { ChangeSetType = "CREATE", ImportExistingResources = true, ResourcesToImport = {} })
    execute(set)
    assert.equal("CREATE_COMPLETE", w:status "demo")
    assert.is_true(set.ImportExistingResources)
  end)
end)

describe("a change set with property values", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function changes(resources, sections, input)
    local request = { StackName = "demo", ChangeSetName = "set",
      TemplateBody = world.template(resources, sections) }
    for member, value in pairs(input or {}) do request[member] = value end
    local id = w.cfn:create_change_set(request).Id
    world.sleep(60)
    local out = {}
    for _, change in ipairs(w.cfn:describe_change_set({ ChangeSetName = id, IncludePropertyValues = true })
      .Changes) do
      out[change.ResourceChange.LogicalResourceId] = change.ResourceChange
    end
    return out
  end

  it("3.3: shows them before and after", function()
    local function topic(name, display) return world.topic { TopicName = name, DisplayName = display } end
    w:create("demo", { A = topic("a", "old"), R = topic "r",
      Same = world.topic { DisplayName = { ["Fn::GetAtt"] = { "A", "TopicName" } } },
      Dependent = world.topic { DisplayName = { Ref = "R" } } })
    local all = changes { A = topic("a", "new"), R = topic "r2",
      Same = world.topic { DisplayName = { ["Fn::GetAtt"] = { "A", "TopicName" } } },
      Dependent = world.topic { DisplayName = { Ref = "R" } } }
    assert.same({ Attribute = "Properties", Name = "DisplayName", RequiresRecreation = "Never",
      Path = "/Properties/DisplayName", BeforeValue = "old", AfterValue = "new", AttributeChangeType =
        "Modify" },
      all.A.Details[1].Target)
    assert.equal("old", json.decode(all.A.BeforeContext).Properties.DisplayName)
    assert.is_nil(all.Same)
    assert.equal("{{changeSet:KNOWN_AFTER_APPLY}}", all.Dependent.Details[1].Target.AfterValue)
  end)

  it("3.3: masks secrets", function()
    local sections = { Parameters = { P = { Type = "String", NoEcho = "true" } } }
    local resources = { A = world.topic { DisplayName = { Ref = "P" } } }
    w:create("demo", world.template(resources, sections),
      { Parameters = { { ParameterKey = "P", ParameterValue = "hush" } } })
    resources.A.Properties.TopicName = "new"
    local all = changes(resources, sections, { Parameters = { { ParameterKey = "P", UsePreviousValue =
      true } } })
    assert.is_nil(json.encode(all):find("hush", 1, true))
    assert.truthy(all.A.AfterContext:find("****", 1, true))
  end)
end)

describe("a role of a stack", function()
  it("can be taken on, and only when it is there", function()
    local w = world.open()
    w:create("demo", { R = { Type = "AWS::IAM::Role", Properties = { RoleName = "deployer",
      AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = {} } } } },
      { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    local sts = w:client "sts"
    local taken = sts:assume_role { RoleArn = "arn:aws:iam::123456789012:role/deployer", RoleSessionName =
      "me" }
    local as_role = w:client("sts", { credentials = { access_key = taken.Credentials.AccessKeyId,
      secret_key = taken.Credentials.SecretAccessKey, session_token = taken.Credentials.SessionToken } })
    assert.equal("arn:aws:sts::123456789012:assumed-role/deployer/me", as_role:get_caller_identity({}).Arn)
    local text, status = world.refusal(sts.assume_role, sts,
      { RoleArn = "arn:aws:iam::123456789012:role/none", RoleSessionName = "me" })
    assert.equal(403, status)
    assert.truthy(text:find("is not authorized to perform: sts:AssumeRole on resource: arn", 1, true))
    w:close()
  end)
end)
