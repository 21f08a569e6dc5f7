--- list and eject: which workflows, checks and runbooks there are, and how a team gets its own copy of one.

local errors = require "tap.error"
local locate = require "tap.locate"
local sys = require "tap.core.sys"
local util = require "tap.util"
local workflow = require "tap.workflow"

local list = {}

-- What there is a list of -> what makes a table of one's source. A workflow may also be a plain script.
local KINDS = { workflows = workflow.load, checks = workflow.evaluate, runbooks = workflow.evaluate }

local function summary_of(entry, kind)
  local made, e = errors.try(KINDS[kind], entry.source, entry.path)
  if type(made) == "table" then return tostring(made.summary) end
  return e and "broken: " .. tostring(e.message):match("^[^\n]*") or "a plain script"
end

local function show_list(kind)
  kind = kind or "workflows"
  if not KINDS[kind] then
    errors.raise { class = "usage", code = "BadArguments", message = ("tapengine list %s: there is no list of that%s")
      :format(kind, util.suggest(kind, util.sorted_keys(KINDS))) }
  end
  local rows = {}
  for _, entry in ipairs(locate.all(kind ~= "workflows" and kind or nil)) do
    local own = entry.origin == "team" or entry.origin == "path"
    local note = own and ("[%s%s]"):format(entry.path,
      #entry.hides > 0 and ", hides " .. table.concat(entry.hides, ", ") or "") or ""
    rows[#rows + 1] = { entry.name, summary_of(entry, kind), note }
  end
  print(table.concat(util.columns(rows), "\n"))
  return 0
end

--- Writes the embedded copy to FOLDER/NAME.lua; a file that is there is never overwritten.
local function eject(name, folder)
  if not name then
    errors.raise { class = "usage", code = "BadArguments", message = "tapengine eject NAME [FOLDER]" }
  end
  local source = locate.embedded(name)
  if not source then
    errors.raise { class = "usage", code = "BadArguments",
      message = ("there is no built-in workflow '%s'%s"):format(name, locate.suggest(name)) }
  end
  folder = folder or "tap"
  local path = ("%s/%s.lua"):format(folder, name)
  if sys.exists(path) then
    errors.raise { class = "refused", code = "FileExists", message = path .. " is there already" }
  end
  sys.mkdir_p(path:match("^(.*)/"))
  sys.write_file(path, source)
  print(path)
  return 0
end

--- `tapengine list [checks|runbooks]`, `tapengine eject NAME [FOLDER]`.
---@param argv string[] with `command`
---@return integer exit code
function list.run(argv)
  if argv.command == "eject" then return eject(argv[1], argv[2]) end
  return show_list(argv[1])
end

return list
