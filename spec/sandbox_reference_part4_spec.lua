-- Part 4 of the reference, errors by operation: a test for each row that is certain and that sandbox_api_spec,
-- sandbox_template_spec and sandbox_parameters_spec have not, over HTTP.

local proc = require "tap.core.proc"
local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic, ONE, OTHER, fails = rows.topic, rows.ONE, rows.OTHER, rows.fails
local refused, begin = rows.refused, rows.begin
local row = rows.by(it)

local FORMAT = "Template format error: "

-- What curl gets for a body, signed or with these arguments: the status, headers and body as text.
local function curl(w, body, ...)
  local words = { "curl", "-s", "-i", w.sandbox.url, "-d", body, ... }
  if select("#", ...) == 0 then
    table.move({ "--aws-sigv4", "aws:amz:us-east-1:cloudformation", "-u", "test:test" }, 1, 4, #words + 1, words)
  end
  return proc.run(words).out
end

local function contains(text, part)
  assert.truthy(text:find(part, 1, true), ("%s\nis not in\n%s"):format(part, text))
end

describe("4.1 an error", function()
  row("has the service's XML form", nil, function(w)
    local out = curl(w, "Action=DescribeStacks&Version=2010-05-15&StackName=foo")
    contains(out, "HTTP/1.1 400")
    contains(out:lower(), "content-type: text/xml")
    contains(out, 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"')
    for _, part in ipairs { "<Type>Sender</Type>", "<Code>ValidationError</Code>",
      "<Message>Stack with id foo does not exist</Message>" } do contains(out, part) end
    local id = out:match "<RequestId>(.-)</RequestId>"
    contains(out:lower(), "x-amzn-requestid: " .. id)
  end)

  for name, case in pairs {
    AlreadyExistsException = { 400, function(w)
      w:create("demo", ONE)
      return w.create, w, "demo", ONE
    end },
    InsufficientCapabilitiesException = { 400, function(w)
      return w.create, w, "demo", { R = { Type = "AWS::IAM::Role" } }
    end },
    InvalidChangeSetStatus = { 400, function(w)
      w:create("demo", ONE)
      return w.execute, w, w:change_set("demo", ONE).ChangeSetId
    end },
    ChangeSetNotFound = { 404, function(w)
      w:create("demo", ONE)
      return w.cfn.describe_change_set, w.cfn, { StackName = "demo", ChangeSetName = "nope" }
    end },
    TokenAlreadyExistsException = { 400, function(w)
      w:create("demo", ONE, { ClientRequestToken = "t" })
      return w.create, w, "other", ONE, { ClientRequestToken = "t" }
    end },
  } do
    row(name .. " has its code and status", nil, function(w)
      local text, status = world.refusal(case[2](w))
      assert.are.same({ name, case[1] }, { text:match "^(%w+):", status })
    end)
  end
end)

describe("4.2 a stack that does not exist", function()
  local BRACKETS, COLON = "Stack [nope] does not exist", "Stack: nope does not exist"
  for operation, case in pairs {
    update_stack = { BRACKETS, { TemplateBody = world.template(ONE) } },
    create_change_set = { BRACKETS, { TemplateBody = world.template(ONE), ChangeSetName = "set" } },
    describe_change_set = { BRACKETS, { ChangeSetName = "set" } },
    delete_change_set = { BRACKETS, { ChangeSetName = "set" } },
    set_stack_policy = { COLON, { StackPolicyBody = "{}" } }, get_stack_policy = { COLON, {} },
    cancel_update_stack = { COLON, {} },
  } do
    row("is told by " .. operation .. " in its own words", nil, function(w)
      case[2].StackName = "nope"
      refused(case[1], w.cfn[operation], w.cfn, case[2])
    end)
  end

  row("is none for DeleteStack", nil, function(w)
    assert.are.same({}, w.cfn:delete_stack { StackName = "nope" })
  end)

  row("nor is a resource that an update removed", nil, function(w)
    w:create("demo", { A = topic "a", B = topic "b" })
    w:update("demo", { A = topic "a" })
    refused("Resource B does not exist for stack demo", w.cfn.describe_stack_resource, w.cfn,
      { StackName = "demo", LogicalResourceId = "B" })
  end)

  row("nor is a change set, by its ARN", nil, function(w)
    local arn = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/nope/11111111-2222-4333-8444-555555555555"
    for _, operation in ipairs { "execute_change_set", "describe_change_set", "get_template" } do
      assert.are.same({ ("ChangeSetNotFound: ChangeSet [%s] does not exist"):format(arn), 404 },
        { world.refusal(w.cfn[operation], w.cfn, { ChangeSetName = arn }) })
    end
  end)
end)

describe("4.3 a request", function()
  row("without a member that must be there is told so by the server, too", nil, function(w)
    contains(curl(w, "Action=DescribeStackEvents&Version=2010-05-15"), "1 validation error detected: Value null at "
      .. "'stackName' failed to satisfy constraint: Member must not be null")
  end)

  row("with an empty template is told of the least length", nil, function(w)
    contains(curl(w, "Action=CreateStack&Version=2010-05-15&StackName=demo&TemplateBody="), "1 validation error "
      .. "detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or "
      .. "equal to 1")
  end)

  for _, operation in ipairs { "update_stack", "create_change_set" } do
    row("without any template is refused: " .. operation, nil, function(w)
      w:create("demo", ONE)
      refused("Either Template URL or Template Body must be specified.", w.cfn[operation], w.cfn,
        { StackName = "demo", ChangeSetName = operation == "create_change_set" and "set" or nil })
    end)
  end

  row("with two templates is refused", nil, function(w)
    w:create("demo", ONE)
    refused("You cannot specify both usePreviousTemplate and Template Body/Template URL.", w.update, w, "demo", OTHER,
      { UsePreviousTemplate = true }, 0)
  end)

  row("with two policies is refused", nil, function(w)
    w:create("demo", ONE)
    refused("You cannot specify both StackPolicyURL and StackPolicyBody", w.cfn.set_stack_policy, w.cfn,
      { StackName = "demo", StackPolicyBody = "{}", StackPolicyURL = "https://x" })
    refused("You cannot specify both StackPolicyDuringUpdateURL and StackPolicyDuringUpdateBody", w.update, w, "demo",
      OTHER, { StackPolicyDuringUpdateBody = "{}", StackPolicyDuringUpdateURL = "https://x" }, 0)
  end)

  row("of GetTemplate names what it is about", nil, function(w)
    refused("StackName is a required parameter.", w.cfn.get_template, w.cfn, { ChangeSetName = "set" })
    refused("StackName is required if ChangeSetName is not specified.", w.cfn.get_template, w.cfn, {})
  end)

  row("of GetTemplateSummary is not about a stack in review", nil, function(w)
    w:change_set("demo", ONE, { ChangeSetType = "CREATE" })
    refused("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.", w.cfn.get_template_summary, w.cfn,
      { StackName = "demo" })
  end)

  local MORE = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

  row("by TemplateURL says what S3 says", nil, function(w)
    w:client("s3"):create_bucket { Bucket = "templates" }
    for url, text in pairs {
      ["http://x"] = "TemplateURL must be a supported URL.",
      ["https://example.com/t.json"] = "S3 error: Domain name specified in example.com is not a valid S3 domain",
      ["https://templates.s3.amazonaws.com/nope"] = "S3 error: The specified key does not exist." .. MORE,
    } do
      refused(text, w.cfn.create_stack, w.cfn, { StackName = "demo", TemplateURL = url })
    end
  end)

  row("with a role that is not there is refused", nil, function(w)
    local role = "arn:aws:iam::123456789012:role/nope"
    refused(("Role %s is invalid or cannot be assumed"):format(role), w.create, w, "demo", ONE, { RoleARN = role }, 0)
  end)

  row("with a policy that is none is refused; an empty one takes it away", nil, function(w)
    local policy = '{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
    w:create("demo", ONE, { StackPolicyBody = policy })
    refused("Error validating stack policy: Invalid stack policy", w.cfn.set_stack_policy, w.cfn,
      { StackName = "demo", StackPolicyBody = "{" })
    assert.are.equal(policy, w.cfn:get_stack_policy({ StackName = "demo" }).StackPolicyBody)
    w.cfn:set_stack_policy { StackName = "demo", StackPolicyBody = "{}" }
    assert.are.same({}, w.cfn:get_stack_policy { StackName = "demo" })
  end)

  row("with UsePreviousValue has a previous value and no other", nil, function(w)
    w:create("demo", ONE)
    local function with(parameter)
      return w.update, w, "demo", world.template(ONE, { Parameters = { K = { Type = "String" } } }),
        { Parameters = { parameter } }, 0
    end
    refused("Invalid input for parameter key K. Cannot specify usePreviousValue as true and non empty value for a "
      .. "parameter", with { ParameterKey = "K", ParameterValue = "v", UsePreviousValue = true })
    refused("Invalid input for parameter key K. Cannot specify usePreviousValue as true for a parameter key not in the "
      .. "previous template", with { ParameterKey = "K", UsePreviousValue = true })
  end)
end)

describe("4.4 a stack that cannot be updated:", function()
  for status, case in pairs {
    CREATE_IN_PROGRESS = { nil, function(w) w:create("demo", ONE, nil, 0) end },
    ROLLBACK_COMPLETE = { fails "create", function(w) w:create("demo", ONE) end },
    ROLLBACK_FAILED = { fails("create", "delete"), function(w) w:create("demo", ONE) end },
    UPDATE_IN_PROGRESS = { nil, function(w)
      w:create("demo", ONE)
      w:update("demo", OTHER, nil, 0)
    end },
    DELETE_IN_PROGRESS = { nil, function(w)
      w:create("demo", ONE)
      w:delete("demo", nil, 0)
    end },
    DELETE_FAILED = { fails "delete", function(w)
      w:create("demo", ONE)
      w:delete "demo"
    end },
    UPDATE_ROLLBACK_FAILED = { fails("update", "rollback"), rows.into.updated },
  } do
    row(status .. " says so, to UpdateStack and to CreateChangeSet", case[1], function(w)
      case[2](w)
      local text = ("Stack:%s is in %s state and can not be updated."):format(rows.id_of(w), status)
      refused(text, w.update, w, "demo", { A = topic "x" }, nil, 0)
      refused(text, w.change_set, w, "demo", { A = topic "x" })
    end)
  end

  row("in CREATE_FAILED says what would be right", fails "create", function(w)
    begin(w, "CREATE_FAILED")
    refused("This stack is currently in a non-terminal [CREATE_FAILED] state. To update the stack from this state, "
      .. "please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, "
      .. "use the rollback-stack API", w.update, w, "demo", OTHER, nil, 0)
  end)
end)

describe("4.4 an update", function()
  local function output(value) return world.template(ONE, { Outputs = { O = { Value = value } } }) end

  row("without changes is refused, whatever the spaces", nil, function(w)
    w:create("demo", '{"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}}}')
    refused("No updates are to be performed.", w.update, w, "demo",
      '{ "Resources" : { "A" : { "Properties" : { "DisplayName" : "x" }, "Type" : "AWS::SNS::Topic" } } }', nil, 0)
  end)

  for name, case in pairs {
    ["an output"] = { output "a", output "b" },
    ["metadata"] = { { A = topic("a", { Metadata = { M = "1" } }) }, { A = topic("a", { Metadata = { M = "2" } }) } },
    ["a policy"] = { { A = topic "a" }, { A = topic("a", { DeletionPolicy = "Retain" }) } },
    ["tags"] = { ONE, ONE, { Tags = { { Key = "k", Value = "v" } } } },
    ["who is notified"] = { ONE, ONE, { NotificationARNs = { "arn:aws:sns:us-east-1:123456789012:t" } } },
  } do
    row("of nothing but " .. name .. " is made", nil, function(w)
      w:client("sns"):create_topic { Name = "t" }
      w:create("demo", case[1])
      w:update("demo", case[2], case[3])
      assert.are.equal("UPDATE_COMPLETE", w:status "demo")
    end)
  end

  row("of a resource's type is refused", nil, function(w)
    w:create("demo", ONE)
    refused("Update of resource type is not permitted. The new template modifies resource type of the following "
      .. "resources: [A]", w.update, w, "demo", { A = { Type = "AWS::SQS::Queue" } }, nil, 0)
  end)
end)

describe("4.5 a template", function()
  local function refuses(text, sections, resources)
    return function(w)
      local body = type(sections) == "string" and sections or world.template(resources or ONE, sections)
      refused(text, w.create, w, "demo", body, nil, 0)
    end
  end

  local function many(count, value)
    local out = {}
    for i = 1, count do out["N" .. i] = value end
    return out
  end

  for _, case in ipairs {
    { "a parameter's name with a dash", FORMAT .. "Parameter name my-id is non alphanumeric.",
      { Parameters = { ["my-id"] = { Type = "String" } } } },
    { "a type of AWS that is none", FORMAT .. "Unrecognized resource types: [AWS::Foo::Bar]",
      '{"Resources": {"A": {"Type": "AWS::Foo::Bar"}}}' },
    { "null anywhere", "[/Resources/A/Properties/X] 'null' values are not allowed in templates",
      '{"Resources": {"A": {"Type": "Custom::C", "Properties": {"X": null}}}}' },
    { "more than 200 parameters", FORMAT .. "Number of parameters, 201, is greater than maximum allowed, 200",
      { Parameters = many(201, { Type = "String", Default = "d" }) } },
    { "more than 200 outputs", FORMAT .. "Number of outputs, 201, is greater than maximum allowed, 200",
      { Outputs = many(201, { Value = "v" }) } },
    { "more than 200 mappings", FORMAT .. "Number of mappings, 201, is greater than maximum allowed, 200",
      { Mappings = many(201, { a = { b = "c" } }) } },
    { "a transform that is no name", "Key Name of transform definition must be a string.",
      { Transform = { { Name = { "x" } } } } },
    { "a transform without a name", "Transforms defined as maps require Name key.", { Transform = { { Nam = "x" } } } },
    { "an unknown condition in Fn::If", "Template error: unresolved condition dependency Nope in Fn::If", nil,
      { A = topic { ["Fn::If"] = { "Nope", "a", "b" } } } },
    { "a resource in a condition", FORMAT .. "Unresolved dependencies [A]. Cannot reference resources in the "
      .. "Conditions block of the template", { Conditions = { C = { ["Fn::Equals"] = { { Ref = "A" }, "a" } } } } },
  } do
    row("is refused with " .. case[1], nil, refuses(case[2], case[3], case[4]))
  end

  row("of more than a million bytes is refused", nil, function(w)
    local s3 = w:client "s3"
    s3:create_bucket { Bucket = "templates" }
    s3:put_object { Bucket = "templates", Key = "big", Body = world.template(ONE) .. (" "):rep(1000000) }
    refused("Template may not exceed 1000000 bytes in size.", w.cfn.create_stack, w.cfn,
      { StackName = "demo", TemplateURL = "https://templates.s3.amazonaws.com/big" })
  end)
end)

describe("4.6 a parameter", function()
  local function of(definition) return world.template(ONE, { Parameters = { P = definition } }) end

  for type_name, value in pairs {
    ["AWS::EC2::KeyPair::KeyName"] = "k", ["AWS::EC2::VPC::Id"] = "vpc-1", ["AWS::EC2::Subnet::Id"] = "subnet-1",
    ["AWS::EC2::SecurityGroup::Id"] = "sg-1", ["AWS::EC2::Instance::Id"] = "i-1", ["AWS::EC2::Image::Id"] = "x",
    ["AWS::EC2::AvailabilityZone::Name"] = "us-east-1z", ["AWS::Route53::HostedZone::Id"] = "Z1",
    ["List<AWS::EC2::Subnet::Id>"] = "subnet-1",
  } do
    row("of the type " .. type_name .. " must name something that exists", nil, function(w)
      w:create("demo", of { Type = type_name, Default = value })
      assert.are.equal(("Parameter validation failed: parameter value %s for parameter name P does not exist. Rollback "
        .. "requested by user."):format(value), w:reason("demo", "demo", "ROLLBACK_IN_PROGRESS"))
    end)
  end

  row("of an SSM type is checked by its name, not its value", nil, function(w)
    w:client("ssm"):put_parameter { Name = "/x", Value = "not-this", Type = "String" }
    w:create("demo", of { Type = "AWS::SSM::Parameter::Value<String>", Default = "/x", AllowedPattern = "^/.*$" })
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
  end)

  row("of an SSM type may name a version, not a label", nil, function(w)
    local ssm = w:client "ssm"
    ssm:put_parameter { Name = "/x", Value = "one", Type = "String" }
    ssm:put_parameter { Name = "/x", Value = "two", Type = "String", Overwrite = true }
    ssm:label_parameter_version { Name = "/x", ParameterVersion = 1, Labels = { "prod" } }
    w:create("demo", of { Type = "AWS::SSM::Parameter::Value<String>", Default = "/x:1" })
    assert.are.equal("one", w:stack "demo".Parameters[1].ResolvedValue)
    assert.truthy(world.refusal(w.create, w, "other", of { Type = "AWS::SSM::Parameter::Value<String>",
      Default = "/x:prod" }, nil, 0):find "^InternalFailure")
  end)

  row("of the type AWS::SSM::Parameter::Name names a parameter, which must exist", nil, function(w)
    w:create("demo", of { Type = "AWS::SSM::Parameter::Name", Default = "/nope" })
    assert.are.equal("ROLLBACK_COMPLETE", w:status "demo")
  end)
end)

describe("4.7 capabilities", function()
  for _, name in ipairs { "AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User",
    "UserToGroupAddition" } do
    row("are needed for AWS::IAM::" .. name, nil, function(w)
      assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
        (world.refusal(w.create, w, "demo", ("{\"Resources\": {\"A\": {\"Type\": \"AWS::IAM::%s\"}}}"):format(name),
          nil, 0)))
    end)
  end

  for _, case in ipairs { { "Role", "RoleName" }, { "User", "UserName" }, { "Group", "GroupName" },
    { "InstanceProfile", "InstanceProfileName" }, { "ManagedPolicy", "ManagedPolicyName" } } do
    row("are stronger for a " .. case[2], nil, function(w)
      assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
        (world.refusal(w.create, w, "demo",
          { A = { Type = "AWS::IAM::" .. case[1], Properties = { [case[2]] = "x" } } },
          { Capabilities = { "CAPABILITY_IAM" } }, 0)))
    end)
  end

  row("to expand are needed for any transform, without a change set", nil, function(w)
    for _, body in ipairs { world.template(ONE, { Transform = "AWS::LanguageExtensions" }),
      world.template { A = topic { ["Fn::Transform"] = { Name = "AWS::Include",
        Parameters = { Location = "s3://b/k" } } } } } do
      assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
        (world.refusal(w.create, w, "demo", body, nil, 0)))
    end
  end)
end)

describe("4.8 a caller", function()
  local function troubled(name) return { requests = { { trouble = name } } } end

  for name, case in pairs {
    expired = { "ExpiredToken: The security token included in the request is expired", 403 },
    throttled = { "Throttling: Rate exceeded", 400 }, internal = { "InternalFailure: Unknown", 500 },
    unavailable = { "ServiceUnavailable: Service is unavailable", 503 },
  } do
    row("in trouble is told: " .. name, troubled(name), function(w)
      assert.are.same(case, { world.refusal(w.stack, w, "demo") })
    end)
  end

  row("without a Credential is told what is missing", nil, function(w)
    contains(curl(w, "Action=DescribeStacks&Version=2010-05-15", "-H", "Authorization: AWS4-HMAC-SHA256 Nothing=1"),
      "<Code>IncompleteSignature</Code>")
  end)

  row("whose clock is wrong is told by how much", nil, function(w)
    local out = curl(w, "Action=DescribeStacks&Version=2010-05-15", "--aws-sigv4", "aws:amz:us-east-1:cloudformation",
      "-u", "test:test", "-H", "X-Amz-Date: 20200101T000000Z")
    contains(out, "<Code>SignatureDoesNotMatch</Code>")
    assert.truthy(out:match "Signature expired: 20200101T000000Z is now earlier than %d+T%d+Z %(%d+T%d+Z %- 5 min%.%)")
  end)

  local WHO = "User: arn:aws:iam::123456789012:user/test is not authorized to perform: cloudformation:%s%s because no "
    .. "identity-based policy allows the cloudformation:%s action"

  row("who may not is told what, and on what", { requests = { { operation = "DescribeStacks", trouble = "denied" },
    { operation = "ListStacks", trouble = "denied" } } }, function(w)
      local id = w:create("demo", ONE)
      local on = " on resource: "
      for name, arn in pairs { demo = id, nope = "arn:aws:cloudformation:us-east-1:123456789012:stack/nope/*" } do
        assert.are.same({ "AccessDenied: " .. WHO:format("DescribeStacks", on .. arn, "DescribeStacks"), 403 },
          { world.refusal(w.stack, w, name) })
      end
      assert.are.equal("AccessDenied: " .. WHO:format("ListStacks", "", "ListStacks"),
        (world.refusal(w.cfn.list_stacks, w.cfn, {})))
    end)
end)
