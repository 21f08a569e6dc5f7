--- What a change set says: how a stack's resources would change, and why (reference part 3.3).
--
-- Properties are compared by their *symbolic* values: everything evaluated but what resources give, which may
-- not exist yet. So a condition or a mapping that changes a value counts, and an id that will change does
-- not.

local json = require "tap.core.json"
local schema = require "tap.schema"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local snapshots = require "sandbox.engine.snapshots"
local functions = require "sandbox.template.functions"
local shape = require "sandbox.template.shape"

local diff = {}

local function symbolic(plan)
  return {
    parameters = plan.values, pseudo = plan.scope.pseudo, mappings = plan.scope.mappings,
    conditions = plan.conditions,
    ref = function(id) return "${" .. id .. "}" end,
    attribute = function(id, name) return ("${%s.%s}"):format(id, name) end,
    import = function(name) return "${import:" .. name .. "}" end,
  }
end

-- A function that cannot work on symbols is compared as it is written.
local function value_of(node, names)
  if node == nil then return nil end
  local ok, value = pcall(functions.evaluate, node, names)
  if ok then return value ~= functions.NO_VALUE and value or nil end
  if not fault.is(value) then error(value, 0) end
  return node
end

local function note(found, kind, name)
  if found[kind][name] then return end
  found[kind][name] = true
  table.insert(found[kind], name)
end

-- The names that a node refers to: { names = {...}, attributes = {"A.B", ...} }.
local function references_in(node, found)
  found = found or { names = {}, attributes = {} }
  if type(node) ~= "table" then return found end
  local name, argument = shape.call(node)
  if name == "Ref" then
    note(found, "names", argument)
  elseif name == "Fn::GetAtt" then
    local id, attribute = shape.attribute(argument)
    if id and type(attribute) == "string" then note(found, "attributes", id .. "." .. attribute) end
  elseif name == "Fn::Sub" then
    local text = type(argument) == "table" and argument[1] or argument
    for _, piece in ipairs(type(text) == "string" and shape.substitution(text) or {}) do
      if type(piece) == "table" then
        note(found, piece.name:find(".", 1, true) and "attributes" or "names", piece.name)
      end
    end
  end
  for _, child in pairs(node) do references_in(child, found) end
  return found
end

local function detail(target, source, evaluation, entity)
  return { Target = target, Evaluation = evaluation, ChangeSource = source, CausingEntity = entity }
end

local function via_parameters(self, target, found, details)
  for _, name in ipairs(found.names) do
    if self.changed_parameters[name] then
      details[#details + 1] = detail(target, "ParameterReference", "Static", name)
      details[#details + 1] = detail(target, "DirectModification", "Dynamic")
    end
  end
end

local function via_resources(self, target, found, details)
  for _, name in ipairs(found.names) do
    local other = self.stack.resources[name] and self:change_of(name)
    if other and other.Replacement == "True" then
      details[#details + 1] = detail(target, "ResourceReference", "Static", name)
    end
  end
  for _, name in ipairs(found.attributes) do
    local id = name:match("^[^.]+")
    local other = self.stack.resources[id] and self:change_of(id)
    if other and other.Action == "Modify" then
      details[#details + 1] = detail(target, "ResourceAttribute",
        other.Replacement == "True" and "Static" or "Dynamic", name)
    end
  end
end

local function property_details(self, resource, name, old, new, details)
  local target = { Attribute = "Properties", Name = name,
    RequiresRecreation = schema.recreation(resource.type, name) }
  local found, before = references_in(new), #details
  if not same(value_of(old, self.old_names), value_of(new, self.new_names)) then
    via_parameters(self, target, found, details)
    if #details == before then details[1 + before] = detail(target, "DirectModification", "Static") end
  end
  via_resources(self, target, found, details)
end

local ATTRIBUTES = { "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy" }

local function attribute_details(resource, definition, details)
  for _, name in ipairs(ATTRIBUTES) do
    if not same(resource.definition[name], definition[name]) then
      details[#details + 1] = detail({ Attribute = name, RequiresRecreation = "Never" }, "DirectModification",
        "Static")
    end
  end
end

--- Has a type tags, which a stack's own are added to?
function diff.is_taggable(type_name)
  local known = schema.of(type_name)
  return known ~= nil and known.properties.Tags ~= nil
end

-- The tags of a stack are its resources', too.
local function tag_details(self, resource, details)
  if self.retags and diff.is_taggable(resource.type) then
    details[#details + 1] = detail({ Attribute = "Tags", RequiresRecreation = "Never" }, "DirectModification",
      "Static")
  end
end

local function union(first, second)
  local out, seen = {}, {}
  for _, map in ipairs { first, second } do
    for _, key in ipairs(json.keys(map)) do
      if not seen[key] then
        seen[key] = true
        out[#out + 1] = key
      end
    end
  end
  return out
end

--- The attributes that details are about.
function diff.scope(details)
  local out, seen = json.list {}, {}
  for _, each in ipairs(details) do
    local attribute = each.Target.Attribute
    if not seen[attribute] then
      seen[attribute] = true
      out[#out + 1] = attribute
    end
  end
  return out
end

--- Whether details together replace the physical resource.
---@return "True"|"False"|"Conditional"
function diff.replacement(details)
  local out = "False"
  for _, each in ipairs(details) do
    local recreation = each.Target.RequiresRecreation
    if recreation == "Always" and each.Evaluation == "Static" then return "True" end
    if recreation ~= "Never" then out = "Conditional" end
  end
  return out
end

local REPLACED = { Retain = "ReplaceAndRetain", Snapshot = "ReplaceAndSnapshot" }

local function modification(self, resource, definition)
  local details = json.list {}
  local old, new = resource.definition.Properties or {}, definition.Properties or {}
  for _, name in ipairs(union(old, new)) do
    property_details(self, resource, name, old[name], new[name], details)
  end
  attribute_details(resource, definition, details)
  tag_details(self, resource, details)
  if #details == 0 and resource.child then -- nobody knows without asking the child
    details[1] = detail({ Attribute = "Properties", RequiresRecreation = "Never" }, "Automatic", "Dynamic")
  end
  if #details == 0 then return nil end
  local how = diff.replacement(details)
  return {
    Action = "Modify", LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, Replacement = how, Scope = diff.scope(details), Details = details,
    PolicyAction = how == "True" and (REPLACED[snapshots.policy(resource.type, resource.properties or {},
      definition.UpdateReplacePolicy)] or "ReplaceAndDelete") or nil,
  }
end

local Diff = {}
Diff.__index = Diff

--- The change of one resource of the target; nil when it stays as it is.
function Diff:change_of(id)
  if self.known[id] ~= nil then return self.known[id] or nil end
  self.known[id] = false -- while it is being found out: the graph has no circles
  local definition = self.target.template.resources[id]
  if not definition then return nil end
  local resource = self.stack.resources[id]
  local change
  if not resource or resource.physical_id == "" then
    local thing = self.imports[id]
    change = { Action = thing and "Import" or "Add", LogicalResourceId = id, ResourceType = definition.Type,
      PhysicalResourceId = thing and thing.id, Scope = json.list {}, Details = json.list {} }
  else
    change = modification(self, resource, definition)
  end
  self.known[id] = change or false
  return change
end

local REMOVED = { Retain = "Retain", Snapshot = "Snapshot" }

local function removal(resource)
  local policy = snapshots.policy(resource.type, resource.properties or {}, resource.definition.DeletionPolicy)
  return { Action = "Remove", LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, PolicyAction = REMOVED[policy] or "Delete",
    Scope = json.list {}, Details = json.list {} }
end

--- The changes of a stack's resources, in the template's order; what is removed comes last.
---@param stack table
---@param target table of a request to update it: template, plan
---@param imports table<string, table>? logical id -> the thing that is taken over
---@return table[] ResourceChange structures of the API
function diff.changes(stack, target, imports)
  local changed_parameters, planned, out = {}, {}, json.list {}
  for name, text in pairs(target.plan.texts) do
    if stack.plan.texts[name] ~= text then changed_parameters[name] = true end
  end
  local self = setmetatable({
    stack = stack, target = target, imports = imports or {}, known = {}, changed_parameters =
      changed_parameters,
    old_names = symbolic(stack.plan), new_names = symbolic(target.plan),
    retags = target.tags ~= nil and not same(stack.tags, target.tags),
  }, Diff)
  for _, id in ipairs(target.plan.created) do
    planned[id] = true
    out[#out + 1] = self:change_of(id)
  end
  for _, id in ipairs(stack.plan.created) do
    local resource = stack.resources[id]
    if not planned[id] and resource and resource.physical_id ~= "" then out[#out + 1] = removal(resource) end
  end
  return out
end

return diff
