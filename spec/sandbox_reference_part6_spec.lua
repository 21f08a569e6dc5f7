-- Part 6 of the reference, the template language: a test for each row that is certain and that sandbox_template_spec
-- and sandbox_language_spec have not, over HTTP.

local json = require "tap.core.json"
local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE = rows.topic, rows.ONE
local refused, last = rows.refused, rows.last
local row = rows.by(it)

local EXPAND = { Capabilities = { "CAPABILITY_AUTO_EXPAND" } }

-- A resource's properties as its first event shows them.
local function made(w, name, id)
  for _, event in ipairs(w:events(name)) do
    if event.LogicalResourceId == id then return json.decode(event.ResourceProperties) end
  end
end

-- What a function gives, as a property of a custom resource.
local function value(w, node, sections, input)
  w:create("demo", world.template({ V = { Type = "Custom::V", Properties = { X = node } } }, sections), input)
  return made(w, "demo", "V").X
end

local function refuses(w, text, node, sections)
  refused(text, w.create, w, "demo", world.template({ V = { Type = "Custom::V", Properties = { X = node } },
    T = topic "t" }, sections), nil, 0)
end

local function output(node, more)
  return { Outputs = { O = { Value = node, Export = more } } }
end

describe("6.1 Ref", function()
  local PSEUDO = { AccountId = "123456789012", Region = "us-east-1", Partition = "aws", URLSuffix = "amazonaws.com",
    StackName = "demo" }

  for name, expected in pairs(PSEUDO) do
    row("of AWS::" .. name, nil, function(w) assert.are.equal(expected, value(w, { Ref = "AWS::" .. name })) end)
  end

  row("of AWS::StackId and AWS::NotificationARNs", nil, function(w)
    local arn = w:client("sns"):create_topic({ Name = "t" }).TopicArn
    local found = value(w, { { Ref = "AWS::StackId" }, { ["Fn::Join"] = { ",", { Ref = "AWS::NotificationARNs" } } } },
      nil, { NotificationARNs = { arn } })
    assert.are.same({ w:stack "demo".StackId, arn }, found)
  end)

  row("of AWS::NoValue removes a property, and an element of a list", nil, function(w)
    w:create("demo", { V = { Type = "Custom::V", Properties = { X = { Ref = "AWS::NoValue" },
      Y = { "a", { Ref = "AWS::NoValue" } } } } })
    assert.are.same({ Y = { "a" } }, made(w, "demo", "V"))
  end)

  row("of a resource is its physical id", nil, function(w)
    w:create("demo", world.template({ A = topic "a" }, output { Ref = "A" }))
    assert.are.equal(w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources[1].PhysicalResourceId,
      w:outputs "demo".O)
  end)
end)

describe("6.1 Fn::GetAtt", function()
  row("takes a text whose first dot splits, and a parameter for the attribute", nil, function(w)
    w:create("demo", world.template({ A = topic "a" }, {
      Parameters = { P = { Type = "String", Default = "TopicName" } },
      Outputs = { One = { Value = { ["Fn::GetAtt"] = "A.TopicName" } },
        Two = { Value = { ["Fn::GetAtt"] = { "A", { Ref = "P" } } } } } }))
    assert.are.equal(w:outputs "demo".One, w:outputs "demo".Two)
    assert.truthy(w:outputs "demo".One:find "^demo%-A%-")
  end)

  row("of a nested stack is its output; one that is not there fails", nil, function(w)
    local s3 = w:client "s3"
    s3:create_bucket { Bucket = "templates" }
    s3:put_object { Bucket = "templates", Key = "c", Body = world.template(ONE, output "from the child") }
    local child = { Type = "AWS::CloudFormation::Stack",
      Properties = { TemplateURL = "https://templates.s3.amazonaws.com/c" } }
    w:create("demo", world.template({ C = child }, output { ["Fn::GetAtt"] = { "C", "Outputs.O" } }))
    assert.are.equal("from the child", w:outputs "demo".O)
    w:create("other", world.template({ C = child }, output { ["Fn::GetAtt"] = { "C", "Outputs.Nope" } }))
    assert.are.equal("ROLLBACK_COMPLETE", w:status "other")
  end)

  row("of a custom resource is any key of its data", { custom = { ["*"] = function()
    return { Status = "SUCCESS", Data = { Any = "thing" } }
  end } }, function(w)
      w:create("demo", world.template({ C = { Type = "Custom::C" } }, output { ["Fn::GetAtt"] = { "C", "Any" } }))
      assert.are.equal("thing", w:outputs "demo".O)
    end)
end)

describe("6.1 a function", function()
  local LIST = { Parameters = { L = { Type = "CommaDelimitedList", Default = "a,b" } } }

  row("Sub must resolve to texts", nil, function(w)
    w:create("demo", world.template({ A = topic { ["Fn::Sub"] = "${L}" } }, LIST))
    assert.are.equal("Template error: variable L in Fn::Sub expression does not resolve to a string",
      w:reason("demo", "A", "CREATE_FAILED"))
  end)

  row("FindInMap has a default only with the language extensions", nil, function(w)
    local node = { ["Fn::FindInMap"] = { "M", "k", "nope", { DefaultValue = "d" } } }
    local sections = { Mappings = { M = { k = { a = "v" } } } }
    assert.truthy(world.refusal(value, w, node, sections):find "Fn::FindInMap")
    sections.Transform = "AWS::LanguageExtensions"
    assert.are.equal("d", value(w, node, sections, EXPAND))
  end)

  row("GetAZs of another region, and of none", nil, function(w)
    local found = value(w, { ["Fn::GetAZs"] = "eu-west-1" })
    assert.are.equal("eu-west-1a", found[1])
  end)

  row("Cidr gives consecutive blocks", nil, function(w)
    assert.are.same({ "10.0.0.0/24", "10.0.1.0/24" }, value(w, { ["Fn::Cidr"] = { "10.0.0.0/16", "2", "8" } }))
  end)

  row("Equals, And, Or, Not are refused with the wrong number of things", nil, function(w)
    local function with(node) return { Conditions = { C = node } } end
    refuses(w, "Template error: every Fn::Equals object requires a list of 2 string parameters.", "x",
      with { ["Fn::Equals"] = { "a", "b", "c" } })
    refuses(w, "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
      "x", with { ["Fn::Or"] = { { ["Fn::Equals"] = { "a", "b" } } } })
  end)

  row("that nobody knows is refused, with the list of those that are known", nil, function(w)
    local text = world.refusal(value, w, { ["Fn::Nope"] = "x" })
    assert.truthy(text:find("Template error: Encountered unsupported function: Fn::Nope Supported functions are: [Fn::",
      1, true), text)
  end)

  row("Fn::If may choose properties, outputs and metadata", nil, function(w)
    local function if_(a, b) return { ["Fn::If"] = { "C", a, b } } end
    w:create("demo", world.template({ A = topic(if_("yes", "no"), { Metadata = { M = if_("m", "n") } }) },
      { Conditions = { C = { ["Fn::Equals"] = { { Ref = "AWS::Region" }, "us-east-1" } } },
        Outputs = { O = { Value = if_("o", "p") } } }))
    assert.are.same({ "yes", "o" }, { made(w, "demo", "A").DisplayName, w:outputs "demo".O })
  end)

  row("of a condition refers to another condition", nil, function(w)
    assert.are.equal("no", value(w, { ["Fn::If"] = { "B", "yes", "no" } }, { Conditions = {
      A = { ["Fn::Equals"] = { "x", "x" } }, B = { ["Fn::Not"] = { { Condition = "A" } } } } }))
  end)
end)

describe("6.1 Fn::ImportValue", function()
  row("of what nobody exports fails a creation, and leads an update back, before any resource", nil, function(w)
    w:create("demo", ONE)
    w:update("demo", { A = topic { ["Fn::ImportValue"] = "nope" } })
    assert.are.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
    assert.are.equal("No export named nope found", w:reason("demo", "demo", "UPDATE_ROLLBACK_IN_PROGRESS"))
  end)

  for name, node in pairs { ["a resource"] = { Ref = "T" }, ["a zone"] = { ["Fn::Select"] = { "0",
    { ["Fn::GetAZs"] = "" } } }, ["an import"] = { ["Fn::ImportValue"] = "x" } } do
    row("does not depend on " .. name, nil, function(w)
      refuses(w, "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, "
        .. "or Fn::GetAZs", { ["Fn::ImportValue"] = node })
    end)
  end
end)

describe("6.1 the language extensions", function()
  local function extended(resources, sections)
    local all = { Transform = "AWS::LanguageExtensions" }
    for name, section in pairs(sections or {}) do all[name] = section end
    return world.template(resources, all)
  end

  row("have Fn::Length and Fn::ToJsonString", nil, function(w)
    w:create("demo", extended { V = { Type = "Custom::V", Properties = { N = { ["Fn::Length"] = { "a", "b" } },
      J = { ["Fn::ToJsonString"] = { k = "v" } } } } }, EXPAND)
    assert.are.same({ N = "2", J = '{"k":"v"}' }, made(w, "demo", "V"))
  end)

  row("have loops over resources, outputs and conditions, with names without what no name can have", nil, function(w)
    local body = [[{"Transform": "AWS::LanguageExtensions",
      "Conditions": {"Fn::ForEach::C": ["N", ["a-1", "b-2"], {"Is&{N}": {"Fn::Equals": ["${N}", "a-1"]}}]},
      "Resources": {"Fn::ForEach::R": ["N", ["a-1", "b-2"], {"T&{N}": {"Type": "AWS::SNS::Topic",
        "Properties": {"DisplayName": "${N}"}}}]},
      "Outputs": {"Fn::ForEach::O": ["N", ["a-1", "b-2"], {"O&{N}": {"Value": {"Fn::If": ["Is&{N}", "yes", "no"]}}}]}}]]
    w:create("demo", body, EXPAND)
    assert.are.equal("a-1", made(w, "demo", "Ta1").DisplayName)
    assert.are.same({ Oa1 = "yes", Ob2 = "no" }, w:outputs "demo")
  end)

  row("let names be functions", nil, function(w)
    w:create("demo", extended({ Aone = topic "x" }, { Parameters = { P = { Type = "String", Default = "one" } },
      Outputs = { O = { Value = { ["Fn::GetAtt"] = { { ["Fn::Sub"] = "A${P}" }, "TopicName" } } } } }), EXPAND)
    assert.truthy((w:outputs "demo".O or ""):find "^demo%-Aone%-")
  end)
end)

describe("6.1 a template in YAML", function()
  local function display(w, text)
    w:create("demo", "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: " .. text)
    return made(w, "demo", "A").DisplayName
  end

  for text, expected in pairs { ["true"] = "true", ["80"] = "80", ["2012-10-17"] = "2012-10-17",
    ["!Sub '${AWS::Region}'"] = "us-east-1", ["!Join ['-', [a, b]]"] = "a-b",
    ["!If [C, a, b]\nConditions: {C: !Equals [a, a]}"] = "a" } do
    row("gives texts: " .. text:match "^[^\n]*", nil, function(w) assert.are.equal(expected, display(w, text)) end)
  end

  row("may have anchors and aliases", nil, function(w)
    w:create("demo", "Resources:\n  A: &x\n    Type: AWS::SNS::Topic\n    Properties: {DisplayName: same}\n  B: *x\n")
    assert.are.equal("same", made(w, "demo", "B").DisplayName)
  end)

  row("may not have two short forms in a row", nil, function(w)
    assert.truthy(world.refusal(display, w, "!Base64 !Sub 'x'")
      :find("^ValidationError: Template format error: YAML not well%-formed"))
  end)
end)

describe("6.2 a dynamic reference", function()
  local function with_parameter(w, kind)
    w:client("ssm"):put_parameter { Name = "/x", Value = kind == "StringList" and "a , b" or "one",
      Type = kind or "String" }
  end

  -- What the topic of the stack "demo" is called.
  local function display_name(w)
    local arn = w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources[1].PhysicalResourceId
    return w:client("sns"):get_topic_attributes({ TopicArn = arn }).Attributes.DisplayName
  end

  row("may stand more than once in a text, and inside functions", nil, function(w)
    with_parameter(w)
    w:create("demo", { A = topic { ["Fn::Sub"] = "${AWS::Region}/{{resolve:ssm:/x}}-{{resolve:ssm:/x:1}}" } })
    assert.are.equal("us-east-1/one-one", display_name(w))
  end)

  row("to a list is the list as it was written", nil, function(w)
    with_parameter(w, "StringList")
    w:create("demo", { A = topic "{{resolve:ssm:/x}}" })
    assert.are.equal("a , b", display_name(w))
  end)

  row("may stand sixty times", nil, function(w)
    with_parameter(w)
    local list = {}
    for i = 1, 61 do list[i] = "{{resolve:ssm:/x}}" end
    assert.truthy(world.refusal(value, w, list):find "^ValidationError: ")
    list[61] = nil
    assert.are.equal(60, #value(w, list))
  end)

  row("is not resolved in outputs", nil, function(w)
    with_parameter(w)
    w:create("demo", world.template(ONE, output "{{resolve:ssm:/x}}"))
    assert.are.equal("{{resolve:ssm:/x}}", w:outputs "demo".O)
  end)

  row("without a version is no default of a parameter", nil, function(w)
    with_parameter(w)
    refused("Template error: parameter P should not contain ssm versionless resolver", w.create, w, "demo",
      world.template(ONE, { Parameters = { P = { Type = "String", Default = "{{resolve:ssm:/x}}" } } }), nil, 0)
  end)

  row("that is secure may stand only where the service allows it; without a version that is told late", nil, function(w)
    w:client("ssm"):put_parameter { Name = "/s", Value = "hush", Type = "SecureString" }
    local text = "SSM Secure reference is not supported in: [AWS::SNS::Topic/Properties/DisplayName]"
    refused(text, w.create, w, "demo", { A = topic "{{resolve:ssm-secure:/s:1}}" }, nil, 0)
    w:create("demo", { A = topic "{{resolve:ssm-secure:/s}}" })
    assert.are.equal(text .. ". Rollback requested by user.", w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
    w:create("db", { D = { Type = "AWS::RDS::DBInstance", Properties = { MasterUsername = "admin",
      MasterUserPassword = "{{resolve:ssm-secure:/s:1}}" } } })
    assert.are.equal("CREATE_COMPLETE", w:status "db")
  end)

  for name, case in pairs {
    ["a key that is not there"] = { '{"user":"u"}', ":SecretString:nope",
      "Could not find a value associated with JSONKey in SecretString" },
    ["a text that is no JSON"] = { "plain", ":SecretString:user", "Could not parse SecretString JSON" },
    ["a secret that is not there"] = { nil, "", "Secrets Manager can't find the specified secret." },
  } do
    row("to " .. name .. " fails its resource", nil, function(w)
      if case[1] then w:client("secretsmanager"):create_secret { Name = "s", SecretString = case[1] } end
      w:create("demo", { A = topic("{{resolve:secretsmanager:s" .. case[2] .. "}}") })
      assert.are.equal(case[3], w:reason("demo", "A", "CREATE_FAILED"))
    end)
  end

  row("to a secret is no change by itself", nil, function(w)
    local secrets = w:client "secretsmanager"
    secrets:create_secret { Name = "s", SecretString = "one" }
    local body = world.template { A = topic "{{resolve:secretsmanager:s}}" }
    w:create("demo", body)
    secrets:put_secret_value { SecretId = "s", SecretString = "two" }
    refused("No updates are to be performed.", w.update, w, "demo", body, nil, 0)
  end)
end)

describe("6.3 attributes of resources", function()
  row("DependsOn is a text or a list, and no function", nil, function(w)
    for _, text in ipairs { '"A"', '["A"]' } do
      w:create("demo", ([[{"Resources": {"A": {"Type": "AWS::SNS::Topic"},
        "B": {"Type": "AWS::SNS::Topic", "DependsOn": %s}}}]]):format(text))
      assert.are.equal("CREATE_COMPLETE", w:status "demo")
      w:delete "demo"
    end
    assert.truthy(w:create_refusal('{"Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": {"Ref": "X"}}}}')
      :find "DependsOn")
  end)

  row("Condition leaves a resource out, and lets it come and go", nil, function(w)
    local function with(text)
      return world.template({ A = topic "a", B = topic("b", { Condition = "C" }) },
        { Conditions = { C = { ["Fn::Equals"] = { text, "yes" } } } })
    end
    w:create("demo", with "no")
    assert.are.equal(1, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
    w:update("demo", with "yes")
    assert.are.equal(2, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
    w:update("demo", with "no")
    assert.truthy(table.concat(w:lines "demo", "\n"):find("B DELETE_COMPLETE", 1, true))
  end)

  row("signals to what waits for none, and the same twice, are refused", nil, function(w)
    w:create("demo", { H = { Type = "AWS::CloudFormation::WaitConditionHandle" },
      W = { Type = "AWS::CloudFormation::WaitCondition", Properties = { Handle = { Ref = "H" }, Timeout = "600",
        Count = "2" } } }, nil, 30)
    local function signal(id, logical)
      w.cfn:signal_resource { StackName = "demo", LogicalResourceId = logical or "W", UniqueId = id,
        Status = "SUCCESS" }
    end
    refused("Resource H is in CREATE_COMPLETE state and can not be signaled.", signal, "u", "H")
    signal "u"
    refused("Signal with ID u for resource W already exists. Signals may only be updated with a FAILURE status.",
      signal, "u")
  end)
end)

describe("6.4 outputs and exports", function()
  row("are there when the operation is complete; during an update the old ones", nil, function(w)
    local function with(text) return world.template({ A = topic(text) }, output(text)) end
    w:create("demo", with "one", nil, 3)
    assert.is_nil(w:stack "demo".Outputs)
    world.sleep(600)
    w:update("demo", with "two", nil, 3)
    assert.are.equal("one", w:outputs "demo".O)
    world.sleep(600)
    assert.are.equal("two", w:outputs "demo".O)
  end)

  row("whose condition is false are left out", nil, function(w)
    w:create("demo", world.template(ONE, { Conditions = { No = { ["Fn::Equals"] = { "a", "b" } } },
      Outputs = { O = { Condition = "No", Value = "v" } } }))
    assert.is_nil(w:stack "demo".Outputs)
  end)

  local function exporting(text) return world.template({ A = topic "a" }, output(text, { Name = "shared" })) end
  local IMPORT = { B = world.topic { DisplayName = { ["Fn::ImportValue"] = "shared" } } }

  row("that are imported can neither change nor go", nil, function(w)
    w:create("demo", exporting "one")
    w:create("user", IMPORT)
    w:update("demo", exporting "two")
    assert.are.equal("Export shared cannot be updated as it is in use by user",
      w:reason("demo", "demo", "UPDATE_ROLLBACK_IN_PROGRESS"))
    w:create("second", IMPORT)
    w:update("demo", { A = topic "b" })
    assert.are.same({ "UPDATE_ROLLBACK_COMPLETE" }, last(w, "demo", 1))
    assert.truthy(table.concat(w:lines "demo", "\n"):find("Delete canceled. Cannot delete export shared as it is in "
      .. "use by second and user.", 1, true))
  end)

  row("are listed with their importers", nil, function(w)
    w:create("demo", exporting "one")
    w:create("user", IMPORT)
    assert.are.same({ { ExportingStackId = rows.id_of(w), Name = "shared", Value = "one" } },
      w.cfn:list_exports({}).Exports)
    assert.are.same({ "user" }, w.cfn:list_imports({ ExportName = "shared" }).Imports)
    w:delete "user"
    assert.truthy(world.refusal(w.cfn.list_imports, w.cfn, { ExportName = "shared" })
      :find("is not imported by any stack", 1, true))
  end)
end)

describe("6.5 a rule", function()
  local function with(assertion, condition)
    return world.template(ONE, { Parameters = { P = { Type = "String", Default = "a" } }, Rules = { R = {
      RuleCondition = condition, Assertions = { { Assert = assertion, AssertDescription = "P must be right" } } } } })
  end

  local HOLDS = {
    ["Fn::Contains"] = { { "a", "b" }, { Ref = "P" } }, ["Fn::EachMemberEquals"] = { { "a", "a" }, "a" },
    ["Fn::EachMemberIn"] = { { "a" }, { "a", "b" } }, ["Fn::Equals"] = { { Ref = "P" }, "a" },
    ["Fn::Not"] = { { ["Fn::Equals"] = { "a", "b" } } },
    ["Fn::And"] = { { ["Fn::Equals"] = { "a", "a" } }, { ["Fn::Equals"] = { "b", "b" } } },
    ["Fn::Or"] = { { ["Fn::Equals"] = { "a", "b" } }, { ["Fn::Equals"] = { "b", "b" } } },
  }

  for name, argument in pairs(HOLDS) do
    row("may use " .. name, nil, function(w)
      assert.truthy(w:create_refusal(with { ["Fn::Not"] = { { [name] = argument } } }):find("P must be right", 1, true))
      w:create("demo", with { [name] = argument })
      assert.are.equal("CREATE_COMPLETE", w:status "demo")
    end)
  end

  row("of the CDK's bootstrap version is understood", nil, function(w)
    w:client("ssm"):put_parameter { Name = "/cdk-bootstrap/hnb659fds/version", Value = "21", Type = "String" }
    w:create("demo", [[{"Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>",
      "Default": "/cdk-bootstrap/hnb659fds/version"}}, "Rules": {"CheckBootstrapVersion": {"Assertions": [{
      "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "BootstrapVersion"}]}]},
      "AssertDescription": "old"}]}}, "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}]])
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
  end)
end)
