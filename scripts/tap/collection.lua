--- Folders of small Lua files that a team adds to: checks/, runbooks/. Found where workflows are found: ./tap/checks
-- of the repository, the folders of $TAP_PATH, the share folder, the copies in the binary; the first hit of a name
-- wins.

local errors = require "tap.error"
local locate = require "tap.locate"
local util = require "tap.util"
local workflow = require "tap.workflow"

local collection = {}

--- Loads every file of a folder.
---@param folder string "checks"
---@param is_made fun(value: any): boolean whether a file has returned what it should
---@param what string for messages: "check; return tap.check { ... }"
---@return { file: string, value: table }[] by the files' names
function collection.load(folder, is_made, what)
  local all = {}
  for index, entry in ipairs(locate.all(folder)) do
    local value = workflow.evaluate(entry.source, entry.path)
    if not is_made(value) then
      errors.raise { class = "usage", code = "BadScript", message = ("%s: it returns no %s"):format(entry.path, what) }
    end
    all[index] = { file = entry.path, value = value }
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
