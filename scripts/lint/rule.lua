--- A team's own rule: which resources it looks at, and what it says.
--
--     return tap.lint_rule {
--       id = "E9001", summary = "queues are encrypted", type = "AWS::SQS::Queue",
--       check = function(resource, tell)
--         if resource.Properties == nil or not resource.Properties.KmsMasterKeyId then
--           tell({ "Properties" }, "the queue has no key")
--         end
--       end,
--     }

local errors = require "tap.error"
local json = require "tap.core.json"
local util = require "tap.util"

local rule = {}

local FIELDS = { id = "string", summary = "string", type = "string", check = "function" }
local made = setmetatable({}, { __mode = "k" })

local function refuse(problem)
  errors.raise { class = "usage", code = "BadRule", message = problem }
end

--- Checks a rule's table and returns it.
---@param t { id: string, summary: string, type: string?, check: fun(resource: table,
---  tell: fun(path: table, message: string), id: string, template: table) } type: of the resources that check is called
---  for, each once; nil: all of them. `tell` takes a path below the resource. E ids are errors, W warnings, I infos
---@return table
function rule.new(t)
  for field, value in pairs(t) do
    if not FIELDS[field] then
      refuse(("a rule has no field '%s'%s"):format(tostring(field), util.suggest(tostring(field),
        util.sorted_keys(FIELDS))))
    end
    if type(value) ~= FIELDS[field] then
      refuse(("field '%s' is a %s, not a %s"):format(field, type(value), FIELDS[field]))
    end
  end
  if not t.id or not t.id:find("^[EWI]%d+$") then refuse("a rule's id is E, W or I and a number") end
  if not t.check then refuse("a rule needs check") end
  made[t] = true
  return t
end

--- A rule that runs with the others.
---@param t any what a file returned
---@param path string
---@return { check: fun(L: table) }
function rule.of(t, path)
  if not made[t] then refuse(path .. ": it returns no rule; return tap.lint_rule { ... }") end
  return { check = function(L)
    for _, id in ipairs(json.keys(L.resources)) do
      local resource = L.resources[id]
      if type(resource) == "table" and (not t.type or resource.Type == t.type) then
        t.check(resource, function(path_below, message)
          L:find(t.id, require("lint.state").join({ "Resources", id }, table.unpack(path_below)), "%s", message)
        end, id, L.root)
      end
    end
  end }
end

return rule
