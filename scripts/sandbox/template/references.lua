--- What refers to what in a template: finds references to nothing, references to resources whose condition is
-- false, circles, and functions that are written wrongly; gives the dependency graph that the engine follows.
--
-- The same walk runs twice. Without conditions it looks at every branch (ValidateTemplate can do no more);
-- with their values it looks only at what will be created, where a reference into a branch not taken is no
-- fault.

local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"
local conditions = require "sandbox.template.conditions"
local functions = require "sandbox.template.functions"
local shape = require "sandbox.template.shape"

local references = {}

local PSEUDO = {}
for _, name in ipairs {
  "AccountId", "Region", "Partition", "URLSuffix", "StackName", "StackId", "NotificationARNs", "NoValue",
} do
  PSEUDO["AWS::" .. name] = true
end

-- Where functions may stand in a resource.
local RESOURCE_PARTS = { "Properties", "Metadata", "CreationPolicy", "UpdatePolicy" }

--- Calls visit(name, argument) for every function call below `node`.
---@param values table<string, boolean>? conditions' values: then only branches that are taken
local function walk(node, visit, values, others)
  if type(node) ~= "table" then return end
  local name, argument = shape.call(node)
  if name then
    functions.check(name, argument, others)
    visit(name, argument)
    if name == "Fn::If" and values then
      return walk(functions.branch(argument, values), visit, values, others)
    end
    if name == "Fn::GetAtt" then
      local _, attribute = shape.attribute(argument)
      return walk(attribute, visit, values, others)
    end
    return walk(argument, visit, values, others)
  end
  if shape.is_list(node) then
    for _, element in ipairs(node) do walk(element, visit, values, others) end
  else
    for _, key in ipairs(shape.keys(node)) do walk(node[key], visit, values, others) end
  end
end

--- Calls each(id, attribute|nil) for the names that a call refers to itself (not its arguments' calls).
local function targets(name, argument, each)
  if name == "Ref" then return each(argument) end
  if name == "Fn::GetAtt" then return each(shape.attribute(argument)) end
  if name ~= "Fn::Sub" then return end
  local text, variables = argument, {}
  if type(argument) == "table" then text, variables = argument[1], argument[2] end
  for _, piece in ipairs(shape.substitution(text)) do
    if type(piece) == "table" and variables[piece.name] == nil then
      local id, attribute = piece.name:match("^([^.]+)%.(.+)$")
      each(id or piece.name, attribute)
    end
  end
end

-- A set of names that remembers the order they came in.
local function add_once(list, name)
  if not list[name] then
    list[name] = true
    list[#list + 1] = name
  end
end

local function check_attribute(call, id, resource, attribute)
  if type(attribute) ~= "string" or catalog.supports(resource.Type, attribute) then return end
  if call == "Fn::Sub" then
    fault.validation("Template error: instance of Fn::Sub references invalid resource attribute %s.%s", id,
      attribute)
  end
  fault.validation("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id,
    attribute)
end

local function check_import(argument, tree)
  walk({ argument }, function(name, inner)
    local resource = name == "Fn::GetAtt" or name == "Fn::GetAZs" or name == "Fn::ImportValue"
    targets(name, inner, function(id) resource = resource or tree.Resources[id] ~= nil end)
    if resource then
      fault.validation("Template error: the attribute in Fn::ImportValue must not depend on any resources, "
        .. "imported values, or Fn::GetAZs")
    end
  end)
end

--- One walk over one block ("Resources" or "Outputs"). `found(id)` is told of every resource referred to.
local function visitor(scan, block, found)
  local tree, unresolved = scan.tree, scan.unresolved[block]
  return function(name, argument)
    if name == "Fn::If" and not (tree.Conditions or {})[argument[1]] then
      fault.validation("Template error: unresolved condition dependency %s in Fn::If", argument[1])
    end
    if name == "Fn::ImportValue" then check_import(argument, tree) end
    targets(name, argument, function(id, attribute)
      local resource = tree.Resources[id]
      if resource then
        if attribute and block == "Resources" then check_attribute(name, id, resource, attribute) end
        if scan.created(resource) then return found(id) end
        scan.condition_false = true
      elseif not attribute and (PSEUDO[id] or (tree.Parameters or {})[id]) then
        return
      elseif attribute and name == "Fn::GetAtt" then
        fault.validation("Template error: instance of Fn::GetAtt references undefined resource %s", id)
      end
      add_once(unresolved, id)
    end)
  end
end

local function scan_resource(scan, id, resource)
  local before = {}
  if resource.Condition and (scan.tree.Conditions or {})[resource.Condition] == nil then
    fault.validation("Template format error: Unresolved condition dependency %s in the Resources block of "
      .. "the template", resource.Condition)
  end
  local visit = visitor(scan, "Resources", function(target) add_once(before, target) end)
  for _, part in ipairs(RESOURCE_PARTS) do walk(resource[part], visit, scan.values, scan.others) end
  local depends_on = resource.DependsOn or {}
  for _, target in ipairs(type(depends_on) == "string" and { depends_on } or depends_on) do
    local other = scan.tree.Resources[target]
    add_once(other and scan.created(other) and before or scan.unresolved.Resources, target)
  end
  scan.graph[id] = before
end

local function scan_output(scan, output)
  if output.Condition and (scan.tree.Conditions or {})[output.Condition] == nil then
    fault.validation("Template format error: Unresolved condition dependency %s in the Outputs block of the "
      .. "template", output.Condition)
  end
  if not scan.created(output) then return end
  local visit = visitor(scan, "Outputs", function() end)
  walk(output.Value, visit, scan.values, scan.others)
  if output.Export then walk(output.Export.Name, visit, scan.values, scan.others) end
end

local function scan_conditions(tree, others)
  local allowed = setmetatable({}, { __index = function(_, name)
    return conditions.functions[name] or others and others[name]
  end })
  local function visit(name, argument)
    targets(name, argument, function(id)
      if not PSEUDO[id] and not (tree.Parameters or {})[id] then
        fault.validation("Template format error: Unresolved dependencies [%s]. Cannot reference resources "
          .. "in the Conditions block of the template", id)
      end
    end)
  end
  walk(tree.Conditions, visit, nil, allowed)
end

--- Removes, again and again, what has nothing before it or nothing after it: circles stay (and what lies
-- between two of them).
local function circles(ids, graph)
  local after, left = {}, {}
  for _, id in ipairs(ids) do after[id], left[id] = {}, true end
  for _, id in ipairs(ids) do
    for _, before in ipairs(graph[id]) do add_once(after[before], id) end
  end
  local function any_left(list)
    for _, id in ipairs(list) do
      if left[id] then return true end
    end
    return false
  end
  local changed
  repeat
    changed = false
    for _, id in ipairs(ids) do
      if left[id] and not (any_left(graph[id]) and any_left(after[id])) then
        left[id], changed = nil, true
      end
    end
  until not changed
  return left
end

local function refuse_unresolved(scan)
  local resources, outputs = scan.unresolved.Resources, scan.unresolved.Outputs
  if #resources > 0 then
    fault.validation("Template format error: Unresolved resource dependencies [%s] in the Resources block "
      .. "of the template", table.concat(resources, ", "))
  end
  if #outputs > 0 then
    fault.validation("%sUnresolved resource dependencies [%s] in the Outputs block of the template",
      scan.condition_false and "" or "Template format error: ", table.concat(outputs, ", "))
  end
end

--- Scans a template whose structure is right. Raises ValidationError.
---@param tree table
---@param values table<string, boolean>? the conditions' values; nil: every branch, every resource
---@param others table? records of further functions (sandbox.template.functions)
---@return table<string, string[]> graph of each created resource the resources that must be there before it
function references.scan(tree, values, others)
  local scan = { tree = tree, values = values, others = others, graph = {},
    unresolved = { Resources = {}, Outputs = {} } }
  function scan.created(member)
    return not values or not member.Condition or values[member.Condition]
  end
  scan_conditions(tree, others)
  local created = {}
  for _, id in ipairs(shape.keys(tree.Resources)) do
    if scan.created(tree.Resources[id]) then
      created[#created + 1] = id
      scan_resource(scan, id, tree.Resources[id])
    end
  end
  for _, id in ipairs(shape.keys(tree.Outputs or {})) do scan_output(scan, tree.Outputs[id]) end
  refuse_unresolved(scan)
  local circle = shape.in_order(tree.Resources, circles(created, scan.graph))
  if #circle > 0 then
    fault.validation("Circular dependency between resources: [%s]", table.concat(circle, ", "))
  end
  return scan.graph
end

--- Calls visit(name, argument) for every function call that the created resources and outputs of a template
-- will evaluate.
function references.each_call(tree, values, visit, others)
  local function wanted(member) return not member.Condition or values[member.Condition] end
  for _, id in ipairs(shape.keys(tree.Resources)) do
    if wanted(tree.Resources[id]) then walk(tree.Resources[id].Properties, visit, values, others) end
  end
  for _, id in ipairs(shape.keys(tree.Outputs or {})) do
    local output = tree.Outputs[id]
    if wanted(output) then
      walk(output.Value, visit, values, others)
      walk((output.Export or {}).Name, visit, values, others)
    end
  end
end

local UNSUPPORTED = "[Error] /Outputs/%s/Value/%s: Resource type %s does not support attribute {%s}"

--- Why the first output that asks for an unknown attribute cannot be had; nil when there is none.
---@return string?
function references.unsupported_output(tree, values, others)
  local why
  for _, id in ipairs(shape.keys(tree.Outputs or {})) do
    local output = tree.Outputs[id]
    local function look(name, argument)
      targets(name, argument, function(target, attribute)
        local resource = type(attribute) == "string" and tree.Resources[target]
        if resource and not catalog.supports(resource.Type, attribute) then
          why = why or UNSUPPORTED:format(id, name, resource.Type, attribute)
        end
      end)
    end
    if not output.Condition or values[output.Condition] then walk(output.Value, look, values, others) end
  end
  return why
end

return references
