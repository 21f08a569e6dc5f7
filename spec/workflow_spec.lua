-- What the author of a workflow can rely on.
local errors = require "tap.core.error"
local helpers = require "spec.helpers"
local tap = require "tap"
local task = require "tap.task"

local function problem_of(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(errors.is(e), tostring(e))
  return e
end

local HEAD = 'local tap = require "tap"\nreturn tap.workflow { name = "w", summary = "s", '

--- Runs a workflow of the given fields.
local function run(fields, words)
  words = words or {}
  table.insert(words, 1, helpers.file("w.lua", HEAD .. fields .. " }\n"))
  return helpers.tapengine(words)
end

teardown(helpers.clean)

describe("a workflow's table", function()
  it("with an unknown field is refused with the nearest right one", function()
    local e = problem_of(tap.workflow, { name = "w", sumary = "s", run = print })
    assert.equal("usage", e.class)
    assert.matches("unknown field 'sumary', did you mean 'summary'?", e.message, 1, true)
  end)

  it("without a required field, or with one of the wrong type, is refused", function()
    assert.matches("field 'run' is missing",
      problem_of(tap.workflow, { name = "w", summary = "s" }).message, 1, true)
    assert.matches("field 'params' is a table, not a string",
      problem_of(tap.workflow, { name = "w", summary = "s", run = print, params = "x" }).message, 1, true)
  end)

  it("that is broken ends the run with exit code 2 and the file's name", function()
    local result = run('sumary = "x", run = print')
    assert.equal(2, result.code)
    assert.matches("w.lua: unknown field 'sumary'", result.err, 1, true)
  end)
end)

describe("a team's workflow of ten lines", function()
  local TEXT = [[
local tap = require "tap"
return tap.workflow {
  name = "greet", summary = "say hello after a while",
  params = { { "who", "string", required = true, help = "whom" }, { "wait", "duration", default = "10s" } },
  run = function(ctx, p)
    ctx:step("wait", function() tap.sleep(p.wait) end)
    return { hello = p.who }, "hello " .. p.who
  end,
}
]]

  it("runs with its options, and with sandbox it does not wait", function()
    local path = helpers.file("greet.lua", TEXT)
    local result = helpers.tapengine { path, "--sandbox", "--who", "world", "--wait", "9h" }
    assert.same({ 0, "hello world\n", "" }, { result.code, result.out, result.err })
  end)

  it("has help written from its table", function()
    local path = helpers.file("greet.lua", TEXT)
    local result = helpers.tapengine { path, "--help" }
    assert.equal(0, result.code)
    assert.matches("greet: say hello after a while", result.out, 1, true)
    assert.matches("--who TEXT   whom [required]", result.out, 1, true)
    assert.matches("--wait TIME", result.out, 1, true)
    assert.matches("[default 10s]", result.out, 1, true)
    assert.matches("Changes nothing.", result.out, 1, true)
  end)

  it("is found by its name in ./tap, and hides a built-in one of the same name", function()
    local folder = helpers.folder()
    tap.sys.mkdir_p(folder .. "/tap")
    helpers.file("status.lua", TEXT, folder .. "/tap")
    local result = helpers.tapengine { "status", "--who", "x", "--wait", "0", cwd = folder }
    assert.equal("hello x\n", result.out)
    local list = helpers.tapengine { "list", cwd = folder }
    assert.matches("status%s+say hello after a while%s+%[%./tap/status.lua, hides ", list.out)
  end)

  it("gives one JSON object with --output json", function()
    local path = helpers.file("greet.lua", TEXT)
    local result = helpers.tapengine { path, "--who", "x", "--wait", "0s", "--output", "json" }
    assert.same({ hello = "x" }, tap.json.decode(result.out))
  end)
end)

describe("a run", function()
  it("exits as its result says", function()
    assert.equal(20, run('run = function() return { exit = "changes" }, "" end').code)
    local result = run('run = function() return { exit = "chnages" }, "" end')
    assert.equal(2, result.code)
    assert.matches("no outcome, did you mean 'changes'?", result.err, 1, true)
  end)

  it("that raises exits by the error's class", function()
    local template = 'run = function() tap.error.raise { class = "%s", message = "m" } end'
    for class, code in pairs { refused = 4, busy = 5, stuck = 7, unverified = 9, invalid = 3, timeout = 8,
      credentials = 10, network = 11 } do
      assert.equal(code, run(template:format(class)).code, class)
    end
  end)

  it("that ends with error('...') exits 1; one with a mistake in the script exits 2", function()
    local failed = run 'run = function() error("the group is sick") end'
    assert.equal(1, failed.code)
    assert.matches("error: .*w.lua:2: the group is sick", failed.err)
    local broken = run 'run = function() local t; return t.x end'
    assert.equal(2, broken.code)
    assert.matches("w.lua:2: attempt to index a nil value", broken.err, 1, true)
  end)

  it("calls recover after a failure, and keeps the failure's exit code", function()
    local result = run([[
      run = function() tap.error.raise { class = "stuck", message = "m" } end,
      recover = function(ctx, p, err) ctx.out:note("recovering from " .. err.message) end]])
    assert.equal(7, result.code)
    assert.matches("recovering from m", result.err, 1, true)
  end)

  it("is given up after --timeout", function()
    local result = run('run = function() tap.sleep "1h" end', { "--sandbox", "--timeout", "5m" })
    assert.equal(8, result.code)
  end)

  it("names the nearest right parameter, ctx field and tap function when a script misspells one", function()
    local params = 'params = { { "group", "string", default = "g" } }, '
    local cases = {
      { "return p.gruop", "there is no parameter 'gruop', did you mean 'group'?" },
      { "ctx:stepp('x', print)", "there is no ctx.stepp, did you mean 'ctx.step'?" },
      { "tap.slep(1)", "there is no tap.slep, did you mean 'tap.sleep'?" },
      { "tap.client('sts', { region = 'x' }):get_caller_identiti()", "did you mean" },
    }
    for _, case in ipairs(cases) do
      local result = run(params .. "run = function(ctx, p) " .. case[1] .. " end")
      assert.equal(2, result.code, case[1])
      assert.matches(case[2], result.err, 1, true)
    end
  end)

  it("logs its steps with their duration, as JSON lines that carry the run's id", function()
    local result = run([[effects = { "x" }, run = function(ctx) ctx:step("one", function() end)
      return { id = ctx.run_id } end]], { "--output", "json" })
    local id = tap.json.decode(result.out).id
    local seen = {}
    for _, line in ipairs(helpers.json_lines(result.log)) do
      assert.equal(id, line.run)
      if line.step then seen[#seen + 1] = line.message .. " " .. line.step end
    end
    assert.same({ "step begins one", "step ended one" }, seen)
  end)

  it("never shows a secret: not on the screen, not in an error, not in the log", function()
    local result = run([[effects = { "x" }, params = { { "token", "secret", required = true } },
      run = function(ctx, p)
        ctx.out:note("token " .. p.token)
        ctx.log.info("token", { token = p.token })
        error("cannot use " .. p.token)
      end]], { env = { TAP_TOKEN = "hush-hush-42" } })
    assert.equal(1, result.code)
    local everything = result.out .. result.err .. result.log
    assert.is_nil(everything:find("hush-hush-42", 1, true))
    assert.matches("token ****", result.out, 1, true)
    assert.matches("cannot use ****", result.log, 1, true)
  end)

  it("shares no globals with another run of the same script", function()
    local path = helpers.file("g.lua",
      HEAD .. 'run = function() count = (count or 0) + 1; return count end }')
    local workflow = require "tap.workflow"
    local source = tap.sys.read_file(path)
    local first, second = workflow.load(source, path), workflow.load(source, path)
    assert.same({ 1, 1 }, { first.run(), second.run() })
    assert.is_nil(rawget(_G, "count"))
  end)
end)

describe("tap.try", function()
  it("gives the result, or nil and the error", function()
    assert.equal(7, (tap.try(function(x) return x end, 7)))
    local value, e = tap.try(tap.error.raise, { class = "busy", message = "m" })
    assert.is_nil(value)
    assert.equal("busy", e.class)
    local _, plain = tap.try(error, "text")
    assert.equal("script", plain.class)
  end)

  it("gives no second result of a call that succeeded, which would look like an error", function()
    assert.same({ n = 2, "a" }, table.pack(tap.try(function() return "a", "b" end)))
  end)

  it("does not hold up a cancellation", function()
    local after = false
    task.scope(function(scope)
      local child = scope:spawn(function()
        tap.try(task.sleep, 3600)
        after = true
      end)
      scope:spawn(function() child:cancel() end)
    end)
    assert.is_false(after)
  end)
end)

describe("tap.wait_until", function()
  local before
  before_each(function() before = task.clock "virtual" end)
  after_each(function() task.clock(before) end)

  it("gives what the function finally gives", function()
    local rounds = 0
    assert.equal("ready", tap.wait_until("10m", function()
      rounds = rounds + 1
      return rounds == 4 and "ready"
    end, { interval = "1m" }))
    assert.equal(4, rounds)
  end)

  it("gives up with class timeout, after a last look at the very end", function()
    local began, last = task.monotonic(), nil
    local e = problem_of(tap.wait_until, "90s", function() last = task.monotonic() end, { interval = 60 })
    assert.equal("timeout", e.class)
    assert.is_true(math.abs(last - began - 90) < 1)
  end)
end)
