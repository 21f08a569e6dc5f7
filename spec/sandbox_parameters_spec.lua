-- Parameters and capabilities. Names begin with the part of the reference that they hold to.
local json = require "tap.core.json"
local world = require "spec.sandbox_world"

local function of(definition, resources)
  return world.template(resources or { T = world.topic { DisplayName = { Ref = "P" } } },
    { Parameters = { P = definition } })
end

local function given(value)
  return { Parameters = { { ParameterKey = "P", ParameterValue = value } } }
end

describe("a parameter", function()
  local w
  setup(function() w = world.open() end)
  teardown(function() w:close() end)

  -- { definition, value, text }
  local BROKEN = {
    { { Type = "String", AllowedPattern = "^hello-.*$" }, "bye", "Parameter 'P' must match pattern "
      .. "^hello-.*$" },
    { { Type = "String", AllowedPattern = "[a-z]+" }, "abc1", "Parameter 'P' must match pattern [a-z]+" },
    { { Type = "String", AllowedValues = { "a", "b" } }, "c", "Parameter 'P' must be one of AllowedValues" },
    { { Type = "String", MaxLength = 5 }, "123456", "Parameter 'P' must contain at most 5 characters" },
    { { Type = "String", MinLength = "8" }, "1234567", "Parameter 'P' must contain at least 8 characters" },
    { { Type = "Number" }, "one", "Parameter 'P' must be a number." },
    { { Type = "Number", MinValue = 1 }, "0", "Parameter 'P' must be a number not less than 1" },
    { { Type = "Number", MaxValue = 65535 }, "65536",
      "Parameter 'P' must be a number not greater than 65535" },
    { { Type = "List<Number>" }, "1,x", "Parameter 'P' must be a number." },
    { { Type = "CommaDelimitedList", AllowedValues = { "a", "b" } }, "a,c", "Parameter 'P' must be one of "
      .. "AllowedValues" },
    { { Type = "String", AllowedPattern = "^[a-z]+$", ConstraintDescription = "letters only" }, "A",
      "Parameter P failed to satisfy constraint: letters only" },
    { { Type = "String" }, ("x"):rep(4097), "Parameter P exceeds the maximum parameter value length of 4096 "
      .. "bytes." },
  }

  for _, case in ipairs(BROKEN) do
    it("4.6 is refused: " .. case[3], function()
      assert.are.equal("ValidationError: " .. case[3], w:create_refusal(of(case[1]), given(case[2])))
      assert.are.equal(0, #w.cfn:describe_stacks().Stacks) -- nothing was touched
    end)
  end

  it("4.6 is refused when its own default breaks its constraint", function()
    assert.are.equal("ValidationError: Parameter 'P' must be one of AllowedValues",
      w:create_refusal(of { Type = "String", Default = "z", AllowedValues = { "a" } }))
  end)

  it("4.6 needs a value", function()
    local body = world.template({ T = world.topic() },
      { Parameters = { A = { Type = "String" }, B = { Type = "Number" } } })
    assert.are.equal("ValidationError: Parameters: [A, B] must have values", w:create_refusal(body))
  end)

  it("4.6 must be in the template", function()
    assert.are.equal("ValidationError: Parameters: [X, Y] do not exist in the template",
      w:create_refusal({ T = world.topic() }, { Parameters = {
        { ParameterKey = "X", ParameterValue = "1" }, { ParameterKey = "Y", ParameterValue = "1" } } }))
  end)

  it("4.6 is given once", function()
    assert.are.equal("ValidationError: Duplicate parameter key P",
      w:create_refusal(of { Type = "String" }, { Parameters = {
      { ParameterKey = "P", ParameterValue = "1" }, { ParameterKey = "P", ParameterValue = "2" } } }))
  end)

  it("4.3 has no previous value in a new stack", function()
    assert.are.equal("ValidationError: Invalid input for parameter key P. Cannot specify usePreviousValue "
      .. "as true for a new stack", w:create_refusal(of { Type = "String" }, { Parameters = {
        { ParameterKey = "P", UsePreviousValue = true } } }))
  end)

  it("4.6 of an AWS type names something that exists, which is found out after the start", function()
    w:create("vpc", { V = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.0.0.0/16" } } })
    local id = w.cfn:describe_stack_resources({ StackName = "vpc" }).StackResources[1].PhysicalResourceId
    w:create("aws", of { Type = "List<AWS::EC2::VPC::Id>", Default = id })
    assert.are.same({ id }, json.decode(w:events("aws")[2].ResourceProperties).DisplayName)
    w:create("none", of { Type = "AWS::EC2::VPC::Id", Default = "vpc-1" })
    assert.are.equal("Parameter validation failed: parameter value vpc-1 for parameter name P does not "
      .. "exist. "
      .. "Rollback requested by user.", w:reason("none", "none", "ROLLBACK_IN_PROGRESS"))
    w:create("blank", of { Type = "AWS::EC2::KeyPair::KeyName", Default = "" })
    assert.are.equal("Parameter validation failed: parameter value for parameter name P does not exist. "
      .. "Rollback requested by user.", w:reason("blank", "blank", "ROLLBACK_IN_PROGRESS"))
  end)

  it("4.6 of an SSM type has the value that SSM holds, read again at each update", function()
    local ssm = w:client "ssm"
    ssm:put_parameter { Name = "/x", Value = "one", Type = "String" }
    ssm:put_parameter { Name = "/list", Value = "a , b", Type = "StringList" }
    ssm:put_parameter { Name = "/secret", Value = "s", Type = "SecureString" }
    local typed = of { Type = "AWS::SSM::Parameter::Value<String>", Default = "/x" }
    w:create("ssm", typed)
    assert.are.equal("one", json.decode(w:events("ssm")[2].ResourceProperties).DisplayName)
    assert.are.same({ { ParameterKey = "P", ParameterValue = "/x", ResolvedValue = "one" } },
      w:stack("ssm").Parameters)
    ssm:put_parameter { Name = "/x", Value = "two", Overwrite = true }
    w.cfn:update_stack { StackName = "ssm", UsePreviousTemplate = true,
      Parameters = { { ParameterKey = "P", UsePreviousValue = true } } }
    world.sleep(600)
    assert.are.equal("two", w:stack("ssm").Parameters[1].ResolvedValue)
    w:create("list", of { Type = "AWS::SSM::Parameter::Value<List<String>>", Default = "/list" })
    assert.are.same({ "a", "b" }, json.decode(w:events("list")[2].ResourceProperties).DisplayName)
    local function refusal(type_name, name)
      return w:create_refusal(of { Type = "AWS::SSM::Parameter::Value<" .. type_name .. ">", Default = name })
    end
    assert.are.equal("ValidationError: Unable to fetch parameters [/x:99] from parameter store for this "
      .. "account.",
      refusal("String", "/x:99"))
    assert.are.equal("ValidationError: Parameters [/secret] referenced by template have types not supported "
      .. "by "
      .. "CloudFormation.", refusal("String", "/secret"))
    assert.are.equal("ValidationError: Types for SSM parameters [/list] defined in CFN template and SSM are "
      .. "incompatible", refusal("String", "/list"))
  end)

  it("9.2 is shown as it was given", function()
    w:create("shown", of { Type = "CommaDelimitedList", Default = "a, b" })
    assert.are.same({ { ParameterKey = "P", ParameterValue = "a, b" } }, w:stack("shown").Parameters)
  end)
end)

describe("capabilities", function()
  local w
  setup(function() w = world.open() end)
  teardown(function() w:close() end)

  local ROLE = { R = { Type = "AWS::IAM::Role" }, P = { Type = "AWS::IAM::InstanceProfile" } }
  local NAMED = { R = { Type = "AWS::IAM::Role", Properties = { RoleName = "mine" } } }
  local POLICY = { P = { Type = "AWS::IAM::Policy", Properties = { PolicyName = "mine" } } }

  it("4.7 are needed for IAM resources, stronger ones for names", function()
    assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
      w:create_refusal(ROLE))
    assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
      w:create_refusal(POLICY))
    assert.are.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
      w:create_refusal(NAMED, { Capabilities = { "CAPABILITY_IAM" } }))
  end)

  it("4.7 CAPABILITY_NAMED_IAM is enough for both", function()
    w:create("role", ROLE, { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    w:create("named", NAMED, { Capabilities = { "CAPABILITY_NAMED_IAM" } })
    assert.are.same({ "CAPABILITY_NAMED_IAM" }, w:stack("named").Capabilities)
  end)

  it("5 ValidateTemplate says which and why", function()
    local answer = w.cfn:validate_template { TemplateBody = [[{"Resources": {"R": {"Type": "AWS::IAM::Role"},
      "P": {"Type": "AWS::IAM::InstanceProfile"}}}]] }
    assert.are.same({ "CAPABILITY_IAM" }, answer.Capabilities)
    assert.are.equal("The following resource(s) require capabilities: [AWS::IAM::Role, "
      .. "AWS::IAM::InstanceProfile]",
      answer.CapabilitiesReason)
  end)
end)
