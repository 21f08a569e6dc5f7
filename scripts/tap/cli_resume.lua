--- resume [RUN]: goes on with a run whose process has died; without RUN the newest one that has not ended.

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local journal = require "tap.journal"
local locate = require "tap.locate"
local params = require "tap.params"
local report = require "tap.report"
local sys = require "tap.core.sys"
local util = require "tap.util"
local workflow = require "tap.workflow"

local resume = {}

local function refuse(message, hints)
  errors.raise { class = "failed", code = "NoSuchRun", message = message, hints = hints }
end

--- The record of a run.
---@param id string? nil: the newest that can be gone on with
---@return table
function resume.find(id)
  if not journal.path() then refuse "TAP_JOURNAL is off: there is no journal" end
  local book <close> = journal.open() -- luacheck: ignore
  local record = id and book:find(id) or not id and book:unfinished() or nil
  if record then return record end
  return refuse(id and ("there is no run '%s' in the journal"):format(id)
    or "there is no run to go on with: all have ended, are at work, or were followed by one that ended well",
    { "tapengine history   shows them" })
end

-- The script is what it was, or somebody agrees that it is not.
local function check_script(record, source, yes)
  if crypto.sha256(source) == record.script_hash then return end
  local question = ("%s has changed since the run began. Go on with the new one?"):format(record.script)
  if yes then return end
  if not sys.isatty(0) then
    errors.raise { class = "refused", code = "ScriptChanged", message = question .. " Nobody is there to ask.",
      hints = { "add --yes to go on without asking" } }
  end
  if not report.ask(question) then
    errors.raise { class = "refused", code = "ScriptChanged", message = "the answer was no; nothing was done" }
  end
end

local function command_of(record)
  return ("%s %s"):format(record.workflow, table.concat(record.argv, " "))
end

local function check(record)
  if record.outcome == "ok" then refuse(("run %s has ended well: %s"):format(record.id, command_of(record))) end
  if not record.ended and record.pid ~= sys.pid() and journal.is_alive(record) then
    errors.raise { class = "busy", code = "RunIsAlive", message = ("run %s is still at work, as process %d"):format(
      record.id, record.pid) }
  end
  if sys.cwd() ~= record.cwd then
    errors.raise { class = "usage", code = "OtherFolder",
      message = ("the run began in %s: its files are named from there"):format(record.cwd),
      hints = { "cd " .. util.shell_quote(record.cwd) .. " && tapengine resume " .. record.id } }
  end
end

--- Goes on with a run.
---@param record table
---@param options { yes: boolean?, step: boolean?, from: string? } of the command that goes on with it
---@return integer exit code
function resume.go_on(record, options)
  check(record)
  local source, path = locate.find(record.script)
  if not source then refuse(("the workflow %s is not there any more"):format(record.workflow)) end
  check_script(record, source, options.yes)
  local wf = workflow.load(source, path)
  return require("tap.cli_run").run(wf, record.argv, { resumed = record, source = source, script = record.script,
    options = options })
end

local OPTIONS = {
  { "run", "string", positional = true, help = "id of the run, or the beginning of one; else the newest" },
  { "yes", "boolean", env = false, help = "go on without asking" },
  { "step", "boolean", env = false, help = "ask before each step" },
  { "from", "string", env = false, help = "begin with this step" },
}

--- `tapengine resume [RUN] [--yes] [--step] [--from STEP]`.
---@param argv string[]
---@return integer exit code
function resume.run(argv)
  local values = params.parse(assert(params.check(OPTIONS)), argv, sys.getenv)
  return resume.go_on(resume.find(values.run), { yes = values.yes, step = values.step, from = values.from })
end

return resume
