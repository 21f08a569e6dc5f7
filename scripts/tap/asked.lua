--- What a deployed template asks of its resources: their properties with the functions computed, as far as the
-- template and the stack's parameters say. What only AWS knows stands there by its name ("${Table.Arn}"), so that it is
-- seen to be asked for. Plain values keep their kind; what a function gives is text, as in CloudFormation itself.

local documents = require "tap.core.document"
local errors = require "tap.error"
local json = require "tap.core.json"
local conditions = require "sandbox.template.conditions"
local functions = require "sandbox.template.functions"
local parse = require "sandbox.template.parse"
local shape = require "sandbox.template.shape"

local asked = {}

local SUFFIXES = { ["aws-cn"] = "amazonaws.com.cn" }

local function pseudo_parameters(description)
  local partition, region, account = description.StackId:match("^arn:([^:]+):cloudformation:([^:]+):([^:]+):")
  return { ["AWS::Partition"] = partition, ["AWS::Region"] = region, ["AWS::AccountId"] = account,
    ["AWS::URLSuffix"] = SUFFIXES[partition] or "amazonaws.com", ["AWS::StackName"] = description.StackName,
    ["AWS::StackId"] = description.StackId, ["AWS::NotificationARNs"] = json.list(description.NotificationARNs or {}) }
end

local function list_of(text)
  local list = json.list {}
  for element in (text .. ","):gmatch("%s*(.-)%s*,") do list[#list + 1] = element end
  return list
end

-- As Ref gives them. Secret ones are the mask that DescribeStacks shows.
local function parameter_values(description, definitions)
  local values = {}
  for _, parameter in ipairs(description.Parameters or {}) do
    local definition = definitions[parameter.ParameterKey] or {}
    local text = parameter.ResolvedValue or parameter.ParameterValue or ""
    values[parameter.ParameterKey] = (definition.Type or ""):find("List", 1, true) and list_of(text) or text
  end
  return values
end

local function by_name(name)
  return function(id, attribute) return ("${%s}"):format(attribute and id .. "." .. attribute or name or id) end
end

local function scope_of(tree, description, ids)
  local scope = { mappings = tree.Mappings or {}, pseudo = pseudo_parameters(description), conditions = {},
    parameters = parameter_values(description, tree.Parameters or {}), attribute = by_name(), import = by_name(),
    ref = function(id) return ids[id] or by_name()(id) end }
  scope.conditions = errors.try(conditions.evaluate, tree.Conditions or {}, scope) or {}
  return scope
end

local value_of -- forward

local function values_of(node, scope)
  local is_list = json.is_list(node)
  local out, each = is_list and json.list {} or {}, is_list and ipairs or pairs
  for key, child in each(node) do
    local value = value_of(child, scope)
    if value ~= functions.NO_VALUE then out[is_list and #out + 1 or key] = value end
  end
  return out
end

value_of = function(node, scope)
  local name, argument = shape.call(node)
  if name == "Fn::If" then return value_of(functions.branch(argument, scope.conditions), scope) end
  if name then return functions.evaluate(parse.strings(parse.typed(json.encode(node))), scope) end
  return type(node) == "table" and values_of(node, scope) or node
end

-- A property that cannot be computed (of a macro, say) stays as it is written.
local function properties_of(written, scope)
  local out = {}
  for name, node in pairs(written or {}) do
    local value, e = errors.try(value_of, node, scope)
    if e then value = node end
    if value ~= functions.NO_VALUE then out[name] = value end
  end
  return out
end

--- The properties that a stack's template asks for. Raises when the template cannot be read.
---@param body string the template with its macros applied
---@param description table the stack as DescribeStacks gives it
---@param ids table<string, string> logical id -> physical id
---@return table<string, table> properties by logical id
function asked.properties(body, description, ids)
  local scope = scope_of(parse.text(body), description, ids)
  local out = {}
  for id, resource in pairs(documents.any(body, "template"):root().Resources or {}) do
    out[id] = properties_of(resource.Properties, scope)
  end
  return out
end

return asked
