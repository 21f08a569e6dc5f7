-- What can be relied on when a stack is followed, looked at and deleted. The waiting is tried against a
-- scripted client, whose every call is counted; the workflows against a sandbox server.
local errors = require "tap.core.error"
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local stack = require "tap.stack"
local status = require "tap.status"
local task = require "tap.task"

local ID = "arn:aws:cloudformation:eu-west-1:1:stack/web/1"

local function event(id, resource_status, more)
  local e = { EventId = id, StackId = ID, StackName = "web", LogicalResourceId = "web",
    PhysicalResourceId = ID, ResourceType = "AWS::CloudFormation::Stack", ResourceStatus = resource_status,
    Timestamp = 0 }
  for name, value in pairs(more or {}) do e[name] = value end
  return e
end

local function resource_event(id, name, resource_status, reason)
  return event(id, resource_status, { LogicalResourceId = name, PhysicalResourceId = "p-" .. name,
    ResourceType = "AWS::SNS::Topic", ResourceStatusReason = reason })
end

--- A client whose events come in pages of two and whose stack has the given status. `log` may be appended to
-- while it is in use; `failures` are raised by the next calls, one each.
local function scripted(log, stack_status)
  local cfn = { calls = 0, log = log, status = stack_status, failures = {} }
  local function call()
    cfn.calls = cfn.calls + 1
    local failure = table.remove(cfn.failures, 1)
    if failure then error(errors.new(failure), 0) end
  end
  function cfn:describe_stack_events(input)
    call()
    local first = tonumber(input.NextToken or 0)
    local page = {}
    for offset = first, math.min(first + 1, #self.log - 1) do
      page[#page + 1] = self.log[#self.log - offset]
    end
    return { StackEvents = page, NextToken = first + 2 < #self.log and tostring(first + 2) or nil },
      { answer = self.calls }
  end
  function cfn:describe_stacks()
    call()
    return { Stacks = { { StackId = ID, StackName = "web", StackStatus = self.status } } }
  end
  function cfn.region() return "eu-west-1" end
  return cfn
end

local function ids(events)
  local list = {}
  for index, e in ipairs(events) do list[index] = e.EventId end
  return table.concat(list, " ")
end

teardown(helpers.clean)

describe("events", function()
  it("come oldest first, and only once", function()
    local cfn = scripted { event("1", "CREATE_IN_PROGRESS"), event("2", "X"), event("3", "X") }
    local s = stack.new(cfn, "web")
    assert.equal("1 2 3", ids(s:new_events()))
    assert.equal("", ids(s:new_events()))
    cfn.log[#cfn.log + 1] = event("4", "X")
    assert.equal("4", ids(s:new_events()))
  end)

  it("are not read past the first one that is known", function()
    local log = {}
    for index = 1, 40 do log[index] = event(tostring(index), "X") end
    local cfn = scripted(log)
    local s = stack.new(cfn, "web")
    s:skip_events()
    assert.equal(1, cfn.calls)
    log[#log + 1] = event("41", "X")
    assert.equal("41", ids(s:new_events()))
    assert.equal(2, cfn.calls)
  end)
end)

describe("a wait", function()
  local before
  before_each(function() before = task.clock "virtual" end)
  after_each(function() task.clock(before) end)

  local function wait(cfn, options)
    options = options or {}
    options.verb = "create"
    local s = stack.new(cfn, "web")
    s.id = ID
    return s:wait(options)
  end

  --- Lets the stack come to a status after some seconds.
  local function settle_after(cfn, seconds, final, body)
    local results
    task.scope(function(scope)
      scope:spawn(function()
        task.sleep(seconds)
        cfn.status = final
        cfn.log[#cfn.log + 1] = event("end", final)
      end)
      results = table.pack(body())
    end)
    return table.unpack(results, 1, results.n)
  end

  it("ends when the stack has settled, and tells every event as it comes", function()
    local cfn, told = scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_IN_PROGRESS"), {}
    local description = settle_after(cfn, 100, "CREATE_COMPLETE", function()
      return wait(cfn, { on_event = function(e) told[#told + 1] = e.EventId end })
    end)
    assert.equal("CREATE_COMPLETE", description.StackStatus)
    assert.same({ "1", "end" }, told)
  end)

  it("looks often at first and every five seconds later on", function()
    local cfn = scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_IN_PROGRESS")
    settle_after(cfn, 600, "CREATE_COMPLETE", function() return wait(cfn) end)
    assert.is_true(cfn.calls > 600 / 5 and cfn.calls < 600 / 5 * 1.4, cfn.calls)
  end)

  it("ends even when the last event is never seen", function()
    local cfn = scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_COMPLETE")
    assert.equal("CREATE_COMPLETE", wait(cfn).StackStatus)
  end)

  it("is not taken in by the event of an earlier operation", function()
    local cfn = scripted({ event("1", "CREATE_COMPLETE") }, "UPDATE_IN_PROGRESS")
    local description = settle_after(cfn, 30, "UPDATE_COMPLETE", function() return wait(cfn) end)
    assert.equal("UPDATE_COMPLETE", description.StackStatus)
  end)

  it("outlives a network that fails for a while, since the operation does not end by it", function()
    local cfn, troubles = scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_IN_PROGRESS"), 0
    cfn.failures = { { class = "network", message = "reset" }, { class = "service", status = 503 },
      { class = "service", code = "Throttling", retryable = true } }
    settle_after(cfn, 60, "CREATE_COMPLETE", function()
      return wait(cfn, { on_trouble = function() troubles = troubles + 1 end })
    end)
    assert.equal(1, troubles) -- one streak, one line
  end)

  it("outlives the moment in which a new stack is not known everywhere, without a word", function()
    local cfn, troubles = scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_IN_PROGRESS"), 0
    local unknown = { class = "service", code = "ValidationError", status = 400,
      message = "Stack [web] does not exist" }
    cfn.failures = { unknown, unknown }
    settle_after(cfn, 60, "CREATE_COMPLETE", function()
      return wait(cfn, { on_trouble = function() troubles = troubles + 1 end })
    end)
    assert.equal(0, troubles)
  end)

  it("raises at once what waiting does not mend", function()
    local cfn = scripted({}, "CREATE_IN_PROGRESS")
    cfn.failures = { { class = "service", code = "ExpiredToken", status = 403 } }
    local ok, e = pcall(wait, cfn)
    assert.is_false(ok)
    assert.equal("ExpiredToken", e.code)
  end)

  it("gives up after its timeout, with class timeout", function()
    local began = task.monotonic()
    local ok, e = pcall(wait, scripted({ event("1", "CREATE_IN_PROGRESS") }, "CREATE_IN_PROGRESS"),
      { timeout = 90 })
    assert.is_false(ok)
    assert.equal("timeout", e.class)
    assert.is_true(math.abs(task.monotonic() - began - 90) < 1)
  end)
end)

describe("the cause of a failure", function()
  it("is what failed by itself, first things first; what was cancelled because of it is left out", function()
    local events = {
      resource_event("1", "A", "CREATE_FAILED", "Resource creation cancelled"),
      resource_event("2", "B", "CREATE_FAILED", "no such key"),
      resource_event("3", "C", "CREATE_FAILED", "too many"),
      event("4", "ROLLBACK_IN_PROGRESS", { ResourceStatusReason = "The following resource(s) failed" }),
    }
    local s = stack.new(scripted {}, "web")
    assert.equal("2 3", ids(s:failures(events)))
    assert.equal("The following resource(s) failed", stack.own_reason(events))
  end)

  it("in a nested stack is what failed inside of it", function()
    local cfn = scripted { resource_event("inner", "Deep", "CREATE_FAILED", "the true cause") }
    local parent = resource_event("outer", "Child", "CREATE_FAILED", "Embedded stack was not created")
    parent.ResourceType, parent.PhysicalResourceId = "AWS::CloudFormation::Stack", ID .. "-child"
    assert.equal("inner", ids(stack.new(cfn, "web"):failures { parent }))
  end)
end)

describe("a status", function()
  it("says how the operation went that ended there", function()
    for _, case in ipairs {
      { "CREATE_COMPLETE", "create", "ok" }, { "ROLLBACK_COMPLETE", "create", "rolled_back" },
      { "CREATE_FAILED", "create", "stuck" }, { "DELETE_COMPLETE", "create", "rolled_back" },
      { "DELETE_COMPLETE", "delete", "ok" }, { "DELETE_FAILED", "delete", "stuck" },
      { "CREATE_COMPLETE", "delete", "rolled_back" }, { "UPDATE_ROLLBACK_FAILED", "update", "stuck" },
      { "UPDATE_ROLLBACK_COMPLETE", "update", "rolled_back" }, { "SOMETHING_NEW", "update", "stuck" },
    } do
      assert.equal(case[3], status.outcome(case[1], case[2]), case[1])
    end
  end)

  it("is known for each of the model's, and settled unless an operation is at work", function()
    local shape = require("tap.core.model").load("cloudformation"):shape "StackStatus"
    for _, name in ipairs(shape.enum) do
      assert.is_nil(status.meaning(name):find("does not know", 1, true), name)
      local at_work = name:find("_IN_PROGRESS$") ~= nil and name ~= "REVIEW_IN_PROGRESS"
      assert.equal(not at_work, status.settled(name), name)
    end
  end)
end)

describe("a stack's life", function()
  it("is created, looked at and deleted by the workflows", function()
    helpers.with_sandbox(20, function(url)
      local function tapengine(...)
        return helpers.tapengine { env = helpers.client_env { AWS_ENDPOINT_URL = url }, ... }
      end
      local template = helpers.file("t.json", helpers.template())
      local created = tapengine("create", "--stack-name", "web", "--template", template, "--tags", "A=b")
      assert.equal(0, created.code, created.err)

      -- Queries print their result to stdout, and nothing else.
      assert.equal("  TopicName  topic-dev\n", tapengine("outputs", "--stack-name", "web").out)
      local as_env = tapengine("outputs", "--stack-name", "web", "--format", "env")
      assert.equal("TopicName='topic-dev'\n", as_env.out)
      assert.equal("topic-dev\n", tapengine("outputs", "--stack-name", "web", "--key", "TopicName").out)
      local as_json = tapengine("outputs", "--stack-name", "web", "--output", "json")
      assert.same({ TopicName = "topic-dev" }, json.decode(as_json.out))

      local state = json.decode(tapengine("status", "--stack-name", "web", "--output", "json").out)
      assert.same({ "CREATE_COMPLETE", true }, { state.status, state.settled })
      assert.same({ CREATE_COMPLETE = 1 }, state.resources)
      local last = tapengine("events", "--stack-name", "web", "--limit", "1").out
      assert.matches("^%d%d:%d%d:%d%d  CREATE_COMPLETE +AWS::CloudFormation::Stack  web\n$", last)
      assert.equal(0, tapengine("events", "--stack-name", "web", "--follow").code)

      -- A name that is taken; a delete that nobody agreed to; one that somebody did; one too many.
      local again = tapengine("create", "--stack-name", "web", "--template", template, "--tags", "A=c")
      assert.equal(4, again.code)
      assert.matches("web exists already, in CREATE_COMPLETE: updating it through a change set", again.out, 1, true)
      local refused = tapengine("delete", "--stack-name", "web")
      assert.equal(4, refused.code)
      assert.matches("--yes", refused.err, 1, true)
      assert.equal(20, tapengine("delete", "--stack-name", "web", "--dry-run").code)
      local deleted = tapengine("delete", "--stack-name", "web", "--yes")
      assert.equal(0, deleted.code, deleted.err)
      assert.matches("DELETE_COMPLETE +AWS::SNS::Topic +Topic.*web DELETE_COMPLETE in", deleted.out)
      assert.is_nil(deleted.out:find("CREATE_COMPLETE", 1, true))
      local gone = tapengine("delete", "--stack-name", "web", "--yes")
      assert.equal(0, gone.code)
      assert.matches("web does not exist in us-east-1", gone.out, 1, true)
      assert.equal(1, tapengine("status", "--stack-name", "web").code)
    end)
  end)

  it("that is protected is not ended by a delete", function()
    helpers.with_sandbox(20, function(url)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      helpers.tapengine { env = env, "create", "--stack-name", "safe", "--termination-protection",
        "--template", helpers.file("t.json", helpers.template()) }
      local result = helpers.tapengine { env = env, "delete", "--stack-name", "safe", "--yes" }
      assert.equal(4, result.code)
      assert.matches("TerminationProtection is enabled", result.err, 1, true)
    end)
  end)

  it("cannot be begun twice at once: the second caller is told, exit 5", function()
    helpers.with_sandbox(1, function(url)
      local words = { "create", "--stack-name", "web", "--timeout", "1s", "--template",
        helpers.file("t.json", helpers.template()), env = helpers.client_env { AWS_ENDPOINT_URL = url } }
      assert.equal(8, helpers.tapengine(words).code)
      local second = helpers.tapengine(words)
      assert.equal(5, second.code)
      assert.matches("is in CREATE_IN_PROGRESS", second.err, 1, true)
    end)
  end)

  it("is refused with wrong credentials, exit 10; and without a network, exit 11", function()
    helpers.with_sandbox(1, function(url)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url, AWS_SECRET_ACCESS_KEY = "wrong-secret-key" }
      local result = helpers.tapengine { env = env, "status", "--stack-name", "web" }
      assert.equal(10, result.code)
      assert.matches("SignatureDoesNotMatch", result.err, 1, true)
      assert.is_nil(result.err:find("wrong-secret-key", 1, true))
    end)
    local env = helpers.client_env { AWS_ENDPOINT_URL = "http://127.0.0.1:1", AWS_MAX_ATTEMPTS = "1" }
    assert.equal(11, helpers.tapengine({ env = env, "status", "--stack-name", "web" }).code)
  end)
end)
