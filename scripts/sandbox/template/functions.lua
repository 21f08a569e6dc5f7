--- The intrinsic functions that give values. Those that give truth (Fn::Equals, Fn::And, ...) stand in
-- sandbox.template.conditions, because CloudFormation allows them there only.
--
-- A function is a record: `accepts` looks at the written argument (once, before anything is created), `text`
-- is the service's one refusal for a wrong one, `evaluate` computes. A scope says what names mean:
--   parameters  name -> string or list         pseudo      "AWS::Region" -> string or list
--   mappings    the template's section         conditions  name -> boolean
--   ref(id), attribute(id, name)               of resources; import(name) of other stacks' exports
-- Everything here is a string or a list of strings or a map of those (sandbox.template.parse).

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local cidr = require "sandbox.template.cidr"
local shape = require "sandbox.template.shape"
local zones = require "sandbox.template.zones"

local functions = {}

--- What `{ "Ref": "AWS::NoValue" }` evaluates to; maps and lists drop it.
functions.NO_VALUE = setmetatable({}, { __name = "AWS::NoValue" })
local NO_VALUE = functions.NO_VALUE

local evaluate -- forward

local function stringy(node)
  return type(node) == "string" or shape.call(node) ~= nil
end

local function listy(node)
  return type(node) == "table" and (shape.is_list(node) or shape.call(node) ~= nil)
end

local function is_list_of(node, least, most)
  return type(node) == "table" and shape.is_list(node) and #node >= least and #node <= most
end

local function to_index(text)
  return type(text) == "string" and math.tointeger(tonumber(text)) or nil
end

local records = {}

records["Ref"] = {
  text = "Template error: All References must be of type string",
  accepts = function(argument) return type(argument) == "string" end,
  evaluate = function(name, scope)
    if name == "AWS::NoValue" then return NO_VALUE end
    return scope.pseudo[name] or scope.parameters[name] or scope.ref(name)
  end,
}

records["Fn::GetAtt"] = {
  text = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and "
    .. "the resource attribute",
  accepts = function(argument)
    local id, name = shape.attribute(argument)
    return id ~= nil and name ~= "" and stringy(name)
  end,
  evaluate = function(argument, scope, refuse)
    local id, name = shape.attribute(argument)
    name = evaluate(name, scope)
    if type(name) ~= "string" then refuse() end
    return scope.attribute(id, name)
  end,
}

local SUB_NAMES = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric "
  .. "characters, underscores, periods, and colons"

local function sub_parts(argument)
  if type(argument) ~= "table" then return argument, {} end
  return argument[1], argument[2]
end

local function variable_value(name, variables, scope)
  if variables[name] ~= nil then return evaluate(variables[name], scope) end
  local id, attribute = name:match("^([^.]+)%.(.+)$")
  if id then return scope.attribute(id, attribute) end
  return records["Ref"].evaluate(name, scope)
end

records["Fn::Sub"] = {
  text = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify "
    .. "a string as first argument, and an optional second argument to specify a mapping of values to "
    .. "replace in the string",
  accepts = function(argument)
    local pair = is_list_of(argument, 2, 2) and type(argument[1]) == "string" and shape.is_map(argument[2])
    if type(argument) ~= "string" and not pair then return false end
    for _, piece in ipairs(shape.substitution((sub_parts(argument)))) do
      if type(piece) == "table" and not piece.name:match("^[%w_.:]+$") then return false, SUB_NAMES end
    end
    return true
  end,
  evaluate = function(argument, scope, refuse)
    local text, variables = sub_parts(argument)
    if type(text) ~= "string" or not shape.is_map(variables) then refuse() end
    local out = shape.substitution(text)
    for i, piece in ipairs(out) do
      if type(piece) == "table" then
        out[i] = variable_value(piece.name, variables, scope)
        if type(out[i]) ~= "string" then
          fault.validation("Template error: variable %s in Fn::Sub expression does not resolve to a string",
            piece.name)
        end
      end
    end
    return table.concat(out)
  end,
}

local function strings_of(node, scope, refuse)
  local list = evaluate(node, scope)
  if type(list) ~= "table" or not shape.is_list(list) then refuse() end
  for _, element in ipairs(list) do
    if type(element) ~= "string" then refuse() end
  end
  return list
end

records["Fn::Join"] = {
  text = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a "
    .. "list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to "
    .. "be joined.",
  accepts = function(argument)
    return is_list_of(argument, 2, 2) and type(argument[1]) == "string" and listy(argument[2])
  end,
  evaluate = function(argument, scope, refuse)
    return table.concat(strings_of(argument[2], scope, refuse), argument[1])
  end,
}

local function split(text, delimiter)
  local out, at = json.list {}, 1
  while true do
    local from, to = text:find(delimiter, at, true)
    out[#out + 1] = text:sub(at, (from or 0) - 1)
    if not from then return out end
    at = to + 1
  end
end

records["Fn::Split"] = {
  text = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a "
    .. "string to be split or a function that returns a string to be split.",
  accepts = function(argument)
    return is_list_of(argument, 2, 2) and type(argument[1]) == "string" and argument[1] ~= ""
      and stringy(argument[2])
  end,
  evaluate = function(argument, scope, refuse)
    local text, delimiter = evaluate(argument[2], scope), argument[1]
    if type(text) ~= "string" or type(delimiter) ~= "string" or delimiter == "" then refuse() end
    return split(text, delimiter)
  end,
}

records["Fn::Select"] = {
  text = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
  accepts = function(argument)
    if not (is_list_of(argument, 2, 2) and stringy(argument[1]) and listy(argument[2])) then return false end
    if type(argument[1]) ~= "string" then return true end
    local index = to_index(argument[1])
    local literal = shape.is_list(argument[2])
    return index ~= nil and index >= 0 and (not literal or index < #argument[2])
  end,
  evaluate = function(argument, scope, refuse)
    local index = to_index(evaluate(argument[1], scope))
    local list = evaluate(argument[2], scope)
    if not index or type(list) ~= "table" then refuse() end
    if list[index + 1] == nil then
      fault.validation("Template error: Fn::Select cannot select nonexistent value at index %d", index)
    end
    return list[index + 1]
  end,
}

records["Fn::FindInMap"] = {
  text = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and "
    .. "the attribute for return value",
  accepts = function(argument)
    return is_list_of(argument, 3, 3) and stringy(argument[1]) and stringy(argument[2])
      and stringy(argument[3])
  end,
  evaluate = function(argument, scope, refuse)
    local path = {}
    for i = 1, 3 do
      path[i] = evaluate(argument[i], scope)
      if type(path[i]) ~= "string" then refuse() end
    end
    local mapping = scope.mappings[path[1]]
    local value = ((mapping or {})[path[2]] or {})[path[3]]
    if value == nil and argument[4] then return evaluate(argument[4].DefaultValue, scope) end
    if not mapping then
      fault.validation("Template error: Mapping named '%s' is not present in the 'Mappings' section of "
        .. "template", path[1])
    end
    if value == nil then
      fault.validation("Template error: Unable to get mapping for %s", table.concat(path, "::"))
    end
    return value
  end,
}

local IF = "Template error: Fn::If requires a list argument with "

records["Fn::If"] = {
  text = IF .. "three elements",
  accepts = function(argument)
    if not is_list_of(argument, 3, 3) then return false end
    return type(argument[1]) == "string", IF .. "the first element being a condition"
  end,
  evaluate = function(argument, scope)
    return evaluate(functions.branch(argument, scope.conditions), scope)
  end,
}

records["Fn::GetAZs"] = {
  text = "Template error: every Fn::GetAZs object must have a String-typed value.",
  accepts = stringy,
  evaluate = function(argument, scope, refuse)
    local region = evaluate(argument, scope)
    if type(region) ~= "string" then refuse() end
    return json.list(zones.of(region ~= "" and region or scope.pseudo["AWS::Region"]))
  end,
}

records["Fn::Cidr"] = {
  text = "Template error: every Fn::Cidr object requires two or three parameters, the ip block, the count, "
    .. "and the optional cidr bits",
  accepts = function(argument)
    return is_list_of(argument, 2, 3) and stringy(argument[1]) and stringy(argument[2])
      and (argument[3] == nil or stringy(argument[3]))
  end,
  evaluate = function(argument, scope, refuse)
    local block = evaluate(argument[1], scope)
    local count, bits = to_index(evaluate(argument[2], scope)), to_index(evaluate(argument[3] or "8", scope))
    if type(block) ~= "string" or not count or not bits or count < 1 or count > 256 or bits < 1 then
      refuse()
    end
    return json.list(cidr.blocks(block, count, bits) or refuse())
  end,
}

records["Fn::Base64"] = {
  text = "Template error: every Fn::Base64 object must have a String-typed value.",
  accepts = stringy,
  evaluate = function(argument, scope, refuse)
    local text = evaluate(argument, scope)
    if type(text) ~= "string" then refuse() end
    return crypto.base64(text)
  end,
}

records["Fn::ImportValue"] = {
  text = "Template error: every Fn::ImportValue object must have a String-typed value.",
  accepts = stringy,
  evaluate = function(argument, scope, refuse)
    local name = evaluate(argument, scope)
    if type(name) ~= "string" then refuse() end
    return scope.import(name)
  end,
}

--- The functions that the transform AWS::LanguageExtensions adds, or lets do more.
functions.extended = {
  ["Fn::Length"] = {
    text = "Transform AWS::LanguageExtensions failed with: Fn::Length layout is incorrect",
    accepts = listy,
    evaluate = function(argument, scope, refuse)
      local list = evaluate(argument, scope)
      if type(list) ~= "table" or not shape.is_list(list) then refuse() end
      return ("%d"):format(#list)
    end,
  },
  ["Fn::ToJsonString"] = {
    text = "Transform AWS::LanguageExtensions failed with: Fn::ToJsonString layout is incorrect",
    accepts = function(argument) return type(argument) == "table" end,
    evaluate = function(argument, scope) return json.encode(evaluate(argument, scope)) end,
  },
  ["Fn::FindInMap"] = {
    text = records["Fn::FindInMap"].text,
    accepts = function(argument)
      if not is_list_of(argument, 3, 4) then return false end
      local default = argument[4]
      return default == nil or shape.is_map(default) and default.DefaultValue ~= nil
    end,
    evaluate = records["Fn::FindInMap"].evaluate,
  },
}

local BY_TRANSFORM = { ["Fn::Length"] = true, ["Fn::ToJsonString"] = true, ["Fn::Transform"] = true }

local SUPPORTED = "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, "
  .. "Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, "
  .. "Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr"

--- Refuses a call of a function that is not in `known`.
local function unknown(name)
  if BY_TRANSFORM[name] or name:match("^Fn::ForEach::") then
    fault.validation("Template error: %s needs the transform AWS::LanguageExtensions.", name)
  end
  fault.validation("Template error: Encountered unsupported function: %s Supported functions are: [%s]", name,
    SUPPORTED)
end

--- Checks how a function's argument is written. Raises ValidationError.
---@param name string
---@param argument any
---@param others table? records of further functions that are allowed here
function functions.check(name, argument, others)
  local record = others and others[name] or records[name] or unknown(name)
  local ok, text = record.accepts(argument)
  if not ok then fault.validation("%s", text or record.text) end
end

--- The branch that an Fn::If takes.
function functions.branch(argument, conditions)
  local truth = conditions[argument[1]]
  if truth == nil then
    fault.validation("Template error: unresolved condition dependency %s in Fn::If", argument[1])
  end
  return argument[truth and 2 or 3]
end

local function evaluate_list(list, scope)
  local out = json.list {}
  for _, element in ipairs(list) do
    local value = evaluate(element, scope)
    if value ~= NO_VALUE then out[#out + 1] = value end
  end
  return out
end

local function evaluate_map(map, scope)
  local out, keys = {}, {}
  for _, key in ipairs(shape.keys(map)) do
    local value = evaluate(map[key], scope)
    if value ~= NO_VALUE then
      out[key] = value
      keys[#keys + 1] = key
    end
  end
  return shape.ordered(out, keys)
end

--- The value of a template's node. Raises ValidationError.
---@param node any
---@param scope table
---@return any value functions.NO_VALUE for AWS::NoValue
function functions.evaluate(node, scope)
  if type(node) == "string" then return node end
  if node == nil then fault.validation("Template error: a function lacks one of its arguments") end
  local name, argument = shape.call(node)
  if name then
    local record = records[name] or functions.extended[name] or unknown(name)
    return record.evaluate(argument, scope, function() fault.validation("%s", record.text) end)
  end
  if shape.is_list(node) then return evaluate_list(node, scope) end
  return evaluate_map(node, scope)
end
evaluate = functions.evaluate

return functions
