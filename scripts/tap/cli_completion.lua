--- completion bash|zsh|fish: a script for the shell, generated from the workflows' tables.

local cli = require "tap.cli"
local cli_help = require "tap.cli_help"
local errors = require "tap.error"
local params = require "tap.params"
local util = require "tap.util"

local completion = {}

--- Every first word with its summary and options.
local function words()
  local list = {}
  for _, entry in ipairs(cli_help.workflows()) do
    local own, global = cli.specs_of(entry.workflow)
    local specs = {}
    for _, spec in ipairs(table.move(global, 1, #global, #own + 1, { table.unpack(own) })) do
      if spec.type ~= "secret" then specs[#specs + 1] = spec end
    end
    list[#list + 1] = { name = entry.name, summary = entry.summary, specs = specs }
  end
  for _, name in ipairs(cli.COMMANDS) do
    list[#list + 1] = { name = name, summary = cli_help.COMMANDS[name][2], specs = {} }
  end
  return list
end

local function options_of(entry)
  local options = {}
  for index, spec in ipairs(entry.specs) do options[index] = params.option(spec.name) end
  return table.concat(options, " ")
end

local function names_of(list)
  local names = {}
  for index, entry in ipairs(list) do names[index] = entry.name end
  return table.concat(names, " ")
end

local function bash(list)
  local lines = { "# tapengine completion for bash: source <(tapengine completion bash)", "_tapengine() {",
    "  local word=${COMP_WORDS[COMP_CWORD]} options=",
    "  if [ \"$COMP_CWORD\" = 1 ]; then",
    ("    COMPREPLY=($(compgen -W '%s' -- \"$word\") $(compgen -f -X '!*.lua' -- \"$word\"))")
      :format(names_of(list)),
    "    return", "  fi", "  case ${COMP_WORDS[1]} in" }
  for _, entry in ipairs(list) do
    if #entry.specs > 0 then
      lines[#lines + 1] = ("    %s) options='%s' ;;"):format(entry.name, options_of(entry))
    end
  end
  for _, line in ipairs { "  esac", "  case $word in",
    "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;",
    "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;", "  esac", "}", "complete -F _tapengine tapengine" } do
    lines[#lines + 1] = line
  end
  return lines
end

local function zsh_text(text)
  return (text:gsub("'", ""):gsub("[%[%]:]", "\\%0"))
end

local function zsh(list)
  local lines = { "#compdef tapengine", "_tapengine() {", "  if (( CURRENT == 2 )); then",
    "    local -a words=(" }
  for _, entry in ipairs(list) do
    lines[#lines + 1] = ("      '%s:%s'"):format(entry.name, zsh_text(entry.summary))
  end
  for _, line in ipairs { "    )", "    _describe command words", "    _files -g '*.lua'", "    return",
    "  fi", "  case $words[2] in" } do
    lines[#lines + 1] = line
  end
  for _, entry in ipairs(list) do
    if #entry.specs > 0 then
      lines[#lines + 1] = ("    %s) _arguments \\"):format(entry.name)
      for _, spec in ipairs(entry.specs) do
        local action = spec.type == "boolean" and "" or spec.type == "file" and ":file:_files"
          or spec.type == "enum" and (":value:(%s)"):format(table.concat(spec.values, " ")) or ":value:"
        lines[#lines + 1] = ("      '*%s[%s]%s' \\"):format(params.option(spec.name),
          zsh_text(spec.help or ""), action)
      end
      lines[#lines + 1] = "      ;;"
    end
  end
  for _, line in ipairs { "  esac", "}", "compdef _tapengine tapengine" } do lines[#lines + 1] = line end
  return lines
end

local function fish(list)
  local lines = { "# tapengine completion for fish: tapengine completion fish | source",
    "complete -c tapengine -n __fish_use_subcommand -f" }
  local function quote(text) return "'" .. text:gsub("[\\']", "\\%0") .. "'" end
  for _, entry in ipairs(list) do
    lines[#lines + 1] = ("complete -c tapengine -n __fish_use_subcommand -a %s -d %s")
      :format(entry.name, quote(entry.summary))
    for _, spec in ipairs(entry.specs) do
      local takes = spec.type == "boolean" and "" or spec.type == "enum"
        and (" -x -a %s"):format(quote(table.concat(spec.values, " "))) or " -r"
      lines[#lines + 1] = ("complete -c tapengine -n '__fish_seen_subcommand_from %s' -l %s%s -d %s")
        :format(entry.name, params.option(spec.name):sub(3), takes, quote(spec.help or ""))
    end
  end
  return lines
end

local SHELLS = { bash = bash, zsh = zsh, fish = fish }

--- `tapengine completion SHELL`.
---@param argv string[]
---@return integer exit code
function completion.run(argv)
  local write = SHELLS[argv[1] or ""]
  if not write then
    errors.raise { class = "usage", code = "BadArguments", message = "tapengine completion bash|zsh|fish"
      .. util.suggest(argv[1] or "", util.sorted_keys(SHELLS)) }
  end
  print(table.concat(write(words()), "\n"))
  return 0
end

return completion
