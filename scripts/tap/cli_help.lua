--- help [NAME]: written from the workflows' tables, so that it says what the argument check does.

local cli = require "tap.cli"
local errors = require "tap.error"
local locate = require "tap.locate"
local params = require "tap.params"
local util = require "tap.util"
local workflow = require "tap.workflow"

local help = {}

--- What the built-in commands do, and what else there is to know; workflows say it themselves.
help.COMMANDS = {
  aws = { "tapengine aws [SERVICE [OPERATION [options]]]", "one call of any operation of any AWS service", [[
The members of its input are options: --stack-name web --capabilities A B --tags Key=team,Value=web
A value is text, a number, true or false, JSON, or @FILE for what is in a file; @@ begins a text with @.
OPERATION --help shows its members. Without it: those of the service; without both: the services.]] },
  list = { "tapengine list [checks|runbooks]", "workflows (checks, runbooks), and which file hides which" },
  help = { "tapengine help [NAME]", "this text, or what a workflow does and takes" },
  eject = { "tapengine eject NAME [FOLDER]", "copy a built-in workflow out for editing, to ./tap" },
  version = { "tapengine version", "the version" },
  completion = { "tapengine completion bash|zsh|fish", "completion for a shell, to be sourced" },
  resume = { "tapengine resume [RUN] [--yes] [--step] [--from STEP]",
    "go on with a run whose process has died; else with the newest one" },
  test = { "tapengine test [SPEC...]", "run specs of workflows and runbooks in the sandbox, on the virtual clock" },
  sandbox = { "tapengine sandbox [options]", "the AWS emulator as a server" },
}

local function value_text(spec)
  if type(spec.default) == "table" then return nil end
  if spec.type == "boolean" and spec.default == false then return nil end
  return spec.default ~= nil and tostring(spec.default) or nil
end

--- One parameter: the left column and the right one.
local function describe(spec)
  local left, right = params.option(spec.name), spec.help or ""
  if spec.type == "secret" then
    left = params.environment(spec)
    right = right .. " (a secret: from the environment only)"
  elseif spec.implied then
    left = left .. params.metavar(spec)
  elseif params.metavar(spec) ~= "" then
    left = left .. " " .. params.metavar(spec)
  end
  local notes = {}
  if spec.required then notes[#notes + 1] = "required" end
  if spec.positional then notes[#notes + 1] = "also without its name" end
  if spec.type == "map" or spec.type == "list" then notes[#notes + 1] = "repeatable" end
  local default = value_text(spec)
  if default then notes[#notes + 1] = "default " .. default end
  if #notes > 0 then right = ("%s [%s]"):format(right, table.concat(notes, ", ")) end
  return { left, right }
end

local function add_rows(lines, rows)
  local shown = util.columns(rows, "  ")
  table.move(shown, 1, #shown, #lines + 1, lines)
end

local function add_section(lines, title, specs)
  if #specs == 0 then return end
  lines[#lines + 1] = ""
  lines[#lines + 1] = title
  local rows = {}
  for index, spec in ipairs(specs) do rows[index] = describe(spec) end
  add_rows(lines, rows)
end

local function usage_of(wf)
  if wf.usage then return wf.usage end
  local words = { "tapengine", wf.name }
  for _, spec in ipairs(wf.params) do
    if spec.required and spec.type ~= "secret" then
      words[#words + 1] = spec.positional and spec.name:upper()
        or params.option(spec.name) .. " " .. params.metavar(spec)
    end
  end
  words[#words + 1] = "[options]"
  return table.concat(words, " ")
end

--- The help of a workflow.
---@param wf table
---@return string
function help.of_workflow(wf)
  local own, global = cli.specs_of(wf)
  local lines = { wf.name .. ": " .. wf.summary, "", usage_of(wf) }
  add_section(lines, "Options", own)
  add_section(lines, "Options of every workflow", global)
  lines[#lines + 1] = ""
  lines[#lines + 1] = #wf.effects > 0 and "Changes: " .. table.concat(wf.effects, ", ") or "Changes nothing."
  return table.concat(lines, "\n")
end

--- Every workflow that loads, with its table; what does not load is left to `list`.
---@return { name: string, summary: string, workflow: table }[]
function help.workflows()
  local rows = {}
  for _, entry in ipairs(locate.all()) do
    local wf = errors.try(workflow.load, entry.source, entry.path)
    if wf then rows[#rows + 1] = { name = entry.name, summary = wf.summary, workflow = wf } end
  end
  return rows
end

local function overview()
  local lines = { "tapengine: deploys and repairs CloudFormation stacks; its workflows are Lua scripts", "",
    "tapengine NAME [options]        run a workflow by name",
    "tapengine FILE.lua [options]    run a workflow of your own", "", "Workflows" }
  local rows = {}
  for _, entry in ipairs(help.workflows()) do rows[#rows + 1] = { entry.name, entry.summary } end
  add_rows(lines, rows)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Commands"
  rows = {}
  for _, name in ipairs(cli.COMMANDS) do
    rows[#rows + 1] = { (help.COMMANDS[name][1]:gsub("^tapengine ", "")), help.COMMANDS[name][2] }
  end
  add_rows(lines, rows)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "tapengine help NAME shows a workflow's options."
  lines[#lines + 1] = "--sandbox rehearses a workflow in an emulator: no account, no network, no waiting."
  return table.concat(lines, "\n")
end

--- Commands with options -> the module whose OPTIONS they are.
local OPTIONS_OF = { sandbox = "sandbox.command", aws = "tap.aws" }

local function of_command(name)
  local lines = { table.concat(help.COMMANDS[name], "\n\n") }
  if OPTIONS_OF[name] then
    add_section(lines, "Options", assert(params.check(require(OPTIONS_OF[name]).OPTIONS)))
  end
  return table.concat(lines, "\n")
end

--- `tapengine help [NAME]`.
---@param argv string[] and `workflow` when the caller has loaded it already
---@return integer exit code
function help.run(argv)
  local name = argv[1]
  if argv.workflow then
    print(help.of_workflow(argv.workflow))
  elseif not name then
    print(overview())
  elseif help.COMMANDS[name] then
    print(of_command(name))
  else
    local source, path = locate.find(name)
    local wf = source and workflow.load(source, path)
    if not wf then
      errors.raise { class = "usage", code = "BadArguments",
        message = ("there is no workflow '%s'%s"):format(name, locate.suggest(name, cli.COMMANDS)) }
    end
    print(help.of_workflow(wf))
  end
  return 0
end

return help
