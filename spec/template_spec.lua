-- What is found wrong with a template and its parameters before anything is sent.
local constraints = require "tap.constraints"
local errors = require "tap.core.error"
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local parameters = require "tap.parameters"
local template = require "tap.template"

local function read(text, name)
  return template.read(helpers.file(name or "t.yaml", text))
end

--- The problems of a template as "line:column message" without what is not asked for.
local function problems(text)
  local list = {}
  for index, problem in ipairs(read(text):check()) do
    list[index] = ("%d:%d %s"):format(problem.line, problem.column, problem.message)
  end
  return list
end

teardown(helpers.clean)

describe("references", function()
  local HEAD = [[
Parameters:
  Env: {Type: String, Default: dev}
Conditions:
  Prod: !Equals [!Ref Env, prod]
Mappings:
  Sizes: {dev: {Size: small}}
Resources:
]]

  it("to what is there are fine, in every spelling", function()
    assert.same({}, problems(HEAD .. [[
  Topic:
    Type: AWS::SNS::Topic
    Condition: Prod
    Properties:
      TopicName: !Sub "${AWS::StackName}-${Env}-${!Literal}-${Queue.Arn}"
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: [Other]
    Properties:
      Name: !If [Prod, !GetAtt Other.Arn, !Ref "AWS::NoValue"]
      Size: !FindInMap [Sizes, !Ref Env, Size]
  Other:
    Type: AWS::SQS::Queue
    Properties: {Policy: {Statement: [{Condition: {Bool: {x: true}}}]}}
Outputs:
  Arn: {Condition: Prod, Value: !GetAtt Queue.Arn, Export: {Name: !Sub "${Env}-arn"}}
]]))
  end)

  it("to nothing are told with place, text of the service, and the nearest right name", function()
    local found = problems(HEAD .. [[
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Quue
    Condition: Prd
    Properties:
      A: !Ref Envv
      B: !Sub "x-${Queu.Arn}"
      C: !GetAtt Quee.Arn
      D: !If [Prodd, 1, 2]
      E: !FindInMap [Size, a, b]
Outputs:
  O: {Value: !Ref Queuee}
]])
    local lines = {}
    for index, text in ipairs(found) do lines[index] = text:match("^(%d+):%d+ ") end
    assert.equal("10 11 13 14 15 16 17 19", table.concat(lines, " "))
    for index, expected in ipairs {
      "Unresolved resource dependencies [Quue] in the Resources block of the template, did you mean 'Queue'?",
      "Unresolved condition dependency Prd in the Resources block of the template, did you mean 'Prod'?",
      "Unresolved resource dependencies [Envv] in the Resources block of the template, did you mean 'Env'?",
      "Unresolved resource dependencies [Queu] in the Resources block", "references undefined resource Quee",
      "unresolved condition dependency Prodd in Fn::If", "Mapping named 'Size' is not present",
      "Unresolved resource dependencies [Queuee] in the Outputs block",
    } do
      assert.matches(expected, found[index], 1, true)
    end
  end)

  it("are left to the service when a macro rewrites the template", function()
    local resources = "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Role: !GetAtt FRole.Arn}}\n"
    assert.same({}, problems("Transform: AWS::Serverless-2016-10-31\n" .. resources))
    local globals = "Globals: {Function: {Timeout: 3}}\n" .. resources
    assert.same({}, problems("Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n" .. globals))
    assert.matches("Invalid template property or properties [Globals]", problems("Transform: Own\n" .. globals)[1], 1,
      true)
  end)
end)

describe("the shape of a template", function()
  it("is checked as far as everything else depends on it", function()
    assert.matches("At least one Resources member must be defined", problems("Description: x\n")[1], 1, true)
    assert.matches("unsupported structure", problems("- a\n")[1], 1, true)
    assert.matches("must contain a Type member", problems("Resources: {A: {Properties: {}}}\n")[1], 1, true)
    assert.matches("Invalid template property or properties [Resource], did you mean 'Resources'?",
      problems("Resource: {}\nResources: {A: {Type: T::A::B}}\n")[1], 1, true)
  end)

  it("says which capability is needed", function()
    local function capability(resource)
      return (read("Resources:\n  R: " .. resource .. "\n"):capability())
    end
    assert.is_nil(capability "{Type: AWS::SNS::Topic}")
    assert.equal("CAPABILITY_IAM", capability "{Type: AWS::IAM::Role, Properties: {}}")
    assert.equal("CAPABILITY_IAM", capability "{Type: AWS::IAM::Policy, Properties: {PolicyName: p}}")
    assert.equal("CAPABILITY_NAMED_IAM", capability "{Type: AWS::IAM::Role, Properties: {RoleName: r}}")
  end)
end)

describe("a parameter's constraint", function()
  local function broken(definition, value)
    definition.Type = definition.Type or "String"
    return (constraints.check("P", definition, value))
  end

  it("is worded as the service words it", function()
    for _, case in ipairs {
      { { AllowedPattern = "^hello-.*$" }, "hi", "Parameter 'P' must match pattern ^hello-.*$" },
      { { AllowedValues = { "a", "b" } }, "c", "Parameter 'P' must be one of AllowedValues" },
      { { MaxLength = 5 }, "abcdef", "Parameter 'P' must contain at most 5 characters" },
      { { MinLength = "8" }, "abc", "Parameter 'P' must contain at least 8 characters" },
      { { Type = "Number" }, "x", "Parameter 'P' must be a number." },
      { { Type = "Number", MinValue = 1 }, "0", "Parameter 'P' must be a number not less than 1" },
      { { Type = "Number", MaxValue = 9 }, "10", "Parameter 'P' must be a number not greater than 9" },
      { { MaxLength = 1, ConstraintDescription = "one letter" }, "ab",
        "Parameter P failed to satisfy constraint: one letter" },
      { { Type = "CommaDelimitedList", AllowedValues = { "a" } }, "a, b",
        "Parameter 'P' must be one of AllowedValues" },
    } do
      assert.equal(case[3], broken(case[1], case[2]))
    end
  end)

  it("that holds is silent, also where the template writes numbers", function()
    for _, case in ipairs {
      { { AllowedValues = { 1, 2.5, true } }, "2.5" }, { { AllowedValues = { 1, 2, true } }, "true" },
      { { MinLength = 2, MaxLength = 2 }, "éé" }, { { Type = "Number", MinValue = 1, MaxValue = 2 }, "1.5" },
      { { Type = "List<Number>" }, "1, 2" }, { { AllowedPattern = "(?<=x)y" }, "cannot be judged here" },
    } do
      assert.is_nil(broken(case[1], case[2]))
    end
  end)
end)

describe("parameter files", function()
  local T = "Parameters: {A: {Type: String}, L: {Type: CommaDelimitedList, Default: ''}}\n"
    .. "Resources: {X: {Type: AWS::SNS::Topic}}\n"

  local function resolve(text, name)
    local found = {}
    local request = parameters.resolve(read(T), { given = {}, environment = {},
      file = helpers.file(name or "p.json", text) }, found)
    local values = {}
    for _, item in ipairs(request) do values[item.ParameterKey] = item.ParameterValue end
    return values, found
  end

  it("may be CloudFormation's list or a plain map, JSON or YAML", function()
    local expected = { A = "1", L = "x,y" }
    assert.same(expected, resolve('[{"ParameterKey":"A","ParameterValue":"1"},'
      .. '{"ParameterKey":"L","ParameterValue":"x,y"}]'))
    assert.same(expected, resolve '{"A": 1, "L": ["x", "y"]}')
    assert.same(expected, resolve("A: 1\nL: [x, y]\n", "p.yaml"))
    assert.same(expected, resolve("- ParameterKey: A\n  ParameterValue: '1'\n- ParameterKey: L\n"
      .. "  ParameterValue: x,y\n", "p.yaml"))
  end)

  it("with something else in them are refused with the place", function()
    local _, found = resolve('{\n "A": {"b": 1}}')
    assert.same({ 2, "the value of A is no text, number or list" }, { found[1].line, found[1].message })
    _, found = resolve('[{"Key": "A"}]')
    assert.matches("ParameterKey", found[1].message, 1, true)
  end)

  it("that are not well-formed raise with the place", function()
    local ok, e = pcall(resolve, '{"A": }')
    assert.is_false(ok)
    assert.is_true(errors.is(e))
    assert.equal(1, e.line)
  end)

  it("do not lose an empty list on the way", function()
    assert.equal("", constraints.value_text(json.list {}))
  end)
end)
