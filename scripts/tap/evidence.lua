--- Evidence of a failure, kept before anything is cleared away: the stack, its events, template and parameters, the
-- cause, what the journal knows of it. One archive for its owner only, redacted, for a ticket or a post-mortem.

local core_log = require "tap.core.log"
local errors = require "tap.error"
local json = require "tap.core.json"
local journal = require "tap.journal"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.task"
local text = require "tap.core.text"

local evidence = {}

local function folder()
  local path = journal.path() or (sys.getenv "HOME" or "/tmp") .. "/.local/state/tapengine/journal.db"
  return (path:match("^(.*)/") or ".") .. "/evidence"
end

local function write(path, value)
  local words = type(value) == "string" and value or json.encode(value, { indent = 2 })
  sys.write_file(path, core_log.redact(words) .. "\n")
end

local function journal_of(name)
  local book = journal.path() and errors.try(journal.open)
  if not book then return json.list {} end
  local runs = json.list {}
  for index, run in ipairs(book:runs { stack = name, limit = 20 }) do runs[index] = book:find(run.id) end
  book:close()
  return runs
end

--- Saves what is known of a stack.
---@param s tap.Situation
---@return string path of the archive (of the folder where there is no tar)
function evidence.save(s)
  local stamp = text.iso_time(task.now()):gsub("[-:]", ""):sub(1, 15)
  local name = ("%s-%s"):format(s.name, stamp)
  local place = folder() .. "/" .. name
  sys.mkdir_p(place, 448) -- 0700
  write(place .. "/stack.json", s.description)
  write(place .. "/resources.json", json.list(s.resources))
  local lines = {}
  for index, event in ipairs(s.stack.new(s.cfn, s.id):new_events()) do lines[index] = json.encode(event) end
  write(place .. "/events.jsonl", table.concat(lines, "\n"))
  write(place .. "/cause.json", s.failures)
  local template = errors.try(s.cfn.get_template, s.cfn, { StackName = s.id })
  if template then
    local body = template.TemplateBody
    write(place .. "/template", body)
  end
  write(place .. "/journal.json", journal_of(s.name))
  write(place .. "/versions.txt", "tapengine " .. sys.version)
  local packed = errors.try(proc.run, { "sh", "-c",
    'umask 077 && tar -C "$1" -czf "$1/$2.tar.gz" "$2" && rm -r "$1/$2"', "sh", folder(), name })
  if not packed or packed.code ~= 0 then return place end
  return place .. ".tar.gz"
end

return evidence
