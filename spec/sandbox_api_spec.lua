-- The sandbox's API: who may call, what a request must be, what answers look like. Names begin with the part
-- of the reference that they hold to.
local json = require "tap.core.json"
local models = require "tap.core.model"
local proc = require "tap.core.proc"
local world = require "spec.sandbox_world"

local topic = world.topic

describe("a caller", function()
  local w
  setup(function() w = world.open { access_keys = { test = "test", AKIDOTHER = "other-secret" } } end)
  teardown(function() w:close() end)

  local function call(credentials)
    local sts = w:client("sts", { credentials = credentials })
    return sts:get_caller_identity()
  end

  it("is who its key says", function()
    assert.are.equal("arn:aws:iam::123456789012:user/test",
      call({ access_key = "test", secret_key = "test" }).Arn)
    local other = call { access_key = "AKIDOTHER", secret_key = "other-secret" }
    assert.are.equal("123456789012", other.Account)
    assert.are.equal("arn:aws:iam::123456789012:user/AKIDOTHER", other.Arn)
  end)

  it("4.8 is refused with a wrong secret", function()
    local refusal, status = world.refusal(call, { access_key = "test", secret_key = "wrong" })
    assert.truthy(refusal:find("SignatureDoesNotMatch: The request signature we calculated does not match "
      .. "the signature you provided. Check your AWS Secret Access Key and signing method.", 1, true))
    assert.are.equal(403, status)
  end)

  it("4.8 is refused with an unknown key", function()
    local refusal, status = world.refusal(call, { access_key = "AKIDUNKNOWN", secret_key = "test" })
    assert.are.equal("InvalidClientTokenId: The security token included in the request is invalid.", refusal)
    assert.are.equal(403, status)
  end)

  it("4.8 is refused without a signature, and 4.1 every answer has a request id", function()
    local out = proc.run {
      "curl", "-s", "-i", w.sandbox.url, "-d", "Action=DescribeStacks&Version=2010-05-15",
    }.out
    assert.truthy(out:match "^HTTP/1.1 403")
    assert.truthy(out:match "<Code>MissingAuthenticationToken</Code>")
    local id = out:match "[Xx]%-[Aa]mzn%-[Rr]equest[Ii]d: (%x+%-%x+%-4%x+%-%x+%-%x+)"
    assert.truthy(id)
    assert.are.equal(id, out:match "<RequestId>(.-)</RequestId>")
  end)
end)

describe("a request", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("to an operation that is not emulated is told so, by name", function()
    local refusal, status = world.refusal(w.cfn.list_types, w.cfn, {})
    assert.are.equal("NotImplemented: The sandbox does not emulate cloudformation ListTypes.", refusal)
    assert.are.equal(501, status)
  end)

  it("to a service that is not emulated is told so, by name, in the form that its clients read", function()
    local mq = w:client "elasticache"
    local refusal = world.refusal(mq.describe_cache_clusters, mq, {})
    assert.truthy(refusal:find("^NotImplemented: The sandbox does not emulate elasticache "))
    local out = proc.run {
      "curl", "-s", "--aws-sigv4", "aws:amz:us-east-1:athena", "-u", "test:test", w.sandbox.url, "-d", "{}",
      "-H", "X-Amz-Target: AmazonAthena.ListWorkGroups",
    }.out
    assert.are.same({ __type = "NotImplemented",
      message = "The sandbox does not emulate athena AmazonAthena.ListWorkGroups." }, json.decode(out))
  end)

  it("4.8 to an operation that there is not is refused; a client may sign by the machine's time", function()
    local out = proc.run {
      "curl", "-s", "--aws-sigv4", "aws:amz:us-east-1:cloudformation", "-u", "test:test", w.sandbox.url, "-d",
      "Action=Foo&Version=2010-05-15",
    }.out
    assert.truthy(out:find("<Code>InvalidAction</Code>", 1, true), out)
    assert.truthy(out:find("Could not find operation Foo for version 2010-05-15", 1, true), out)
  end)

  -- { member, value, text }
  local CONSTRAINTS = {
    { "StackName", "1bad", "Value '1bad' at 'stackName' failed to satisfy constraint: Member must satisfy "
      .. "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*" },
    { "StackName", ("a"):rep(129), "Value '" .. ("a"):rep(129) .. "' at 'stackName' failed to satisfy "
      .. "constraint: Member must have length less than or equal to 128" },
    { "OnFailure", "PANIC", "Value 'PANIC' at 'onFailure' failed to satisfy constraint: Member must satisfy "
      .. "enum value set: [DO_NOTHING, ROLLBACK, DELETE]" },
    { "ClientRequestToken", "-x", "Value '-x' at 'clientRequestToken' failed to satisfy constraint: Member "
      .. "must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*" },
    { "RollbackConfiguration", { MonitoringTimeInMinutes = 181 }, "Value '181' at "
      .. "'rollbackConfiguration.monitoringTimeInMinutes' failed to satisfy constraint: Member must have "
      .. "value less than or equal to 180" },
  }

  for _, case in ipairs(CONSTRAINTS) do
    it("4.3 keeps to the model: " .. case[1], function()
      local input = { StackName = "demo", TemplateBody = "x" }
      input[case[1]] = case[2]
      assert.are.equal("ValidationError: 1 validation error detected: " .. case[3],
        world.refusal(w.cfn.create_stack, w.cfn, input))
    end)
  end

  it("4.3 is told every constraint that it breaks", function()
    local refusal = world.refusal(w.cfn.create_stack, w.cfn,
      { StackName = "1", TemplateBody = "x", OnFailure = "PANIC" })
    assert.truthy(refusal:find("^ValidationError: 2 validation errors detected: Value '1' at 'stackName' "
      .. ".*; Value 'PANIC'"))
  end)

  it("4.3 has at most 51200 bytes of template", function()
    local refusal = world.refusal(w.cfn.create_stack, w.cfn,
      { StackName = "demo", TemplateBody = ("x"):rep(51201) })
    assert.truthy(refusal:find("^ValidationError: 1 validation error detected: Value 'xxx"))
  end)

  -- { input of CreateStack besides the name, text }
  local CROSS = {
    { {}, "Either Template URL or Template Body must be specified." },
    { { TemplateBody = "x", TemplateURL = "https://x" }, "You cannot specify both Template Body and "
      .. "Template URL" },
    { { TemplateURL = "ftp://x" }, "TemplateURL must be a supported URL." },
    { { TemplateBody = world.template { T = topic() }, OnFailure = "DELETE", DisableRollback = true },
      "Either DisableRollback or OnFailure can be specified, not both." },
    { { TemplateBody = world.template { T = topic() }, Tags = { { Key = "aws:x", Value = "1" } } },
      '"aws:" prefixed tag key names are not allowed for external use.' },
    { { TemplateBody = world.template { T = topic() }, ResourceTypes = { "AWS::EC2::*" } },
      "Resource type AWS::SNS::Topic is not allowed by parameter ResourceTypes [AWS::EC2::*]" },
  }

  for _, case in ipairs(CROSS) do
    it("4.3 " .. case[2], function()
      case[1].StackName = "demo"
      assert.are.equal("ValidationError: " .. case[2], world.refusal(w.cfn.create_stack, w.cfn, case[1]))
    end)
  end

  -- { operation, input, text }
  local MISSING = {
    { "describe_stacks", {}, "Stack with id %s does not exist" },
    { "get_template", {}, "Stack with id %s does not exist" },
    { "get_template_summary", {}, "Stack with id %s does not exist" },
    { "describe_stack_events", {}, "Stack [%s] does not exist" },
    { "describe_stack_resource", { LogicalResourceId = "A" }, "Stack '%s' does not exist" },
    { "describe_stack_resources", {}, "Stack with id %s does not exist" },
    { "list_stack_resources", {}, "Stack with id %s does not exist" },
    { "update_termination_protection", { EnableTerminationProtection = true }, "Stack [%s] does not exist" },
  }

  for _, case in ipairs(MISSING) do
    it("4.2 says in its own way that a stack does not exist: " .. case[1], function()
      local input = { StackName = "nobody" }
      for member, value in pairs(case[2]) do input[member] = value end
      assert.are.equal("ValidationError: " .. case[3]:format("nobody"),
        world.refusal(w.cfn[case[1]], w.cfn, input))
    end)
  end

  it("4.2 says that a resource does not exist, by the stack as it was named", function()
    local id = w:create("demo", { T = topic() })
    for _, name in ipairs { "demo", id } do
      assert.are.equal("ValidationError: Resource X does not exist for stack " .. name,
        world.refusal(w.cfn.describe_stack_resource, w.cfn, { StackName = name, LogicalResourceId = "X" }))
    end
  end)

  it("4.2 finds no resource that was rolled back", function()
    w:create("owner", { T = topic { TopicName = "taken" } })
    w:create("demo", { T = topic { TopicName = "taken" } })
    assert.are.equal("ValidationError: Resource T does not exist for stack demo",
      world.refusal(w.cfn.describe_stack_resource, w.cfn, { StackName = "demo", LogicalResourceId = "T" }))
  end)

  it("4.2 an export that nobody imports is no list", function()
    assert.are.equal("ValidationError: Export 'n' is not imported by any stack.",
      world.refusal(w.cfn.list_imports, w.cfn, { ExportName = "n" }))
  end)

  it("9.6 with the same token is the same operation", function()
    local input = { ClientRequestToken = "t1" }
    local id = w:create("demo", { T = topic() }, input)
    assert.are.equal(id, w:create("demo", { T = topic() }, input))
    assert.are.equal(1, #w.cfn:list_stacks().StackSummaries)
    assert.truthy(world.refusal(w.create, w, "other", { T = topic() },
      input):find("^TokenAlreadyExistsException: "))
  end)

  it("4.4 for a name that is taken is refused", function()
    w:create("demo", { T = topic() }, nil, 0)
    assert.are.equal("AlreadyExistsException: Stack [demo] already exists", w:create_refusal({ T = topic() }))
  end)

  it("knows stacks by region", function()
    w:create("demo", { T = topic { TopicName = "same" } })
    local west = w:client("cloudformation", { region = "eu-west-1" })
    assert.are.equal(0, #west:describe_stacks().Stacks)
    local id = west:create_stack({ StackName = "demo",
      TemplateBody = world.template { T = topic { TopicName = "same" } } })
    assert.truthy(id.StackId:match "^arn:aws:cloudformation:eu%-west%-1:")
    world.sleep(600)
    assert.are.equal("CREATE_COMPLETE", west:describe_stacks({ StackName = "demo" }).Stacks[1].StackStatus)
  end)
end)

describe("an answer", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("9.2 a stack has what is always there, and the rest only if set", function()
    w:create("demo", { T = topic() })
    local stack = w:stack "demo"
    assert.are.same({ {}, {}, {}, false, false, { StackDriftStatus = "NOT_CHECKED" } },
      { stack.NotificationARNs, stack.RollbackConfiguration, stack.Tags, stack.DisableRollback,
        stack.EnableTerminationProtection, stack.DriftInformation })
    for _, absent in ipairs { "Capabilities", "Parameters", "Outputs", "Description", "LastUpdatedTime",
      "ChangeSetId",
      "RoleARN", "TimeoutInMinutes", "ParentId", "RootId", "StackStatusReason", "DeletionTime" } do
      assert.is_nil(stack[absent], absent)
    end
    local uuid = stack.StackId:match "^arn:aws:cloudformation:us%-east%-1:123456789012:stack/demo/(.*)$"
    assert.truthy(uuid:match "^%x+%-%x+%-1%x+%-%x+%-%x+$")
  end)

  it("9.2 the reason is the user's while an operation is at work", function()
    w:create("demo", { T = topic() }, nil, 5)
    assert.are.equal("User Initiated", w:stack("demo").StackStatusReason)
  end)

  it("9.2 resources are shown in three ways", function()
    local id = w:create("demo", [[{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Metadata": {"a": "b"}}}}]])
    local member = w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources[1]
    local detail = w.cfn:describe_stack_resource({ StackName = "demo",
      LogicalResourceId = "T" }).StackResourceDetail
    local summary = w.cfn:list_stack_resources({ StackName = "demo" }).StackResourceSummaries[1]
    for _, view in ipairs { member, detail, summary } do
      assert.are.equal("T CREATE_COMPLETE", view.LogicalResourceId .. " " .. view.ResourceStatus)
      assert.are.same({ StackResourceDriftStatus = "NOT_CHECKED" }, view.DriftInformation)
    end
    assert.are.same({ id, id }, { member.StackId, detail.StackId })
    assert.are.same({ member.Timestamp, member.Timestamp },
      { detail.LastUpdatedTimestamp, summary.LastUpdatedTimestamp })
    assert.are.equal([[{"a":"b"}]], detail.Metadata)
    local owner = w.cfn:describe_stack_resources { PhysicalResourceId = member.PhysicalResourceId }
    assert.are.equal("demo", owner.StackResources[1].StackName)
  end)

  it("9.3 events, stacks, resources and exports come in pages", function()
    local resources, outputs = {}, {}
    for i = 1, 120 do
      resources["R" .. i] = { Type = "AWS::SSM::Parameter" }
      outputs["O" .. i] = { Value = "v", Export = { Name = "n" .. i } }
    end
    w:create("demo", world.template(resources, { Outputs = outputs }))
    local function pages(operation, input, list)
      local sizes, seen, token = {}, {}, nil
      repeat
        input.NextToken = token
        local page = w.cfn[operation](w.cfn, input)
        sizes[#sizes + 1] = #page[list]
        for _, element in ipairs(page[list]) do
          local key = element.EventId or element.LogicalResourceId or element.Name
          assert.is_nil(seen[key])
          seen[key] = true
        end
        token = page.NextToken
      until not token
      return sizes
    end
    assert.are.same({ 100, 100, 100, 62 },
      pages("describe_stack_events", { StackName = "demo" }, "StackEvents"))
    assert.are.same({ 100, 20 },
      pages("list_stack_resources", { StackName = "demo" }, "StackResourceSummaries"))
    assert.are.same({ 100, 20 }, pages("list_exports", {}, "Exports"))
    assert.are.equal(100, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
  end)

  it("9.3 a page that is just full is the last, from both ends", function()
    local paging = require "sandbox.services.paging"
    for _, from in ipairs { paging.forward, paging.newest_first } do
      local page, token = from({ 1, 2 }, nil, 2, "x")
      assert.are.same({ 2, nil }, { #page, token })
      page, token = from({ 1, 2, 3 }, nil, 2, "x")
      assert.are.equal(2, #page)
      page, token = from({ 1, 2, 3 }, token, 2, "x")
      assert.are.same({ 1, nil }, { #page, token })
    end
  end)

  it("9.3 a token of another list is refused", function()
    assert.truthy(world.refusal(w.cfn.list_exports, w.cfn,
      { NextToken = "c3RhY2tzOjE=" }):find("^ValidationError: "))
    assert.truthy(world.refusal(w.cfn.list_exports, w.cfn, { NextToken = "!" }):find("^ValidationError: "))
  end)

  it("5 ValidateTemplate lists parameters, without types", function()
    local answer = w.cfn:validate_template { TemplateBody = [[{"Description": "d", "Parameters": {
      "B": {"Type": "Number", "Default": 1}, "A": {"Type": "String", "NoEcho": true, "Description": "x"}},
      "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}]] }
    assert.are.same({
      Description = "d",
      Parameters = { { ParameterKey = "B", DefaultValue = "1", NoEcho = false },
        { ParameterKey = "A", NoEcho = true, Description = "x" } },
    }, answer)
  end)

  it("5 GetTemplate gives the text as it was sent, for deleted stacks by id", function()
    local body = '{ "Resources" : {"T": {"Type": "AWS::SNS::Topic"}} }'
    local id = w:create("demo", body)
    w:delete "demo"
    local answer = w.cfn:get_template { StackName = id }
    assert.are.same({ TemplateBody = body, StagesAvailable = { "Original", "Processed" } }, answer)
  end)

  it("5 GetTemplateSummary tells types and resources", function()
    local answer = w.cfn:get_template_summary { TemplateBody = [[{"Parameters": {"P": {"Type": "String",
      "AllowedValues": ["a"]}}, "Resources": {"A": {"Type": "AWS::SNS::Topic"},
      "Q": {"Type": "AWS::SQS::Queue"}, "B": {"Type": "AWS::SNS::Topic"}}}]] }
    assert.are.equal("2010-09-09", answer.Version)
    assert.are.same({ "AWS::SNS::Topic", "AWS::SQS::Queue" }, answer.ResourceTypes)
    assert.are.same({ "A", "B" }, answer.ResourceIdentifierSummaries[1].LogicalResourceIds)
    assert.are.same({ ParameterKey = "P", ParameterType = "String", NoEcho = false,
      ParameterConstraints = { AllowedValues = { "a" } } }, answer.Parameters[1])
  end)
end)

describe("the sandbox", function()
  it("answers InternalFailure when it fails itself, and goes on", function()
    local w = world.open()
    local operations = require("sandbox.services.cloudformation").operations
    local original, said = operations.ListExports, nil
    operations.ListExports = function() error("broken on purpose") end
    w.sandbox.world.report = function(message) said = message end
    local refusal, status = world.refusal(w.cfn.list_exports, w.cfn, {})
    operations.ListExports = original
    assert.truthy(refusal:find("^InternalFailure: "))
    assert.are.equal(500, status)
    assert.truthy(said:find("broken on purpose", 1, true))
    assert.are.equal(0, #w.cfn:list_exports().Exports)
    w:close()
  end)

  it("goes on when something that it does later fails", function()
    local w = world.open()
    local said
    w.sandbox.world.report = function(message) said = message end
    local validation = require "sandbox.engine.early_validation"
    local original = validation.check
    validation.check = function() error("broken on purpose") end
    w.cfn:create_change_set { StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = world.template { T = topic() } }
    world.sleep(60)
    validation.check = original
    assert.truthy(said:find("broken on purpose", 1, true))
    assert.are.equal(0, #w.cfn:list_exports().Exports)
    w:close()
  end)

  it("ends a stack in a failed state when its engine fails", function()
    local w = world.open()
    local said
    w.sandbox.world.report = function(message) said = message end
    local durations = require "sandbox.resources.durations"
    local original = durations.create
    durations.create = function() error("broken on purpose") end
    w:create("demo", { T = topic() })
    durations.create = original
    assert.are.equal("CREATE_FAILED", w:status "demo")
    assert.truthy(said:find("broken on purpose", 1, true))
    w:close()
  end)

  it("emulates only operations that its models have", function()
    local services = require "sandbox.services"
    for _, name in ipairs(services.names()) do
      local known = {}
      for _, operation in ipairs(models.load(name):operations()) do known[operation] = true end
      for operation in pairs(services.of(name).operations) do
        assert.is_true(known[operation], operation)
      end
    end
    assert.is_nil(services.of "athena")
  end)
end)
