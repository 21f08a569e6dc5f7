--- The journal: what every run did, in a SQLite file for its owner only. Runs, steps, requests that change something
-- (written before they are sent), stack events, how long resource types take, deployed versions.
--
-- A journal that cannot be written never stops a run: what AWS does counts. It is said once, with the cause and with
-- what is lost by it. Nothing secret is written: every text is redacted first.

local core_log = require "tap.core.log"
local errors = require "tap.error"
local json = require "tap.core.json"
local sqlite = require "tap.core.sqlite"
local sys = require "tap.core.sys"
local task = require "tap.task"

local journal = {}
journal.__index = journal

local TRIES, PAUSE = 20, 0.1 -- when another process holds the file: times, seconds
local USUAL_OF = 20 -- durations that the usual one is made of

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

local function migrate(db, path)
  local versions = require "tap.journal_schema"
  local at = db:run("PRAGMA user_version")[1].user_version
  if at > #versions then
    errors.raise { class = "failed", code = "NewerJournal",
      message = ("%s is of a newer version of tapengine (%d, this one knows %d)"):format(path, at, #versions) }
  end
  for version = at + 1, #versions do
    db:script(("BEGIN IMMEDIATE; %s; PRAGMA user_version = %d; COMMIT"):format(versions[version], version))
  end
end

--- Opens the journal, making it or bringing it up to date. Raises what is wrong with the file.
---@param path string? default: journal.path()
---@return table journal
function journal.open(path)
  path = path or journal.path()
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then sys.mkdir_p(folder) end
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
function journal:run(sql, ...)
  local values = table.pack(...)
  for index = 1, values.n do values[index] = redacted(values[index]) end
  return (patiently(self.db.run, self.db, sql, table.unpack(values, 1, values.n)))
end

function journal:close()
  self.db:close()
end

---------------------------------------------------------------------------------------------------------
-- Writing, for a run. Every method of a recorder may be called at any time, and never raises.

local recorder = {}
recorder.__index = recorder

--- A recorder that records nothing, with a journal that is not there.
---@return table
function journal.nothing()
  return setmetatable({}, recorder)
end

-- Writes; the first failure is told, and ends the recording.
local function write(self, sql, ...)
  if not self.journal then return end
  local _, e = errors.try(self.journal.run, self.journal, sql, ...)
  if not e then return end
  self.journal = nil
  self.warn(("the journal is not written from here on, so that this run cannot be resumed: %s"):format(e.message))
end

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

--- Begins the record of a run, or goes on with it.
---@param run { id: string, workflow: string, script: string, hash: string, argv: string[], region: string?,
---  resumed: boolean? }
---@param warn fun(line: string)
---@return table recorder
function journal.begin(run, warn)
  local self = setmetatable({ run = run.id, warn = warn, seq = 0, asked = 0, since = {} }, recorder)
  local opened, e = errors.try(journal.open)
  if not opened then
    warn(("there is no journal, so that this run cannot be resumed: %s"):format(e.message))
    return self
  end
  self.journal = opened
  if run.resumed then
    write(self, "UPDATE runs SET ended = NULL, outcome = NULL, exit = NULL, pid = ? WHERE id = ?", sys.pid(), run.id)
    local last = opened:run("SELECT max(seq) AS seq FROM steps WHERE run = ?", run.id)[1]
    local asked = opened:run("SELECT max(seq) AS seq FROM requests WHERE run = ?", run.id)[1]
    self.seq, self.asked = last and last.seq or 0, asked and asked.seq or 0
    return self
  end
  write(self, [[INSERT INTO runs (id, workflow, script, script_hash, argv, cwd, began, region, who, host, pid)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]], run.id, run.workflow, run.script, run.hash, json.list(run.argv),
    sys.cwd(), task.now(), run.region, journal.who(), journal.host(), sys.pid())
  return self
end

--- Which stack the run is about.
---@param name string
---@param region string?
function recorder:about(name, region)
  write(self, "UPDATE runs SET stack = ?, region = ? WHERE id = ?", name, region, self.run)
end

--- A step begins. Its number, for step_ended.
---@param name string
---@return integer
function recorder:step_began(name)
  self.seq = (self.seq or 0) + 1
  write(self, "INSERT INTO steps (run, seq, name, began, status) VALUES (?, ?, ?, ?, 'running')", self.run, self.seq,
    name, task.now())
  return self.seq
end

--- A step has ended.
---@param seq integer
---@param result any stored when it can be JSON
---@param e table?
function recorder:step_ended(seq, result, e)
  local ok, text = pcall(json.encode, result)
  write(self, "UPDATE steps SET ended = ?, status = ?, result = ?, error = ? WHERE run = ? AND seq = ?", task.now(),
    e and "failed" or "done", not e and ok and text or nil, e and tostring(e) or nil, self.run, seq)
end

--- A request that changes something is about to be sent. Its number, for answered.
---@param request { operation: string, verb: string, stack: string, stack_id: string?, token: string? }
---@return integer
function recorder:asks(request)
  self.asked = (self.asked or 0) + 1
  write(self, [[INSERT INTO requests (run, seq, at, operation, verb, stack, stack_id, token)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)]], self.run, self.asked, task.now(), request.operation, request.verb, request.stack,
    request.stack_id, request.token)
  return self.asked
end

--- The answer has come: the stack's id when it says one, or why it was refused.
---@param seq integer
---@param stack_id string?
---@param refusal string?
function recorder:answered(seq, stack_id, refusal)
  write(self, [[UPDATE requests SET answered = ?, stack_id = coalesce(?, stack_id), refused = ?
    WHERE run = ? AND seq = ?]], task.now(), stack_id, refusal, self.run, seq)
end

-- How long a resource took, when its end is seen.
local function note_duration(self, event)
  local key = event.StackId .. " " .. event.LogicalResourceId
  local verb, state = event.ResourceStatus:match("^(%u+)_(.+)$")
  if state == "IN_PROGRESS" then
    self.since[key] = self.since[key] or event.Timestamp
  elseif state == "COMPLETE" and self.since[key] then
    write(self, "INSERT INTO durations (type, verb, seconds, at) VALUES (?, ?, ?, ?)", event.ResourceType, verb:lower(),
      event.Timestamp - self.since[key], event.Timestamp)
  end
  if state ~= "IN_PROGRESS" then self.since[key] = nil end
end

--- A stack event that the run has seen.
---@param event table as DescribeStackEvents gives it
function recorder:event(event)
  if not self.journal then return end
  write(self, [[INSERT OR IGNORE INTO events (event_id, run, stack_id, at, logical_id, type, status, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)]], event.EventId, self.run, event.StackId, event.Timestamp, event.LogicalResourceId,
    event.ResourceType, event.ResourceStatus, event.ResourceStatusReason)
  note_duration(self, event)
end

--- A version that has been deployed. Values that the service masks (NoEcho) are left out.
---@param description table as DescribeStacks gives it
---@param template string
function recorder:version(description, template)
  local parameters = {}
  for _, one in ipairs(description.Parameters or {}) do
    if one.ParameterValue ~= "****" then parameters[one.ParameterKey] = one.ParameterValue end
  end
  write(self, [[INSERT INTO versions (stack_id, stack, region, n, at, run, template, parameters, tags, outputs,
    capabilities, who, host) SELECT ?, ?, ?, 1 + coalesce(max(n), 0), ?, ?, ?, ?, ?, ?, ?, ?, ? FROM versions
    WHERE stack_id = ?]], description.StackId, description.StackName,
    description.StackId:match("^arn:[^:]+:[^:]+:([^:]*)"), task.now(), self.run, template,
    parameters, description.Tags or json.list {},
    description.Outputs or json.list {}, description.Capabilities or json.list {}, journal.who(), journal.host(),
    description.StackId)
end

--- The run has ended.
---@param outcome string
---@param exit integer
---@param cause string?
function recorder:ended(outcome, exit, cause)
  write(self, "UPDATE runs SET ended = ?, outcome = ?, exit = ?, cause = ? WHERE id = ?", task.now(), outcome, exit,
    cause, self.run)
  if self.journal then self.journal:close() end
  self.journal = nil
end

--- The seconds that a type usually takes; nil when that is not known.
---@param type_name string
---@param verb "create"|"update"|"delete"
---@return number?
function recorder:usual(type_name, verb)
  if not self.journal then return nil end
  local rows = errors.try(self.journal.run, self.journal, [[SELECT avg(seconds) AS seconds FROM (SELECT seconds FROM
    durations WHERE type = ? AND verb = ? ORDER BY at DESC LIMIT ?)]], type_name, verb, USUAL_OF)
  return rows and rows[1] and rows[1].seconds or nil
end

---------------------------------------------------------------------------------------------------------
-- Reading

--- The runs, newest first.
---@param options { stack: string?, limit: integer? }
---@return table[]
function journal:runs(options)
  return self:run([[SELECT * FROM runs WHERE ? IS NULL OR stack = ? ORDER BY began DESC LIMIT ?]], options.stack,
    options.stack, options.limit or 50)
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

--- The newest run that has not ended, or that ended while AWS went on; nil when all have.
---@return table? run as find gives it
function journal:unfinished()
  local row = self:run([[SELECT id FROM runs WHERE ended IS NULL OR outcome IN
    ('timeout', 'interrupted', 'terminated', 'unreachable', 'credentials') ORDER BY began DESC LIMIT 1]])[1]
  return row and self:find(row.id)
end

--- The versions of a stack that were deployed, newest first.
---@param stack string name or id
---@return table[]
function journal:versions(stack)
  return self:run("SELECT * FROM versions WHERE stack = ? OR stack_id = ? ORDER BY at DESC", stack, stack)
end

--- Forgets what is older. Versions stay: they are the way back.
---@param seconds number
---@return integer runs that were forgotten
function journal:prune(seconds)
  local before = task.now() - seconds
  local old = "SELECT id FROM runs WHERE began < ? AND ended IS NOT NULL"
  local n = #self:run(old, before)
  for _, name in ipairs { "steps", "requests", "events" } do
    self:run(("DELETE FROM %s WHERE run IN (%s)"):format(name, old), before)
  end
  self:run("DELETE FROM runs WHERE began < ? AND ended IS NOT NULL", before)
  self:run("DELETE FROM durations WHERE at < ?", before)
  return n
end

return journal
