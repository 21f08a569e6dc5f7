-- What befalls a journal: a file that cannot be written, a page that is damaged, an older program's file, several runs
-- at once (a full disk: journal_spec). The run goes on each time, since AWS does, and nothing that was written is lost.
local errors = require "tap.core.error"
local helpers = require "spec.helpers"
local journal = require "tap.journal"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local schema = require "tap.journal_schema"
local sqlite = require "tap.core.sqlite"
local sys = require "tap.core.sys"
local task = require "tap.task"

teardown(helpers.clean)

local TEMPLATE = json.encode { Resources = { Topic = { Type = "AWS::SNS::Topic" } } }

-- The code of what a function raises.
local function code_of(fn, ...)
  local ok, e = pcall(fn, ...)
  return not ok and errors.is(e) and e.code or tostring(e)
end

local function create(path, name)
  return helpers.tapengine { "create", "--sandbox", "--stack-name", name or "web", "--template",
    helpers.file("web.json", TEMPLATE), env = { TAP_JOURNAL = path } }
end

local function history(path)
  return helpers.tapengine { "history", "--output", "json", env = { TAP_JOURNAL = path } }
end

describe("a journal", function()
  local path
  before_each(function() path = helpers.folder() .. "/journal.db" end)

  it("whose file cannot be written says so, and the run goes on", function()
    journal.open(path):close()
    local db = sqlite.open(path)
    db:script "PRAGMA query_only = 1"
    assert.equal("DatabaseReadOnly", code_of(db.run, db, "INSERT INTO durations VALUES ('t', 'create', 1, 1)"))
    db:close()
    local result = create "/proc/journal.db" -- where nobody can write, root included
    assert.equal(0, result.code, result.err)
    assert.matches("there is no journal, so that this run cannot be resumed", result.err, 1, true)
  end)

  it("with a damaged page is told by name; the run goes on", function()
    local book = journal.open(path)
    for index = 1, 400 do
      book:run("INSERT INTO durations VALUES (?, 'create', 1, ?)", ("x"):rep(300), index)
    end
    book:run "PRAGMA wal_checkpoint(TRUNCATE)"
    book:close()
    local bytes = sys.read_file(path)
    sys.write_file(path, bytes:sub(1, 4096) .. ("\255"):rep(#bytes - 4096))
    local shown = history(path)
    assert.equal(1, shown.code)
    assert.matches("journal.db", shown.err, 1, true)
    assert.matches("malformed", shown.err, 1, true)
    local result = create(path)
    assert.equal(0, result.code, result.err)
    assert.matches("journal", result.err, 1, true)
  end)

  it("of an older version is brought up to date, with what is in it", function()
    for version = 1, #schema - 1 do
      local old = ("%s.%d"):format(path, version)
      local db = sqlite.open(old)
      for n = 1, version do db:script(schema[n]) end
      db:script(("PRAGMA user_version = %d"):format(version))
      db:run("INSERT INTO runs (id, workflow, argv, began, ended, outcome, exit, stack) "
        .. "VALUES ('r1', 'deploy', '[]', 1, 2, 'ok', 0, 'web')")
      db:run("INSERT INTO versions (stack_id, stack, n, at, template, parameters, tags, outputs, capabilities) "
        .. "VALUES ('arn', 'web', 1, 2, '{}', '{}', '[]', '{}', '[]')")
      db:run("INSERT INTO events (event_id, run, stack_id, at) VALUES ('e1', 'r1', 'arn', 1), ('e2', 'r1', 'arn', 2)")
      db:close()
      local all = json.decode(history(old).out)
      assert.same({ "r1", "ok" }, { all.runs[1].id, all.runs[1].outcome })
      assert.equal(0, create(old).code)
      assert.equal(2, #json.decode(history(old).out).runs)
      local book = journal.open(old)
      assert.equal(#schema, book:run("PRAGMA user_version")[1].user_version)
      assert.equal(2, #book:versions "web")
      assert.equal(2, #book:find("r1").events)
      book:close()
    end
  end)

  it("keeps the events of two stacks that have the same name and time", function()
    local book = journal.open(path)
    local function note(stack)
      return select(2, book:run(
        "INSERT OR IGNORE INTO events (event_id, run, stack_id) VALUES ('T-CREATE', 'r', ?)", stack))
    end
    assert.same({ 1, 1, 0 }, { note "one", note "two", note "one" })
    book:close()
  end)

  it("is written by several runs at once, none of which loses a line", function()
    local runs = {}
    for index = 1, 6 do runs[index] = function() return create(path, "web" .. index) end end
    for _, result in ipairs(task.all(runs)) do
      assert.equal(0, result.code, result.err)
      assert.equal("", result.err)
    end
    local book = journal.open(path)
    assert.equal(6, #book:run "SELECT id FROM runs WHERE outcome = 'ok'")
    assert.equal(6, #book:run "SELECT run FROM requests WHERE operation = 'create_stack' AND answered IS NOT NULL")
    local lengths = book:run "SELECT run, count(*) AS n FROM events GROUP BY run"
    for _, one in ipairs(lengths) do assert.equal(lengths[1].n, one.n) end
    book:close()
    assert.equal("-rw-------", proc.run({ "ls", "-l", path }).out:match "^%S+")
  end)
end)
