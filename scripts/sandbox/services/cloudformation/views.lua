--- CloudFormation's records as its API shows them: which field is there when.

local json = require "tap.core.json"
local parameters = require "sandbox.template.parameters"

local views = {}

-- What the last look at a stack or a resource found.
local function drift_of(owner, field, time)
  local found = owner.drift
  return { [field] = found and found.status or "NOT_CHECKED", [time] = found and found.at }
end

local function listed(list)
  return list and #list > 0 and list or nil
end

local function parameter_list(stack)
  local out = json.list {}
  for _, name in ipairs(json.keys(stack.template.parameters)) do
    local secret = parameters.is_secret(stack.template.parameters[name])
    out[#out + 1] = {
      ParameterKey = name, ParameterValue = secret and parameters.MASK or stack.plan.texts[name],
      ResolvedValue = stack.plan.resolved[name],
    }
  end
  return listed(out)
end

local function output_list(stack)
  local out = json.list {}
  for i, output in ipairs(stack.outputs) do
    out[i] = {
      OutputKey = output.key, OutputValue = output.value, Description = output.description,
      ExportName = output.export,
    }
  end
  return listed(out)
end

local function is_deleted(stack)
  return stack.status == "DELETE_COMPLETE"
end

-- The moment when the deletion began, of a stack or of a failed creation's resources.
local function deletion_time(stack)
  if stack.status:match("^DELETE_") or stack.status:match("^ROLLBACK_") then return stack.deleted_at end
end

--- A stack as in DescribeStacks.
function views.stack(stack)
  local deleted = is_deleted(stack)
  local protection = nil
  if not deleted then protection = (stack.root or stack).termination_protection end
  return {
    StackId = stack.id, StackName = stack.name, Description = stack.template.description,
    ChangeSetId = not deleted and stack.change_set_id or nil,
    Parameters = parameter_list(stack), CreationTime = stack.created, DeletionTime = deletion_time(stack),
    LastUpdatedTime = stack.updated, RollbackConfiguration = stack.rollback_configuration,
    StackStatus = stack.status,
    StackStatusReason = stack.status_reason, DetailedStatus = stack.detailed_status,
    DisableRollback = stack.on_failure == "DO_NOTHING", NotificationARNs = json.list(stack.notification_arns),
    TimeoutInMinutes = stack.timeout_minutes, Capabilities = listed(stack.capabilities),
    Outputs = not deleted and output_list(stack) or nil, RoleARN = stack.role_arn,
    Tags = json.list(stack.tags),
    EnableTerminationProtection = protection, DriftInformation = drift_of(stack, "StackDriftStatus",
      "LastCheckTimestamp"),
    RetainExceptOnCreate = stack.retain_except_on_create, DeletionMode = stack.deletion_mode,
    DeploymentConfig = stack.express and { Mode = "EXPRESS", DisableRollback =
      stack.on_failure == "DO_NOTHING" }
      or nil,
    ParentId = stack.parent and stack.parent.id, RootId = stack.root and stack.root.id,
    LastOperations = listed(json.list(stack.last_operations)),
  }
end

--- A stack as in ListStacks.
function views.summary(stack)
  return {
    StackId = stack.id, StackName = stack.name, TemplateDescription = stack.template.description,
    CreationTime = stack.created, LastUpdatedTime = stack.updated,
    DeletionTime = deletion_time(stack), StackStatus = stack.status,
    StackStatusReason = stack.status_reason, DriftInformation = drift_of(stack, "StackDriftStatus",
      "LastCheckTimestamp"),
    ParentId = stack.parent and stack.parent.id, RootId = stack.root and stack.root.id,
  }
end

-- What all views of a resource have.
local function resource_fields(resource)
  return {
    LogicalResourceId = resource.logical,
    PhysicalResourceId = resource.physical_id ~= "" and resource.physical_id or nil,
    ResourceType = resource.type, ResourceStatus = resource.status,
    ResourceStatusReason = resource.status_reason,
    DriftInformation = drift_of(resource, "StackResourceDriftStatus", "LastCheckTimestamp"),
  }
end

--- A resource as in DescribeStackResources.
function views.resource(stack, resource)
  local out = resource_fields(resource)
  out.StackId, out.StackName, out.Timestamp = stack.id, stack.name, resource.changed
  return out
end

--- A resource as in DescribeStackResource.
function views.resource_detail(stack, resource)
  local out = resource_fields(resource)
  out.StackId, out.StackName, out.LastUpdatedTimestamp = stack.id, stack.name, resource.changed
  out.Metadata = json.encode(resource.definition.Metadata or {})
  return out
end

--- A resource as in ListStackResources.
function views.resource_summary(_, resource)
  local out = resource_fields(resource)
  out.LastUpdatedTimestamp = resource.changed
  return out
end

--- An export as in ListExports.
function views.export(export)
  return { ExportingStackId = export.stack.id, Name = export.name, Value = export.value }
end

return views
