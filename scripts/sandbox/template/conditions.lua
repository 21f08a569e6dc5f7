--- The Conditions section: the functions that give truth, and the evaluation of all conditions before
-- anything else happens to a stack. Conditions see parameters, mappings, pseudo parameters and each other,
-- nothing more.

local fault = require "sandbox.fault"
local functions = require "sandbox.template.functions"
local shape = require "sandbox.template.shape"

local conditions = {}

local truth -- forward

local function is_truth_node(node)
  if not shape.is_map(node) then return false end
  local name = next(node)
  return name == "Condition" or conditions.functions[name] ~= nil
end

local function boolean_list(word)
  return {
    text = ("Template error: every %s object requires a list of at least 2 and at most 10 boolean "
      .. "parameters."):format(word),
    accepts = function(argument)
      if type(argument) ~= "table" or not shape.is_list(argument) or #argument < 2 or #argument > 10 then
        return false
      end
      for _, element in ipairs(argument) do
        if not is_truth_node(element) then return false end
      end
      return true
    end,
  }
end

--- The records of the functions, as in sandbox.template.functions; evaluate gives a boolean.
conditions.functions = {
  ["Fn::And"] = boolean_list("Fn::And"),
  ["Fn::Or"] = boolean_list("Fn::Or"),
  ["Fn::Not"] = {
    text = "Template error: Fn::Not requires a list argument with one function token",
    accepts = function(argument)
      return type(argument) == "table" and shape.is_list(argument) and #argument == 1
        and is_truth_node(argument[1])
    end,
  },
  ["Fn::Equals"] = {
    text = "Template error: every Fn::Equals object requires a list of 2 string parameters.",
    accepts = function(argument)
      if type(argument) ~= "table" or not shape.is_list(argument) or #argument ~= 2 then return false end
      for _, side in ipairs(argument) do
        if type(side) ~= "string" and not shape.call(side) then return false end
      end
      return true
    end,
  },
}

local records = conditions.functions

records["Fn::And"].evaluate = function(argument, state)
  local all = true
  for _, element in ipairs(argument) do all = truth(element, state) and all end
  return all
end

records["Fn::Or"].evaluate = function(argument, state)
  local any = false
  for _, element in ipairs(argument) do any = truth(element, state) or any end
  return any
end

records["Fn::Not"].evaluate = function(argument, state)
  return not truth(argument[1], state)
end

-- Both sides may be lists (a parameter of a list type): equal when their elements are.
local function equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

records["Fn::Equals"].evaluate = function(argument, state)
  return equal(functions.evaluate(argument[1], state.scope), functions.evaluate(argument[2], state.scope))
end

local function named(name, state, from)
  if state.values[name] ~= nil then return state.values[name] end
  local node = state.section[name]
  if node == nil then
    fault.validation("Template error: unresolved condition dependency %s in Conditions", name)
  end
  if state.open[name] then
    fault.validation("Template error: Found circular condition dependency between %s and %s", from, name)
  end
  state.open[name] = true
  state.values[name] = truth(node, state, name)
  return state.values[name]
end

-- `within` is the condition being evaluated, for the text about circles.
truth = function(node, state, within)
  state.within = within or state.within
  local name, argument = next(node)
  if name == "Condition" and type(argument) == "string" then return named(argument, state, state.within) end
  if not records[name] then
    fault.validation("Template format error: Every Condition member must be a function that returns a "
      .. "boolean.")
  end
  return records[name].evaluate(argument, state)
end

local function no_resource(name)
  fault.validation("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the "
    .. "Conditions block of the template", name)
end

local function no_import()
  fault.validation("Template error: Cannot use Fn::ImportValue in Conditions.")
end

--- Evaluates all conditions.
---@param section table the Conditions section
---@param scope table parameters, pseudo and mappings (sandbox.template.functions)
---@return table<string, boolean>
function conditions.evaluate(section, scope)
  local state = { section = section, values = {}, open = {} }
  state.scope = {
    parameters = scope.parameters, pseudo = scope.pseudo, mappings = scope.mappings,
    conditions = state.values,
    ref = no_resource, attribute = no_resource, import = no_import,
  }
  for _, name in ipairs(shape.keys(section)) do named(name, state, name) end
  return state.values
end

return conditions
