-- What is written down, what can be read back, and what goes on after a process has died.
local errors = require "tap.core.error"
local helpers = require "spec.helpers"
local journal = require "tap.journal"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sqlite = require "tap.core.sqlite"
local sys = require "tap.core.sys"
local task = require "tap.task"

teardown(helpers.clean)

-- Runs body(run, state, url): run(words...) is the program with one state folder against a sandbox.
local function in_sandbox(body, times)
  helpers.with_sandbox(times or 100, function(url)
    local state = helpers.folder()
    body(function(words)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url, XDG_STATE_HOME = state }
      for name, value in pairs(words.env or {}) do env[name] = value end
      words.env = env
      return helpers.tapengine(words)
    end, state, url)
  end)
end

local function template(label)
  return helpers.file("web.json", json.encode { Resources = {
    Queue = { Type = "AWS::SQS::Queue", Properties = { VisibilityTimeout = label or 30 } },
    Topic = { Type = "AWS::SNS::Topic" } } })
end

local function history(run, ...)
  local result = run { "history", "--output", "json", ... }
  assert.equal(0, result.code, result.err)
  return json.decode(result.out)
end

describe("the journal", function()
  it("has runs with steps, requests with tokens, events, and the versions that were deployed", function()
    in_sandbox(function(run, state)
      assert.equal(0, run({ "deploy", "web", "--template", template(), "--yes" }).code)
      assert.equal(0, run({ "deploy", "web", "--template", template(60), "--yes" }).code)
      local all = history(run, "web")
      assert.equal(2, #all.runs)
      assert.equal(2, #all.versions)
      assert.equal("ok", all.runs[1].outcome)
      assert.matches('"VisibilityTimeout": ?60', all.versions[1].template)
      local one = history(run, "show", all.runs[1].id).run
      local names = {}
      for index, step in ipairs(one.steps) do names[index] = step.name end
      assert.same({ "check", "plan", "execute", "wait", "verify" }, names)
      assert.equal("execute_change_set", one.requests[1].operation)
      assert.matches("^tap%-" .. one.id:gsub("%-", "%%-") .. "%-execute%-%x+$", one.requests[1].token)
      assert.is_true(#one.events >= 3)
      local mode = proc.run { "stat", "-c", "%a", state .. "/tapengine/journal.db" }
      assert.equal("600\n", mode.out)
      assert.matches("2 runs forgotten", run({ "history", "--prune", "0s" }).out, 1, true)
    end)
  end)

  it("has no secret in it, wherever the secret came from", function()
    in_sandbox(function(run, state)
      local path = helpers.file("s.json", json.encode { Parameters = { Password = { Type = "String", NoEcho = true } },
        Resources = { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = { Ref = "Password" } } } } })
      local result = run { "deploy", "web", "--template", path, "--yes", env = { TAP_PARAM_PASSWORD = "s3cr3t-value",
        TAP_WEBHOOK_URL = "http://127.0.0.1:1/s3cr3t-hook" } }
      assert.equal(0, result.code, result.err)
      local found = proc.run { "grep", "-r", "-l", "s3cr3t", state }
      assert.equal("", found.out)
      assert.is_nil((result.out .. result.err):find("s3cr3t", 1, true))
    end)
  end)

  it("that cannot be written warns and stops no run", function()
    for what, prepare in pairs {
      ["file is not a database"] = function(path) sys.write_file(path, ("no database "):rep(100)) end,
      ["unable to open database file"] = function(path) proc.run { "mkdir", "-p", path } end,
      ["is of a newer version"] = function(path)
        local db = sqlite.open(path)
        db:script "PRAGMA user_version = 99"
        db:close()
      end,
    } do
      local folder = helpers.folder()
      prepare(folder .. "/journal.db")
      local result = helpers.tapengine { "create", "--sandbox", "--stack-name", "web", "--template", template(),
        env = { TAP_JOURNAL = folder .. "/journal.db" } }
      assert.equal(0, result.code, result.err)
      assert.matches("there is no journal, so that this run cannot be resumed", result.err, 1, true)
      assert.matches(what, result.err, 1, true)
    end
  end)

  it("that fills its disk is told once", function()
    local path = helpers.folder() .. "/journal.db"
    local book = journal.open(path)
    book.db:script "PRAGMA max_page_count = 1"
    local ok, e = pcall(function()
      for index = 1, 2000 do
        book:run("INSERT INTO durations VALUES (?, 'create', 1, ?)", ("x"):rep(500), index)
      end
    end)
    book:close()
    assert.is_false(ok)
    assert.equal("DiskFull", errors.is(e) and e.code)
  end)

  it("waits for another process that writes", function()
    local path = helpers.folder() .. "/journal.db"
    local first, second = journal.open(path), journal.open(path)
    first.db:script "BEGIN IMMEDIATE"
    task.scope(function(scope)
      scope:spawn(function()
        task.sleep(0.6)
        first.db:script "COMMIT"
      end)
      second:run("INSERT INTO durations VALUES ('t', 'create', 1, 1)")
    end)
    assert.equal(1, #first:run "SELECT * FROM durations")
    first:close()
    second:close()
  end)

  it("knows how long a type usually takes", function()
    in_sandbox(function(run, state)
      assert.equal(0, run({ "create", "web", "--template", template() }).code)
      local book = journal.open(state .. "/tapengine/journal.db")
      local recorder = require("tap.recorder").nothing()
      recorder.journal, recorder.warn = book, error
      local seconds = recorder:usual("AWS::SQS::Queue", "create")
      assert.is_true(seconds > 5 and seconds < 120, tostring(seconds))
      assert.is_nil(recorder:usual("AWS::X::Y", "create"))
      book:close()
    end)
  end)
end)

-- Starts the program and kills it hard once its output shows `sign`.
local function killed(words, env, sign)
  local folder = helpers.folder()
  local out, pid = folder .. "/out", folder .. "/pid"
  task.scope(function(scope)
    local run = scope:spawn(function()
      local script = [[echo $$ >"$1.new"; mv "$1.new" "$1"; o=$2; shift 2; exec "$@" >"$o" 2>&1]]
      return proc.run { env = env, "sh", "-c", script, "sh", pid, out, sys.executable(), table.unpack(words) }
    end)
    repeat task.sleep(0.05) until sys.exists(out) and sys.read_file(out):find(sign, 1, true)
    proc.run { "sh", "-c", "kill -KILL $0", (sys.read_file(pid):gsub("%s", "")) }
    run:wait()
  end)
end

describe("a run that was killed", function()
  local function resumed(words, sign, expected)
    in_sandbox(function(run, state, url)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url, XDG_STATE_HOME = state, TERM = "dumb" }
      for _, before in ipairs(words.before or {}) do assert.equal(0, run(before).code) end
      killed(words, env, sign)
      local result = run { "resume" }
      assert.equal(0, result.code, result.err)
      assert.matches(expected, result.out, 1, true)
      local runs = history(run).runs
      assert.equal("ok", runs[1].outcome)
      assert.equal(1, run({ "resume" }).code) -- nothing is left to go on with
    end, 20)
  end

  it("follows the create that it had begun, and ends as if nothing had been", function()
    resumed({ "create", "web", "--template", template() }, "User Initiated", "CREATE_COMPLETE")
  end)

  it("follows the update that it had begun", function()
    local path = template()
    resumed({ before = { { "create", "web", "--template", path } },
      "deploy", "web", "--template", template(60), "--yes" }, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
  end)

  it("follows the delete that it had begun", function()
    resumed({ before = { { "create", "web", "--template", template() } },
      "delete", "web", "--yes" }, "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
  end)

  it("does not repeat the steps of a workflow of one's own, and asks when the script has changed", function()
    local folder = helpers.folder()
    local script = [[
      local tap = require "tap"
      return tap.workflow { name = "own", summary = "s", effects = { "x" }, run = function(ctx)
        ctx:finally(function() ctx.out:note "the end" end)
        local n = ctx:step("count", function()
          local before = tap.sys.exists "count" and tap.sys.read_file "count" or ""
          tap.sys.write_file("count", before .. "x")
          return #before + 1
        end)
        ctx.out:note("counted " .. n)
        ctx:step("long", function() if not tap.sys.exists "ready" then tap.sleep "1h" end end, { timeout = "2h" })
        return n
      end }
    ]]
    helpers.file("own.lua", script, folder)
    local state = helpers.folder()
    local env = { XDG_STATE_HOME = state, TERM = "dumb", AWS_REGION = "us-east-1" }
    local function tapengine(...) return helpers.tapengine { env = env, cwd = folder, ... } end
    task.scope(function(scope)
      local run = scope:spawn(function()
        return proc.run { env = env, cwd = folder, "sh", "-c", "echo $$ >pid; exec \"$0\" own.lua >out 2>&1",
          sys.executable() }
      end)
      repeat task.sleep(0.05) until sys.exists(folder .. "/out") and sys.read_file(folder .. "/out"):find "counted"
      proc.run { "sh", "-c", "kill -KILL " .. sys.read_file(folder .. "/pid") }
      run:wait()
    end)
    sys.write_file(folder .. "/ready", "")
    helpers.file("own.lua", script .. "\n", folder)
    local refused = tapengine "resume"
    assert.equal(4, refused.code)
    assert.matches("own.lua has changed since the run began", refused.err, 1, true)
    local result = tapengine("resume", "--yes")
    assert.equal(0, result.code, result.err)
    assert.matches("counted 1", result.out, 1, true)
    assert.matches("the end", result.out, 1, true)
    assert.equal("x", sys.read_file(folder .. "/count"))
  end)
end)

describe("a step", function()
  local function own(body)
    return helpers.tapengine { helpers.file("own.lua", ([[local tap = require "tap"
      return tap.workflow { name = "own", summary = "s", run = function(ctx) %s end }]]):format(body)) }
  end

  it("is tried again, gives up after its time, and may fail without stopping the run", function()
    local retried = own [[local n = 0
      return ctx:step("flaky", function() n = n + 1; if n < 3 then error("no") end; return n end,
        { retry = { times = 3, pause = "10ms" } })]]
    assert.equal("3\n", retried.out)
    local late = own [[ctx:step("late", function() tap.sleep "1h" end, { timeout = "50ms" })]]
    assert.matches("gave up after", late.err, 1, true)
    local on = own [[ctx:step("bad", function() error("no") end, { on_failure = "continue" }) return "went on"]]
    assert.matches("went on", on.out, 1, true)
    local wrong = own [[ctx:step("x", print, { retrys = 3 })]]
    assert.matches("step 'x' has no option 'retrys', did you mean 'retry'?", wrong.err, 1, true)
  end)
end)
