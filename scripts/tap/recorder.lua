--- What a run writes into the journal, while it runs: requests that change something before they are sent, steps as
-- they begin and end, events as they are seen.
--
-- A journal that cannot be written never stops a run: what AWS does counts. It is said once, with the cause and with
-- what is lost by it, and nothing is written from there on. No method of a recorder raises that.
-- The journal is loaded when something is written: workflows that only read start sooner without.

local errors = require "tap.error"
local core_log = require "tap.core.log"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local task = require "tap.task"

local recorder = {}
recorder.__index = recorder

local USUAL_OF = 20 -- durations that the usual one is made of

-- What can be done about a journal that fails.
local ADVICE = {
  DatabaseDamaged = "move the file away, and a new one is begun",
  DiskFull = "make room on its disk",
  DatabaseReadOnly = "let it be written, or name another one in TAP_JOURNAL",
  DatabaseLocked = "another process holds it for long",
}

local function words_of(e)
  return ADVICE[e.code] and ("%s (%s)"):format(e.message, ADVICE[e.code]) or e.message
end

--- A recorder that records nothing, with a journal that is not there.
---@return table
function recorder.nothing()
  return setmetatable({ tokens = {} }, recorder)
end

-- fn(journal); the first failure is told, and ends the recording.
local function attempt(self, fn)
  if not self.journal then return nil end
  local result, e = errors.try(fn, self.journal)
  if not e then return result end
  errors.try(self.journal.close, self.journal)
  self.journal = nil
  self.warn(("the journal is not written from here on, so that this run cannot be resumed: %s"):format(words_of(e)))
  return nil
end

-- How long a resource took, when its end is seen.
local function note_duration(self, book, event)
  local key = event.StackId .. " " .. event.LogicalResourceId
  local verb, state = event.ResourceStatus:match("^(%u+)_(.+)$")
  if state == "IN_PROGRESS" then
    self.since[key] = self.since[key] or event.Timestamp
  elseif state == "COMPLETE" and self.since[key] then
    book:run("INSERT INTO durations (type, verb, seconds, at) VALUES (?, ?, ?, ?)", event.ResourceType, verb:lower(),
      event.Timestamp - self.since[key], event.Timestamp)
  end
  if state ~= "IN_PROGRESS" then self.since[key] = nil end
end

local function insert_event(self, book, event)
  local _, new = book:run([[INSERT OR IGNORE INTO events (event_id, run, stack_id, at, logical_id, type, status, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)]], event.EventId, self.run, event.StackId, event.Timestamp, event.LogicalResourceId,
    event.ResourceType, event.ResourceStatus, event.ResourceStatusReason)
  if new > 0 then note_duration(self, book, event) end
end

--- Writes the events that have been seen: all that came together are one transaction.
function recorder:flush()
  local pending = self.pending
  if not pending or #pending == 0 then return end
  self.pending = {}
  attempt(self, function(book)
    book:atomically(function()
      for _, event in ipairs(pending) do insert_event(self, book, event) end
    end)
  end)
end

local function write(self, sql, ...)
  local values = table.pack(...)
  self:flush()
  attempt(self, function(book) return (book:run(sql, table.unpack(values, 1, values.n))) end)
end

-- The record of a run that goes on: what was at work when its process died ended there.
local function take_up(self, run)
  local journal = require "tap.journal"
  attempt(self, function(book)
    book:run([[UPDATE runs SET ended = NULL, outcome = NULL, exit = NULL, cause = NULL, pid = ?, host = ?
      WHERE id = ?]], sys.pid(), journal.host(), run.id)
    book:run("UPDATE steps SET status = 'interrupted' WHERE run = ? AND status = 'running'", run.id)
    self.seq = book:run("SELECT max(seq) AS seq FROM steps WHERE run = ?", run.id)[1].seq or 0
    self.asked = book:run("SELECT max(seq) AS seq FROM requests WHERE run = ?", run.id)[1].seq or 0
  end)
end

--- Begins the record of a run, or goes on with it.
---@param run { id: string, workflow: string, script: string, hash: string, argv: string[], region: string?,
---  profile: string?, endpoint: string?, resumed: boolean? }
---@param warn fun(line: string)
---@return table recorder
function recorder.begin(run, warn)
  local journal = require "tap.journal"
  local self = setmetatable({ run = run.id, warn = warn, seq = 0, asked = 0, since = {}, pending = {}, tokens = {} },
    recorder)
  local opened, e = errors.try(journal.open)
  if not opened then
    warn(("there is no journal, so that this run cannot be resumed: %s"):format(words_of(e)))
    return self
  end
  self.journal = opened
  if run.resumed then
    take_up(self, run)
    return self
  end
  write(self, [[INSERT INTO runs (id, workflow, script, script_hash, argv, cwd, began, region, profile, endpoint, who,
    host, pid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]], run.id, run.workflow, run.script, run.hash,
    json.list(run.argv), sys.cwd(), task.now(), run.region, run.profile, run.endpoint, journal.who(), journal.host(),
    sys.pid())
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

--- A step has ended well. A result with a secret in it is not kept: the step is "withheld", and a resumed run that
-- needs its result says so.
---@param seq integer
---@param result string? JSON
function recorder:step_done(seq, result)
  local secret = result ~= nil and core_log.redact(result) ~= result
  write(self, "UPDATE steps SET ended = ?, status = ?, result = ? WHERE run = ? AND seq = ?", task.now(),
    secret and "withheld" or "done", not secret and result or nil, self.run, seq)
end

--- A step has failed.
---@param seq integer
---@param e table
function recorder:step_failed(seq, e)
  write(self, "UPDATE steps SET ended = ?, status = 'failed', error = ? WHERE run = ? AND seq = ?", task.now(),
    tostring(e), self.run, seq)
end

--- A request that changes something is about to be sent. Its number, for answered.
---@param request { operation: string, verb: string?, stack: string?, stack_id: string?, token: string? } verb: of the
---  operation on a stack that it begins; nil for any other request
---@return integer
function recorder:asks(request)
  self.asked = (self.asked or 0) + 1
  if request.token then self.tokens[request.token] = true end
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

--- A stack event that the run has seen; it is written with the next flush, or before anything else is.
---@param event table as DescribeStackEvents gives it
function recorder:event(event)
  if self.journal then self.pending[#self.pending + 1] = event end
end

-- Versions are counted for a stack's name in its region and account, so that a stack that is made again goes on.
local INSERT_VERSION = [[INSERT INTO versions (stack_id, stack, region, n, at, run, template, parameters, tags, outputs,
  capabilities, who, host) SELECT ?1, ?2, ?3, 1 + coalesce(max(n), 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
  FROM versions WHERE stack = ?2 AND substr(stack_id, 1, length(?13)) = ?13]]

--- A version that has been deployed. Values that the service masks (NoEcho) are left out.
---@param description table as DescribeStacks gives it
---@param template string
function recorder:version(description, template)
  local journal = require "tap.journal"
  local parameters = {}
  for _, one in ipairs(description.Parameters or {}) do
    if one.ParameterValue ~= "****" then parameters[one.ParameterKey] = one.ParameterValue end
  end
  local place, region = description.StackId:match("^(arn:[^:]+:[^:]+:([^:]*):[^:]*:)")
  write(self, INSERT_VERSION, description.StackId, description.StackName, region, task.now(), self.run, template,
    parameters, description.Tags or json.list {}, description.Outputs or json.list {},
    description.Capabilities or json.list {}, journal.who(), journal.host(), place or description.StackId)
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
  local rows = attempt(self, function(book)
    return (book:run([[SELECT avg(seconds) AS seconds FROM (SELECT seconds FROM durations WHERE type = ? AND verb = ?
      ORDER BY at DESC LIMIT ?)]], type_name, verb, USUAL_OF))
  end)
  return rows and rows[1] and rows[1].seconds or nil
end

return recorder
