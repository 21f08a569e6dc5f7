--- Where workflows are found: the path given; ./tap of the team's repository; the folders of $TAP_PATH; the
-- installed share folder (the repository's scripts/ for a build); the copies in the binary. The first hit
-- wins, `tapengine list` shows what it hides. tap.core.assets knows the folders.

local assets = require "tap.core.assets"
local errors = require "tap.error"
local sys = require "tap.core.sys"
local util = require "tap.util"

local locate = {}

-- The names in a folder of all the places: "" for workflows, "checks/".
local function names(folder)
  local seen = {}
  for _, place in ipairs(assets.folders()) do
    for _, file in ipairs(errors.try(sys.list_dir, place.path .. "/" .. folder) or {}) do
      local name = file:match("^(.+)%.lua$")
      if name then seen[name] = true end
    end
  end
  for _, path in ipairs(assets.list()) do
    local name = path:match("^" .. folder .. "([^/]+)%.lua$")
    if name then seen[name] = true end
  end
  return util.sorted_keys(seen)
end

-- What a user's own file hides; a build's scripts/ folder and the copies of it in the binary are one.
local function hidden_by(origin, shadowed)
  local hidden = {}
  for _, place in ipairs((origin == "team" or origin == "path") and shadowed or {}) do
    hidden[#hidden + 1] = place.origin == "embedded" and "the built-in one" or place.path
  end
  return hidden
end

--- Every workflow that can be named, or every check or runbook.
---@param folder "checks"|"runbooks"|nil nil: workflows
---@return { name: string, path: string, source: string, origin: string, hides: string[] }[] sorted by name; origin:
---  "team", "path", "share", "tree" or "embedded"
function locate.all(folder)
  local all, prefix = {}, folder and folder .. "/" or ""
  for _, name in ipairs(names(prefix)) do
    local file = prefix .. name .. ".lua"
    local path, source, origin, shadowed = assets.find(file)
    if source then
      all[#all + 1] = { name = name, path = path or "embedded:" .. file, source = source, origin = origin,
        hides = hidden_by(origin, shadowed) }
    end
  end
  return all
end

--- Does the word name a file rather than a workflow?
---@param word string
---@return boolean
function locate.is_path(word)
  return word:find("/", 1, true) ~= nil or word:find("%.lua$") ~= nil
end

--- A workflow's text by its path or name. A path that cannot be read raises.
---@param word string
---@return string? source nil when there is no workflow of that name
---@return string? path for messages; "embedded:NAME.lua" for a copy in the binary
function locate.find(word)
  if locate.is_path(word) then
    local source, e = errors.try(sys.read_file, word)
    if source then return source, word end
    errors.raise { class = "usage", code = "NoSuchFile", message = e.message }
  end
  local path, source = assets.find(word .. ".lua")
  return source, path or "embedded:" .. word .. ".lua"
end

--- ", did you mean 'x'?" for a word that names no workflow.
---@param word string
---@param commands string[]? further right words
---@return string
function locate.suggest(word, commands)
  local known = names ""
  for _, command in ipairs(commands or {}) do known[#known + 1] = command end
  return util.suggest(word, known)
end

--- The copy in the binary, whatever is on disk.
---@param name string of a workflow, or "checks/NAME", "runbooks/NAME"
---@return string? source
function locate.embedded(name)
  local folder = name:match("^(.-)/")
  return (not folder or folder == "checks" or folder == "runbooks") and assets.read(name .. ".lua") or nil
end

return locate
