--- Findings as people and programs read them: text with the source line and a caret, one JSON object a line, GitHub's
-- annotations, SARIF, JUnit.

local json = require "tap.core.json"
local sys = require "tap.core.sys"

local format = {}

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line:gsub("\r$", "") end
  return lines
end

local MOST_COLUMNS = 160

-- The line of a finding, cut to what is around its column, and a caret below.
local function excerpt(lines, finding)
  local line = lines and lines[finding.line]
  if not line or not utf8.len(line) then return nil end
  local first = math.max(1, finding.column - 60)
  local shown = line:sub(first, first + MOST_COLUMNS):gsub("\t", " ")
  if not utf8.len(shown) then shown = shown:gsub("[\128-\255]", "?") end
  return ("  %s\n  %s^"):format(shown, (" "):rep(finding.column - first))
end

local function text(findings, sources)
  local out, cache, counts = {}, {}, { error = 0, warning = 0, info = 0 }
  for _, finding in ipairs(findings) do
    counts[finding.level] = counts[finding.level] + 1
    cache[finding.file] = cache[finding.file] or sources[finding.file] and lines_of(sources[finding.file])
    out[#out + 1] = ("%s:%d:%d: %s %s: %s"):format(finding.file, finding.line, finding.column, finding.level,
      finding.rule, finding.message)
    out[#out + 1] = excerpt(cache[finding.file], finding)
  end
  out[#out + 1] = #findings == 0 and "no findings" or ("%d errors, %d warnings"):format(counts.error, counts.warning)
  return table.concat(out, "\n")
end

local function json_lines(findings)
  local out = {}
  for index, finding in ipairs(findings) do out[index] = json.encode(finding) end
  return table.concat(out, "\n")
end

local GITHUB = { error = "error", warning = "warning", info = "notice" }

local function escape(value)
  return (tostring(value):gsub("%%", "%%25"):gsub("\r", "%%0D"):gsub("\n", "%%0A"))
end

local function github(findings)
  local out = {}
  for index, finding in ipairs(findings) do
    out[index] = ("::%s file=%s,line=%d,col=%d,title=%s::%s"):format(GITHUB[finding.level],
      escape(finding.file):gsub("[:,]", { [":"] = "%3A", [","] = "%2C" }), finding.line, finding.column, finding.rule,
      escape(finding.message))
  end
  return table.concat(out, "\n")
end

local SARIF = { error = "error", warning = "warning", info = "note" }

local function sarif(findings)
  local results, rules, seen = json.list {}, json.list {}, {}
  for index, finding in ipairs(findings) do
    if not seen[finding.rule] then
      seen[finding.rule] = true
      rules[#rules + 1] = { id = finding.rule }
    end
    results[index] = { ruleId = finding.rule, level = SARIF[finding.level], message = { text = finding.message },
      locations = json.list { { physicalLocation = { artifactLocation = { uri = finding.file },
        region = { startLine = finding.line, startColumn = finding.column } } } } }
  end
  return json.encode({ version = "2.1.0", ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
    runs = json.list { { tool = { driver = { name = "tapengine", version = sys.version, rules = rules } },
      results = results } } }, { indent = 2 })
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function xml(value)
  return (tostring(value):gsub('[&<>"]', ENTITIES):gsub("[%z\1-\8\11\12\14-\31]", "?"))
end

local function junit(findings)
  local out, errors = {}, 0
  for index, finding in ipairs(findings) do
    local failed = finding.level == "error"
    errors = errors + (failed and 1 or 0)
    local message = ("%s:%d: %s"):format(finding.file, finding.line, finding.message)
    out[index] = ('  <testcase classname="%s" name="%s">%s</testcase>'):format(xml(finding.rule), xml(message),
      failed and ('<failure message="%s"/>'):format(xml(message)) or "")
  end
  return ('<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="lint" tests="%d" failures="%d">\n%s\n</testsuite>')
    :format(#findings, errors, table.concat(out, "\n"))
end

local FORMATS = { text = text, json = json_lines, github = github, sarif = sarif, junit = junit }

--- The findings in a format.
---@param name "text"|"json"|"github"|"sarif"|"junit"
---@param findings tap.Finding[]
---@param sources table<string, string> file -> text, for excerpts
---@return string
function format.show(name, findings, sources)
  return FORMATS[name](findings, sources)
end

return format
