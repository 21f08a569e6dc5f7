-- What a workflow can rely on about its parameters.
local errors = require "tap.core.error"
local params = require "tap.params"

local function specs(list)
  return assert(params.check(list))
end

local function parse(list, argv, environment)
  return params.parse(specs(list), argv, function(name) return (environment or {})[name] end)
end

local function problems_of(...)
  local ok, e = pcall(parse, ...)
  assert.is_false(ok)
  assert.is_true(errors.is(e))
  assert.equal("usage", e.class)
  return e.problems, e
end

describe("a parameter", function()
  it("is converted to its declared type", function()
    local p = parse({
      { "name", "string" }, { "n", "integer" }, { "ratio", "number" }, { "fast", "boolean" },
      { "wait", "duration" }, { "tags", "map" }, { "ids", "list" }, { "mode", "enum", values = { "a", "b" } },
    }, { "--name", "x", "--n", "4", "--ratio=0.5", "--fast", "--wait", "1h30m", "--tags", "A=1", "--tags",
      "B=x=y", "--ids", "i,j", "--mode", "b" })
    assert.same({ name = "x", n = 4, ratio = 0.5, fast = true, wait = 5400, tags = { A = "1", B = "x=y" },
      ids = { "i", "j" }, mode = "b" }, p)
    assert.equal("integer", math.type(p.n))
  end)

  it("written with '-' is a field written with '_'", function()
    assert.equal("web", parse({ { "stack-name", "string" } }, { "--stack-name", "web" }).stack_name)
  end)

  it("comes from the command line, else the environment, else the default", function()
    local list = { { "stack-name", "string", default = "d" } }
    assert.equal("c", parse(list, { "--stack-name", "c" }, { TAP_STACK_NAME = "e" }).stack_name)
    assert.equal("e", parse(list, {}, { TAP_STACK_NAME = "e" }).stack_name)
    assert.equal("d", parse(list, {}, {}).stack_name)
  end)

  it("of type boolean can be switched off", function()
    local list = { { "rollback", "boolean", default = true } }
    assert.is_true(parse(list, {}).rollback)
    assert.is_false(parse(list, { "--no-rollback" }).rollback)
    assert.is_false(parse(list, { "--rollback=false" }).rollback)
  end)

  it("of type list or map takes several values after one option, as with the AWS CLI", function()
    local p = parse({ { "tags", "map" }, { "ids", "list" } },
      { "--tags", "A=1", "Key=B,Value=2", "--ids", "x", "y" })
    assert.same({ A = "1", B = "2" }, p.tags)
    assert.same({ "x", "y" }, p.ids)
  end)

  it("of type list or map that is not given is empty, and a default is not shared", function()
    local list = specs { { "tags", "map" }, { "ids", "list", default = { "a" } } }
    local function none() return nil end
    local first = params.parse(list, {}, none)
    assert.same({}, first.tags)
    first.ids[1] = "changed"
    assert.same({ "a" }, params.parse(list, {}, none).ids)
  end)

  it("that is unknown is refused with the nearest right one", function()
    assert.same({ "unknown option --stak-name, did you mean '--stack-name'?" },
      problems_of({ { "stack-name", "string", required = true } }, { "--stak-name", "x" }))
  end)

  it("that has a wrong value is refused with what would be right", function()
    local list = {
      { "n", "integer", min = 1, max = 5 }, { "wait", "duration" }, { "tags", "map" },
      { "mode", "enum", values = { "fast", "slow" } }, { "name", "string", pattern = "^%a+$" },
    }
    local problems = problems_of(list, { "--n", "9", "--wait", "5x", "--mode", "fats", "--name", "1",
      "--tags", "novalue" })
    assert.same({
      "--n '9' is more than 5", "--wait '5x' is not a duration; write 30s, 15m, 1h30m",
      "--mode 'fats' is none of fast, slow, did you mean 'fast'?", "--name '1' does not match ^%a+$",
      "--tags is not KEY=VALUE",
    }, problems)
  end)

  it("that is required and missing is named, all of them at once", function()
    assert.same({ "--a is required: first", "--b is required" },
      problems_of({ { "a", "string", required = true, help = "first" },
        { "b", "file", required = true } }, {}))
  end)

  it("given twice is refused", function()
    assert.same({ "--a is given twice" }, problems_of({ { "a", "string" } }, { "--a", "1", "--a", "2" }))
  end)

  it("without its value is refused, and does not swallow the next option", function()
    assert.same({ "--a needs a value: --a TEXT" },
      problems_of({ { "a", "string" }, { "b", "boolean" } }, { "--a", "--b" }))
  end)

  it("that repeats does not swallow a word that has to be there", function()
    local list = { { "file", "list", positional = true, required = true }, { "ignore", "list" } }
    for _, argv in ipairs { { "--ignore", "E,W", "web.yml" }, { "web.yml", "--ignore", "E", "W" } } do
      local p = parse(list, argv)
      assert.same({ { "web.yml" }, { "E", "W" } }, { p.file, p.ignore })
    end
  end)

  it("written as a bare word is refused with the option that was meant", function()
    assert.same({ "unexpected argument 'web', did you mean --stack-name web?" },
      problems_of({ { "stack-name", "string", required = true } }, { "web" }))
  end)
end)

describe("a secret", function()
  local list = { { "token", "secret", required = true, help = "the API token" } }

  it("comes from the environment", function()
    assert.equal("s3cr3t-value", parse(list, {}, { TAP_TOKEN = "s3cr3t-value" }).token)
  end)

  it("on the command line is refused with the way to do it right, and not repeated", function()
    for _, argv in ipairs { { "--token", "s3cr3t-value" }, { "--token=s3cr3t-value" } } do
      local problems, e = problems_of(list, argv, { TAP_TOKEN = "other-secret" })
      assert.equal(1, #problems)
      assert.matches("TAP_TOKEN", problems[1], 1, true)
      assert.is_nil(tostring(e):find("s3cr3t", 1, true))
    end
  end)

  it("is never in the process list's way: a missing one names its variable", function()
    assert.same({ "TAP_TOKEN is not set in the environment (the API token)" }, problems_of(list, {}))
  end)

  it("has no default in a script", function()
    local _, problem = params.check { { "token", "secret", default = "x" } }
    assert.matches("no default in a script", problem, 1, true)
  end)
end)

describe("a declaration", function()
  local function problem_of(...)
    local checked, problem = params.check { ... }
    assert.is_nil(checked)
    return problem
  end

  it("with an unknown type or field is refused with the nearest right one", function()
    assert.matches("did you mean 'integer'", problem_of { "n", "integr" }, 1, true)
    assert.matches("did you mean 'required'", problem_of { "n", "integer", requird = true }, 1, true)
  end)

  it("that is there twice, has no name or needs values is refused", function()
    assert.matches("is there twice", problem_of({ "a-b", "string" }, { "a_b", "string" }), 1, true)
    assert.matches("name is lower case", problem_of { "Stack", "string" }, 1, true)
    assert.matches("an enum needs values", problem_of { "mode", "enum" }, 1, true)
    assert.matches("reserved", problem_of { "path", "string" }, 1, true)
  end)
end)

describe("the options in front of a command", function()
  local globals = specs { { "region", "string" }, { "yes", "boolean" },
    { "sandbox", "string", implied = "SCENARIO" } }

  it("end at the first word that is no option's value", function()
    assert.equal(3, params.skip_options(globals, { "--region", "eu-west-1", "create", "--x" }))
    assert.equal(2, params.skip_options(globals, { "--sandbox", "create" }))
    assert.equal(3, params.skip_options(globals, { "--sandbox=s.lua", "--yes", "create" }))
  end)
end)
