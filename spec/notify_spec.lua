-- Who is told how a run has ended, and what: each kind of target gets its message, and one that refuses changes nothing
-- but that it is told.

local core_log = require "tap.core.log"
local json = require "tap.core.json"
local notify = require "tap.notify"
local server = require "tap.core.server"
local sys = require "tap.core.sys"
local task = require "tap.task"
local helpers = require "spec.helpers"
local world = require "spec.sandbox_world"

local NAMES = { "TAP_SNS_TOPIC_ARN", "TAP_NOTIFY_EMAIL", "TAP_NOTIFY_FROM", "TAP_WEBHOOK_URL",
  "TAP_SLACK_WEBHOOK_URL" }
local TOPIC = "arn:aws:sns:us-east-1:123456789012:"

teardown(helpers.clean)
after_each(function()
  for _, name in ipairs(NAMES) do sys.setenv(name, "") end
end)

local function notice(more)
  local n = { stack_name = "web", stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1",
    region = "us-east-1", status = "UPDATE_ROLLBACK_COMPLETE", outcome = "rolled_back", verb = "update",
    seconds = 61, run = "r1", cause = "Table: it is <too> large" }
  for name, value in pairs(more or {}) do n[name] = value end
  return n
end

--- A context that keeps what it is told; `clients` makes its AWS clients.
local function context(clients)
  local ctx = { warnings = {}, log = { info = function() end } }
  ctx.out = { warn = function(_, words) table.insert(ctx.warnings, words) end }
  function ctx.client(_, ...) return clients(...) end
  return ctx
end

--- The results as "target ok" or "target: why not".
local function told(results)
  local list = {}
  for index, result in ipairs(results) do
    list[index] = result.target .. (result.ok and " ok" or ": " .. result.message)
  end
  return list
end

describe("a notice to AWS", function()
  local w, ctx
  before_each(function()
    w = world.open()
    ctx = context(function(service, options) return w:client(service, options) end)
    w:create("web", { Topic = world.topic { TopicName = "told" }, Other = world.topic { TopicName = "other" } })
  end)
  after_each(function() w:close() end)

  local function published(name)
    local thing = w.sandbox.store:region("us-east-1"):thing("AWS::SNS::Topic", name)
    return thing.state and thing.state.messages or {}
  end

  it("goes to the topic that the stack names: its usual outputs, or the one that the stack file says", function()
    local outputs = { NotificationTopicArn = TOPIC .. "told", AlarmTopic = TOPIC .. "other", Url = "http://x" }
    assert.same({ "sns ok" }, told(notify.send(ctx, notice { outputs = outputs })))
    local message = published("told")[1]
    assert.equal("FAILED: update web UPDATE_ROLLBACK_COMPLETE", message.subject)
    for _, words in ipairs { "web", "rolled_back", "1m01s", "Table: it is <too> large", "r1",
      "https://us-east-1.console.aws.amazon.com/cloudformation/home" } do
      assert.matches(words, message.text, 1, true)
    end
    assert.same({ "sns ok" }, told(notify.send(ctx, notice { outputs = outputs }, { output = "AlarmTopic" })))
    assert.same({ 1, 1 }, { #published "told", #published "other" })
  end)

  it("goes to the next when one refuses: TAP_SNS_TOPIC_ARN, then mail", function()
    sys.setenv("TAP_SNS_TOPIC_ARN", TOPIC .. "other")
    assert.same({ "sns ok" }, told(notify.send(ctx, notice())))
    local results = notify.send(ctx, notice { outputs = { TopicArn = TOPIC .. "gone" } })
    assert.matches("^sns: .*NotFound", told(results)[1])
    assert.equal("sns ok", told(results)[2])
    assert.matches("the notification by sns was not delivered: ", ctx.warnings[1], 1, true)
    assert.equal(2, #published "other")

    sys.setenv("TAP_SNS_TOPIC_ARN", "none")
    sys.setenv("TAP_NOTIFY_EMAIL", "ops@example.com, dev@example.com")
    sys.setenv("TAP_NOTIFY_FROM", "tap@example.com")
    results = told(notify.send(ctx, notice()))
    assert.matches("'none' is no topic's ARN", results[1], 1, true)
    assert.equal("email ok", results[2])
    local mail = w.sandbox.store:region("us-east-1").mail[1]
    assert.same({ "tap@example.com", "ops@example.com", "dev@example.com" }, { mail.from, table.unpack(mail.to) })
    assert.matches("^FAILED: ", mail.content.Simple.Subject.Data)
  end)

  it("says so when the stack has no output of the name that the stack file gives", function()
    sys.setenv("TAP_SNS_TOPIC_ARN", TOPIC .. "other")
    local results = told(notify.send(ctx, notice { outputs = { TopicArn = TOPIC .. "told" } },
      { output = "TopcArn" }))
    assert.matches("the stack has no output TopcArn, did you mean 'TopicArn'?", results[1], 1, true)
    assert.equal("sns ok", results[2])
    assert.same({ "sns ok" }, told(notify.send(ctx, notice(), { output = "TopcArn" }))) -- a stack that is gone
  end)

  it("is not sent when it is good and only failures are wanted", function()
    sys.setenv("TAP_SNS_TOPIC_ARN", TOPIC .. "other")
    assert.same({}, told(notify.send(ctx, notice { outcome = "ok" }, { on = "failure" })))
    assert.same({ "sns ok" }, told(notify.send(ctx, notice(), { on = "failure" })))
  end)
end)

describe("a notice to other places", function()
  -- Runs body(url, requests) beside a server that answers with `status`.
  local function with_server(status, body)
    task.scope(function(scope)
      local s <close> = server.listen("127.0.0.1", 0)
      local requests = {}
      local serving = scope:spawn(function()
        while true do
          local exchange = s:accept()
          requests[#requests + 1] = { path = exchange.path, body = exchange.body,
            type = exchange:header "Content-Type" }
          exchange:respond(status, {}, "")
        end
      end)
      body(("http://127.0.0.1:%d"):format(s:port()), requests)
      serving:cancel()
    end)
  end

  it("is JSON for a webhook, text for Slack", function()
    with_server(200, function(url, requests)
      sys.setenv("TAP_WEBHOOK_URL", url .. "/hook?token=s3cretive")
      sys.setenv("TAP_SLACK_WEBHOOK_URL", url .. "/slack")
      local ctx = context()
      assert.equal(2, #notify.send(ctx, notice { outputs = { Url = "http://x" } }))
      assert.same({}, ctx.warnings)
      table.sort(requests, function(a, b) return a.path < b.path end)
      local hook = json.decode(requests[1].body)
      assert.same({ "application/json", "web", "rolled_back", 61, "r1", "http://x" }, { requests[1].type,
        hook.stack_name, hook.outcome, hook.seconds, hook.run, hook.outputs.Url })
      assert.matches("^%d+%-%d%d%-%d%dT", hook.time)
      assert.matches("it is &lt;too&gt; large", json.decode(requests[2].body).text, 1, true)
    end)
  end)

  it("that does not get through is told, without the address", function()
    with_server(500, function(url)
      sys.setenv("TAP_WEBHOOK_URL", url .. "/hook?token=s3cretive")
      local ctx = context()
      assert.same({ "webhook: it answered 500" }, told(notify.send(ctx, notice())))
      assert.is_nil(table.concat(ctx.warnings):find("s3cretive", 1, true))
    end)
    sys.setenv("TAP_WEBHOOK_URL", "http://127.0.0.1:1/s3cretive")
    local ctx = context()
    local results = notify.send(ctx, notice())
    assert.is_false(results[1].ok)
    assert.is_nil((results[1].message .. table.concat(ctx.warnings)):find("s3cretive", 1, true))
  end)

  it("is a line of JSON in a file, and the input of a command; a command that fails is told", function()
    local folder = helpers.folder()
    local file, script = folder .. "/told.jsonl", helpers.file("told.sh", "cat > " .. folder .. "/input\n")
    local settings = { file = file, command = { "sh", script } }
    notify.send(context(), notice(), settings)
    notify.send(context(), notice { stack_name = "other" }, settings)
    local lines = helpers.json_lines(sys.read_file(file))
    assert.same({ "web", "other" }, { lines[1].stack_name, lines[2].stack_name })
    assert.equal("other", json.decode(sys.read_file(folder .. "/input")).stack_name)
    local results = told(notify.send(context(), notice(), { file = folder .. "/none/told", command = { "false" } }))
    table.sort(results)
    assert.matches("it ended with code 1", results[1], 1, true)
    assert.matches("^file: .*No such file", results[2])
  end)

  it("holds no secret, however deep", function()
    core_log.secret("hunter2-hunter2")
    local file = helpers.folder() .. "/told.jsonl"
    notify.send(context(), notice { cause = "hunter2-hunter2 is short", outputs = { Key = "hunter2-hunter2" } },
      { file = file })
    local text = sys.read_file(file)
    assert.is_nil(text:find("hunter2", 1, true))
    assert.is_nil(notify.body(notice { cause = "hunter2-hunter2" }):find("hunter2", 1, true))
    assert.is_nil(notify.subject(notice { stack_name = "hunter2-hunter2" }):find("hunter2", 1, true))
  end)
end)

describe("a stack file's words for notifications", function()
  it("are refused when they are misspelt, with the nearest right one", function()
    local function problem(settings)
      local ok, e = pcall(notify.demand_settings, settings, "web.stack.lua")
      return ok and "" or e.message
    end
    assert.equal("", problem { output = "TopicArn", file = "x", command = "./told.sh", on = "failure" })
    assert.equal("", problem { command = { "./told.sh", "--all" } })
    assert.equal("web.stack.lua: notify has no field 'comand', did you mean 'command'?", problem { comand = "x" })
    assert.equal("web.stack.lua: notify: field 'file' is a boolean, not a string", problem { file = true })
    assert.equal("web.stack.lua: notify: 'on' is 'success'; it is one of always, failure", problem { on = "success" })
  end)
end)
