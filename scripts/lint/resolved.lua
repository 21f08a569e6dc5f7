--- W1030: what a parameter is by default, and what it may be, where a property refers to it. The property's own rules
-- judge these values; what they find stands at the value in the parameter, and at the reference where it is about the
-- form of an id or a name, which the parameter's user chooses.

local json = require "tap.core.json"
local state = require "lint.state"

local resolved = {}

local is_map, join = state.is_map, state.join

local AT_REFERENCE = { "^E11", "^E3033$" }

local function stands_at_reference(rule)
  for _, pattern in ipairs(AT_REFERENCE) do
    if rule:find(pattern) then return true end
  end
  return false
end

-- What an SSM parameter holds is not in the template, and lists are their items'.
local function is_scalar(kind)
  return kind == "String" or kind == "Number"
    or type(kind) == "string" and kind:find "^AWS::" ~= nil and not kind:find "^AWS::SSM"
end

-- Calls f(value, place) for each value; an empty default mostly means "none", which a condition takes care of.
local function each_value(parameter, place, f)
  if json.is_list(parameter.AllowedValues) then
    for index, value in ipairs(parameter.AllowedValues) do f(value, join(place, "AllowedValues", index)) end
  elseif not parameter.NoEcho and parameter.Default ~= "" then
    f(parameter.Default, join(place, "Default"))
  end
end

local function judge(L, name, value, place, path, check)
  if value == nil or type(value) == "table" or value == json.null then return end
  local trial = setmetatable({ find = function(_, rule, _, message, ...)
    local text = select("#", ...) > 0 and message:format(...) or message
    local here = stands_at_reference(rule)
    L:find("W1030", here and path or place, "%s, when '%s' is referred to%s", text, name,
      here and "" or " at " .. table.concat(path, "/"))
  end }, { __index = L })
  check(trial, value)
end

--- Judges what a reference may give.
---@param L table
---@param name string what Ref names
---@param path table of the reference
---@param check fun(L: table, value: any) the property's rules over one value
function resolved.check_ref(L, name, path, check)
  local parameter = L.parameters[name]
  if not is_map(parameter) or not is_scalar(parameter.Type) then return end
  each_value(parameter, { "Parameters", name }, function(value, place) judge(L, name, value, place, path, check) end)
end

return resolved
