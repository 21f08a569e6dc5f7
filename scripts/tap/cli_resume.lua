--- resume [RUN]: goes on with a run whose process has died; without RUN the newest one that has not ended.

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local journal = require "tap.journal"
local locate = require "tap.locate"
local report = require "tap.report"
local sys = require "tap.core.sys"
local util = require "tap.util"
local workflow = require "tap.workflow"

local resume = {}

local function refuse(message, hints)
  errors.raise { class = "failed", code = "NoSuchRun", message = message, hints = hints }
end

--- The record of a run.
---@param id string? nil: the newest that has not ended
---@return table
function resume.find(id)
  local book = journal.open()
  local record = id and book:find(id) or not id and book:unfinished() or nil
  book:close()
  if record then return record end
  return refuse(id and ("there is no run '%s' in the journal"):format(id) or "every run in the journal has ended",
    { "tapengine history   shows them" })
end

local function is_alive(record)
  return record.ended == nil and record.pid and record.pid ~= sys.pid()
    and sys.exists(("/proc/%d/exe"):format(record.pid))
    and (errors.try(sys.read_file, ("/proc/%d/cmdline"):format(record.pid)) or ""):find("tapengine", 1, true) ~= nil
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

--- Goes on with a run.
---@param record table
---@param yes boolean
---@return integer exit code
function resume.go_on(record, yes)
  if is_alive(record) then
    errors.raise { class = "busy", code = "RunIsAlive", message = ("run %s is still at work, as process %d"):format(
      record.id, record.pid) }
  end
  if sys.cwd() ~= record.cwd then
    errors.raise { class = "usage", code = "OtherFolder",
      message = ("the run began in %s: its files are named from there"):format(record.cwd),
      hints = { "cd " .. util.shell_quote(record.cwd) .. " && tapengine resume " .. record.id } }
  end
  local source, path = locate.find(record.script)
  if not source then refuse(("the workflow %s is not there any more"):format(record.workflow)) end
  check_script(record, source, yes)
  local wf = workflow.load(source, path)
  return require("tap.cli_run").run(wf, record.argv, { resumed = record, source = source, script = record.script })
end

--- `tapengine resume [RUN] [--yes]`.
---@param argv string[]
---@return integer exit code
function resume.run(argv)
  local id, yes
  for _, word in ipairs(argv) do
    if word == "--yes" then
      yes = true
    elseif id or word:find("^%-") then
      errors.raise { class = "usage", code = "BadArguments", message = ("unexpected argument '%s'"):format(word),
        hints = { "tapengine resume [RUN] [--yes]" } }
    else
      id = word
    end
  end
  return resume.go_on(resume.find(id), yes == true)
end

return resume
