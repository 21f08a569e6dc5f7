--- The runbook table: one way out of a stuck state. It says when it applies and what it would do, before it does it.
--
--     return tap.runbook {
--       name = "continue-rollback", summary = "continue the rollback",
--       explain = function(s) return { does = "...", destroys = "nothing", leaves = "..." } end,
--       run = function(ctx, s) ... end,
--     }
--
-- `s` is a tap.Situation. tap.decisions says in which statuses a runbook is a way, and which is recommended.

local collection = require "tap.collection"
local errors = require "tap.error"

local runbook = {}

local FIELDS = { name = "string", summary = "string", applies = "function", explain = "function", run = "function" }

local made = setmetatable({}, { __mode = "k" })

--- Checks a runbook's table and returns it.
---@param t { name: string, summary: string, applies: (fun(s: tap.Situation): boolean, string?)?,
---  explain: fun(s: tap.Situation): { does: string, destroys: string, leaves: string }, run: fun(ctx: tap.Context,
---  s: tap.Situation): string? } applies: false and why, where the status alone does not say it; run: ends with a
---  sentence
---@return table
function runbook.new(t)
  collection.check_fields(t, FIELDS, "BadRunbook", "a runbook")
  if not t.name or not t.summary or not t.explain or not t.run then
    errors.raise { class = "usage", code = "BadRunbook", message = "a runbook needs name, summary, explain and run" }
  end
  made[t] = true
  return t
end

--- All runbooks by their names, a team's own before the ones that ship.
---@return table<string, table>
function runbook.all()
  local by_name = {}
  for _, entry in ipairs(collection.load("runbooks", function(value)
    return type(value) == "table" and made[value] == true
  end, "runbook; return tap.runbook { ... }")) do
    by_name[entry.value.name] = entry.value
  end
  return by_name
end

return runbook
