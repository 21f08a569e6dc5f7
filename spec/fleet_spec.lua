-- Several stacks at once, by their stack files.
local helpers = require "spec.helpers"
local json = require "tap.core.json"

teardown(helpers.clean)

local TOPIC = json.encode { Resources = { T = { Type = "AWS::SNS::Topic" } },
  Outputs = { TopicArn = { Value = { Ref = "T" } } } }
local TAKES = json.encode { Parameters = { Arn = { Type = "String" } }, Resources = {
  S = { Type = "AWS::SNS::Subscription", Properties = { Protocol = "sms", Endpoint = "+4912345",
    TopicArn = { Ref = "Arn" } } } } }
local BROKEN = json.encode { Resources = { A = { Type = "AWS::SNS::Topic", Properties = { TopicName = "same" } },
  B = { Type = "AWS::SNS::Topic", DependsOn = "A", Properties = { TopicName = "same" } } } }

describe("deploy-all", function()
  local folder

  before_each(function()
    folder = helpers.folder()
    helpers.file("topic.json", TOPIC, folder)
    helpers.file("takes.json", TAKES, folder)
    helpers.file("broken.json", BROKEN, folder)
  end)

  local function stack(name, template, more)
    helpers.file(name .. ".stack.lua", ('return { stack_name = "%s", template = "%s.json", %s }'):format(name, template,
      more or ""), folder)
  end

  local function in_sandbox(body)
    helpers.with_sandbox(100, function(url)
      body(function(...)
        return helpers.tapengine { cwd = folder, env = helpers.client_env { AWS_ENDPOINT_URL = url }, ... }
      end)
    end)
  end

  local function statuses(result)
    local out = {}
    for _, one in ipairs(json.decode(result.out).stacks) do out[one.stack_name] = one.status end
    return out
  end

  it("deploys first what others take outputs of or depend on, and has nothing to do the second time", function()
    stack("a-web", "takes", 'parameters = { Arn = { output = "TopicArn", stack = "network" } }')
    stack("network", "topic")
    stack("b-last", "topic", 'depends_on = { "a-web" }')
    in_sandbox(function(run)
      local first = run("deploy-all", "--yes", "--output", "json")
      assert.equal(0, first.code, first.err)
      assert.same({ ["a-web"] = "done", network = "done", ["b-last"] = "done" }, statuses(first))
      assert.matches("network | network CREATE_COMPLETE.*a%-web: deploying.*a%-web | a%-web CREATE_COMPLETE.*"
        .. "b%-last: deploying", first.err)
      local second = run("deploy-all", folder, "--yes")
      assert.equal(0, second.code, second.err)
      assert.matches("network | network is up to date: no changes", second.out, 1, true)
    end)
  end)

  it("holds up those that need one that fails, and nobody else", function()
    stack("base", "broken")
    stack("next", "topic", 'depends_on = { "base" }')
    stack("over-next", "topic", 'depends_on = { "next" }')
    stack("other", "topic")
    in_sandbox(function(run)
      local result = run("deploy-all", "--yes", "--output", "json")
      assert.equal(6, result.code, result.err) -- as the one that failed
      assert.same({ base = "failed", next = "left out", ["over-next"] = "left out", other = "done" }, statuses(result))
      assert.matches("base | error: base: the create failed", result.err, 1, true)
      assert.matches("over-next is left out: next has not been deployed", result.err, 1, true)
    end)
  end)

  it("shows the changes and makes none when it is told so; asks before it begins", function()
    stack("web", "topic")
    in_sandbox(function(run)
      assert.equal(20, run("deploy-all", "--dry-run").code)
      assert.equal(4, run("deploy-all").code)
      assert.equal(1, run("status", "web").code)
    end)
  end)

  it("is a rehearsal with --sandbox", function()
    stack("a-web", "takes", 'parameters = { Arn = { output = "TopicArn", stack = "network" } }')
    stack("network", "topic")
    local result = helpers.tapengine { "deploy-all", "--sandbox", "--yes", cwd = folder }
    assert.equal(0, result.code, result.err)
    assert.matches("done  a%-web +ok", result.out)
  end)

  it("refuses stacks that wait for each other, that are not there, that are there twice", function()
    local function refusal()
      local result = helpers.tapengine { "deploy-all", "--yes", "--region", "us-east-1", cwd = folder }
      assert.equal(2, result.code)
      return result.err
    end
    assert.matches("no stack files", refusal(), 1, true)
    stack("a", "topic", 'depends_on = { "b" }')
    stack("b", "topic", 'depends_on = { "a" }')
    stack("c", "topic")
    assert.matches("these stacks wait for each other: a, b", refusal(), 1, true)
    stack("b", "topic", 'depends_on = { "cc" }')
    assert.matches("depends_on names 'cc', which is not among the stacks, did you mean 'c'?", refusal(), 1, true)
    helpers.file("d.stack.lua", 'return { stack_name = "c", template = "topic.json" }', folder)
    stack("b", "topic")
    assert.matches("c.stack.lua and d.stack.lua are both of stack c", refusal(), 1, true)
  end)
end)
