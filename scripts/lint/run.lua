--- Which files are linted: those that are named, the templates of a folder, standard input; and a team's own rules.

local errors = require "tap.error"
local json = require "tap.core.json"
local lint = require "lint.engine"
local sys = require "tap.core.sys"
local workflow = require "tap.workflow"

local run = {}

local MAX_BYTES = 5 * 1024 * 1024 -- of one file: far over what the service takes
local MAX_DEPTH = 20 -- of folders
local PAUSE = 130 -- % of what lives after a collection until the next begins: 5,000 resources stay under 30 MB
local SUFFIXES = { yml = true, yaml = true, json = true, template = true }

-- Is it a template, going by its text? Folders hold other YAML and JSON, too.
local function looks_like_template(text)
  return text:find("AWSTemplateFormatVersion", 1, true) ~= nil
    or text:find("Resources", 1, true) ~= nil and text:find("Type", 1, true) ~= nil
end

local function is_named_like_template(name)
  local suffix = name:match("%.(%w+)$")
  return suffix ~= nil and SUFFIXES[suffix:lower()] == true
end

local function walk(path, names, depth, into)
  table.sort(names)
  for _, name in ipairs(names) do
    local inner = path .. "/" .. name
    if is_named_like_template(name) then
      into[#into + 1] = { path = inner, found = true }
    elseif depth < MAX_DEPTH and not name:find("^%.") then
      local folder = errors.try(sys.list_dir, inner)
      if folder then walk(inner, folder, depth + 1, into) end
    end
  end
end

local function expand(words)
  local files = {}
  for _, word in ipairs(words) do
    local before = #files
    local folder = word ~= "-" and errors.try(sys.list_dir, word)
    if folder then
      walk((word:gsub("(.)/+$", "%1")), folder, 0, files)
    else
      files[#files + 1] = { path = word }
    end
    if #files == before then
      errors.raise { class = "usage", code = "NoTemplates",
        message = ("no templates in %s: no file there is named *.yml, *.yaml, *.json or *.template"):format(word) }
    end
  end
  return files
end

local function too_large(path, n)
  return { file = path, rule = "E0000", level = "error", line = 1, column = 1, path = json.list {},
    message = ("the file has %d bytes; more than %d are no template"):format(n, MAX_BYTES) }
end

local function read(entry)
  if entry.path == "-" then return sys.read_file "/dev/stdin" end
  local text, e = errors.try(sys.read_file, entry.path)
  if text then return text end
  return errors.raise { class = "usage", code = "UnreadableFile", message = e.message }
end

--- A team's own rules: every Lua file of a folder returns tap.lint_rule { ... }.
---@param folder string?
---@return table[]
function run.rules(folder)
  local rules = {}
  if not folder then return rules end
  for _, name in ipairs(sys.list_dir(folder)) do
    if name:find("%.lua$") then
      local path = folder .. "/" .. name
      rules[#rules + 1] = require("lint.rule").of(workflow.evaluate(sys.read_file(path), path), path)
    end
  end
  return rules
end

--- Lints files.
---@param words string[] files, folders, "-"
---@param options { ignore: string[], rules: string?, security: boolean? }
---@return tap.Finding[]
---@return table<string, string> sources file -> text, of those with findings
function run.all(words, options)
  collectgarbage("incremental", PAUSE)
  local findings, sources = json.list {}, {}
  local own = { ignore = options.ignore, rules = run.rules(options.rules), security = options.security }
  for _, entry in ipairs(expand(words)) do
    local text = read(entry)
    local found = {}
    if #text > MAX_BYTES then
      found = { too_large(entry.path, #text) }
    elseif not entry.found or looks_like_template(text) then
      found = lint.text(text, entry.path, own)
    end
    if #found > 0 and #text <= MAX_BYTES then sources[entry.path] = text end
    table.move(found, 1, #found, #findings + 1, findings)
  end
  return findings, sources
end

return run
