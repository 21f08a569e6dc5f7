--- The offline lint of templates: reads a file, runs all rules over it, and gives findings with their places.
--
-- Ids are cfn-lint's where the rule is the same, so that people's suppressions keep working: `Metadata: cfn-lint:
-- config: ignore_checks` in the template and in a resource, and --ignore.

local documents = require "tap.core.document"
local errors = require "tap.error"
local json = require "tap.core.json"
local state = require "lint.state"

local lint = {}

local is_map = state.is_map

local MOST = 1000 -- findings of one file

-- The rule sets, in order; each has check(L). Those of one service are loaded for templates that have it.
local RULES = {
  { "lint.structure" }, { "lint.attributes" }, { "lint.constraints" }, { "lint.cases" }, { "lint.across" },
  { "lint.networks", "AWS::EC2::" }, { "lint.pipelines", "AWS::CodePipeline::" }, { "lint.containers", "AWS::ECS::" },
  { "lint.records", "AWS::Route53::" }, { "lint.particulars" }, { "lint.sizes" }, { "lint.policies" },
  { "lint.machines", "AWS::StepFunctions::" },
  { "lint.services" }, { "lint.usage" }, { "lint.habits" }, { "lint.lifecycle" },
}

local LEVELS = { E = "error", W = "warning", I = "info", S = "error" }

---@class tap.Finding
---@field file string
---@field rule string
---@field level "error"|"warning"|"info"
---@field line integer
---@field column integer
---@field message string
---@field path (string|integer)[]

---------------------------------------------------------------------------------------------------------
-- Suppressions

local function patterns_of(metadata)
  local config = type(metadata) == "table" and type(metadata["cfn-lint"]) == "table" and metadata["cfn-lint"].config
  local ignored = type(config) == "table" and config.ignore_checks
  return json.is_list(ignored) and ignored or {}
end

local function matches(rule, patterns)
  for _, pattern in ipairs(patterns) do
    if type(pattern) == "string" and pattern ~= "" and rule:sub(1, #pattern) == pattern then return true end
  end
  return false
end

local function suppressed(root, finding, ignored)
  if matches(finding.rule, ignored) then return true end
  if type(root) ~= "table" then return false end
  if matches(finding.rule, patterns_of(root.Metadata)) then return true end
  if finding.path[1] ~= "Resources" or type(root.Resources) ~= "table" then return false end
  local resource = root.Resources[finding.path[2]]
  return type(resource) == "table" and matches(finding.rule, patterns_of(resource.Metadata))
end

---------------------------------------------------------------------------------------------------------
-- Running

local function place(document, path)
  local line, column, key_line, key_column = document:mark(path)
  return key_line or line or 1, key_column or column or 1
end

local function parse_failure(file, e)
  return { { file = file, rule = "E0000", level = "error", line = e.line or 1, column = e.column or 1,
    message = (e.message or tostring(e)):gsub("^" .. file:gsub("%p", "%%%0") .. ":%d+:%d+: ", ""), path = {} } }
end

local function add_duplicates(document, report)
  for _, found in ipairs(document:duplicates()) do
    local name = tostring(found.path[#found.path])
    local first = { line = found.first_line, column = found.column }
    report("E0000", found.path, ("Duplicate found '%s' (line %d)"):format(name, first.line), first)
    report("E0000", found.path, ("Duplicate found '%s' (line %d)"):format(name, found.line), found)
  end
end

local function has_service(L, prefix)
  for _, resource in pairs(L.resources) do
    local type_name = is_map(resource) and resource.Type
    if type(type_name) == "string" and type_name:sub(1, #prefix) == prefix then return true end
  end
  return false
end

local function run_rules(document, file, options)
  local findings, seen = {}, {}
  local function report(rule, path, message, mark)
    local line, column
    if mark then line, column = mark.line, mark.column else line, column = place(document, path) end
    local key = ("%s:%d:%d:%s"):format(rule, line, column, message)
    if seen[key] or #findings >= MOST then return end
    seen[key] = true
    findings[#findings + 1] = { file = file, rule = rule, level = LEVELS[rule:sub(1, 1)] or "error", line = line,
      column = column, message = message, path = json.list(table.move(path, 1, #path, 1, {})) }
  end
  add_duplicates(document, report)
  local L = state.new(document, report)
  L.trusting = options.trusting
  for _, row in ipairs(RULES) do
    local name, service = row[1], row[2]
    local meant = is_map(L.root) and (not service or has_service(L, service)) or name == "lint.structure"
    if meant then require(name).check(L) end
  end
  if options.security and is_map(L.root) then require("lint.security").check(L) end
  for _, rule in ipairs(options.rules or {}) do rule.check(L) end
  return findings
end

local function by_place(a, b)
  if a.line ~= b.line then return a.line < b.line end
  if a.column ~= b.column then return a.column < b.column end
  if a.rule ~= b.rule then return a.rule < b.rule end
  return a.message < b.message
end

--- Lints a template's text.
---@param text string
---@param file string for messages
---@param options { ignore: string[]?, rules: table[]?, trusting: boolean?, security: boolean? }? ignore: beginnings of
---  rule ids; rules: a team's own; trusting: leave out what cfn-lint refuses and the service takes; security: with
---  findings of security
---@return tap.Finding[] in the order of their places
---@return table? document nil when the text cannot be parsed
function lint.text(text, file, options)
  options = options or {}
  local read = file:find("%.ya?ml$") and documents.yaml or documents.any
  local document, e = errors.try(read, text, file)
  -- JSON with a comma too many is good YAML, which is what a template may be, too.
  if not document and read == documents.any then document = errors.try(documents.yaml, text, file) end
  if not document then return json.list(parse_failure(file, e)) end
  local findings = json.list {}
  for _, finding in ipairs(run_rules(document, file, options)) do
    if not suppressed(document:root(), finding, options.ignore or {}) then findings[#findings + 1] = finding end
  end
  table.sort(findings, by_place)
  return findings, document
end

return lint
