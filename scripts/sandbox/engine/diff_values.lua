--- The values of a change set's properties, before and after (reference part 3.3, IncludePropertyValues).
-- What only the execution will tell is KNOWN_AFTER_APPLY; secrets are masked.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local diff = require "sandbox.engine.diff"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local shape = require "sandbox.template.shape"
local pattern = require "sandbox.resources.pattern"

local diff_values = {}

local UNKNOWN = parameters.UNKNOWN

-- Is a resource there already, and will it be the same one afterwards?
local function stays(stack, changes, id)
  local resource, change = stack.resources[id], changes[id]
  return resource and resource.facts and not (change and change.Replacement == "True") and resource
end

local INCOMPLETE = "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet "
  .. "creation failed for resource [%s] because: No export named %s"

-- The names of a plan; `values`: those of its parameters, nil: without the secrets; `missing`: gets the names of
-- exports that are not there.
local function scope_of(stack, plan, changes, values, missing)
  return {
    parameters = values or plan.masked, pseudo = plan.scope.pseudo, mappings = plan.scope.mappings,
    conditions = plan.conditions,
    ref = function(id)
      local resource = stays(stack, changes, id)
      return resource and resource.facts.id or UNKNOWN
    end,
    attribute = function(id, name)
      local resource = stays(stack, changes, id)
      local value = resource and pattern.attribute(resource.facts, name)
      return value ~= nil and value ~= false and value or UNKNOWN
    end,
    import = function(name)
      local export = stack.region.exports[name]
      if not export and missing then missing[#missing + 1] = name end
      return export and export.value or UNKNOWN
    end,
  }
end

-- A function that cannot work on what is unknown gives the same; what stands beside it is still known.
local evaluated
evaluated = function(node, scope)
  local ok, value = pcall(functions.evaluate, node, scope)
  if ok then return value ~= functions.NO_VALUE and value or nil end
  if not fault.is(value) then error(value, 0) end
  if type(node) ~= "table" or json.is_list(node) or shape.call(node) then return UNKNOWN end
  local out = {}
  for _, name in ipairs(json.keys(node)) do out[name] = evaluated(node[name], scope) end
  return out
end

local function properties_of(definition, scope)
  local out = {}
  for _, name in ipairs(json.keys((definition or {}).Properties or {})) do
    out[name] = evaluated(definition.Properties[name], scope)
  end
  return out
end

local function context_of(definition, properties)
  if not definition then return nil end
  return json.encode { Properties = properties }
end

local function shown(value)
  if value == nil or type(value) == "string" then return value end
  return json.encode(value)
end

local function kind_of(before, after)
  if before == nil then return "Add" end
  return after == nil and "Remove" or "Modify"
end

-- A detail with its values; nil when the value stays after all.
local function valued(detail, before, after)
  local target = detail.Target
  if target.Attribute ~= "Properties" or not target.Name or target.AfterValueFrom then return detail end
  local old, new = before[target.Name], after[target.Name]
  if same(old, new) then return nil end
  local out = { Evaluation = detail.Evaluation, ChangeSource = detail.ChangeSource,
    CausingEntity = detail.CausingEntity }
  out.Target = { Attribute = target.Attribute, Name = target.Name, RequiresRecreation =
    target.RequiresRecreation,
    Path = "/Properties/" .. target.Name, BeforeValue = shown(old), AfterValue = shown(new),
    AttributeChangeType = kind_of(old, new) }
  return out
end

-- What another resource causes is told once more, without its cause.
local function by_itself(detail)
  if not detail.ChangeSource:find "^Resource" then return nil end
  return { Target = detail.Target, Evaluation = "Dynamic", ChangeSource = "DirectModification" }
end

local function with_values(change, stack, target, scopes)
  local resource = stack.resources[change.LogicalResourceId]
  local old = change.Action ~= "Add" and change.Action ~= "Import" and resource and resource.definition or nil
  local new = change.Action ~= "Remove" and target.template.resources[change.LogicalResourceId] or nil
  local before, after = properties_of(old, scopes.before), properties_of(new, scopes.after)
  local out, details = {}, json.list {}
  for field, value in pairs(change) do out[field] = value end
  for _, detail in ipairs(change.Details) do
    local found = valued(detail, before, after)
    details[#details + 1] = found
    details[#details + 1] = found and by_itself(found)
  end
  if change.Action == "Modify" and #details == 0 and not change.ChangeSetId then return nil end
  if change.Action == "Modify" and #details > 0 then -- what has no details left does not count
    out.Replacement, out.Scope = diff.replacement(details), diff.scope(details)
    if out.Replacement ~= "True" then out.PolicyAction = nil end
  end
  out.Details, out.BeforeContext, out.AfterContext = details, context_of(old, before), context_of(new, after)
  return out
end

--- A function that gives a resource's properties as they will be, as far as they are known.
---@param values table<string, any>? of the parameters; nil: secrets are masked
---@return fun(id: string): table?
function diff_values.after(changes, stack, target, values)
  local by_id = {}
  for _, change in ipairs(changes) do by_id[change.LogicalResourceId] = change end
  local scope = scope_of(stack, target.plan, by_id, values)
  return function(id)
    local definition = target.template.resources[id]
    return definition and properties_of(definition, scope)
  end
end

--- The changes with their values; those whose values stay are left out.
---@param changes table[] of sandbox.engine.diff
---@param stack table
---@param target table
---@return table[]
---@return string? warning about what could not be told
function diff_values.of(changes, stack, target)
  local by_id, out, missing, warning = {}, json.list {}, {}, nil
  for _, change in ipairs(changes) do by_id[change.LogicalResourceId] = change end
  local scopes = { before = scope_of(stack, stack.plan, {}), after = scope_of(stack, target.plan, by_id, nil, missing) }
  for _, change in ipairs(changes) do
    out[#out + 1] = with_values(change, stack, target, scopes)
    if #missing > 0 and not warning then warning = INCOMPLETE:format(change.LogicalResourceId, missing[1]) end
  end
  return out, warning
end

return diff_values
