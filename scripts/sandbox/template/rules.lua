--- The Rules section: assertions about parameters' values, checked before anything is done (reference part
-- 6.5). The functions here stand in rules only.

local fault = require "sandbox.fault"
local functions = require "sandbox.template.functions"
local shape = require "sandbox.template.shape"

local rules = {}

local KEYS = { RuleCondition = true, Assertions = true }

local function format_error(message, ...)
  fault.validation("Template format error: " .. message, ...)
end

local truth -- forward

local function contains(list, wanted)
  for _, element in ipairs(list) do
    if element == wanted then return true end
  end
  return false
end

-- The values of all parameters of a type.
local function all_of(type_name, state)
  local out = {}
  for name, definition in pairs(state.definitions) do
    if definition.Type == type_name or definition.Type == "List<" .. type_name .. ">" then
      local value = state.scope.parameters[name]
      for _, element in ipairs(type(value) == "table" and value or { value }) do out[#out + 1] = element end
    end
  end
  table.sort(out)
  return out
end

-- What stands in an argument: text, a list, or a function that gives one.
local function value_of(node, state)
  local name, argument = shape.call(node)
  if name == "Fn::RefAll" then return all_of(argument, state) end
  if name == "Fn::ValueOf" or name == "Fn::ValueOfAll" then
    fault.not_emulated("cloudformation templates with " .. name)
  end
  return functions.evaluate(node, state.scope)
end

local function list_of(node, state)
  local value = value_of(node, state)
  return type(value) == "table" and value or { value }
end

local function two(name, argument)
  if type(argument) ~= "table" or not shape.is_list(argument) or #argument ~= 2 then
    format_error("every %s object requires a list of 2 parameters.", name)
  end
end

local function all(list, test)
  for _, element in ipairs(list) do
    if not test(element) then return false end
  end
  return true
end

local TRUTHS = {
  ["Fn::And"] = function(argument, state)
    return all(argument, function(each) return truth(each, state) end)
  end,
  ["Fn::Or"] = function(argument, state)
    return not all(argument, function(each) return not truth(each, state) end)
  end,
  ["Fn::Not"] = function(argument, state) return not truth(argument[1], state) end,
  ["Fn::Equals"] = function(argument, state)
    two("Fn::Equals", argument)
    return value_of(argument[1], state) == value_of(argument[2], state)
  end,
  ["Fn::Contains"] = function(argument, state)
    two("Fn::Contains", argument)
    return contains(list_of(argument[1], state), value_of(argument[2], state))
  end,
  ["Fn::EachMemberEquals"] = function(argument, state)
    two("Fn::EachMemberEquals", argument)
    local wanted = value_of(argument[2], state)
    return all(list_of(argument[1], state), function(each) return each == wanted end)
  end,
  ["Fn::EachMemberIn"] = function(argument, state)
    two("Fn::EachMemberIn", argument)
    local list = list_of(argument[2], state)
    return all(list_of(argument[1], state), function(each) return contains(list, each) end)
  end,
}

truth = function(node, state)
  local name, argument = shape.call(node)
  if not name or not TRUTHS[name] or type(argument) ~= "table" then
    format_error("Rules must be functions that return a boolean.")
  end
  return TRUTHS[name](argument, state)
end

local function check_shape(name, rule)
  if not shape.is_map(rule) then format_error("Every Rules member must be an object.") end
  for _, key in ipairs(shape.keys(rule)) do
    if not KEYS[key] then fault.validation("Invalid rule property or properties [%s]", key) end
  end
  if not (type(rule.Assertions) == "table" and shape.is_list(rule.Assertions)) then
    format_error("Rule %s must contain a list of Assertions.", name)
  end
  for _, assertion in ipairs(rule.Assertions) do
    if not shape.is_map(assertion) or not assertion.Assert then
      format_error("Every assertion of rule %s must contain an Assert member.", name)
    end
  end
end

--- Checks how the section is written. Raises ValidationError.
---@param section table
function rules.check(section)
  for _, name in ipairs(shape.keys(section)) do check_shape(name, section[name]) end
end

--- Raises ValidationError when an assertion does not hold.
---@param section table
---@param definitions table the Parameters section
---@param scope table of sandbox.template.functions
function rules.assert(section, definitions, scope)
  local state = { definitions = definitions, scope = scope }
  for _, name in ipairs(shape.keys(section)) do
    local rule = section[name]
    if not rule.RuleCondition or truth(rule.RuleCondition, state) then
      for _, assertion in ipairs(rule.Assertions) do
        if not truth(assertion.Assert, state) then
          fault.validation("Template constraint violation: %s",
            assertion.AssertDescription or ("rule %s does not hold"):format(name))
        end
      end
    end
  end
end

return rules
