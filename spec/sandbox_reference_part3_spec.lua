-- Part 3 of the reference, change sets: a test for each row that is certain, over HTTP. What their changes say:
-- sandbox_reference_part3_changes_spec.lua.

local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE, OTHER, fails = rows.topic, rows.ONE, rows.OTHER, rows.fails
local refused, begin = rows.refused, rows.begin
local row = rows.by(it)

local CREATE = { ChangeSetType = "CREATE" }
local NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change "
  .. "set."

local function describe_set(w, id) return w.cfn:describe_change_set { ChangeSetName = id } end
local function listed(w) return #w.cfn:list_change_sets({ StackName = "demo" }).Summaries end

describe("3.1 a change set", function()
  row("is created in its time, and only then available", nil, function(w)
    local id = w.cfn:create_change_set({ StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = world.template(ONE) }).Id
    local first = describe_set(w, id)
    assert.truthy(first.Status:find "^CREATE_[PI]")
    assert.are.equal("UNAVAILABLE", first.ExecutionStatus)
    world.sleep(10)
    local second = describe_set(w, id)
    assert.are.same({ "CREATE_COMPLETE", "AVAILABLE" }, { second.Status, second.ExecutionStatus })
  end)

  row("is in progress while it is executed, then complete, or failed", fails "update", function(w)
    w:create("demo", ONE)
    local set = w:change_set("demo", OTHER)
    w:execute(set.ChangeSetId, nil, 0)
    assert.are.equal("EXECUTE_IN_PROGRESS", describe_set(w, set.ChangeSetId).ExecutionStatus)
    world.sleep(3600)
    assert.are.equal("EXECUTE_FAILED", describe_set(w, set.ChangeSetId).ExecutionStatus)
    local again = w:change_set("demo", OTHER)
    w:execute(again.ChangeSetId)
    assert.are.equal("EXECUTE_COMPLETE", describe_set(w, again.ChangeSetId).ExecutionStatus)
  end)

  row("that was executed is readable by its ARN for ever, and listed no more", nil, function(w)
    local set = w:change_set("demo", ONE, CREATE)
    w:execute(set.ChangeSetId)
    assert.are.equal(0, listed(w))
    w:delete "demo"
    assert.are.equal("EXECUTE_COMPLETE", describe_set(w, set.ChangeSetId).ExecutionStatus)
  end)

  row("that failed stays listed, one that was deleted does not", nil, function(w)
    w:create("demo", ONE)
    w:change_set("demo", ONE)
    assert.are.equal(1, listed(w))
    w.cfn:delete_change_set { StackName = "demo", ChangeSetName = "set" }
    assert.are.equal(0, listed(w))
  end)

  row("goes when another one is executed", nil, function(w)
    w:create("demo", ONE)
    local other = w:change_set("demo", OTHER, { ChangeSetName = "other" })
    w:execute(w:change_set("demo", OTHER).ChangeSetId)
    assert.are.same({ ("ChangeSetNotFound: ChangeSet [%s] does not exist"):format(other.ChangeSetId), 404 },
      { world.refusal(describe_set, w, other.ChangeSetId) })
  end)

  row("is obsolete when the stack was changed by something else", nil, function(w)
    w:create("demo", ONE)
    local set = w:change_set("demo", OTHER)
    w:update("demo", { A = topic "other" })
    assert.are.equal("OBSOLETE", describe_set(w, set.ChangeSetId).ExecutionStatus)
  end)

  row("is named by DescribeStacks once it was executed", nil, function(w)
    local set = w:change_set("demo", ONE, CREATE)
    assert.is_nil(w:stack "demo".ChangeSetId)
    w:execute(set.ChangeSetId)
    assert.are.equal(set.ChangeSetId, w:stack "demo".ChangeSetId)
  end)
end)

describe("3.2 CreateChangeSet", function()
  row("is for updates, unless it says otherwise, and gives both ids at once", nil, function(w)
    local id = w:create("demo", ONE)
    local answer = w.cfn:create_change_set { StackName = "demo", ChangeSetName = "set",
      TemplateBody = world.template(OTHER) }
    assert.are.equal(id, answer.StackId)
    assert.truthy(answer.Id:find "^arn:aws:cloudformation:us%-east%-1:123456789012:changeSet/set/%x+%-%x+%-4%x+%-")
  end)

  row("creates no stack that is there, by name or by a deleted one's id", nil, function(w)
    local id = w:create("demo", ONE)
    refused("Stack [demo] already exists and cannot be created again with the changeSet [set].",
      w.change_set, w, "demo", ONE, CREATE)
    w:delete "demo"
    refused(("Stack [%s] already exists and cannot be created again with the changeSet [set]."):format(id),
      w.change_set, w, id, ONE, CREATE)
  end)

  row("updates no stack that is missing, or deleted", nil, function(w)
    refused("Stack [demo] does not exist", w.change_set, w, "demo", ONE)
    local id = w:create("demo", ONE)
    w:delete "demo"
    refused(("Stack:%s is in DELETE_COMPLETE state and can not be updated."):format(id), w.change_set, w, id, ONE)
  end)

  for _, case in ipairs { { "CREATE_FAILED", fails "create" }, { "UPDATE_FAILED", fails "update" } } do
    row("is possible in " .. case[1] .. "; its execution needs DisableRollback", case[2], function(w)
      begin(w, case[1])
      local set = w:change_set("demo", OTHER)
      assert.truthy(world.refusal(w.execute, w, set.ChangeSetId):find("non-terminal [" .. case[1] .. "]", 1, true))
      w:execute(set.ChangeSetId, { DisableRollback = true })
      assert.are.equal("UPDATE_COMPLETE", w:status "demo")
    end)
  end

  row("has three types", nil, function(w)
    refused("1 validation error detected: Value 'NOPE' at 'changeSetType' failed to satisfy constraint: Member must "
      .. "satisfy enum value set: [IMPORT, UPDATE, CREATE]", w.change_set, w, "demo", ONE, { ChangeSetType = "NOPE" })
  end)

  row("refuses a name that is taken, also by one that failed", nil, function(w)
    w:create("demo", ONE)
    w:change_set("demo", ONE)
    assert.truthy(world.refusal(w.change_set, w, "demo", OTHER):find "^AlreadyExistsException: ChangeSet")
  end)

  row("finds a template's errors at once, and then leaves no stack", nil, function(w)
    for _, body in ipairs { "{", world.template { A = topic { Ref = "Nope" } } } do
      assert.truthy(world.refusal(w.change_set, w, "demo", body, CREATE):find "^ValidationError: ")
    end
    refused("Stack with id demo does not exist", w.stack, w, "demo")
  end)

  row("finds a transform's errors later", nil, function(w)
    local set = w:change_set("demo", world.template(ONE, { Transform = { Name = "AWS::Include",
      Parameters = { Location = "s3://doesnotexist/x" } } }), CREATE)
    assert.are.same({ "FAILED", "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist." },
      { set.Status, set.StatusReason })
  end)

  row("without changes fails, with no changes to show", nil, function(w)
    w:create("demo", ONE)
    local set = w:change_set("demo", ONE)
    assert.are.same({ "FAILED", "UNAVAILABLE", NO_CHANGES, 0 },
      { set.Status, set.ExecutionStatus, set.StatusReason, #set.Changes })
  end)

  local PARAMETER = { P = { Type = "AWS::SSM::Parameter::Value<String>", Default = "/x" } }

  row("is not without changes when an SSM parameter has another value", nil, function(w)
    local ssm = w:client "ssm"
    ssm:put_parameter { Name = "/x", Value = "one", Type = "String" }
    local body = world.template({ A = topic "a" }, { Parameters = PARAMETER })
    w:create("demo", body)
    ssm:put_parameter { Name = "/x", Value = "two", Type = "String", Overwrite = true }
    local set = w:change_set("demo", body)
    assert.are.same({ "CREATE_COMPLETE", "AVAILABLE", 0 }, { set.Status, set.ExecutionStatus, #set.Changes })
  end)

  row("needs the capabilities of IAM at once, and none for transforms", nil, function(w)
    local role = { R = { Type = "AWS::IAM::Role" } }
    assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
      (world.refusal(w.change_set, w, "demo", role, CREATE)))
    local extended = world.template(ONE, { Transform = "AWS::LanguageExtensions" })
    assert.are.equal("CREATE_COMPLETE", w:change_set("demo", extended, CREATE).Status)
  end)

  row("has OnStackFailure DELETE for creations only, and not with DisableRollback", nil, function(w)
    local set = w:change_set("demo", ONE, { ChangeSetType = "CREATE", OnStackFailure = "DELETE" })
    assert.are.equal("DELETE", set.OnStackFailure)
    assert.truthy(world.refusal(w.execute, w, set.ChangeSetId, { DisableRollback = true }))
    w:create("other", ONE)
    assert.truthy(world.refusal(w.change_set, w, "other", OTHER, { OnStackFailure = "DELETE" }))
  end)
end)

describe("3.2 nested stacks", function()
  local function parent(w, child, display)
    local s3 = w:client "s3"
    pcall(s3.create_bucket, s3, { Bucket = "templates" })
    s3:put_object { Bucket = "templates", Key = "c.json", Body = world.template(child) }
    return { T = topic(display), C = { Type = "AWS::CloudFormation::Stack",
      Properties = { TemplateURL = "https://templates.s3.amazonaws.com/c.json" } } }
  end

  local function change_of(set, id)
    for _, change in ipairs(set.Changes) do
      if change.ResourceChange.LogicalResourceId == id then return change.ResourceChange end
    end
  end

  row("are modified for all that is known, when they are not asked", nil, function(w)
    w:create("demo", parent(w, ONE, "old"))
    local set = w:change_set("demo", parent(w, ONE, "new"))
    local detail = change_of(set, "C").Details[1]
    assert.are.same({ "Modify", "Automatic", "Dynamic" },
      { change_of(set, "C").Action, detail.ChangeSource, detail.Evaluation })
  end)

  row("have sets of their own with IncludeNestedStacks, which know their parent and root", nil, function(w)
    w:create("demo", parent(w, ONE, "old"))
    local set = w:change_set("demo", parent(w, OTHER, "old"), { IncludeNestedStacks = true })
    local child = describe_set(w, change_of(set, "C").ChangeSetId)
    assert.are.same({ set.ChangeSetId, set.ChangeSetId, true },
      { child.ParentChangeSetId, child.RootChangeSetId, child.IncludeNestedStacks })
    assert.are.equal("Modify", change_of(child, "A").Action)
    w:execute(set.ChangeSetId)
    assert.are.equal("UPDATE_COMPLETE", w:status(child.StackId))
  end)

  row("that have nothing to change are no failure; when all have, nothing is to be updated", nil, function(w)
    w:create("demo", parent(w, ONE, "old"))
    local some = w:change_set("demo", parent(w, ONE, "new"), { IncludeNestedStacks = true })
    assert.are.equal("CREATE_COMPLETE", some.Status)
    local none = w:change_set("demo", parent(w, ONE, "old"), { IncludeNestedStacks = true, ChangeSetName = "none" })
    assert.are.same({ "FAILED", "No updates are to be performed." }, { none.Status, none.StatusReason })
  end)

  row("that fail, fail their parent's", nil, function(w)
    w:create("demo", parent(w, ONE, "old"))
    local set = w:change_set("demo", parent(w, { A = topic { Ref = "Nope" } }, "old"), { IncludeNestedStacks = true })
    assert.are.equal("FAILED", set.Status)
    assert.truthy(set.StatusReason:match("^Nested change set arn:aws:cloudformation:%S+:changeSet/%S+ was not "
      .. "successfully created: Currently in FAILED%.$"), set.StatusReason)
  end)
end)

describe("3.4", function()
  row("ExecuteChangeSet answers nothing, and begins by the user", nil, function(w)
    w:create("demo", ONE)
    assert.are.same({}, w.cfn:execute_change_set { ChangeSetName = w:change_set("demo", OTHER).ChangeSetId })
    assert.are.equal("User Initiated", w:reason("demo", "demo", "UPDATE_IN_PROGRESS"))
  end)

  row("ExecuteChangeSet of one that failed, or was executed, is refused with its status", nil, function(w)
    w:create("demo", ONE)
    local set = w:change_set("demo", ONE)
    local text, status = world.refusal(w.execute, w, set.ChangeSetId)
    assert.are.same({ ("InvalidChangeSetStatus: ChangeSet [%s] cannot be executed in its current status of [FAILED]")
      :format(set.ChangeSetId), 400 }, { text, status })
  end)

  row("what is not there is ChangeSetNotFound, as it was called", nil, function(w)
    w:create("demo", ONE)
    local arn = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/nope/11111111-2222-4333-8444-555555555555"
    for _, operation in ipairs { "describe_change_set", "execute_change_set" } do
      for _, name in ipairs { "nope", arn } do
        assert.are.same({ ("ChangeSetNotFound: ChangeSet [%s] does not exist"):format(name), 404 },
          { world.refusal(w.cfn[operation], w.cfn, { StackName = name == "nope" and "demo" or nil,
            ChangeSetName = name }) })
      end
    end
  end)

  row("a name needs its stack, which must exist", nil, function(w)
    for _, operation in ipairs { "describe_change_set", "execute_change_set", "delete_change_set" } do
      refused("StackName must be specified if ChangeSetName is not specified as an ARN.",
        w.cfn[operation], w.cfn, { ChangeSetName = "set" })
      refused("Stack [nope] does not exist", w.cfn[operation], w.cfn, { ChangeSetName = "set", StackName = "nope" })
    end
  end)

  row("DeleteChangeSet is no error when there is none, as long as the stack exists", nil, function(w)
    w:create("demo", ONE)
    assert.are.same({}, w.cfn:delete_change_set { StackName = "demo", ChangeSetName = "nope" })
  end)
end)

describe("3.5 an import", function()
  local function bucket(name)
    return { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain", Properties = { BucketName = name } }
  end

  local function importing(name)
    return { ChangeSetType = "IMPORT", ResourcesToImport = { { ResourceType = "AWS::S3::Bucket",
      LogicalResourceId = "B", ResourceIdentifier = { BucketName = name } } } }
  end

  local function started(w)
    w:client("s3"):create_bucket { Bucket = "there" }
    w:create("demo", ONE)
  end

  row("has the service's events", nil, function(w)
    started(w)
    local count = #w:events "demo"
    w:execute(w:change_set("demo", { A = ONE.A, B = bucket "there" }, importing "there").ChangeSetId)
    assert.are.same({ "demo IMPORT_IN_PROGRESS: User Initiated", "B IMPORT_IN_PROGRESS: Resource import started.",
      "B IMPORT_COMPLETE: Resource import completed.",
      "B UPDATE_IN_PROGRESS: Apply stack-level tags to imported resource if applicable.", "B UPDATE_COMPLETE",
      "demo IMPORT_COMPLETE" }, table.move(w:lines "demo", count + 1, #w:lines "demo", 1, {}))
  end)

  for text, more in pairs {
    Outputs = { sections = { Outputs = { O = { Value = "v" } } } },
    ["RoleArn, Tags"] = { Tags = { { Key = "k", Value = "v" } }, RoleARN = "arn:aws:iam::123456789012:role/cfn" },
  } do
    row("changes nothing else: [" .. text .. "]", nil, function(w)
      w:create("roles", { R = { Type = "AWS::IAM::Role", Properties = { RoleName = "cfn" } } },
        { Capabilities = { "CAPABILITY_NAMED_IAM" } })
      started(w)
      local input = importing "there"
      input.Tags, input.RoleARN = more.Tags, more.RoleARN
      refused("As part of the import operation, you cannot modify or add [" .. text .. "]", w.change_set, w, "demo",
        world.template({ A = ONE.A, B = bucket "there" }, more.sections), input)
    end)
  end

  row("names all that is new", nil, function(w)
    started(w)
    refused("Resources [N] is missing from ResourceToImport list", w.change_set, w, "demo",
      { A = ONE.A, B = bucket "there", N = topic "n" }, importing "there")
  end)

  row("is of at most 200 resources", nil, function(w)
    local input = importing "there"
    for i = 2, 201 do input.ResourcesToImport[i] = input.ResourcesToImport[1] end
    local text = world.refusal(w.change_set, w, "demo", ONE, input)
    assert.truthy(text:find "^ValidationError: 1 validation error detected: Value '%[{.LogicalResourceId")
  end)

  row("with ImportExistingResources takes over what has the name already", nil, function(w)
    w:client("s3"):create_bucket { Bucket = "there" }
    local set = w:change_set("demo", { B = bucket "there" },
      { ChangeSetType = "CREATE", ImportExistingResources = true })
    assert.are.equal("Import", set.Changes[1].ResourceChange.Action)
    w:execute(set.ChangeSetId)
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
  end)
end)
