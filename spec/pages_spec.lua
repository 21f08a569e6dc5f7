-- What a script can rely on when it reads pages and waits: against the sandbox, on a virtual clock, and
-- against a service of this file where the sandbox would not misbehave enough.
local json = require "tap.core.json"
local protocol = require "tap.core.protocol"
local server = require "tap.core.server"
local client = require "tap.client"
local task = require "tap.task"
local world = require "spec.sandbox_world"

local function topics(n)
  local resources = {}
  for i = 1, n do resources["T" .. i] = world.topic() end
  return resources
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

-- Runs body(cfn) beside a service that answers with answer(operation) -> status, headers, body.
local function with_service(answer, body)
  local before = task.clock "real"
  task.scope(function(scope)
    local s <close> = server.listen("127.0.0.1", 0)
    local serving = scope:spawn(function()
      while true do
        local x = s:accept()
        x:respond(answer((protocol.read("cloudformation", x))))
      end
    end)
    body(client.new("cloudformation", { region = "eu-west-1", max_attempts = 1,
      endpoint_url = "http://127.0.0.1:" .. s:port(),
      credentials = { access_key = "test", secret_key = "test-secret" } }))
    serving:cancel()
  end)
  task.clock(before)
end

describe("pages", function()
  local w
  setup(function()
    w = world.open()
    w:create("web", topics(60)) -- 182 events, of which a page has 100
  end)
  teardown(function() w:close() end)

  it("come one by one, with what belongs to their calls", function()
    local sizes, ids = {}, {}
    for page, meta in w.cfn:pages("describe_stack_events", { StackName = "web" }) do
      sizes[#sizes + 1] = #page.StackEvents
      ids[meta.request_id] = true
    end
    assert.same({ 100, 82 }, sizes)
    assert.equal(2, #require("tap.util").sorted_keys(ids))
  end)

  it("are not asked for before they are wanted", function()
    local next_page = w.cfn:pages("DescribeStackEvents", { StackName = "nobody" })
    assert.equal("ValidationError", failure(next_page).code)
  end)

  it("give their items one after the other", function()
    local seen, n = {}, 0
    for event in w.cfn:each("describe-stack-events", { StackName = "web" }) do
      n = n + 1
      seen[event.EventId] = true
    end
    assert.equal(182, n)
    assert.equal(182, #require("tap.util").sorted_keys(seen))
  end)

  it("are one output when they are collected, without the tokens", function()
    local output = w.cfn:collect("describe_stack_events", { StackName = "web" })
    assert.equal(182, #output.StackEvents)
    assert.same({ "StackEvents" }, json.keys(output))
  end)

  it("that hold nothing are passed over", function()
    for _ in w.cfn:each("list_exports", {}) do error "there is no export" end
    assert.same(json.list {}, w.cfn:collect("list_exports", {}).Exports or json.list {})
  end)

  it("are refused for operations that have none, and for unknown ones with the nearest", function()
    assert.equal("NoPages", failure(w.cfn.pages, w.cfn, "create_stack", { StackName = "x" }).code)
    assert.matches("DescribeStackEvents", failure(w.cfn.each, w.cfn, "describe_stak_events").message)
  end)

  it("of a service that gives the same token again end in an error", function()
    with_service(function(name) return protocol.write("cloudformation", name, { NextToken = "a" }, "r") end,
      function(cfn)
        local err = failure(cfn.collect, cfn, "list_stacks", {})
        assert.same({ "RepeatedToken", "ListStacks" }, { err.code, err.operation })
      end)
  end)
end)

describe("a wait", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("ends soon after it is so, and gives the last output", function()
    w:create("web", { D = { Type = "AWS::RDS::DBInstance" } }, {}, 0)
    local output = w.cfn:wait("stack_create_complete", { StackName = "web" }, { timeout = "2h" })
    assert.equal("CREATE_COMPLETE", output.Stacks[1].StackStatus)
    local done = w:events("web")
    assert.is_true(task.now() - done[#done].Timestamp <= 30)
  end)

  it("takes the model's spelling, too, and asks at once", function()
    w:create("web", topics(1))
    local before = task.now()
    assert.equal("web", w.cfn:wait("StackExists", { StackName = "web" }).Stacks[1].StackName)
    assert.is_true(task.now() - before < 1)
  end)

  it("ends at once in a state that cannot become the wanted one, with what was seen", function()
    w:create("owner", { T = world.topic { TopicName = "taken" } })
    w:create("web", { T = world.topic { TopicName = "taken" } }, {}, 0)
    local err = failure(w.cfn.wait, w.cfn, "stack_create_complete", { StackName = "web" }, { timeout = "9h" })
    assert.same({ "failed", "WaiterFailed" }, { err.class, err.code })
    assert.matches("StackCreateComplete", err.message)
    assert.same({ ["Stacks[].StackStatus"] = { "ROLLBACK_COMPLETE" } }, err.seen)
    assert.equal(1, require("tap.exit").code(err))
  end)

  it("ends when its time is over, with what was seen", function()
    w:create("web", topics(1))
    local before = task.now()
    local input, limit = { StackName = "web" }, { timeout = "30m" }
    local err = failure(w.cfn.wait, w.cfn, "stack_delete_complete", input, limit)
    assert.equal(1800, math.floor(task.now() - before + 0.5))
    assert.same({ "timeout", "WaiterTimeout" }, { err.class, err.code })
    assert.same({ ["Stacks[].StackStatus"] = { "CREATE_COMPLETE" } }, err.seen)
    assert.equal(8, require("tap.exit").code(err))
  end)

  it("takes an error for what it says: expected, on the way, or fatal", function()
    assert.is_nil(w.cfn:wait("stack_delete_complete", { StackName = "gone" }))
    local err = failure(w.cfn.wait, w.cfn, "stack_create_complete", { StackName = "gone" })
    assert.same({ "failed", "ValidationError" }, { err.class, err.seen.error })
    err = failure(w.cfn.wait, w.cfn, "stack_exists", { StackName = "gone" }, { timeout = 10 })
    assert.equal("timeout", err.class)
    local stranger = w:client("cloudformation", { credentials = { access_key = "x", secret_key = "secret" } })
    err = failure(stranger.wait, stranger, "stack_create_complete", { StackName = "web" })
    assert.same({ "service", "InvalidClientTokenId" }, { err.class, err.code })
  end)

  it("outlasts a service in trouble", function()
    local answers = {
      { code = "Throttling", message = "slow down", status = 400 },
      { code = "InternalFailure", status = 500 },
    }
    with_service(function(name)
      local trouble = table.remove(answers, 1)
      if trouble then return protocol.write_error("cloudformation", trouble, "r") end
      return protocol.write("cloudformation", name, { Stacks = { { StackName = "web" } } }, "r")
    end, function(cfn)
      task.clock("scaled", 100)
      assert.equal("web", cfn:wait("stack_exists", {}, { timeout = "5m" }).Stacks[1].StackName)
    end)
    assert.same({}, answers)
  end)

  it("can be cancelled while it sleeps", function()
    w:create("web", topics(1))
    local err = failure(task.timeout, 60, function()
      w.cfn:wait("stack_delete_complete", { StackName = "web" })
    end)
    assert.equal("Timeout", err.code)
  end)

  it("is refused for unknown waiters and options, and wrong input, before anything is asked", function()
    assert.matches("did you mean 'StackCreateComplete'?",
      failure(w.cfn.wait, w.cfn, "stack_create_complet", {}).message, 1, true)
    assert.matches("did you mean 'timeout'?",
      failure(w.cfn.wait, w.cfn, "stack_exists", {}, { timout = 1 }).message, 1, true)
    assert.equal("BadDuration", failure(w.cfn.wait, w.cfn, "stack_exists", {}, { timeout = "soon" }).code)
    assert.equal("usage", failure(w.cfn.wait, w.cfn, "stack_exists", { StackNam = "x" }).class)
  end)
end)
