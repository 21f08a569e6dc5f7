--- Change sets that know what resources really are (DeploymentMode REVERT_DRIFT): what was changed behind the
-- stack's back is brought to what the template says, what was deleted is made again, and what the template now
-- says as it really is only loses its drift. Three states are compared: the previous deployment, the actual
-- one, the template.

local json = require "tap.core.json"
local schema = require "tap.schema"
local same = require "sandbox.same"
local diff_values = require "sandbox.engine.diff_values"
local drift = require "sandbox.engine.drift"

local drift_aware = {}

-- What a detail says only when values are asked for.
local VALUES = { "Path", "BeforeValue", "AfterValue", "BeforeValueFrom", "AfterValueFrom", "Drift" }

local function shown(value)
  if value == nil or type(value) == "string" then return value end
  return json.encode(value)
end

local function kind_of(actual, wanted)
  if same(actual, wanted) then return "SyncWithActual" end
  if actual == nil then return "Add" end
  return wanted == nil and "Remove" or "Modify"
end

-- One property of a resource that is not what the previous deployment made it.
local function detail_of(resource, name, wanted, now)
  local actual = resource.thing.properties[name]
  local from_template = not same(wanted, resource.properties[name])
  return {
    Evaluation = "Static", ChangeSource = from_template and "DirectModification" or "NoModification",
    Target = {
      Attribute = "Properties", Name = name, RequiresRecreation = schema.recreation(resource.type, name),
      Path = "/Properties/" .. name, BeforeValue = shown(actual), BeforeValueFrom = "ACTUAL_STATE",
      AfterValue = shown(wanted), AfterValueFrom = "TEMPLATE", AttributeChangeType = kind_of(actual, wanted),
      Drift = { PreviousValue = shown(resource.properties[name]), ActualValue = shown(actual),
        DriftDetectionTimestamp = now },
    },
  }
end

-- The properties that drifted, each once, in the order of what was found.
local function drifted_names(found)
  local out, seen = {}, {}
  for _, difference in ipairs(found.differences) do
    local name = difference.PropertyPath:match("^/([^/]+)")
    if not seen[name] then
      seen[name] = true
      out[#out + 1] = name
    end
  end
  return out, seen
end

-- Details of the template's own changes that are none of a drifted property.
local function other_details(change, drifted)
  local out = json.list {}
  for _, detail in ipairs(change and change.Details or {}) do
    if not drifted[detail.Target.Name or ""] then out[#out + 1] = detail end
  end
  return out
end

local function modification(resource, change, wanted, now)
  local names, drifted = drifted_names(resource.drift)
  local details = other_details(change, drifted)
  local syncs, replaces = #details == 0, false
  for _, name in ipairs(names) do
    local detail = detail_of(resource, name, wanted[name], now)
    local changes = detail.Target.AttributeChangeType ~= "SyncWithActual"
    details[#details + 1], syncs = detail, syncs and not changes
    replaces = replaces or changes and detail.Target.RequiresRecreation == "Always"
  end
  local out = change or { LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, Scope = json.list { "Properties" } }
  out.Action, out.Details = syncs and "SyncWithActual" or "Modify", details
  if not syncs then out.Replacement = replaces and "True" or change and change.Replacement or "False" end
  if replaces then out.PolicyAction = out.PolicyAction or "ReplaceAndDelete" end
  return out
end

local function creation(resource)
  return { Action = "Add", LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, Scope = json.list {}, Details = json.list {} }
end

--- The changes of a set, and those that drift asks for.
---@param changes table[] of sandbox.engine.diff
---@param stack table is looked at for drift
---@param target table
---@param now number
---@return table[] changes in the template's order, with each resource's drift
function drift_aware.changes(changes, stack, target, now)
  drift.of_stack(stack, nil, now)
  local after, by_id, out = diff_values.after(changes, stack, target, target.plan.values), {}, json.list {}
  for _, change in ipairs(changes) do by_id[change.LogicalResourceId] = change end
  for _, id in ipairs(target.plan.created) do
    local resource, change = stack.resources[id], by_id[id]
    local status = resource and resource.physical_id ~= "" and resource.drift and resource.drift.status
    if status == "DELETED" then
      change = creation(resource)
    elseif status == "MODIFIED" then
      change = modification(resource, change, after(id), now)
    end
    if change and status then change.ResourceDriftStatus = status == "NOT_CHECKED" and "UNSUPPORTED" or status end
    out[#out + 1] = change
  end
  for _, change in ipairs(changes) do
    if change.Action == "Remove" then out[#out + 1] = change end
  end
  return out
end

--- The same changes for a caller who did not ask for values.
function drift_aware.without_values(changes)
  local out = json.list {}
  for index, change in ipairs(changes) do
    local copy = {}
    for field, value in pairs(change) do copy[field] = value end
    copy.Details = json.list {}
    for i, detail in ipairs(change.Details) do
      local target = {}
      for field, value in pairs(detail.Target) do target[field] = value end
      for _, field in ipairs(VALUES) do target[field] = nil end
      copy.Details[i] = { Target = target, Evaluation = detail.Evaluation, ChangeSource = detail.ChangeSource,
        CausingEntity = detail.CausingEntity }
    end
    out[index] = copy
  end
  return out
end

--- Lets an update begin from what a resource is, not from what the stack's record says: a way back then ends
-- there, too. True when the resource is gone and has to be made again.
---@param resource table that has a physical id
---@param now number
---@return boolean gone
function drift_aware.begin(resource, now)
  local status = drift.of_resource(resource, now).status
  if status == "MODIFIED" then resource.properties = resource.thing.properties end
  return status == "DELETED"
end

return drift_aware
