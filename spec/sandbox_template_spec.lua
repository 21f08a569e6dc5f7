-- The texts with which templates are refused. Names begin with the part of the reference that they hold to;
-- each case is also tried with ValidateTemplate, which knows the same.
local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local FORMAT = "Template format error: "

-- { name, template, text }
local STRUCTURE = {
  { "JSON that breaks off", '{"Resources": {"A": }}', FORMAT .. "JSON not well-formed. (line 1, column 21)" },
  { "YAML that breaks off", "Resources:\n  A: [1, 2\n",
    FORMAT .. "YAML not well-formed. (line 3, column 1)" },
  { "a scalar", "just text", FORMAT .. "unsupported structure." },
  { "a list", "- a\n- b\n", FORMAT .. "unsupported structure." },
  { "no Resources", "{}", FORMAT .. "At least one Resources member must be defined." },
  { "empty Resources", '{"Resources": {}}', FORMAT .. "At least one Resources member must be defined." },
  { "unknown sections", '{"Foo": 1, "Resources": {"A": {"Type": "Custom::C"}}, "Bar": 1}',
    "Invalid template property or properties [Foo, Bar]" },
  { "another version",
    '{"AWSTemplateFormatVersion": "2012-10-17", "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "unsupported value for AWSTemplateFormatVersion." },
  { "a Description that is no string", '{"Description": [], "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "Every Description member must be a string." },
  { "a resource that is no object", '{"Resources": {"A": "x"}}',
    FORMAT .. "Any Resources member must be an object." },
  { "a resource without Type", '{"Resources": {"A": {}}}',
    FORMAT .. "[/Resources/A] Every Resources object must contain a Type member." },
  { "an unknown resource attribute", '{"Resources": {"A": {"Type": "Custom::C", "Invalid": 1}}}',
    "Invalid template resource property 'Invalid'" },
  { "a Version of what is no custom resource", '{"Resources": {"A": {"Type": "AWS::SNS::Topic", "Version": "1.0"}}}',
    "Invalid template resource property 'Version'" },
  { "a logical id with a dash", '{"Resources": {"my-bad-id": {"Type": "Custom::C"}}}',
    FORMAT .. "Resource name my-bad-id is non alphanumeric." },
  { "types that are none", '{"Resources": {"A": {"Type": "Foo"}, "B": {"Type": "AWS::Foo"}}}',
    FORMAT .. "Unrecognized resource types: [Foo, AWS::Foo]" },
  { "null", '{"Resources": {"A": {"Type": "Custom::C"}}, "Outputs": {"MyOutput": {"Value": null}}}',
    "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates" },
  { "an output without Value", '{"Resources": {"A": {"Type": "Custom::C"}}, "Outputs": {"O": {}}}',
    FORMAT .. "Every Outputs member must contain a Value object" },
  { "an output that is a list", '{"Resources": {"A": {"Type": "Custom::C"}}, "Outputs": {"O": {"Value": '
    .. '["a"]}}}',
    FORMAT .. "The Value field of every Outputs member must evaluate to a String." },
  { "an unknown output key", '{"Resources": {"A": {"Type": "Custom::C"}}, "Outputs": {"O": {"Value": "1", '
    .. '"X": "1"}}}',
    "Invalid output property or properties [X]" },
  { "a parameter without Type", '{"Parameters": {"P": {}}, "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "Every Parameters object must contain a Type member." },
  { "an unknown parameter type", '{"Parameters": {"P": {"Type": "Foo"}}, "Resources": {"A": {"Type": '
    .. '"Custom::C"}}}',
    FORMAT .. "Unrecognized parameter type: Foo" },
  { "a Default that is a list",
    '{"Parameters": {"P": {"Type": "String", "Default": []}}, "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "Every Default member must be a string." },
  { "a mapping that is too deep",
    '{"Mappings": {"M": {"a": {"b": {"c": "d"}}}}, "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "Every Mappings attribute must be a String or a List." },
  { "a mapping that is too shallow", '{"Mappings": {"M": {"A": "b"}}, "Resources": {"A": {"Type": '
    .. '"Custom::C"}}}',
    FORMAT .. "Every Mappings member A must be a map" },
  { "a condition that is no object", '{"Conditions": {"C": "x"}, "Resources": {"A": {"Type": "Custom::C"}}}',
    FORMAT .. "Every Conditions member must be an object." },
  { "an unknown DeletionPolicy", '{"Resources": {"A": {"Type": "Custom::C", "DeletionPolicy": "Foo"}}}',
    FORMAT .. "Unrecognized DeletionPolicy Foo for resource A" },
  { "a DependsOn that is an object", '{"Resources": {"A": {"Type": "Custom::C", "DependsOn": {}}}}',
    FORMAT .. "DependsOn must be a string or list of strings." },
  { "a DependsOn of objects", '{"Resources": {"A": {"Type": "Custom::C", "DependsOn": [{}]}}}',
    FORMAT .. "Every DependsOn value must be a string." },
}

local IN_RESOURCES = " in the Resources block of the template"
local UNRESOLVED = "Unresolved resource dependencies "

-- { name, properties of a resource A, text }, beside a topic T, a parameter P, a map M and a condition C
local REFERENCES = {
  { "Ref and Sub to nothing", { X = { Ref = "Nope" }, Y = { ["Fn::Sub"] = "${Gone}" } },
    FORMAT .. UNRESOLVED .. "[Nope, Gone]" .. IN_RESOURCES },
  { "an unknown pseudo parameter", { X = { Ref = "AWS::Nope" } },
    FORMAT .. UNRESOLVED .. "[AWS::Nope]" .. IN_RESOURCES },
  { "GetAtt of nothing", { X = { ["Fn::GetAtt"] = { "Nope", "Arn" } } },
    "Template error: instance of Fn::GetAtt references undefined resource Nope" },
  { "GetAtt of an unknown attribute", { X = { ["Fn::GetAtt"] = { "T", "Nope" } } },
    "Template error: resource T does not support attribute type Nope in Fn::GetAtt" },
  { "Sub of an unknown attribute", { X = { ["Fn::Sub"] = "${T.Nope}" } },
    "Template error: instance of Fn::Sub references invalid resource attribute T.Nope" },
  { "GetAtt of an attribute that nothing names", { X = { ["Fn::GetAtt"] = { "T", { Ref = "Nope" } } } },
    FORMAT .. UNRESOLVED .. "[Nope]" .. IN_RESOURCES },
  { "a reference to itself", { X = { Ref = "A" } }, "Circular dependency between resources: [A]" },
  { "If of an unknown condition", { X = { ["Fn::If"] = { "Nope", "a", "b" } } },
    "Template error: unresolved condition dependency Nope in Fn::If" },
  { "Ref of no string", { X = { Ref = { "a" } } }, "Template error: All References must be of type string" },
  { "GetAtt of one name", { X = { ["Fn::GetAtt"] = { "T" } } },
    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
      .. "resource attribute" },
  { "Sub of a list of one", { X = { ["Fn::Sub"] = { "a" } } },
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "
      .. "string as first argument, and an optional second argument to specify a mapping of values to "
    .. "replace in the string" },
  { "Sub with a strange name", { X = { ["Fn::Sub"] = "${a b}" } },
    "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
      .. "underscores, periods, and colons" },
  { "Join without delimiter", { X = { ["Fn::Join"] = { { "a" } } } },
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list "
      .. "of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be "
    .. "joined." },
  { "Split of a list", { X = { ["Fn::Split"] = { ",", { "a" } } } },
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a "
      .. "string to be split or a function that returns a string to be split." },
  { "Select of a name", { X = { ["Fn::Select"] = { "one", { "a" } } } },
    "Template error: Fn::Select requires a list argument with two elements: an integer index and a list" },
  { "Select out of range", { X = { ["Fn::Select"] = { "1", { "a" } } } },
    "Template error: Fn::Select requires a list argument with two elements: an integer index and a list" },
  { "FindInMap with two arguments", { X = { ["Fn::FindInMap"] = { "M", "k" } } },
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
      .. "attribute for return value" },
  { "If with two arguments", { X = { ["Fn::If"] = { "C", "a" } } },
    "Template error: Fn::If requires a list argument with three elements" },
  { "If of no name", { X = { ["Fn::If"] = { { "C" }, "a", "b" } } },
    "Template error: Fn::If requires a list argument with the first element being a condition" },
  { "Base64 of a list", { X = { ["Fn::Base64"] = { "a" } } },
    "Template error: every Fn::Base64 object must have a String-typed value." },
  { "ImportValue of a resource", { X = { ["Fn::ImportValue"] = { Ref = "T" } } },
    "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or "
      .. "Fn::GetAZs" },
  { "a function of a transform", { X = { ["Fn::Length"] = { "a" } } },
    "Template error: Fn::Length needs the transform AWS::LanguageExtensions." },
}

local BESIDE = {
  Parameters = { P = { Type = "String", Default = "p" } },
  Mappings = { M = { k = { a = "v" } } },
  Conditions = { C = { ["Fn::Equals"] = { { Ref = "P" }, "p" } } },
}

local function with_property(properties, more)
  local resources = { T = world.topic(), A = { Type = "AWS::SNS::Topic", Properties = properties } }
  for name, resource in pairs(more or {}) do resources[name] = resource end
  return world.template(resources, BESIDE)
end

describe("a template", function()
  local w
  setup(function() w = world.open() end)
  teardown(function() w:close() end)

  local function refused(text, body)
    local expected = "ValidationError: " .. text
    assert.are.equal(expected, w:create_refusal(body))
    assert.are.equal(expected, world.refusal(w.cfn.validate_template, w.cfn, { TemplateBody = body }))
  end

  for _, case in ipairs(STRUCTURE) do
    it("4.5 is refused with " .. case[1], function() refused(case[3], case[2]) end)
  end

  for _, case in ipairs(REFERENCES) do
    it("4.5, 6.1 is refused with " .. case[1], function() refused(case[3], with_property(case[2])) end)
  end

  it("4.5 is refused with an unknown function, and the known ones are listed", function()
    local refusal = w:create_refusal(with_property { X = { ["Fn::Foo"] = "a" } })
    assert.truthy(refusal:find("Template error: Encountered unsupported function: Fn::Foo Supported "
      .. "functions are: [Fn::Base64, Fn::GetAtt, ", 1, true))
  end)

  it("4.5 is refused with a DependsOn to nothing", function()
    refused(FORMAT .. UNRESOLVED .. "[Nope]" .. IN_RESOURCES,
      with_property({}, { B = { Type = "AWS::SNS::Topic", DependsOn = { "T", "Nope" } } }))
  end)

  it("4.5 is refused with circles; only what is in one is named", function()
    refused("Circular dependency between resources: [B, C]", [[{"Resources": {
      "A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"}, "B": {"Type": "AWS::SNS::Topic", "DependsOn": "C"},
      "C": {"Type": "AWS::SNS::Topic",
        "Properties": {"X": {"Ref": "B"}}}, "D": {"Type": "AWS::SNS::Topic"}}}]])
  end)

  it("4.5 is refused with an output that refers to nothing", function()
    refused(FORMAT .. UNRESOLVED .. "[Nope] in the Outputs block of the template",
      world.template({ T = world.topic() }, { Outputs = { O = { Value = { Ref = "Nope" } } } }))
  end)

  it("4.5 is refused with more than 500 resources", function()
    local resources = {}
    for i = 1, 501 do resources["R" .. i] = { Type = "Custom::C" } end
    refused(FORMAT .. "Number of resources, 501, is greater than maximum allowed, 500",
      world.template(resources))
  end)

  local function never(sections)
    sections.Conditions = { Never = { ["Fn::Equals"] = { "a", "b" } } }
    return sections
  end
  local GONE = { Type = "AWS::SNS::Topic", Condition = "Never" }

  it("4.5 is refused when something refers to a resource whose condition is false", function()
    for _, resource in ipairs {
      world.topic { X = { Ref = "Gone" } }, world.topic { X = { ["Fn::Sub"] = "${Gone.TopicName}" } },
      { Type = "AWS::SNS::Topic", DependsOn = "Gone" },
    } do
      local body = world.template({ A = resource, Gone = GONE }, never {})
      assert.are.equal("ValidationError: " .. FORMAT .. UNRESOLVED .. "[Gone]" .. IN_RESOURCES,
        w:create_refusal(body))
    end
  end)

  it("4.5 is refused when an output refers to one, in other words", function()
    local body = world.template({ A = world.topic(), Gone = GONE },
      never { Outputs = { O = { Value = { Ref = "Gone" } } } })
    assert.are.equal("ValidationError: " .. UNRESOLVED .. "[Gone] in the Outputs block of the template",
      w:create_refusal(body))
  end)

  it("4.5 may refer to one in a branch that is not taken", function()
    local guarded = world.topic { DisplayName = { ["Fn::If"] = { "Never", { Ref = "Gone" }, "other" } } }
    w:create("guarded", world.template({ A = guarded, Gone = GONE }, never {}))
    assert.are.equal("CREATE_COMPLETE", w:status "guarded")
  end)

  it("6.1 conditions know parameters and nothing that is made", function()
    refused(FORMAT .. "Unresolved dependencies [T]. Cannot reference resources in the Conditions block of "
      .. "the template",
      world.template({ T = world.topic() },
        { Conditions = { C = { ["Fn::Equals"] = { { Ref = "T" }, "a" } } } }))
  end)

  it("6.1 conditions are refused with the wrong number of things to combine", function()
    local function with_condition(node) return world.template({ T = world.topic() },
      { Conditions = { C = node } }) end
    refused("Template error: every Fn::Equals object requires a list of 2 string parameters.",
      with_condition { ["Fn::Equals"] = { "a" } })
    refused("Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean "
      .. "parameters.",
      with_condition { ["Fn::And"] = { { Condition = "C" } } })
    refused("Template error: Fn::Not requires a list argument with one function token",
      with_condition { ["Fn::Not"] = {} })
  end)

  it("6.1 mappings that are not there are told at once", function()
    local function find(...) return with_property { X = { ["Fn::FindInMap"] = { ... } } } end
    assert.are.equal("ValidationError: Template error: Mapping named 'N' is not present in the 'Mappings' "
      .. "section of template", w:create_refusal(find("N", "k", "a")))
    assert.are.equal("ValidationError: Template error: Unable to get mapping for M::k::b",
      w:create_refusal(find("M", "k", "b")))
  end)
end)

describe("a function", function()
  local w
  setup(function() w = world.open() end)
  teardown(function() w:close() end)

  local SECTIONS = {
    Parameters = {
      P = { Type = "String", Default = "p" }, L = { Type = "CommaDelimitedList", Default = "x, y ,z" },
    },
    Mappings = { M = { ["us-east-1"] = { a = "v", l = { "1", "2" } } } },
    Conditions = {
      Yes = { ["Fn::Equals"] = { { Ref = "P" }, "p" } }, No = { ["Fn::Not"] = { { Condition = "Yes" } } },
      Both = { ["Fn::And"] = { { Condition = "Yes" }, { Condition = "No" } } },
      Either = { ["Fn::Or"] = { { Condition = "Yes" }, { Condition = "No" } } },
    },
  }

  local function if_(condition, a, b) return { ["Fn::If"] = { condition, a, b } } end

  -- { name, node, value }
  local VALUES = {
    { "Ref of a parameter", { Ref = "P" }, "p" },
    { "Ref of a list", { Ref = "L" }, { "x", "y", "z" } },
    { "Ref of pseudo parameters", { ["Fn::Sub"] = "${AWS::Partition} ${AWS::AccountId} ${AWS::URLSuffix}" },
      "aws 123456789012 amazonaws.com" },
    { "Sub with its own variables", { ["Fn::Sub"] = { "${P}-${Q}-${!P}", { Q = { Ref = "AWS::Region" } } } },
      "p-us-east-1-${P}" },
    { "Join, without what is no value", { ["Fn::Join"] = { "-", { "a", { Ref = "AWS::NoValue" }, "b" } } },
      "a-b" },
    { "Join of a list", { ["Fn::Join"] = { ",", { Ref = "L" } } }, "x,y,z" },
    { "Split, with empty pieces", { ["Fn::Split"] = { "|", "a||b|" } }, { "a", "", "b", "" } },
    { "Select with a number as text", { ["Fn::Select"] = { "1", { Ref = "L" } } }, "y" },
    { "FindInMap", { ["Fn::FindInMap"] = { "M", { Ref = "AWS::Region" }, "a" } }, "v" },
    { "FindInMap of a list", { ["Fn::FindInMap"] = { "M", { Ref = "AWS::Region" }, "l" } }, { "1", "2" } },
    { "GetAZs of this region", { ["Fn::Join"] = { " ", { ["Fn::GetAZs"] = "" } } },
      "us-east-1a us-east-1b us-east-1c us-east-1d us-east-1e us-east-1f" },
    { "Cidr", { ["Fn::Cidr"] = { "10.0.0.0/22", "3", "8" } },
      { "10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24" } },
    { "Cidr of IPv6", { ["Fn::Cidr"] = { "2001:db8::/56", "2", "64" } },
      { "2001:db8::/64", "2001:db8:0:1::/64" } },
    { "Base64", { ["Fn::Base64"] = "h\u{e9}" }, "aMOp" },
    { "If", { if_("Yes", "a", "b"), if_("No", "a", "b"), if_("Both", "a", "b"), if_("Either", "a", "b") },
      { "a", "b", "b", "a" } },
    { "scalars", { true, 80, 0.5, "x" }, { "true", "80", "0.5", "x" } },
    { "NoValue in a list", { "a", { Ref = "AWS::NoValue" } }, { "a" } },
  }

  for i, case in ipairs(VALUES) do
    it("6.1 gives the service's value: " .. case[1], function()
      local name = "f" .. i
      w:create(name, world.template({ R = { Type = "Custom::C", Properties = { X = case[2] } } }, SECTIONS))
      assert.are.same({ X = case[3] }, json.decode(w:events(name)[2].ResourceProperties))
    end)
  end

  it("works in YAML's short forms", function()
    w:create("yaml", table.concat({
      "Parameters: {P: {Type: Number, Default: 8080}}", "Resources:", "  T:", "    Type: AWS::SNS::Topic",
      "    Properties:", "      DisplayName: !Sub '${P}'", "      TopicName: !Join ['-', [a, !Ref "
        .. "AWS::Region]]",
      "Outputs:", "  Name: {Value: !GetAtt T.TopicName}",
    }, "\n"))
    assert.are.equal([[{"DisplayName":"8080","TopicName":"a-us-east-1"}]],
      w:events("yaml")[2].ResourceProperties)
    assert.are.equal("a-us-east-1", w:outputs("yaml").Name)
  end)
end)
