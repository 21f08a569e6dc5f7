-- `tapengine aws` as people and scripts use it: the program itself against a sandbox server.
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local proc = require "tap.core.proc"
local shape = require "tap.aws_shape"
local text = require "tap.aws_text"

teardown(helpers.clean)

local function lines(value) return table.concat(text.lines(value), "\n") end

-- A template of many topics: of its stack, events fill two pages.
local function wide_template()
  local resources = {}
  for i = 1, 60 do resources["T" .. i] = { Type = "AWS::SNS::Topic" } end
  return helpers.file("wide.json", json.encode { Resources = resources })
end

describe("aws", function()
  local function aws(words)
    words.env = words.env or helpers.client_env()
    return helpers.tapengine { "aws", env = words.env, input = words.input, table.unpack(words) }
  end

  it("alone lists the services by name and full name", function()
    local result = aws {}
    assert.equal(0, result.code)
    assert.matches("\ncloudformation +AWS CloudFormation\n", result.out)
    assert.is_true(select(2, result.out:gsub("\n", "")) > 400)
  end)

  it("with a service lists its operations as they are called", function()
    assert.matches("\nget%-caller%-identity\n", aws({ "sts" }).out)
  end)

  it("with --help says what an operation takes and gives, what is required first", function()
    local result = aws { "cloudformation", "create-stack", "--help" }
    assert.equal(0, result.code)
    assert.matches("Takes\n  %-%-stack%-name +StackName +text, required\n", result.out)
    assert.matches("%-%-capabilities +Capabilities +list of CAPABILITY_IAM|CAPABILITY_NAMED_IAM", result.out)
    assert.matches("%-%-tags +Tags +list of { Key, Value }", result.out)
    assert.matches("Gives\n  StackId +text\n", result.out)
    assert.matches("Comes in pages, which are joined: StackEvents.",
      aws({ "cloudformation", "describe-stack-events", "--help" }).out, 1, true)
    assert.matches("secret: @FILE only", aws({ "ssm", "put-parameter", "--help" }).out, 1, true)
    assert.matches("Takes nothing", aws({ "sts", "get-caller-identity", "-h" }).out, 1, true)
  end)

  it("has its options in the help", function()
    for _, words in ipairs { { "help", "aws" }, { "aws", "--help" } } do
      local result = helpers.tapengine(words)
      for _, option in ipairs { "--input", "--query", "--output json|text", "--paginate", "--print-request",
        "--region", "--sandbox" } do
        assert.matches("\n  " .. option:gsub("%-", "%%-"), result.out)
      end
    end
  end)

  it("names the nearest service, operation and member, exit 2", function()
    for nearest, words in pairs {
      ['did you mean "sts"'] = { "stz", "get-caller-identity" },
      ['did you mean "GetCallerIdentity"'] = { "sts", "get-caler-identity" },
      ["did you mean '--stack-name'"] = { "cloudformation", "describe-stacks", "--stak-name", "x" },
      ["did you mean StackName"] = { "cloudformation", "describe-stacks", "--input", '{"StakName": "x"}' },
    } do
      local result = aws(words)
      assert.same({ 2, "" }, { result.code, result.out })
      assert.matches(nearest, result.err, 1, true)
    end
  end)

  it("refuses values that do not fit their members, exit 2, before anything is sent", function()
    for problem, words in pairs {
      ["--timeout-in-minutes '5x' is not a whole number"] = { "--timeout-in-minutes", "5x" },
      ["--tags is JSON: {\"Name\": \"value\"}, or in short Name=value"] = { "--tags", "Ky=a" },
      ["--tags Key is given twice"] = { "--tags", "Key=a,Key=b" },
      ["--rollback-configuration is no JSON from column 2 on"] = { "--rollback-configuration", "{" },
      ["--disable-rollback 'yes' is neither true nor false"] = { "--disable-rollback=yes" },
      ["--stack-name needs a value"] = { "--stack-name" },
      ["--StackName is given twice"] = { "--stack-name", "a", "--StackName", "b" },
      ["unexpected argument 'stray'"] = { "--stack-name", "a", "stray" },
      ["StackName: must be a string"] = { "--input", '{"StackName": 5}' },
      ["--input is JSON"] = { "--input", "StackName" },
      ["--query at column 3"] = { "--stack-name", "a", "--query", "a[" },
    } do
      local result = aws { "cloudformation", "create-stack", "--endpoint-url", "http://127.0.0.1:1",
        table.unpack(words) }
      assert.matches(problem, result.err, 1, true)
      assert.same({ 2, "" }, { result.code, result.out }, problem)
    end
  end)

  it("takes secrets from files only, and never repeats them", function()
    local file = helpers.file("value", "from-a-file")
    for _, words in ipairs { { "--name", "x", "--value", "hunter2!" },
      { "--input", '{"Name": "x", "Value": "hunter2!"}' } } do
      local result = aws { "ssm", "put-parameter", table.unpack(words) }
      assert.equal(2, result.code)
      assert.matches("@FILE", result.err, 1, true)
      assert.not_matches("hunter2", result.err .. result.out, 1, true)
    end
    local result = aws { "ssm", "put-parameter", "--name", "x", "--value", "@" .. file, "--print-request" }
    assert.equal(0, result.code, result.err)
    assert.matches('"Name":"x"', result.out, 1, true)
    assert.not_matches("from-a-file", result.out, 1, true)
    result = aws { "ssm", "put-parameter", "--name", "x", "--value", "@/dev/stdin", "--print-request",
      "--output", "json", input = "from-a-pipe" }
    assert.matches('"Value":"****"', result.out, 1, true)
  end)

  it("prints the signed request, sends nothing, and shows no secret", function()
    local env = helpers.client_env { AWS_SECRET_ACCESS_KEY = "secret-key-1",
      AWS_SESSION_TOKEN = "token-1234" }
    local result = aws { "--region", "eu-west-1", "cloudformation", "describe-stacks", "--stack-name", "web",
      "--print-request", env = env }
    assert.equal(0, result.code, result.err)
    assert.matches("^POST https://cloudformation.eu%-west%-1.amazonaws.com/\n", result.out)
    assert.matches("Authorization: AWS4-HMAC-SHA256 Credential=test/", result.out, 1, true)
    assert.matches("\nX-Amz-Security-Token: ****\n", result.out, 1, true)
    assert.matches("\n\nAction=DescribeStacks&Version=2010%-05%-15&StackName=web\n$", result.out)
    assert.not_matches("secret%-key%-1", result.out)
    assert.not_matches("token%-1234", result.out)
  end)

  it("sends the bytes of a file as they are, and does not print what is no text", function()
    local file = helpers.file("bytes", "a\0b")
    local result = aws { "s3", "put-object", "--bucket", "b", "--key", "k", "--body", "@" .. file,
      "--print-request" }
    assert.matches("\nx-amz-content-sha256: " .. require("tap.core.crypto").sha256 "a\0b" .. "\n", result.out,
      1, true)
    assert.matches("\n\n%(3 bytes%)\n$", result.out)
    local put = { "--stream-name", "s", "--partition-key", "p", "--print-request" }
    local body = '{"StreamName":"s","Data":"YQBi","PartitionKey":"p"}'
    for _, data in ipairs { "YQBi", "@" .. file } do
      result = aws { "kinesis", "put-record", "--data", data, table.unpack(put) }
      assert.matches("\n" .. body .. "\n", result.out, 1, true)
    end
    assert.matches("--data is a blob", aws({ "kinesis", "put-record", "--data", "!" }).err, 1, true)
  end)

  it("takes structures as JSON, from a file, and in the AWS CLI's short form", function()
    local long = '{"Name": "tag:team", "Values": ["a", "b=1"]}'
    local wanted = "Filter.1.Name=tag%3Ateam&Filter.1.Value.1=a&Filter.1.Value.2=b%3D1"
    for _, word in ipairs { long, "[" .. long .. "]", "Name=tag:team,Values=a,b=1",
      "@" .. helpers.file("filter.json", "[" .. long .. "]"), "@" .. helpers.file("one.json", long) } do
      local result = aws { "ec2", "describe-instances", "--print-request", "--filters", word }
      assert.matches("Version=2016-11-15&" .. wanted .. "\n", result.out, 1, true)
    end
    local result = aws { "sqs", "create-queue", "--queue-name", "q", "--print-request",
      "--attributes", "DelaySeconds=5,Policy=a,b" }
    assert.matches('"Attributes":{"DelaySeconds":"5","Policy":"a,b"}', result.out, 1, true)
    result = aws { "cloudformation", "create-stack", "--stack-name", "a", "--rollback-configuration",
      "MonitoringTimeInMinutes=x" }
    assert.matches("configuration MonitoringTimeInMinutes 'x' is not a whole number", result.err, 1, true)
  end)

  it("gives a member what has its name, where AWS users expect it", function()
    local function body(...)
      local result = helpers.tapengine { env = helpers.client_env(), ... }
      assert.equal(0, result.code, result.err)
      return result.out:match("\n\n(.*)\n$")
    end
    local job = json.decode(body("--timeout", "1m", "aws", "glue", "create-job", "--name", "j", "--role", "r",
      "--command", "{}", "--print-request", "--timeout", "30"))
    assert.equal(30, job.Timeout)
    local file = helpers.file("input", '{"input": "{}", "stateMachineArn": "arn", "name": "n"}')
    local execution = json.decode(body("aws", "stepfunctions", "start-execution", "--input", "@" .. file,
      "--print-request"))
    assert.same({ input = "{}", stateMachineArn = "arn", name = "n" }, execution)
    local help = aws({ "stepfunctions", "start-execution", "--help" }).out
    assert.matches("%(in %-%-input%) +input +text", help)
    help = aws({ "rekognition", "create-stream-processor", "--help" }).out
    assert.matches("\n  %-%-Output +Output", help)
  end)

  it("says so when there are no credentials, exit 10, and no region, exit 2", function()
    local env = { AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null",
      AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" }
    assert.equal(10, aws({ "sts", "get-caller-identity", "--region", "eu-west-1", env = env }).code)
    assert.equal(2, aws({ "cloudformation", "list-stacks", env = env }).code)
  end)

  it("works in a sandbox of its own, and under options in front of it", function()
    local result = helpers.tapengine { "--sandbox", "aws", "sts", "get-caller-identity", "--query", "Account",
      "--output", "text" }
    assert.same({ 0, "123456789012\n" }, { result.code, result.out }, result.err)
  end)

  it("ends with the exit code of a deadline or of a service out of reach", function()
    local env = helpers.client_env { AWS_MAX_ATTEMPTS = "1" }
    assert.equal(11, aws({ "sts", "get-caller-identity", "--endpoint-url", "http://127.0.0.1:1", env = env })
      .code)
  end)

  it("calls, joins pages, queries and prints", function()
    helpers.with_sandbox(300, function(url)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      local function call(...) return aws { env = env, ... } end
      local function value(...)
        local result = call(...)
        assert.equal(0, result.code, result.err)
        return json.decode(result.out)
      end

      for _, spelling in ipairs { "get-caller-identity", "get_caller_identity", "GetCallerIdentity" } do
        assert.equal("123456789012", value("sts", spelling).Account)
      end
      assert.matches('^{\n  "UserId": "[^\n]+,\n  "Account": "123456789012",\n  "Arn"',
        call("sts", "get-caller-identity").out)

      local made = call("cloudformation", "create-stack", "--stack-name", "web", "--template-body",
        "@" .. wide_template(), "--tags", '{"Key": "team", "Value": "a"}', "--tags",
        "Key=@,Value=b", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM",
        "--disable-rollback", "--TimeoutInMinutes", "5", "--query", "StackId", "--output", "text")
      assert.matches("^arn:aws:cloudformation:us%-east%-1:123456789012:stack/web/[%x-]+\n$", made.out)
      require("tap.task").sleep(300)

      local stack = value("cloudformation", "describe-stacks", "--stack-name=web").Stacks[1]
      assert.same({ { Key = "team", Value = "a" }, { Key = "@", Value = "b" } }, stack.Tags)
      assert.same({ "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM" }, stack.Capabilities)
      assert.same({ true, 5 }, { stack.DisableRollback, stack.TimeoutInMinutes })
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z$", stack.CreationTime)

      local events = { "cloudformation", "describe-stack-events", "--stack-name", "web", "--query" }
      events[#events + 1] = "[length(StackEvents), NextToken]"
      assert.same({ 182, json.null }, value(table.unpack(events)))
      events[#events + 1] = "--no-paginate"
      local first = value(table.unpack(events))
      assert.equal(100, first[1])
      events[#events] = "--next-token=" .. first[2]
      assert.same({ 82, json.null }, value(table.unpack(events)))

      local rows = call("cloudformation", "describe-stack-events", "--input", '{"StackName": "web"}',
        "--query", "StackEvents[?LogicalResourceId=='web'].[LogicalResourceId, ResourceStatus]",
        "--output", "text")
      assert.equal("web\tCREATE_COMPLETE\nweb\tCREATE_IN_PROGRESS\n", rows.out)

      local gone = call("cloudformation", "describe-stacks", "--input", '{"StackName": "web"}',
        "--stack-name", "nope")
      assert.same({ 1, "" }, { gone.code, gone.out })
      assert.matches("ValidationError: Stack with id nope does not exist", gone.err, 1, true)

      assert.equal("null\n", call("sts", "get-caller-identity", "--query", "Nothing").out)
      local deleted = call("cloudformation", "delete-stack", "--stack-name", "web")
      assert.same({ 0, "" }, { deleted.code, deleted.out })
    end)
  end)

  it("takes the file of a stream as the AWS CLI does, and writes one", function()
    local from = helpers.file("from", ("a\0b"):rep(100000))
    local to = helpers.folder() .. "/to"
    helpers.with_sandbox(300, function(url)
      local function call(...)
        local words = { "s3", ... }
        words[#words + 1], words[#words + 2] = "--endpoint-url", url
        return aws(words)
      end
      call("create-bucket", "--bucket", "b-b")
      for _, spelling in ipairs { from, "@" .. from, "fileb://" .. from } do
        assert.equal("", call("put-object", "--bucket", "b-b", "--key", "k", "--body", spelling).err)
        local got = call("get-object", "--bucket", "b-b", to, "--key", "k")
        assert.equal(300000, json.decode(got.out).ContentLength)
        assert.is_nil(json.decode(got.out).Body)
        assert.is_true(sys.read_file(to) == sys.read_file(from))
      end
      assert.matches("there is no file /no/such",
        call("put-object", "--bucket", "b-b", "--key", "k", "--body", "/no/such").err, 1, true)
      assert.matches("unexpected argument 'two'", call("get-object", "--bucket", "b-b", "--key", "k", to, "two").err,
        1, true)
    end)
    assert.matches("get%-object %[options%] %[FILE%]", aws({ "s3", "get-object", "--help" }).out)
  end)

  it("prints what the AWS CLI prints", function()
    local file = helpers.file("config", "[default]\ncli_timestamp_format = wire\n")
    helpers.with_sandbox(300, function(url)
      local env = helpers.client_env { AWS_DEFAULT_REGION = "us-east-1", AWS_PAGER = "",
        AWS_CONFIG_FILE = file, AWS_SHARED_CREDENTIALS_FILE = "/dev/null" }
      aws { "cloudformation", "create-stack", "--stack-name", "web", "--template-body",
        "@" .. wide_template(), "--tags", '[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]',
        "--endpoint-url", url, env = env }
      require("tap.task").sleep(300)
      for _, words in ipairs {
        { "sts", "get-caller-identity", "--output", "text" },
        { "cloudformation", "list-stacks", "--stack-status-filter", "CREATE_COMPLETE", "--output", "text" },
        { "cloudformation", "describe-stack-events", "--stack-name", "web", "--output", "text", "--query",
          "StackEvents[].[Timestamp, LogicalResourceId, ResourceStatusReason]" },
        { "cloudformation", "describe-stacks", "--query", "Stacks[].{Name: StackName, Tags: Tags}" },
      } do
        table.move({ "--endpoint-url", url }, 1, 2, #words + 1, words)
        local theirs = proc.run { "/usr/bin/aws", env = env, table.unpack(words) }
        local ours = aws { env = env, table.unpack(words) }
        assert.same({ 0, 0 }, { theirs.code, ours.code }, theirs.err .. ours.err)
        local is_json, value = pcall(json.decode, theirs.out)
        assert.equal(is_json and json.encode(value, { indent = 2 }) .. "\n" or theirs.out, ours.out)
      end
    end)
  end)

  it("writes an error to stdout as JSON when JSON is asked for", function()
    local result = helpers.tapengine { "aws", "cloudformation", "describe-stacks", "--stack-name", "nope",
      "--sandbox", "--output", "json" }
    assert.equal(1, result.code)
    assert.equal("ValidationError", json.decode(result.out).error.code)
  end)
end)

describe("text output", function()
  it("is a line of plain members, sorted, then what is not plain under its name", function()
    assert.equal("1\t2\nTAGS\tk\tv\nTAGS\tk2\tv2", lines { B = 2, A = 1,
      Tags = { { Key = "k", Value = "v" }, { Key = "k2", Value = "v2" } } })
  end)

  it("gives the objects of a list the same columns", function()
    assert.equal("S\t1\t2\nS\t\t3", lines { S = { { a = 1, b = 2 }, { b = 3 } } })
    local odd = { { a = 1, b = "x", c = { d = 7 } }, { a = json.null, b = "y" } }
    assert.equal("1\tx\nC\t7\nNone\ty", lines(odd))
  end)

  it("is one line for a list of plain values, or one each under a name", function()
    assert.equal("a\tb\tTrue", lines { "a", "b", true })
    assert.equal("ARNS\ta\nARNS\tb", lines { Arns = { "a", "b" } })
    assert.equal("a\tb\nc\td", lines { { "a", "b" }, { "c", "d" } })
  end)

  it("shows a value alone, and nothing for what is empty", function()
    assert.same({ "x", "None", "False", "1.5" }, { lines "x", lines(json.null), lines(false), lines(1.5) })
    assert.same({ "", "" }, { lines {}, lines { A = json.list {} } })
  end)
end)

describe("values along a model", function()
  local shapes = shape.all { shape = function(_, name)
    return ({ S = { type = "structure", members = { Blob = { shape = "B" }, At = { shape = "T" },
        Next = { shape = "S" }, Items = { shape = "L" }, Names = { shape = "M" } } },
      B = { type = "blob" }, T = { type = "timestamp" }, L = { type = "list", member = { shape = "B" } },
      M = { type = "map", key = { shape = "N" }, value = { shape = "T" } }, N = { type = "string" } })[name]
  end }
  local source = { shapes = shapes, visible = true }

  it("become bytes and seconds for a call, and base64 and ISO 8601 for people", function()
    local written = { Blob = "AAE=", At = "2026-01-01T00:00:00Z", Items = json.list { "/w==" },
      Names = { a = "2026-01-01T00:00:00.5Z" }, Next = { Blob = "" } }
    local value = shape.read(source, "S", written, "--input")
    assert.same({ Blob = "\0\1", At = 1767225600.0, Items = { "\xff" }, Names = { a = 1767225600.5 },
      Next = { Blob = "" } }, value)
    local shown = json.decode(json.encode(shape.write(shapes, "S", value)))
    assert.same("2026-01-01T00:00:00.500Z", shown.Names.a)
    shown.Names.a = written.Names.a
    assert.same(written, shown)
  end)

  it("that are of no use name their place", function()
    local function problem(value)
      return select(2, pcall(shape.read, source, "S", value, "--input")).message
    end
    assert.matches("--input.Items[1] is a blob", problem { Items = json.list { "", "no base64" } }, 1, true)
    assert.matches("--input.Next.At 'soon' is no time", problem { Next = { At = "soon" } }, 1, true)
  end)

  it("of another type than the model's are left to the input check", function()
    local odd = { Items = "text", Next = 5, Unknown = { 1 }, Names = json.null }
    assert.same(odd, shape.read(source, "S", odd, "--input"))
  end)
end)
