-- Deployments through change sets: every test runs the program against one sandbox server.
local helpers = require "spec.helpers"
local json = require "tap.core.json"

local TABLE = { Type = "AWS::DynamoDB::Table", Properties = { TableName = { ["Fn::Sub"] = "t-${Name}" },
  BillingMode = "PAY_PER_REQUEST", AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
  KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } }

--- A template of a topic and a table, whose name and label come from parameters.
local function template(changes)
  local t = { Parameters = { Name = { Type = "String", Default = "one" }, Label = { Type = "String", Default = "a" } },
    Resources = { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = { Ref = "Label" } } },
      Table = TABLE } }
  for name, value in pairs(changes or {}) do t[name] = value end
  return helpers.file("web.json", json.encode(t))
end

teardown(helpers.clean)

--- Runs body(run), where run(words...) is the program against a fresh sandbox.
local function in_sandbox(body)
  helpers.with_sandbox(100, function(url)
    body(function(words)
      if type(words) == "string" then words = { words } end
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      for name, value in pairs(words.env or {}) do env[name] = value end
      words.env = env
      local result = helpers.tapengine(words)
      result.url = url
      return result
    end)
  end)
end

local function deploy(path, ...)
  return { "deploy", "web", "--template", path, "--output", "json", ... }
end

local function status_of(run)
  return json.decode(run { "status", "web", "--output", "json" }.out)
end

describe("deploy", function()
  it("creates, says when there is nothing to do, and updates in place", function()
    in_sandbox(function(run)
      local path = template()
      local created = run(deploy(path, "--yes"))
      assert.equal(0, created.code, created.err)
      assert.equal("CREATE_COMPLETE", json.decode(created.out).status)
      assert.matches("2 added", created.err, 1, true)

      local again = run(deploy(path, "--yes"))
      assert.equal(0, again.code, again.err)
      assert.same({}, json.decode(again.out).changes)

      local changed = run(deploy(path, "--parameter", "Label=b", "--yes"))
      assert.equal(0, changed.code, changed.err)
      assert.matches("updates the topic in place: DisplayName through parameter Label", changed.err, 1, true)
      assert.matches("DisplayName: a -> b", changed.err, 1, true)
      assert.equal("UPDATE_COMPLETE", json.decode(changed.out).status)

      -- A value that is not given stays as the stack has it.
      local kept = run(deploy(path, "--yes"))
      assert.same({}, json.decode(kept.out).changes)
    end)
  end)

  it("leaves nothing behind when nobody agrees, --dry-run included", function()
    in_sandbox(function(run)
      local path = template()
      assert.equal(4, run(deploy(path)).code) -- nobody is there to ask
      local dry = run(deploy(path, "--dry-run"))
      assert.equal(20, dry.code, dry.err)
      assert.equal(2, #json.decode(dry.out).changes)
      assert.equal(1, run { "status", "web" }.code) -- no REVIEW_IN_PROGRESS stack
      assert.equal(0, run(deploy(path, "--yes")).code)
      assert.equal(20, run(deploy(path, "--dry-run", "--parameter", "Label=b")).code)
      assert.equal(0, run(deploy(path, "--dry-run")).code)
      local sets = run { "aws", "cloudformation", "list-change-sets", "--stack-name", "web" }
      assert.same({}, json.decode(sets.out).Summaries)
    end)
  end)

  it("is refused by a gate where data would be lost, and says which, what and why", function()
    in_sandbox(function(run)
      local path = template()
      assert.equal(0, run(deploy(path, "--yes")).code)
      local refused = run(deploy(path, "--parameter", "Name=two", "--yes"))
      assert.equal(4, refused.code)
      assert.matches("data-loss: Table REPLACES the table, deletes the old one, because TableName changed through "
        .. "parameter Name; its data is lost", refused.err, 1, true)
      assert.matches("--accept data-loss", refused.err, 1, true)
      assert.equal("CREATE_COMPLETE", status_of(run).status)
      local accepted = run(deploy(path, "--parameter", "Name=two", "--yes", "--accept", "data-loss"))
      assert.equal(0, accepted.code, accepted.err)
      assert.equal(2, run(deploy(path, "--parameter", "Name=three", "--accept", "data-los")).code)
    end)
  end)

  it("can leave the change set to a second stage, which refuses when anything has changed", function()
    in_sandbox(function(run)
      local path = template()
      assert.equal(0, run(deploy(path, "--yes")).code)
      local function plan(label)
        local first = run(deploy(path, "--parameter", "Label=" .. label, "--no-execute"))
        assert.equal(0, first.code, first.err)
        return json.decode(first.out)
      end
      local one, two = plan "one", plan "two"
      local wrong = run { "execute", one.change_set, "--fingerprint", two.fingerprint, "--yes" }
      assert.equal(4, wrong.code)
      assert.matches("no longer what was shown", wrong.err, 1, true)
      local right = run { "execute", one.change_set, "--fingerprint", one.fingerprint, "--yes" }
      assert.equal(0, right.code, right.err)
      assert.equal("UPDATE_COMPLETE", status_of(run).status)
      assert.equal(4, run { "execute", one.change_set, "--yes" }.code) -- executed already
    end)
  end)

  it("tells a failed update, where it stands in the template, and that it was rolled back", function()
    in_sandbox(function(run)
      local path = template()
      assert.equal(0, run(deploy(path, "--yes")).code)
      local clash = template { Resources = { Topic = { Type = "AWS::SNS::Topic",
        Properties = { DisplayName = "new", TopicName = "same" } }, Table = TABLE,
        Other = { Type = "AWS::SNS::Topic", DependsOn = "Topic", Properties = { TopicName = "same" } } } }
      local failed = run(deploy(clash, "--yes", "--accept", "data-loss"))
      assert.equal(6, failed.code)
      assert.matches("the update failed: UPDATE_ROLLBACK_COMPLETE", failed.err, 1, true)
      assert.matches("Other  AWS::SNS::Topic  CREATE_FAILED  [^\n]*web.json:%d+:%d+", failed.err)
    end)
  end)

  it("does not touch a stack whose creation failed, unless told to replace it", function()
    in_sandbox(function(run)
      local clash = template { Resources = { A = { Type = "AWS::SNS::Topic", Properties = { TopicName = "same" } },
        B = { Type = "AWS::SNS::Topic", DependsOn = "A", Properties = { TopicName = "same" } } } }
      assert.equal(6, run(deploy(clash, "--yes")).code)
      local path = template()
      local stuck = run(deploy(path, "--yes"))
      assert.equal(7, stuck.code)
      assert.matches("ROLLBACK_COMPLETE", stuck.err, 1, true)
      assert.matches("--replace-failed", stuck.err, 1, true)
      assert.equal(4, run(deploy(path, "--replace-failed")).code)
      local replaced = run(deploy(path, "--replace-failed", "--yes"))
      assert.equal(0, replaced.code, replaced.err)
      assert.equal("CREATE_COMPLETE", status_of(run).status)
    end)
  end)

  it("uploads a template over 51,200 bytes to a private bucket that it makes after asking", function()
    in_sandbox(function(run)
      local path = template { Metadata = { Filler = ("x"):rep(60000) } }
      assert.equal(4, run(deploy(path)).code)
      local done = run(deploy(path, "--yes"))
      assert.equal(0, done.code, done.err)
      local bucket = "tapengine-templates-123456789012-us-east-1"
      local block = run { "aws", "s3", "get-public-access-block", "--bucket", bucket }
      assert.is_true(json.decode(block.out).PublicAccessBlockConfiguration.BlockPublicPolicy)
    end)
  end)
end)

describe("update", function()
  it("needs a stack that is there", function()
    in_sandbox(function(run)
      local result = run { "update", "--stack-name", "web", "--template", template() }
      assert.equal(1, result.code)
      assert.matches("Stack web does not exist", result.err, 1, true)
    end)
  end)
end)

describe("a stack file", function()
  local function stack_file(text, path)
    return helpers.file("web.stack.lua", text, path:match("^(.*)/"))
  end

  it("beside the template says how it is deployed; the command line wins", function()
    in_sandbox(function(run)
      local path = template()
      stack_file([[return { stack_name = "web", parameters = { Label = { env = "LABEL", default = "from-file" },
        Name = function() return "computed" end }, tags = { Team = "blue" }, termination_protection = true }]], path)
      local result = run { "deploy", "--template", path, "--yes", "--output", "json" }
      assert.equal(0, result.code, result.err)
      local stack = json.decode(run { "aws", "cloudformation", "describe-stacks", "--stack-name", "web" }.out).Stacks[1]
      local values = {}
      for _, parameter in ipairs(stack.Parameters) do values[parameter.ParameterKey] = parameter.ParameterValue end
      assert.same({ Label = "from-file", Name = "computed" }, values)
      assert.same({ { Key = "Team", Value = "blue" } }, stack.Tags)
      run { "deploy", "web", "--template", template(), "--yes", "--parameter", "Label=other" } -- without the stack file
      stack = json.decode(run { "aws", "cloudformation", "describe-stacks", "--stack-name", "web" }.out).Stacks[1]
      assert.same({ { Key = "Team", Value = "blue" } }, stack.Tags)
      run { "deploy", "--template", path, "--yes" }
      assert.is_true(stack.EnableTerminationProtection)
      local changed = run { "deploy", "--template", path, "--yes", "--parameter", "Label=cli", env = { LABEL = "env" } }
      assert.matches("DisplayName: from-file -> cli", changed.out, 1, true)
    end)
  end)

  it("that fixes the region refuses another one, with the reason", function()
    local path = template()
    stack_file([[return { stack_name = "web", region = { fixed = "us-west-2" } }]], path)
    for _, case in ipairs { { "--region", "eu-west-1" }, { env = { AWS_REGION = "eu-west-1" } } } do
      for _, word in ipairs { path, "--template", "--sandbox", "deploy" } do table.insert(case, 1, word) end
      local result = helpers.tapengine(case)
      assert.equal(4, result.code)
      assert.matches("fixes the region of this stack to us-west-2", result.err, 1, true)
    end
    local right = helpers.tapengine { "deploy", "--sandbox", "--template", path, "--yes", "--output", "json" }
    assert.equal("us-west-2", json.decode(right.out).region, right.err)
  end)

  it("guards the account", function()
    local path = template()
    stack_file([[return { stack_name = "web", allowed_accounts = { "999999999999" } }]], path)
    local result = helpers.tapengine { "deploy", "--sandbox", "--template", path, "--yes" }
    assert.equal(4, result.code)
    assert.matches("these credentials are of account 123456789012", result.err, 1, true)
  end)

  it("is told about a field that it does not have", function()
    local path = template()
    stack_file([[return { parametres = {} }]], path)
    local result = helpers.tapengine { "deploy", "web", "--sandbox", "--template", path }
    assert.equal(2, result.code)
    assert.matches("there is no field 'parametres', did you mean 'parameters'?", result.err, 1, true)
  end)

  it("takes values from another stack's output and from SSM", function()
    in_sandbox(function(run)
      local net = helpers.file("net.json", helpers.template())
      assert.equal(0, run({ "create", "--stack-name", "net", "--template", net }).code)
      local value = helpers.file("value", "from-ssm")
      assert.equal(0, run({ "aws", "ssm", "put-parameter", "--name", "/label", "--value", "@" .. value, "--type",
        "String" }).code)
      local path = template()
      stack_file([[return { stack_name = "web", parameters = { Name = { output = "TopicName", stack = "net" },
        Label = { ssm = "/label" } } }]], path)
      local result = run { "deploy", "--template", path, "--yes" }
      assert.equal(0, result.code, result.err)
      local described = run { "aws", "sns", "list-topics" }.out
      assert.matches("web%-Topic", described)
      assert.equal(0, run { "aws", "dynamodb", "describe-table", "--table-name", "t-topic-dev" }.code)
    end)
  end)
end)

describe("many stacks", function()
  it("are deployed by one process at once, within its request budget, and all end right", function()
    local path = helpers.file("many.lua", [[local tap = require "tap"
      return tap.workflow { name = "many", summary = "s", effects = { "cloudformation" },
        params = { { "template", "file", required = true } },
        run = function(ctx, p)
          local rollout, jobs = require "tap.rollout", {}
          for number = 1, 200 do
            jobs[number] = function()
              return rollout.run(rollout.begin(ctx, require("tap.target_params").values {
                stack_name = "s" .. number, template = p.template, verify = false }, "deploy")).status
            end
          end
          local began, done = tap.monotonic(), 0
          for _, status in ipairs(tap.all(jobs)) do done = done + (status == "CREATE_COMPLETE" and 1 or 0) end
          return { done = done, seconds = tap.monotonic() - began, kilobytes = collectgarbage "count" }
        end }]])
    local result = helpers.tapengine { path, "--sandbox", "--yes", "--output", "json", "--template",
      helpers.file("t.json", json.encode { Resources = { Topic = { Type = "AWS::SNS::Topic" } } }) }
    assert.equal(0, result.code, result.err:sub(-500))
    local value = json.decode(result.out)
    assert.equal(200, value.done)
    assert.is_true(value.kilobytes < 150 * 1024)
  end)
end)

describe("a stack that is not known everywhere yet", function()
  it("is made all the same, without a word", function()
    for _, workflow in ipairs { "create", "deploy" } do
      local path = helpers.file("web.json", helpers.template())
      local result = helpers.tapengine { workflow, "web", "--template", path, "--yes",
        "--sandbox=eventual-consistency" }
      assert.equal(0, result.code, result.err)
      assert.is_nil(result.err:find("does not exist", 1, true))
    end
  end)
end)
