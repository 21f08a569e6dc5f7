--- The journal: what every run did, in a SQLite file for its owner only. Runs, steps, requests that change something,
-- stack events, how long resource types take, deployed versions. tap.recorder writes it during a run.
--
-- Nothing secret is written: every text is redacted first.

local core_log = require "tap.core.log"
local errors = require "tap.error"
local json = require "tap.core.json"
local sqlite = require "tap.core.sqlite"
local sys = require "tap.core.sys"
local task = require "tap.task"

local journal = {}
journal.__index = journal

local TRIES, PAUSE = 20, 0.1 -- when another process holds the file: times, seconds
local OWNER_ONLY <const> = 448 -- 0700

--- Where the journal is: TAP_JOURNAL, else $XDG_STATE_HOME/tapengine/journal.db.
---@return string? path nil when TAP_JOURNAL is "off"
function journal.path()
  local given = sys.getenv "TAP_JOURNAL"
  if given == "off" then return nil end
  if given and given ~= "" then return given end
  local state = sys.getenv "XDG_STATE_HOME"
  if not state or state == "" then state = (sys.getenv "HOME" or "/tmp") .. "/.local/state" end
  return state .. "/tapengine/journal.db"
end

-- fn(...)'s results; a lock of another process is waited for.
local function patiently(fn, ...)
  local last
  for _ = 1, TRIES do
    local results = table.pack(pcall(fn, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    last = errors.from(results[2])
    if last.code ~= "DatabaseLocked" then error(last, 0) end
    task.sleep(PAUSE)
  end
  return error(last, 0)
end

-- All of fn's statements, or none of them; fn must not wait.
local function atomically(db, fn)
  db:script "BEGIN IMMEDIATE"
  local ok, result = pcall(fn)
  if ok then
    local written, e = pcall(db.script, db, "COMMIT")
    if written then return result end
    result = e
  end
  pcall(db.script, db, "ROLLBACK")
  return error(result, 0)
end

local function migrate(db, path)
  local versions = require "tap.journal_schema"
  local function reached() return db:run("PRAGMA user_version")[1].user_version end
  if reached() > #versions then
    errors.raise { class = "failed", code = "NewerJournal",
      message = ("%s is of a newer version of tapengine (%d, this one knows %d)"):format(path, reached(), #versions) }
  end
  if reached() == #versions then return end
  atomically(db, function() -- two processes may come here at once: the second one finds it done
    for version = reached() + 1, #versions do
      db:script(("%s; PRAGMA user_version = %d"):format(versions[version], version))
    end
  end)
end

--- Opens the journal, making it or bringing it up to date. Raises what is wrong with the file.
---@param path string? default: journal.path()
---@return table journal
function journal.open(path)
  path = path or journal.path()
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then sys.mkdir_p(folder, OWNER_ONLY) end
  local db = sqlite.open(path)
  patiently(function()
    db:script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    migrate(db, path)
  end)
  return setmetatable({ db = db, path = path }, journal)
end

local function redacted(value)
  if type(value) == "table" then value = json.encode(value) end
  return type(value) == "string" and core_log.redact(value) or value
end

--- One statement; values are redacted, tables become JSON. Raises what fails.
---@param sql string
---@return table[] rows
---@return integer changed rows
function journal:run(sql, ...)
  local values = table.pack(...)
  for index = 1, values.n do values[index] = redacted(values[index]) end
  return patiently(self.db.run, self.db, sql, table.unpack(values, 1, values.n))
end

--- All of fn's statements, or none of them, beside whatever other processes write. fn must not wait.
---@param fn fun(): any
---@return any result fn's
function journal:atomically(fn)
  return patiently(atomically, self.db, fn)
end

function journal:close()
  self.db:close()
end
journal.__close = journal.close

--- Who runs this.
---@return string
function journal.who()
  return sys.getenv "USER" or sys.getenv "LOGNAME" or "?"
end

--- The machine's name.
---@return string
function journal.host()
  local name = errors.try(sys.read_file, "/proc/sys/kernel/hostname")
  return name and name:match("%S+") or sys.getenv "HOSTNAME" or "?"
end

--- Is the process at work that a row of a run or of a lock names? Another process may have its number by now.
---@param owner { host: string, pid: integer }
---@return boolean? alive nil: it is on another machine, so that nobody can tell
function journal.is_alive(owner)
  if owner.host ~= journal.host() then return nil end
  local command = errors.try(sys.read_file, ("/proc/%d/cmdline"):format(owner.pid))
  return command ~= nil and command:find("tapengine", 1, true) ~= nil
end

---------------------------------------------------------------------------------------------------------
-- Looking back

--- The runs, newest first.
---@param options { stack: string?, limit: integer? }
---@return table[]
function journal:runs(options)
  return (self:run("SELECT * FROM runs WHERE ?1 IS NULL OR stack = ?1 ORDER BY began DESC LIMIT ?2", options.stack,
    options.limit or 50))
end

--- One run with its steps, requests and events; nil when there is none of that id, or of that beginning of one.
---@param id string
---@return table?
function journal:find(id)
  local found = self:run("SELECT * FROM runs WHERE id = ? OR id LIKE ? || '%' ORDER BY began DESC LIMIT 2", id, id)
  if #found ~= 1 and not (found[1] and found[1].id == id) then return nil end
  local run = found[1]
  run.argv = json.decode(run.argv)
  run.steps = self:run("SELECT * FROM steps WHERE run = ? ORDER BY seq", run.id)
  run.requests = self:run("SELECT * FROM requests WHERE run = ? ORDER BY seq", run.id)
  run.events = self:run("SELECT * FROM events WHERE run = ? ORDER BY at, rowid", run.id)
  return run
end

-- Runs that have not ended, or that ended while AWS went on. Where a later one on the same stack ended well, there is
-- nothing to go on with.
local UNFINISHED = [[SELECT id, ended, host, pid FROM runs AS old WHERE (ended IS NULL OR outcome IN
  ('timeout', 'interrupted', 'terminated', 'unreachable', 'credentials')) AND NOT EXISTS (SELECT 1 FROM runs
  WHERE stack = old.stack AND region IS old.region AND rowid > old.rowid AND outcome = 'ok') ORDER BY rowid DESC]]

--- The newest run that can be gone on with; those that are at work are not.
---@return table? run as find gives it; nil when there is none
function journal:unfinished()
  for _, row in ipairs((self:run(UNFINISHED))) do
    if row.ended or not journal.is_alive(row) then return self:find(row.id) end
  end
  return nil
end

--- The versions of a stack that were deployed, newest first.
---@param stack string name or id
---@param region string? only those of this region
---@return table[]
function journal:versions(stack, region)
  return (self:run("SELECT * FROM versions WHERE (stack = ? OR stack_id = ?) AND (?3 IS NULL OR region = ?3) "
    .. "ORDER BY at DESC", stack, stack, region))
end

--- Forgets what is older. Versions stay: they are the way back.
---@param seconds number
---@return integer runs that were forgotten
function journal:prune(seconds)
  local before = task.now() - seconds
  local old = "SELECT id FROM runs WHERE began < ? AND ended IS NOT NULL"
  return self:atomically(function()
    for _, name in ipairs { "steps", "requests", "events" } do
      self:run(("DELETE FROM %s WHERE run IN (%s)"):format(name, old), before)
    end
    self:run("DELETE FROM durations WHERE at < ?", before)
    local _, n = self:run("DELETE FROM runs WHERE began < ? AND ended IS NOT NULL", before)
    return n
  end)
end

return journal
