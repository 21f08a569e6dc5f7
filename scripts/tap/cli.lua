--- The command line: finds what the first word names, reads the options, runs it, and says how it went.
--
-- main() (bindings) calls cli.main in the root task and exits with the code that it returns. Modules are
-- loaded where they are needed: `tapengine version` has to take milliseconds.

local cli = {}

--- Options that every workflow takes. A parameter of the same name in a workflow's table replaces one.
cli.GLOBAL_OPTIONS = {
  { "sandbox", "string", implied = "SCENARIO", env = false, help = "run in an emulator in this process" },
  { "sandbox-state", "file", env = false, help = "the same, beginning with what this file keeps, and kept in it" },
  { "endpoint-url", "string", env = false, help = "send every call there instead of to AWS" },
  { "region", "string", env = false, help = "else AWS_REGION, AWS_DEFAULT_REGION, the profile's" },
  { "profile", "string", env = false, help = "of ~/.aws/config and ~/.aws/credentials; else AWS_PROFILE" },
  { "output", "enum", values = { "human", "json", "jsonl" }, default = "human", env = false,
    help = "for people, one JSON result, or one JSON object a line" },
  { "log-file", "file", help = "the run's log; else $XDG_STATE_HOME/tapengine/tapengine.log" },
  { "timeout", "duration", env = false, help = "give up after this long" },
  { "yes", "boolean", env = false, help = "go on without asking" },
  { "dry-run", "boolean", env = false, help = "say what would be done, and do nothing" },
  { "resume", "string", env = false, help = "go on with this run of the journal" },
  { "step", "boolean", env = false, help = "ask before each step" },
  { "from", "string", env = false, help = "begin with this step" },
}

--- Command word -> the module that has it; each exports run(argv) -> exit code.
local COMMANDS = {
  help = "tap.cli_help", ["--help"] = "tap.cli_help", ["-h"] = "tap.cli_help", list = "tap.cli_list",
  eject = "tap.cli_list", completion = "tap.cli_completion", sandbox = "sandbox.command", aws = "tap.aws",
  resume = "tap.cli_resume", test = "tap.cli_test",
}

--- Commands that answer --help themselves.
local OWN_HELP = { help = true, aws = true }

--- The words that are not workflows, for help, completion and "did you mean".
cli.COMMANDS = { "aws", "resume", "test", "list", "help", "version", "eject", "completion", "sandbox" }

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

--- The output mode before anything is parsed: errors of the command line follow it too.
---@param argv string[]
---@return "human"|"json"|"jsonl"
function cli.output_mode(argv)
  for i, word in ipairs(argv) do
    local mode = word == "--output" and argv[i + 1] or word:match("^%-%-output=(.*)$")
    if mode == "json" or mode == "jsonl" then return mode end
  end
  return "human"
end

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

--- A file or a name: a workflow runs with its options, a plain script has run when it is loaded.
local function run_script(word, leading, rest)
  local locate, workflow = require "tap.locate", require "tap.workflow"
  local source, path = locate.find(word)
  if not source then return unknown_command(word) end
  if #leading > 0 and not source:find("workflow", 1, true) then
    refuse(word .. " is a plain script: it gets the options behind its name, and none in front of it")
  end
  arg = table.move(rest, 1, #rest, 1, { [0] = word }) -- luacheck: globals arg
  local wf = workflow.load(source, path)
  if not wf then return 0 end
  if wants_help(rest) then return require("tap.cli_help").run { wf.name, workflow = wf } end
  local argv = table.move(rest, 1, #rest, #leading + 1, leading)
  return require("tap.cli_run").run(wf, argv, { script = word, source = source })
end

local function dispatch(argv)
  local first = 1
  if argv[1] and argv[1]:sub(1, 2) == "--" and not COMMANDS[argv[1]] and argv[1] ~= "--version" then
    first = require("tap.params").skip_options(cli.global_specs(), argv)
  end
  if first > 1 and not argv[first] then
    refuse("options, and no command or workflow"
      .. require("tap.util").suggest(argv[1], { "--help", "--version" }))
  end
  local word = argv[first] or "help"
  local leading = table.move(argv, 1, first - 1, 1, {})
  local rest = table.move(argv, first + 1, #argv, 1, {})
  if word == "version" or word == "--version" then
    print("tapengine " .. require("tap.core.sys").version)
    return 0
  end
  if COMMANDS[word] then
    if wants_help(rest) and not OWN_HELP[word] then rest, word = { word }, "help" end
    rest.command, rest.leading = word, leading
    return require(COMMANDS[word]).run(rest) or 0
  end
  return run_script(word, leading, rest)
end

--- Runs a command line.
---@param argv string[] without the program's name
---@return integer exit code
function cli.main(argv)
  local ok, result = xpcall(dispatch, require("tap.error").with_traceback, argv)
  if ok then return result end
  if require("tap.error").is_cancel(result) then error(result, 0) end
  require("tap.report").new({ mode = cli.output_mode(argv) }):failure(result)
  return require("tap.exit").code(result)
end

return cli
