-- Rules, transforms and dynamic references: reference parts 4.7, 6.1, 6.2 and 6.5.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local function topic(properties) return world.topic(properties) end

-- A resource's properties as its last event shows them.
local function properties(w, stack, logical)
  local out
  for _, event in ipairs(w:events(stack)) do
    if event.LogicalResourceId == logical then out = event.ResourceProperties or out end
  end
  return json.decode(out)
end

describe("a rule", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function with_rule(rule, value)
    return world.template({ A = topic {} }, { Rules = { R = rule },
      Parameters = { P = { Type = "String", Default = value }, Q = { Type = "String", Default = "prod" } } })
  end

  it("6.5: refuses a creation with its description", function()
    local rule = { Assertions = { { AssertDescription = "bootstrap again",
      Assert = { ["Fn::Not"] = { { ["Fn::Contains"] = { { "1", "2" }, { Ref = "P" } } } } } } } }
    assert.equal("ValidationError: Template constraint violation: bootstrap again",
      w:create_refusal(with_rule(rule, "2")))
    w:create("demo", with_rule(rule, "21"))
    assert.equal("CREATE_COMPLETE", w:status "demo")
  end)

  it("6.5: counts only when its condition holds", function()
    local rule = { RuleCondition = { ["Fn::Equals"] = { { Ref = "Q" }, "dev" } },
      Assertions = { { Assert = { ["Fn::EachMemberIn"] = { { { Ref = "P" } }, { "x" } } } } } }
    w:create("demo", with_rule(rule, "y"))
    assert.equal("CREATE_COMPLETE", w:status "demo")
    rule.RuleCondition["Fn::Equals"][2] = "prod"
    assert.equal("ValidationError: Template constraint violation: rule R does not hold",
      world.refusal(w.create, w, "second", with_rule(rule, "y")))
  end)
end)

describe("language extensions", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local EXPAND = { Capabilities = { "CAPABILITY_AUTO_EXPAND" } }

  local function extended(resources, sections)
    local all = { Transform = "AWS::LanguageExtensions" }
    for name, value in pairs(sections or {}) do all[name] = value end
    return world.template(resources, all)
  end

  it("say what a function lacks, also where one stands that they allow", function()
    local output = { O = { Value = { ["Fn::GetAtt"] = { { ["Fn::Sub"] = { Ref = "AWS::Region" } }, "TopicName" } } } }
    w.cfn:create_stack { StackName = "demo", TemplateBody = extended({ A = world.topic {} }, { Outputs = output }),
      Capabilities = EXPAND.Capabilities, OnFailure = "DO_NOTHING" }
    world.sleep(60)
    local stack = w.cfn:describe_stacks({ StackName = "demo" }).Stacks[1]
    assert.equal("CREATE_FAILED", stack.StackStatus)
    assert.matches("Fn::Sub intrinsic functions don't specify expected arguments", stack.StackStatusReason, 1, true)
  end)

  it("6.1: write loops out, in resources, properties and outputs, nested too", function()
    local template = extended({
      ["Fn::ForEach::Topics"] = { "Name", { Ref = "Names" }, {
        ["Topic${Name}"] = topic { TopicName = { ["Fn::Sub"] = "t-${Name}" } } } },
      ["Fn::ForEach::Outer"] = { "X", { "a", "b" }, { ["Fn::ForEach::Inner"] = { "Y", { "1", "2" }, {
        ["Q${X}${Y}"] = { Type = "AWS::SQS::Queue" } } } } },
    }, {
      Parameters = { Names = { Type = "CommaDelimitedList", Default = "One,Two" } },
      Outputs = { ["Fn::ForEach::Out"] = { "Name", { Ref = "Names" }, {
        ["Arn${Name}"] = { Value = { Ref = "Topic${Name}" } } } } },
    })
    w:create("demo", template, EXPAND)
    assert.equal(6, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
    assert.equal("arn:aws:sns:us-east-1:123456789012:t-Two", w:outputs("demo").ArnTwo)
    local processed = w.cfn:get_template({ StackName = "demo", TemplateStage = "Processed" }).TemplateBody
    assert.truthy(processed:find('"TopicOne"', 1, true))
    assert.truthy(w.cfn:get_template({ StackName = "demo" }).TemplateBody:find("ForEach", 1, true))
  end)

  it("6.1: give lengths, JSON and defaults of mappings", function()
    w:create("demo", extended({ A = topic {
      TopicName = { ["Fn::FindInMap"] = { "M", "none", "x", { DefaultValue = "fallback" } } },
      DisplayName = { ["Fn::ToJsonString"] = { n = { ["Fn::Length"] = { "a", "b" } } } } } },
      { Mappings = { M = { k = { x = "y" } } } }), EXPAND)
    local made = properties(w, "demo", "A")
    assert.equal("fallback", made.TopicName)
    assert.equal('{"n":"2"}', made.DisplayName)
  end)

  it("6.1: let a parameter choose the deletion policy", function()
    w:create("demo", extended({ A = { Type = "AWS::SNS::Topic", DeletionPolicy = { Ref = "Keep" } } },
      { Parameters = { Keep = { Type = "String", Default = "Retain" } } }), EXPAND)
    w:delete "demo"
    assert.equal("A DELETE_SKIPPED", (function()
      local id = w.cfn:list_stacks({}).StackSummaries[1].StackId
      for _, line in ipairs(w:lines(id)) do
        if line:find("DELETE_SKIPPED", 1, true) then return line end
      end
    end)())
  end)

  it("4.7: need a capability when there is no change set", function()
    assert.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
      w:create_refusal(extended { A = topic {} }))
    local id = w.cfn:create_change_set({ StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = extended { A = topic {} } }).Id
    world.sleep(60)
    assert.equal("CREATE_COMPLETE", w.cfn:describe_change_set({ ChangeSetName = id }).Status)
  end)

  it("6.1: say what is wrong with the call of a transform", function()
    for index, case in ipairs { { 5, "Key Name of transform definition must be a string." },
      { { Nam = "x" }, "Transforms defined as maps require Name key." } } do
      local name = "demo" .. index
      w:create(name, { A = topic { ["Fn::Transform"] = case[1] } }, EXPAND)
      assert.equal(case[2] .. ". Rollback requested by user.", w:reason(name, name, "ROLLBACK_IN_PROGRESS"))
    end
  end)

  it("6.1: say what is wrong with a loop", function()
    local body = { ["A${N}"] = topic {} }
    for index, loop in ipairs { { "N", { "a" } }, { "N", { { { "a" } } }, body } } do
      local name = "demo" .. index
      w:create(name, extended { ["Fn::ForEach::X"] = loop, A = topic {} }, EXPAND)
      assert.equal("Transform AWS::LanguageExtensions failed with: Fn::ForEach layout is incorrect. Rollback "
        .. "requested by user.", w:reason(name, name, "ROLLBACK_IN_PROGRESS"))
    end
  end)
end)

describe("a transform", function()
  it("of AWS that is not emulated is named", function()
    local w = world.open()
    local refusal = w:create_refusal(world.template({ A = topic {} }, { Transform = "AWS::SecretsManager-2020-07-23" }),
      { Capabilities = { "CAPABILITY_AUTO_EXPAND" } })
    assert.truthy(refusal:find("does not emulate", 1, true))
    w:close()
  end)

  it("whose parameters are not those of a function fails late", function()
    local w = world.open()
    local call = { Name = "Mine", Parameters = { ["Fn::Split"] = { "", "" } } }
    w.cfn:create_stack { StackName = "demo", Capabilities = { "CAPABILITY_AUTO_EXPAND" },
      TemplateBody = world.template { A = topic { DisplayName = { ["Fn::Transform"] = call } } } }
    world.sleep(60)
    assert.matches("every Fn::Split object requires two parameters", w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"),
      1, true)
    w:close()
  end)

  it("of a team's own is a macro, which the scenario answers; its failures are told late", function()
    local answers = {
      Good = function(request)
        request.fragment.Resources.Made = topic { DisplayName = request.params and "by a macro" }
        return { payload = { status = "success", fragment = request.fragment } }
      end,
      Bad = function() return { payload = { status = "failed", errorMessage = "no such wish" } } end,
      Mute = function() return { payload = { status = "failed" } } end,
      Odd = function() return { payload = {} } end,
      Text = function() return { payload = { status = "success", fragment = "text" } } end,
    }
    local w = world.open { scenario = { invoke = { ["*"] = function(payload, name)
      return answers[name](json.decode(payload))
    end } } }
    local resources = {}
    for name in pairs(answers) do
      resources[name] = { Type = "AWS::CloudFormation::Macro", Properties = { Name = name, FunctionName = name } }
    end
    w:create("macros", resources)
    local function created(name)
      w:create("with-" .. name, world.template({ A = topic {} }, { Transform = name }),
        { Capabilities = { "CAPABILITY_AUTO_EXPAND" } })
      return w:reason("with-" .. name, "with-" .. name, "ROLLBACK_IN_PROGRESS")
    end
    assert.is_nil(created "Good")
    assert.equal("by a macro", properties(w, "with-Good", "Made").DisplayName)
    local after = ". Rollback requested by user."
    assert.equal("Transform 123456789012::Bad failed with: no such wish" .. after, created "Bad")
    assert.equal("Transform 123456789012::Mute failed without an error message." .. after, created "Mute")
    assert.equal("Received malformed response from transform 123456789012::Odd" .. after, created "Odd")
    assert.equal("Template format error: unsupported structure." .. after, created "Text")
    assert.equal("No transform named 123456789012::None found." .. after, created "None")
    w:close()
  end)
end)

describe("AWS::Include", function()
  it("puts a part of S3 into the template, or says what is missing", function()
    local w = world.open()
    local s3 = w:client "s3"
    s3:create_bucket { Bucket = "parts" }
    s3:put_object { Bucket = "parts", Key = "tags.yml", Body = "DisplayName: from-s3\n" }
    local expand = { Capabilities = { "CAPABILITY_AUTO_EXPAND" } }
    local function template(location)
      return { A = topic { TopicName = "t", ["Fn::Transform"] = { Name = "AWS::Include",
        Parameters = { Location = location } } } }
    end
    w:create("demo", template "s3://parts/tags.yml", expand)
    assert.equal("from-s3", properties(w, "demo", "A").DisplayName)
    local calls = template "s3://parts/tags.yml"
    calls.A.Properties["Fn::Transform"] = { calls.A.Properties["Fn::Transform"] } -- a list of them
    w:delete "demo"
    w:create("list", calls, expand)
    assert.equal("from-s3", properties(w, "list", "A").DisplayName)
    local set = w:change_set("second", template "s3://doesnotexist/x", { ChangeSetType = "CREATE" })
    assert.same({ "FAILED", "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist." },
      { set.Status, set.StatusReason })
    w:close()
  end)
end)

describe("a dynamic reference", function()
  local w, ssm
  before_each(function()
    w = world.open()
    ssm = w:client "ssm"
    ssm:put_parameter { Name = "/x", Value = "one", Type = "String" }
    ssm:put_parameter { Name = "/secret", Value = "s", Type = "SecureString" }
  end)
  after_each(function() w:close() end)

  local function display(text) return { A = topic { DisplayName = text } } end

  it("6.2: to a parameter is read at each operation, and is a change by itself", function()
    w:create("demo", display "is {{resolve:ssm:/x}} and {{resolve:ssm:/x:1}}")
    local topics = w.sandbox.store:region("us-east-1").things["AWS::SNS::Topic"]
    local _, made = next(topics)
    assert.equal("is one and one", made.properties.DisplayName)
    ssm:put_parameter { Name = "/x", Value = "two", Overwrite = true }
    w.cfn:update_stack { StackName = "demo", UsePreviousTemplate = true }
    world.sleep(600)
    assert.equal("is two and one", made.properties.DisplayName)
    assert.equal("ValidationError: No updates are to be performed.", world.refusal(w.cfn.update_stack, w.cfn,
      { StackName = "demo", UsePreviousTemplate = true }))
  end)

  it("6.2: is refused when it is written wrongly or has no business there", function()
    local function refusal(text) return w:create_refusal(display(text)) end
    assert.equal("ValidationError: Incorrect format is used in the following SSM reference: "
      .. "[{{resolve:ssm:/x:prod}}]", refusal "{{resolve:ssm:/x:prod}}")
    assert.equal("ValidationError: Non-secure ssm prefix was used for secure parameter /secret",
      refusal "{{resolve:ssm:/secret}}")
    assert.equal("ValidationError: SSM Secure reference is not supported in: "
      .. "[AWS::SNS::Topic/Properties/DisplayName]", refusal "{{resolve:ssm-secure:/secret:1}}")
  end)

  it("6.2: to a secret fails its resource when there is none", function()
    w:client("secretsmanager"):create_secret { Name = "db", SecretString = '{"user":"u"}' }
    w:create("good", display "{{resolve:secretsmanager:db:SecretString:user}}")
    assert.equal("CREATE_COMPLETE", w:status "good")
    w:create("none", display "{{resolve:secretsmanager:nothing}}")
    assert.equal("Secrets Manager can't find the specified secret.", w:reason("none", "A", "CREATE_FAILED"))
    w:create("key", display "{{resolve:secretsmanager:db:SecretString:password}}")
    assert.equal("Could not find a value associated with JSONKey in SecretString",
      w:reason("key", "A", "CREATE_FAILED"))
  end)
end)
