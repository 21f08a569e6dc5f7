--- Runs one workflow as a command line asks for it: reads its options, starts the run, stands by for signals,
-- and turns the end, whichever it is, into a report and an exit code.

local cli = require "tap.cli"
local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local exit = require "tap.exit"
local interrupt = require "tap.interrupt"
local log = require "tap.log"
local params = require "tap.params"
local recorder = require "tap.recorder"
local report = require "tap.report"
local runs = require "tap.run"
local sys = require "tap.core.sys"
local util = require "tap.util"
local workflow = require "tap.workflow"

local cli_run = {}

local function refuse(message, hints)
  errors.raise { class = "usage", code = "BadArguments", message = message, hints = hints }
end

local function check_globals(values, declares_dry_run)
  if values.dry_run and not declares_dry_run then
    refuse("--dry-run: this workflow cannot say what it would do without doing it")
  end
end

--- The values of the workflow's own parameters and of the global options, in one table; a script that asks
-- for another name is told. The second result: which of the names are the workflow's own.
local function read_values(wf, argv)
  local own, global = cli.specs_of(wf)
  local specs = table.move(global, 1, #global, #own + 1, { table.unpack(own) })
  local values = params.parse(specs, argv, sys.getenv)
  local names, own_names = {}, {}
  for _, spec in ipairs(specs) do names[#names + 1] = params.field(spec.name) end
  for _, spec in ipairs(own) do own_names[params.field(spec.name)] = true end
  check_globals(values, own_names.dry_run)
  return util.strict(values, "parameter", names), own_names
end

-- Calls what the workflow named for its end, the last one first; what goes wrong there is told.
local function call_all(run, list)
  for index = #list, 1, -1 do
    local ok, problem = pcall(list[index])
    if not ok then run.report:warn("at the end: " .. tostring(problem)) end
  end
end

--- Calls the workflow's run; its recover too when that fails. Gives what run gave.
local function call(wf, run, ctx, values, limit)
  local function body() return wf.run(ctx, values) end
  local function limited() return require("tap.task").timeout(limit, body) end
  local results = table.pack(xpcall(limit and limited or body, errors.with_traceback))
  local e = not results[1] and results[2] or nil
  if e and errors.is_cancel(e) then call_all(run, run.at_cancel) end
  if e and wf.recover then
    local ok, problem = pcall(wf.recover, ctx, values, e)
    if not ok then ctx.out:warn("recover failed: " .. tostring(problem)) end
  end
  call_all(run, run.at_end)
  if e then error(e, 0) end
  if run.options.from then require("tap.step").check_reached(run) end
  return results[2], results[3]
end

-- What somebody at the terminal can choose when an operation goes on: true to go on waiting.
local function choose(run)
  local note = run.note
  if not note or not sys.isatty(0) or run.sandbox or run.report.mode ~= "human" then return false end
  local choices = { { "k", "keep waiting" }, { "l", "leave it running" } }
  if note.stop then choices[3] = { "c", note.stop.words } end
  local chosen = report.choose(note.what, choices)
  if chosen == "c" and note.stop.call() then run.report:note("asked to " .. note.stop.words) end
  return chosen ~= "l"
end

--- What a signal leads to; true: the run goes on.
local function on_signal(run, outcome)
  if outcome == "interrupted" and choose(run) then return true end
  run.report:failure(errors.new { class = outcome, message = outcome }, run:going_on())
  if outcome == "interrupted" then run.report:hint("Ctrl-C again quits at once") end
  return false
end

--- The outcome that a result names: { exit = "changes" }; "ok" when it names none.
local function outcome_of(value)
  local outcome = type(value) == "table" and value.exit or "ok"
  if not exit.CODES[outcome] then
    refuse(("the result's exit is '%s', which is no outcome%s"):format(tostring(outcome),
      util.suggest(tostring(outcome), util.sorted_keys(exit.CODES))))
  end
  return outcome
end

--- Runs the workflow within a run, and reports its result.
---@return integer exit code
local function execute(wf, run, values, own_names)
  local limit = not own_names.timeout and values.timeout or nil
  local value, words
  interrupt.guard(function() value, words = call(wf, run, run:context(), values, limit) end,
    function(outcome) return on_signal(run, outcome) end)
  local outcome = outcome_of(value)
  if type(value) == "table" then value.exit = nil end
  run.report:finish(value, words)
  return exit.CODES[outcome]
end

-- The journal of a run. A rehearsal in the sandbox of this process has none, unless TAP_JOURNAL names one.
local function open_journal(wf, argv, run, origin)
  if not require("tap.journal").path() or run.sandbox and (sys.getenv "TAP_JOURNAL" or "") == "" then return end
  run.recorder = recorder.begin({ id = run.id, workflow = wf.name, argv = argv, region = run:region(),
    profile = run.options.profile or sys.getenv "AWS_PROFILE", endpoint = run:endpoint(),
    script = origin.script or wf.name, hash = crypto.sha256(origin.source or ""), resumed = run.resumed ~= nil },
    function(line) run.report:warn(line) end)
end

-- --resume RUN: the run's own options count; of this command line's only those that say how to go on.
local function resume_instead(values)
  local resume = require "tap.cli_resume"
  return resume.go_on(resume.find(values.resume), { yes = values.yes, step = values.step, from = values.from })
end

--- Runs a workflow.
---@param wf table
---@param argv string[] its options
---@param origin { script: string, source: string, resumed: table?, options: table? }? where it comes from; resumed: the
---  journal's record of the run that this one goes on with; options: global ones that count beside argv's
---@return integer exit code
function cli_run.run(wf, argv, origin)
  origin = origin or {}
  local changes = workflow.changes(wf)
  local out = report.new { mode = cli.output_mode(argv), query = not changes }
  local run, cause, resume_id
  local ok, result = pcall(function()
    local values, own_names = read_values(wf, argv)
    if values.resume and not origin.resumed then
      resume_id = values.resume
      return resume_instead(values)
    end
    for name, value in pairs(origin.options or {}) do values[name] = value end
    run = runs.start(values, out, origin.resumed)
    if changes or values.log_file then log.open(values.log_file, run.id) end
    if changes then open_journal(wf, argv, run, origin) end
    log.info("run begins", { workflow = wf.name, version = sys.version, resumed = origin.resumed ~= nil or nil })
    return execute(wf, run, values, own_names)
  end)
  if ok and resume_id then return result end
  local outcome = "ok"
  if not ok then
    local e = errors.from(result)
    outcome, cause = exit.outcome(e), e.message
    local told = e.class == "interrupted" or e.class == "terminated"
    if not told then out:failure(e, run and run:going_on()) end
    result = exit.code(e)
  end
  log.info("run ends", { exit = result })
  if run then
    run.recorder:ended(outcome, result, cause)
    run:stop()
  end
  return result
end

return cli_run
