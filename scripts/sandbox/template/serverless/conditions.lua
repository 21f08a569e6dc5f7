--- Conditions that SAM makes of a template's own.

local values = require "sandbox.template.serverless.values"

local conditions = {}

local MOST = 10 -- operands of Fn::Or

local function references(names)
  local out = values.list()
  for i, name in ipairs(names) do out[i] = values.map("Condition", name) end
  return out
end

--- The condition that another one does not hold.
function conditions.negated(name) return values.map("Fn::Not", references { name }) end

--- The condition that all of some hold.
function conditions.all(names) return values.map("Fn::And", references(names)) end

--- Puts the condition that one of some holds into a template, and as many more as it takes.
---@param tree table
---@param name string of the condition
---@param names string[] at least two
function conditions.add_any(tree, name, names)
  if tree.Conditions == nil then values.put(tree, "Conditions", {}) end
  local left, helpers = { table.unpack(names) }, (#names - 2) // (MOST - 1)
  while #left > 1 do
    local taken = {}
    for _ = 1, math.min(MOST, #left) do taken[#taken + 1] = table.remove(left, 1) end
    local made = helpers > 0 and name .. helpers or name
    helpers = helpers - 1
    values.put(tree.Conditions, made, values.map("Fn::Or", references(taken)))
    left[#left + 1] = made
  end
end

return conditions
