--- The command line: finds what the first word names, reads the options, runs it, and says how it went.
--
-- main() (bindings) calls cli.main in the root task and exits with the code that it returns. Modules are
-- loaded where they are needed: `tapengine version` has to take milliseconds.

local cli = {}

local IDENTITY = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"

--- Options that every workflow takes. A parameter of the same name in a workflow's table replaces one.
cli.GLOBAL_OPTIONS = {
  { "sandbox", "string", implied = "SCENARIO", env = false, help = "run in an emulator in this process" },
  { "endpoint-url", "string", env = false, help = "send every call there instead of to AWS" },
  { "region", "string", env = false, help = "AWS region; else AWS_REGION, AWS_DEFAULT_REGION" },
  { "profile", "string", env = false, help = "not in this version; " .. IDENTITY },
  { "output", "enum", values = { "human", "json", "jsonl" }, default = "human",
    help = "for people, one JSON result, or one JSON object a line" },
  { "log-file", "file", help = "the run's log; else $XDG_STATE_HOME/tapengine/tapengine.log" },
  { "timeout", "duration", env = false, help = "give up after this long" },
  { "yes", "boolean", env = false, help = "go on without asking" },
  { "dry-run", "boolean", env = false, help = "say what would be done, and do nothing" },
  { "resume", "string", env = false, help = "not in this version" },
}

--- Command word -> the module that has it; each exports run(argv) -> exit code.
local COMMANDS = {
  help = "tap.cli_help", ["--help"] = "tap.cli_help", ["-h"] = "tap.cli_help", list = "tap.cli_list",
  eject = "tap.cli_list", completion = "tap.cli_completion", sandbox = "sandbox.command",
}

--- Command words that are known and not built.
local NOT_BUILT = {
  lint = "`tapengine validate --template FILE --offline` checks what can be checked offline",
  aws = "in a script: tap.client(SERVICE):operation { ... }",
}

--- The words that are not workflows, for help, completion and "did you mean".
cli.COMMANDS = { "list", "help", "version", "eject", "completion", "sandbox" }

local function refuse(message, hints)
  require("tap.error").raise { class = "usage", code = "BadArguments", message = message, hints = hints }
end

--- The checked declarations of the global options.
---@return table[]
function cli.global_specs()
  return assert(require("tap.params").check(cli.GLOBAL_OPTIONS))
end

--- A workflow's own parameters, then the global options that it does not replace.
---@param wf table
---@return table[] own
---@return table[] global
function cli.specs_of(wf)
  local params, own, global = require "tap.params", {}, {}
  for _, spec in ipairs(wf.params) do own[params.field(spec.name)] = true end
  for _, spec in ipairs(cli.global_specs()) do
    if not own[params.field(spec.name)] then global[#global + 1] = spec end
  end
  return wf.params, global
end

---------------------------------------------------------------------------------------------------------
-- Running a workflow

local function check_globals(values, declares_dry_run)
  if values.profile then refuse("--profile: profiles are not supported in this version", { IDENTITY }) end
  if values.resume then refuse("--resume: not available in this version") end
  if values.dry_run and not declares_dry_run then
    refuse("--dry-run: this workflow cannot say what it would do without doing it")
  end
end

--- Splits the values into the workflow's and the run's. Both know the global ones.
local function read_values(wf, argv)
  local params, sys, util = require "tap.params", require "tap.core.sys", require "tap.util"
  local own, global = cli.specs_of(wf)
  local specs = table.move(global, 1, #global, #own + 1, { table.unpack(own) })
  local values = params.parse(specs, argv, sys.getenv)
  local names, own_names = {}, {}
  for _, spec in ipairs(specs) do names[#names + 1] = params.field(spec.name) end
  for _, spec in ipairs(own) do own_names[params.field(spec.name)] = true end
  check_globals(values, own_names.dry_run)
  return util.strict(values, "parameter", names), own_names
end

local function with_traceback(e)
  local errors = require "tap.error"
  if errors.is(e) then return e end
  e = errors.from(e)
  e.traceback = debug.traceback(e.message, 2)
  return e
end

--- Calls the workflow's run; its recover too when that fails. Gives what run gave.
local function call(wf, ctx, values, limit)
  local function body() return wf.run(ctx, values) end
  if limit then
    local inner = body
    body = function() return require("tap.task").timeout(limit, inner) end
  end
  local results = table.pack(xpcall(body, with_traceback))
  if results[1] then return results[2], results[3] end
  local e = results[2]
  if wf.recover then
    local ok, problem = pcall(wf.recover, ctx, values, e)
    if not ok then ctx.out:warn("recover failed: " .. tostring(problem)) end
  end
  return error(e, 0)
end

--- What a person reads when a signal ends the run.
local function tell_interruption(run, outcome)
  run.report:failure(require("tap.error").new { class = outcome, message = outcome }, run:going_on())
  if outcome == "interrupted" then run.report:hint("Ctrl-C again quits at once") end
end

--- Runs a workflow within a run; the result's outcome.
local function execute(wf, run, values, own_names)
  local interrupt = require "tap.interrupt"
  local ctx = run:context()
  local limit = not own_names.timeout and values.timeout or nil
  local value, words
  interrupt.guard(function() value, words = call(wf, ctx, values, limit) end,
    function(outcome) tell_interruption(run, outcome) end)
  local outcome = type(value) == "table" and value.exit or "ok"
  if type(value) == "table" then value.exit = nil end
  run.report:finish(value, words)
  return outcome
end

local function run_workflow(wf, argv, mode)
  local exit, log = require "tap.exit", require "tap.log"
  local report, workflow = require "tap.report", require "tap.workflow"
  local out = report.new { mode = mode, query = not workflow.changes(wf) }
  local run
  local ok, result = pcall(function()
    local values, own_names = read_values(wf, argv)
    run = require("tap.run").start(values, out)
    if workflow.changes(wf) or values.log_file then log.open(values.log_file, run.id) end
    log.info("run begins", { workflow = wf.name, version = require("tap.core.sys").version })
    return execute(wf, run, values, own_names)
  end)
  local code = ok and exit.CODES[result] or nil
  if not ok then
    local e = require("tap.error").from(result)
    code = exit.code(e)
    if e.class ~= "interrupted" and e.class ~= "terminated" then out:failure(e, run and run:going_on()) end
  end
  log.info("run ends", { exit = code })
  if run then run:stop() end
  return code
end

---------------------------------------------------------------------------------------------------------
-- Finding what to run

local function unknown_command(word)
  refuse(("there is no command or workflow '%s'%s"):format(word,
    require("tap.locate").suggest(word, cli.COMMANDS)), { "tapengine list   shows all of them" })
end

local function wants_help(argv)
  for _, word in ipairs(argv) do
    if word == "--help" or word == "-h" then return true end
  end
  return false
end

--- The output mode before anything is parsed: errors of the command line follow it too.
local function output_mode(argv)
  for i, word in ipairs(argv) do
    local mode = word == "--output" and argv[i + 1] or word:match("^%-%-output=(.*)$")
    if mode == "json" or mode == "jsonl" then return mode end
  end
  return "human"
end

--- A file or a name: a workflow runs with its options, a plain script has run when it is loaded.
local function run_script(word, leading, rest)
  local locate, workflow = require "tap.locate", require "tap.workflow"
  local source, path = locate.find(word)
  if not source then return unknown_command(word) end
  arg = table.move(rest, 1, #rest, 1, { [0] = word }) -- luacheck: globals arg
  local wf = workflow.load(source, path)
  if not wf then return 0 end
  if wants_help(rest) then return require("tap.cli_help").run { wf.name, workflow = wf } end
  local argv = table.move(rest, 1, #rest, #leading + 1, leading)
  return run_workflow(wf, argv, output_mode(argv))
end

local function dispatch(argv)
  local first = 1
  if argv[1] and argv[1]:sub(1, 2) == "--" and not COMMANDS[argv[1]] and argv[1] ~= "--version" then
    first = require("tap.params").skip_options(cli.global_specs(), argv)
  end
  local word = argv[first] or "help"
  local leading = table.move(argv, 1, first - 1, 1, {})
  local rest = table.move(argv, first + 1, #argv, 1, {})
  if word == "version" or word == "--version" then
    print("tapengine " .. require("tap.core.sys").version)
    return 0
  end
  if COMMANDS[word] then
    if wants_help(rest) and word ~= "help" then rest, word = { word }, "help" end
    rest.command = word
    return require(COMMANDS[word]).run(rest) or 0
  end
  if NOT_BUILT[word] then
    refuse(("'%s' is not available in this version"):format(word), { NOT_BUILT[word] })
  end
  return run_script(word, leading, rest)
end

--- Runs a command line.
---@param argv string[] without the program's name
---@return integer exit code
function cli.main(argv)
  local ok, result = xpcall(dispatch, with_traceback, argv)
  if ok then return result end
  local errors = require "tap.error"
  if errors.is_cancel(result) then error(result, 0) end
  require("tap.report").new({ mode = output_mode(argv) }):failure(result)
  return require("tap.exit").code(result)
end

return cli
