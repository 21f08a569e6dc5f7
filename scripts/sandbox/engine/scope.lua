--- What names mean while a stack is being made: references to its resources and to other stacks' exports, on
-- top of what the plan knows already (sandbox.template.functions explains scopes).

local fault = require "sandbox.fault"
local functions = require "sandbox.template.functions"
local pattern = require "sandbox.resources.pattern"
local shape = require "sandbox.template.shape"

local scope = {}

local function attribute(stack, id, name)
  local value = pattern.attribute(stack.resources[id].facts, name)
  if value == nil then fault.validation("Attribute '%s' does not exist", name) end
  return value
end

--- The value of another stack's export. Raises when there is none.
function scope.import(stack, name)
  local export = stack.region.exports[name]
  if not export then fault.validation("No export named %s found", name) end
  return export.value
end

--- The scope of a stack.
---@param masked boolean? NoEcho parameters are their mask: for what is shown
function scope.of(stack, masked)
  local plan = stack.plan
  return {
    parameters = masked and plan.masked or plan.values, pseudo = plan.scope.pseudo,
    mappings = plan.scope.mappings, conditions = plan.conditions,
    ref = function(id) return stack.resources[id].facts.id end,
    attribute = function(id, name) return attribute(stack, id, name) end,
    import = function(name) return scope.import(stack, name) end,
  }
end

--- A resource's properties as they are shown: evaluated with masks. A function that cannot work on a mask (a
-- Split of a secret) is masked as a whole.
function scope.shown(stack, properties, mask)
  local masked = scope.of(stack, true)
  local out, keys = {}, {}
  for _, key in ipairs(shape.keys(properties)) do
    local ok, value = pcall(functions.evaluate, properties[key], masked)
    if not ok and not fault.is(value) then error(value, 0) end
    if not ok then value = mask end
    if value ~= functions.NO_VALUE then
      out[key] = value
      keys[#keys + 1] = key
    end
  end
  return shape.ordered(out, keys)
end

return scope
