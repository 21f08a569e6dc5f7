-- What a user can rely on when a stack is created: every test runs the program.
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.task"

local function create(template, words)
  words = words or {}
  for index, word in ipairs { "create", "--sandbox", "--stack-name", "TapStackdev", "--template",
    helpers.file("template.json", template) } do
    table.insert(words, index, word)
  end
  return helpers.tapengine(words)
end

-- Two topics of one name: the second one fails, the queue beside it is cancelled.
local CLASH = helpers.template { Parameters = {}, Outputs = {}, Resources = {
  First = { Type = "AWS::SNS::Topic", Properties = { TopicName = "same" } },
  Second = { Type = "AWS::SNS::Topic", DependsOn = "First", Properties = { TopicName = "same" } },
  Third = { Type = "AWS::SQS::Queue", DependsOn = "First" },
} }

local SECRET = helpers.template { Outputs = {}, Parameters = { DbPassword = { Type = "String", NoEcho = true,
  MinLength = 8 } }, Resources = { Topic = { Type = "AWS::SNS::Topic",
  Properties = { DisplayName = { Ref = "DbPassword" } } } } }

teardown(helpers.clean)

describe("create", function()
  it("shows the events in order, then the outputs, and exits 0", function()
    local result = create(helpers.template())
    assert.equal(0, result.code, result.err)
    local at = 0
    for _, expected in ipairs {
      "creating TapStackdev: 1 resource from",
      "CREATE_IN_PROGRESS +AWS::CloudFormation::Stack +TapStackdev +User Initiated",
      "CREATE_IN_PROGRESS +AWS::SNS::Topic +Topic\n",
      "CREATE_IN_PROGRESS +AWS::SNS::Topic +Topic +Resource creation Initiated",
      "CREATE_COMPLETE +AWS::SNS::Topic +Topic\n",
      "CREATE_COMPLETE +AWS::CloudFormation::Stack +TapStackdev\n",
      "Outputs\n  TopicName  topic%-dev\n", "TapStackdev CREATE_COMPLETE in %d+",
    } do
      local first = result.out:find(expected, at + 1)
      assert.is_truthy(first, expected .. " is missing, or too early, in\n" .. result.out)
      at = first
    end
    assert.equal("", result.err)
  end)

  it("keeps the columns of the events under each other", function()
    local columns = {}
    for line in create(helpers.template()).out:gmatch("%d%d:%d%d:%d%d[^\n]*") do
      columns[line:find("AWS::", 1, true)] = true
    end
    local n = 0
    for _ in pairs(columns) do n = n + 1 end
    assert.equal(1, n)
  end)

  it("takes a parameter from the command line, the environment or a file, in this order", function()
    local yaml = helpers.file("p.yaml", "EnvironmentSuffix: file\n")
    local list = helpers.file("p.json", '[{"ParameterKey": "EnvironmentSuffix", "ParameterValue": "list"}]')
    local suffix = { ENVIRONMENT_SUFFIX = "suffix" }
    local exact = { ENVIRONMENT_SUFFIX = "suffix", TAP_PARAM_ENVIRONMENT_SUFFIX = "exact" }
    for _, case in ipairs {
      { "topic-dev" }, { "topic-file", "--parameters", yaml }, { "topic-list", "--parameters", list },
      { "topic-suffix", "--parameters", yaml, env = suffix }, { "topic-exact", env = exact },
      { "topic-cli", "--parameter", "EnvironmentSuffix=cli", env = exact },
    } do
      local name = table.remove(case, 1)
      case[#case + 1], case[#case + 2] = "--output", "json"
      local result = create(helpers.template(), case)
      assert.equal(name, json.decode(result.out).outputs.TopicName, result.out)
    end
  end)

  it("goes on when nobody reads its output any more", function()
    local words = { "create", "--sandbox", "--stack-name", "x", "--template",
      helpers.file("t.json", helpers.template()) }
    local state = helpers.folder()
    local result = proc.run { env = { XDG_STATE_HOME = state }, "bash", "-c",
      '"$@" | true; exit ${PIPESTATUS[0]}', "bash", sys.executable(), table.unpack(words) }
    assert.equal(0, result.code, result.err)
    assert.matches('"exit":0', sys.read_file(state .. "/tapengine/tapengine.log"), 1, true)
  end)

  it("with --dry-run checks everything, creates nothing and exits 20", function()
    local result = create(helpers.template(), { "--dry-run" })
    assert.equal(20, result.code)
    assert.matches("would create TapStackdev: 1 resource", result.out, 1, true)
    assert.is_nil(result.out:find("CREATE_IN_PROGRESS", 1, true))
  end)

  it("that does not end in time exits 8 and says so", function()
    local result = create(helpers.template(), { "--timeout", "3s" })
    assert.equal(8, result.code)
    assert.matches("the create did not end within 3s", result.err, 1, true)
  end)
end)

describe("a template or parameter that is wrong", function()
  --- Runs create at a port where nobody listens: a request would end with exit code 11. It exits 3 instead,
  -- and says the texts.
  local function refused(path, words, ...)
    local result = helpers.tapengine { env = helpers.client_env(), "create", "--endpoint-url",
      "http://127.0.0.1:1", "--stack-name", "x", "--template", path, table.unpack(words) }
    assert.equal(3, result.code, result.err)
    for _, text in ipairs { ... } do assert.matches(text, result.err, 1, true) end
    return result
  end

  local function refused_text(text, ...)
    return refused(helpers.file("template.json", text), {}, ...)
  end

  it("is refused with the constraint in the message before anything is touched", function()
    local path = helpers.file("template.json", helpers.template())
    refused(path, { "--parameter", "EnvironmentSuffix=bad-suffix!" }, path .. ":", "bad-suffix!",
      "Parameter 'EnvironmentSuffix' must match pattern ^[a-z0-9]+$", "nothing was touched")
    refused(path, { "--parameter", "EnvironmentSufix=x" },
      "Parameters: [EnvironmentSufix] do not exist in the template, did you mean 'EnvironmentSuffix'?")
  end)

  it("is refused when parameters have no value, all of them named", function()
    refused_text(helpers.template { Parameters = { A = { Type = "String" }, B = { Type = "String" } },
      Outputs = {}, Resources = { T = { Type = "AWS::SNS::Topic" } } }, "Parameters: [A, B] must have values")
  end)

  it("is named with file, line and column when it is not there or not well-formed", function()
    refused("no/such.json", {}, "no/such.json", "No such file")
    refused_text('{\n  "Resources": {\n    "Topic" 1\n  }\n}\n', "template.json:3:13:")
    local yaml = "Resources:\n  Topic:\n    Type: [AWS::SNS::Topic\n"
    assert.matches("broken.yaml:%d+:%d+: ", refused(helpers.file("broken.yaml", yaml), {}).err)
  end)

  it("is refused for a reference to nothing, with its place", function()
    refused_text('{\n "Resources": {\n  "T": { "Type": "AWS::SNS::Topic",\n   "DependsOn": "Nothing" }}}',
      "template.json:4:4: ", "Unresolved resource dependencies [Nothing] in the Resources block")
  end)

  it("is refused when a capability is missing, with the option that gives it", function()
    refused_text(helpers.template { Outputs = {}, Parameters = {}, Resources = { Role = {
      Type = "AWS::IAM::Role", Properties = { RoleName = "r", AssumeRolePolicyDocument = { Statement = { {
      Effect = "Allow", Action = "sts:AssumeRole", Principal = "*" } } } } } } },
      "Requires capabilities : [CAPABILITY_NAMED_IAM]", "add --capabilities CAPABILITY_NAMED_IAM")
  end)

  it("with a key that stands twice is warned of, since the service would take the last one", function()
    local path = helpers.file("twice.yaml",
      "Resources:\n  T: {Type: AWS::SNS::Topic}\n  T: {Type: AWS::SQS::Queue}\n")
    local result = helpers.tapengine { "validate", "--offline", "--template", path }
    assert.equal(0, result.code)
    assert.matches("twice.yaml:3:3: 'T' stands twice, the first time in line 2", result.err, 1, true)
  end)

  it("is refused when it is too large even for S3", function()
    refused_text(helpers.template { Metadata = { Filler = ("x"):rep(1024 * 1024) } }, "at most 1048576 from S3")
  end)
end)

describe("a creation that fails", function()
  it("exits 6 after a rollback and names what failed first, why and where; cancelled ones aside", function()
    local result = create(CLASH)
    assert.equal(6, result.code)
    assert.matches("the create failed: ROLLBACK_COMPLETE", result.err, 1, true)
    assert.matches("Second  AWS::SNS::Topic  CREATE_FAILED  [^\n]*template.json:%d+:%d+\n +same already",
      result.err)
    assert.is_nil(result.err:find("Third", 1, true))
  end)

  it("exits 7 when what was made is kept", function()
    assert.equal(7, create(CLASH, { "--on-failure", "DO_NOTHING" }).code)
  end)

  it("exits 6 when CloudFormation deletes the stack", function()
    assert.equal(6, create(CLASH, { "--on-failure", "DELETE" }).code)
  end)

  it("is one object with the failures with --output json", function()
    local result = create(CLASH, { "--output", "json" })
    local e = json.decode(result.out).error
    assert.same({ 6, "rolled_back", "Second" }, { e.exit, e.outcome, e.failures[1].logical_id })
  end)
end)

describe("machine-readable output", function()
  it("as jsonl is one object a line on stdout, and nothing else anywhere", function()
    local result = create(helpers.template(), { "--output", "jsonl" })
    local objects = helpers.json_lines(result.out)
    assert.equal("", result.err)
    assert.same({ "note", "event" }, { objects[1].type, objects[2].type })
    assert.equal("User Initiated", objects[2].reason)
    local last = objects[#objects]
    assert.same({ "result", "topic-dev" }, { last.type, last.result.outputs.TopicName })
    for _, object in ipairs(objects) do assert.is_string(object.run) end
  end)

  it("as json is one object on stdout, with the progress on stderr", function()
    local result = create(helpers.template(), { "--output", "json" })
    assert.equal("CREATE_COMPLETE", json.decode(result.out).status)
    assert.matches("CREATE_IN_PROGRESS", result.err, 1, true)
  end)
end)

describe("a secret parameter", function()
  local VALUE = "correct-horse-9"

  it("comes from the environment and is shown nowhere", function()
    for _, mode in ipairs { "human", "json", "jsonl" } do
      local result = create(SECRET, { "--output", mode, env = { TAP_PARAM_DbPassword = VALUE } })
      assert.equal(0, result.code, result.err)
      assert.is_nil((result.out .. result.err .. result.log):find(VALUE, 1, true))
    end
  end)

  it("that breaks its constraint is refused without being shown", function()
    local result = create(SECRET, { env = { TAP_PARAM_DB_PASSWORD = "short-1" } })
    assert.equal(3, result.code)
    assert.matches("Parameter 'DbPassword' must contain at least 8 characters", result.err, 1, true)
    assert.is_nil((result.out .. result.err .. result.log):find("short-1", 1, true))
  end)

  it("on the command line or in a file is refused with the way to do it right", function()
    local file = helpers.file("p.json", json.encode { DbPassword = VALUE })
    for _, words in ipairs { { "--parameter", "DbPassword=" .. VALUE }, { "--parameters", file } } do
      local result = create(SECRET, words)
      assert.equal(3, result.code)
      assert.matches("set TAP_PARAM_DbPassword in the environment", result.err, 1, true)
      assert.is_nil((result.out .. result.err .. result.log):find(VALUE, 1, true))
    end
  end)

  it("in a template is refused", function()
    local text = helpers.template { Parameters = { DbPassword = { Type = "String", NoEcho = true,
      Default = VALUE } }, Outputs = {}, Resources = { T = { Type = "AWS::SNS::Topic" } } }
    local result = create(text)
    assert.equal(3, result.code)
    assert.matches("a secret stands in the template", result.err, 1, true)
  end)
end)

describe("Ctrl-C", function()
  --- Starts the program, sends the signals once its output shows `sign`. Gives { code, out, err }.
  local function interrupted(words, env, sign, signals)
    local folder = helpers.folder()
    local out, err, pid = folder .. "/out", folder .. "/err", folder .. "/pid"
    local result
    task.scope(function(scope)
      local run = scope:spawn(function()
        local script = [[echo $$ >"$1.new"; mv "$1.new" "$1"; o=$2; e=$3; shift 3; exec "$@" >"$o" 2>"$e"]]
        return proc.run { env = env, "sh", "-c", script, "sh", pid, out, err, sys.executable(),
          table.unpack(words) }
      end)
      for _, signal in ipairs(signals) do
        repeat task.sleep(0.05) until sys.exists(err) and sys.read_file(out):find(sign, 1, true)
        proc.run { "sh", "-c", "kill -$0 $1", signal.name, (sys.read_file(pid):gsub("%s", "")) }
        sign = signal.next_sign or sign
      end
      result = run:wait()
    end)
    return { code = result.code, out = sys.read_file(out), err = sys.read_file(err) }
  end

  local function during_create(url, signal)
    return interrupted({ "create", "--stack-name", "Slow", "--endpoint-url", url, "--template",
      helpers.file("t.json", helpers.template()) }, helpers.client_env { XDG_STATE_HOME = helpers.folder() },
      "CREATE_IN_PROGRESS", { { name = signal } })
  end

  it("during a create says what goes on in AWS and how to come back, and exits 130", function()
    helpers.with_sandbox(1, function(url)
      local result = during_create(url, "INT")
      assert.equal(130, result.code)
      assert.matches("CloudFormation goes on with the create of Slow %(arn:aws:cloudformation:", result.err)
      for _, way in ipairs { "watch", "status", "delete" } do
        assert.matches("tapengine " .. way .. " Slow --region us-east-1 --endpoint-url " .. url,
          result.err, 1, true)
      end
      assert.matches("Ctrl-C again quits at once", result.err, 1, true)
      local status = helpers.tapengine { "status", "--stack-name", "Slow", "--endpoint-url", url,
        env = helpers.client_env() }
      assert.matches("CREATE_", status.out, 1, true)
    end)
  end)

  it("as SIGTERM leaves it running, too, and exits 143", function()
    helpers.with_sandbox(1, function(url)
      local result = during_create(url, "TERM")
      assert.equal(143, result.code)
      assert.matches("CloudFormation goes on with the create of Slow", result.err, 1, true)
    end)
  end)

  it("a second time quits at once, whatever the clean-up still waits for", function()
    local path = helpers.file("slow.lua", [[
      local tap = require "tap"
      return tap.workflow { name = "slow", summary = "s", effects = { "x" },
        run = function(ctx) ctx.out:note("working") tap.sleep "1h" end,
        recover = function(ctx) ctx.out:note("cleaning") tap.sleep "1h" end }
    ]])
    local result = interrupted({ path }, { XDG_STATE_HOME = helpers.folder() }, "working",
      { { name = "INT", next_sign = "cleaning" }, { name = "INT" } })
    assert.equal(130, result.code)
    assert.matches("cleaning", result.out, 1, true)
  end)
end)
