--- Folders of small Lua files that a team adds to: checks/, runbooks/. Found where workflows are found: ./tap/checks
-- of the repository, the folders of $TAP_PATH, the share folder, the copies in the binary; the first hit of a name
-- wins.

local assets = require "tap.core.assets"
local errors = require "tap.error"
local sys = require "tap.core.sys"
local util = require "tap.util"
local workflow = require "tap.workflow"

local collection = {}

local function names(folder)
  local seen = {}
  for _, place in ipairs(assets.folders()) do
    for _, file in ipairs(errors.try(sys.list_dir, place.path .. "/" .. folder) or {}) do
      local name = file:match("^(.+)%.lua$")
      if name then seen[name] = true end
    end
  end
  for _, path in ipairs(assets.list()) do
    local name = path:match("^" .. folder .. "/([^/]+)%.lua$")
    if name then seen[name] = true end
  end
  return util.sorted_keys(seen)
end

--- Loads every file of a folder.
---@param folder string "checks"
---@param is_made fun(value: any): boolean whether a file has returned what it should
---@param what string for messages: "check; return tap.check { ... }"
---@return { file: string, value: table }[] by the files' names
function collection.load(folder, is_made, what)
  local all = {}
  for index, name in ipairs(names(folder)) do
    local path, source = assets.find(("%s/%s.lua"):format(folder, name))
    path = path or ("embedded:%s/%s.lua"):format(folder, name)
    local value = workflow.evaluate(source, path)
    if not is_made(value) then
      errors.raise { class = "usage", code = "BadScript", message = ("%s: it returns no %s"):format(path, what) }
    end
    all[index] = { file = path, value = value }
  end
  return all
end

--- Checks the fields of a table that such a file returns.
---@param t table
---@param fields table<string, string> field -> its Lua type: "string", "string or table"
---@param code string of the error
---@param what string "a check"
function collection.check_fields(t, fields, code, what)
  local function refuse(problem) errors.raise { class = "usage", code = code, message = problem } end
  for field, value in pairs(t) do
    if not fields[field] then
      refuse(("%s has no field '%s'%s"):format(what, tostring(field), util.suggest(tostring(field),
        util.sorted_keys(fields))))
    end
    if not fields[field]:find(type(value), 1, true) then
      refuse(("%s: field '%s' is a %s, not a %s"):format(what, field, type(value), fields[field]))
    end
  end
end

return collection
