--- A stack's outputs and exports at the end of a creation or an update, and what the service finds out about
-- a template only once an operation has begun.

local fault = require "sandbox.fault"
local template = require "sandbox.template"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local exports = require "sandbox.engine.exports"
local scope = require "sandbox.engine.scope"

local outputs = {}

local function evaluate_output(stack, id, names)
  local definition = stack.template.outputs[id]
  local function text_of(node)
    local value = functions.evaluate(node, names)
    if type(value) == "string" then return value end
    fault.validation("Template format error: The Value field of every Outputs member must evaluate to a "
      .. "String.")
  end
  local value = text_of(definition.Value)
  local export = definition.Export and text_of(definition.Export.Name)
  return { key = id, value = value, description = definition.Description, export = export }
end

local function evaluate_outputs(stack)
  local names, out = scope.of(stack), {}
  for i, id in ipairs(stack.plan.outputs) do out[i] = evaluate_output(stack, id, names) end
  return out
end

-- A refusal's text (which may end in a period), or nil and the function's result.
local function attempt(fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then return nil, result end
  if not fault.is(result) then error(result, 0) end
  return result.message
end

--- Evaluates the outputs and publishes the exports among them.
---@return string? why a text when that fails; then the stack's outputs are what they were
function outputs.publish(stack)
  local why, evaluated = attempt(evaluate_outputs, stack)
  why = why or exports.publish(stack, evaluated)
  if why then return why end
  stack.outputs = evaluated
end

--- Why an operation that has begun fails before any resource; nil when it does not.
---@return string?
function outputs.early_failure(stack)
  if stack.plan.late then return stack.plan.late end
  local missing = parameters.missing_things(stack.template.parameters, stack.plan, stack.plan.environment)
  if missing then return missing end
  for _, name in ipairs(template.imports(stack.template, stack.plan)) do
    local why = attempt(scope.import, stack, name)
    if why then return why end
    exports.use(stack, name)
  end
  return template.unsupported_output(stack.template, stack.plan)
end

return outputs
