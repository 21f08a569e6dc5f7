--- CloudFormation's operations on change sets (reference part 3).

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local parameters = require "sandbox.template.parameters"
local create = require "sandbox.engine.create"
local diff = require "sandbox.engine.diff"
local drift_aware = require "sandbox.engine.drift_aware"
local diff_values = require "sandbox.engine.diff_values"
local early_validation = require "sandbox.engine.early_validation"
local import = require "sandbox.engine.import"
local update = require "sandbox.engine.update"
local paging = require "sandbox.services.paging"
local mode = require "sandbox.engine.mode"
local requests = require "sandbox.engine.requests"
local reads = require "sandbox.services.cloudformation.reads"
local nested_sets = require "sandbox.services.cloudformation.nested_sets"
local tokens = require "sandbox.services.cloudformation.tokens"
local updates = require "sandbox.services.cloudformation.updates"

local change_sets = {}

local PAGE = 100
local NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create "
  .. "a change set."
local NO_UPDATES = "No updates are to be performed."

-- Only what is there can have drifted. Nested stacks are left out, as in the service.
local function check_mode(input)
  if not input.DeploymentMode then return end
  if (input.ChangeSetType or "UPDATE") ~= "UPDATE" then
    fault.validation("DeploymentMode %s is only supported for change sets of type UPDATE", input.DeploymentMode)
  elseif input.IncludeNestedStacks then
    fault.validation("IncludeNestedStacks is not supported with DeploymentMode %s", input.DeploymentMode)
  end
end

local function check_on_failure(input)
  if input.OnStackFailure == "DELETE" and (input.ChangeSetType or "UPDATE") ~= "CREATE" then
    fault.validation("OnStackFailure DELETE is only supported for change sets of type CREATE")
  end
end

-- The record of the stack that a change set would create; it is in the store only once all is checked.
local function stack_to_create(context, input)
  local stack = context.region:stack(input.StackName)
  if stack and stack.status ~= "REVIEW_IN_PROGRESS" then
    fault.validation("Stack [%s] already exists and cannot be created again with the changeSet [%s].",
      input.StackName, input.ChangeSetName)
  elseif stack then
    return stack, false
  end
  return requests.shell(context, input.StackName), true
end

local function stack_to_update(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  updates.check_updateable(stack, true)
  return stack, false
end

local function has_changes(set)
  if set.type ~= "UPDATE" then return true end
  return requests.changes_anything(set.stack, set.target)
end

-- Validates what a change set would make. What is found becomes its events; why it fails, if it does.
local function validate(set, changes, now)
  local found, why = early_validation.check(changes, set.stack, set.target)
  for _, event in ipairs(found) do
    event.name = nil
    event.EventId, event.StackId, event.Timestamp = set.stack.stream:uuid(), set.stack.id, now
    event.OperationId, event.OperationType, event.EventType = set.operation_id, "CREATE_CHANGESET",
      "VALIDATION_ERROR"
    event.ValidationFailureMode, event.ValidationStatus, event.PhysicalResourceId = "FAIL", "FAILED", ""
    set.events[#set.events + 1] = event
  end
  return why
end

local function refuse(set, why)
  set.status, set.reason = "FAILED", why
end

-- The event of the creation itself, the last of its operation.
local function tell_end(set, now)
  local stack = set.stack
  set.events[#set.events + 1] = {
    EventId = stack.stream:uuid(), StackId = stack.id, OperationId = set.operation_id,
    OperationType = "CREATE_CHANGESET", OperationStatus = set.status == "FAILED" and "FAILED" or "SUCCEEDED",
    EventType = "STACK_EVENT", LogicalResourceId = stack.name, PhysicalResourceId = stack.id,
    ResourceType = "AWS::CloudFormation::Stack", Timestamp = now, StartTime = set.created, EndTime = now,
  }
end

local new_child

-- Finds out what a set changes, or why there is none.
local function compute(context, set)
  if set.target.failure then return refuse(set, set.target.failure) end
  -- What a failed update has left half done is to do, also when nothing else is asked for.
  local half_done = set.stack.status == "UPDATE_FAILED" or set.stack.status == "CREATE_FAILED"
  local something, why = half_done or has_changes(set), nil
  local asks_further = set.nested or set.deployment_mode or requests.keeps_children(set.stack, set.target)
  if not something and not asks_further then return refuse(set, NO_CHANGES) end
  local changes, now = diff.changes(set.stack, set.target, set.imports), context.world.clock.now()
  if set.deployment_mode then changes = drift_aware.changes(changes, set.stack, set.target, now) end
  if set.nested then changes, why = nested_sets.make(context, set, changes, new_child) end
  if not why and not something and #changes == 0 then
    set.unchanged = true
    return refuse(set, set.children and set.children[1] and NO_UPDATES or NO_CHANGES)
  end
  why = why or set.validated and validate(set, changes, now)
  if why then return refuse(set, why) end
  set.status, set.execution = "CREATE_COMPLETE", "AVAILABLE"
  set.changes = set.deployment_mode and drift_aware.without_values(changes) or changes
  set.drift_status = set.deployment_mode and set.stack.drift.status
  set.changes_with_values, set.warning = diff_values.of(changes, set.stack, set.target)
end

local function finish_creation(context, set)
  if set.status == "CREATE_PENDING" then compute(context, set) end
  if set.status ~= "DELETE_COMPLETE" then tell_end(set, context.world.clock.now()) end
end

local function record(context, input, stack, target)
  local region = context.region
  return {
    name = input.ChangeSetName, stack = stack, target = target, type = input.ChangeSetType or "UPDATE",
    description = input.Description, created = math.floor(context.world.clock.now() * 1000) / 1000,
    id = ("arn:%s:cloudformation:%s:%s:changeSet/%s/%s"):format(region.partition, region.name, region.account,
      input.ChangeSetName, stack.stream:uuid()),
    status = "CREATE_PENDING", execution = "UNAVAILABLE", changes = json.list {}, changes_with_values =
      json.list {},
    config = input.DeploymentConfig, events = {}, operation_id = stack.stream:uuid(), validated =
      not input.DisableValidation,
    deployment_mode = input.DeploymentMode, on_stack_failure = input.OnStackFailure, capabilities = input.Capabilities,
  }
end

-- Keeps a set where its stack and its callers find it.
local function keep(context, set)
  set.stack.change_sets = set.stack.change_sets or {}
  table.insert(set.stack.change_sets, set)
  context.region.change_sets[set.id] = set
end

-- The set of a nested stack, computed at once: its root has taken the time.
new_child = function(context, input, stack, target, kin)
  local set = record(context, input, stack, target)
  set.parent, set.root, set.nested, set.imports, set.imports_existing = kin.parent, kin.root, true, {}, false
  keep(context, set)
  if kin.refused then
    refuse(set, kin.refused)
  end
  finish_creation(context, set)
  return set
end

local FIND = {
  CREATE = stack_to_create, UPDATE = stack_to_update,
  IMPORT = function(context, input)
    local stack = context.region:stack(input.StackName)
    local is_there = stack and stack.status ~= "REVIEW_IN_PROGRESS"
    return (is_there and stack_to_update or stack_to_create)(context, input)
  end,
}

-- What an import would change of its stack besides resources.
local function modified_by(stack, target)
  local out = {}
  if not same(stack.template.tree.Outputs or {}, target.template.tree.Outputs or {}) then out[1] = "Outputs" end
  if stack.status == "REVIEW_IN_PROGRESS" or not stack.status then return out end
  for _, field in ipairs { "role_arn", "tags" } do
    if target[field] ~= nil and not same(stack[field], target[field]) then
      out[#out + 1] = field == "tags" and "Tags" or "RoleArn"
    end
  end
  return out
end

-- Only what is imported may be new, and nothing else may change.
local function check_import(stack, target, things)
  local added, unprotected = {}, {}
  for _, id in ipairs(target.plan.created) do
    if not stack.resources[id] and not things[id] then added[#added + 1] = id end
    if things[id] and not target.template.resources[id].DeletionPolicy then unprotected[#unprotected + 1] =
      id end
  end
  if #added > 0 then
    fault.validation("Resources [%s] is missing from ResourceToImport list", table.concat(added, ", "))
  elseif #unprotected > 0 then
    fault.validation("Resources to import must have a DeletionPolicy: [%s]", table.concat(unprotected, ", "))
  end
  local modified = modified_by(stack, target)
  if #modified > 0 then
    fault.validation("As part of the import operation, you cannot modify or add [%s]", table.concat(modified, ", "))
  end
  for _, change in ipairs(diff.changes(stack, target, things)) do
    if change.Action ~= "Import" then
      fault.validation("You have attempted to import resources, but the template includes changes to the "
        .. "resource %s", change.LogicalResourceId)
    end
  end
end

-- The things that a request names, by logical id.
local function things_to_import(context, input)
  local out = {}
  for _, each in ipairs(input.ResourcesToImport or {}) do
    local _, value = next(each.ResourceIdentifier)
    out[each.LogicalResourceId] = import.find(context.region, each.ResourceType, value)
      or fault.validation("Resource %s of type %s does not exist or is in another stack", value,
        each.ResourceType)
  end
  return out
end

-- What a change set takes over instead of making it.
local function imports_of(context, input, stack, target)
  if target.failure then return {} end
  if input.ChangeSetType == "IMPORT" then
    local things = things_to_import(context, input)
    check_import(stack, target, things)
    return things
  end
  return input.ImportExistingResources and import.existing(context.region, target.plan, stack.resources) or {}
end

function change_sets.CreateChangeSet(context, input)
  check_mode(input)
  check_on_failure(input)
  local stack, is_new = FIND[input.ChangeSetType or "UPDATE"](context, input)
  local before = reads.change_set_of(stack, input.ChangeSetName)
  if before and input.ClientToken and before.token == input.ClientToken then
    return { Id = before.id, StackId = stack.id }
  elseif before then
    fault.raise("AlreadyExistsException", ("ChangeSet %s already exists"):format(input.ChangeSetName))
  end
  local target = requests.target(context, stack, input)
  local imports = imports_of(context, input, stack, target)
  if is_new then nested_sets.review(context, stack) end
  local set = record(context, input, stack, target)
  set.token = input.ClientToken
  set.imports, set.nested = imports, input.IncludeNestedStacks or false
  set.imports_existing = input.ImportExistingResources or false
  keep(context, set)
  context.world.clock.after(stack.stream:between(1, 5), function() finish_creation(context, set) end)
  return { Id = set.id, StackId = stack.id }
end

local function shown_parameters(target)
  local out = json.list {}
  for _, name in ipairs(json.keys(target.template.parameters)) do
    local secret = parameters.is_secret(target.template.parameters[name])
    out[#out + 1] = { ParameterKey = name, ResolvedValue = target.plan.resolved[name],
      ParameterValue = secret and parameters.MASK or target.plan.texts[name] }
  end
  return #out > 0 and out or nil
end

local function summary(set)
  return {
    StackId = set.stack.id, StackName = set.stack.name, ChangeSetId = set.id, ChangeSetName = set.name,
    ExecutionStatus = set.execution, Status = set.status, StatusReason = set.reason,
    CreationTime = set.created, Description = set.description,
    ParentChangeSetId = set.parent and set.parent.id, RootChangeSetId = set.root and set.root.id,
    IncludeNestedStacks = set.nested, ImportExistingResources = set.imports_existing,
  }
end

function change_sets.DescribeChangeSet(context, input)
  local set = reads.change_set(context, input)
  local target, out = set.target, summary(set)
  local changes = input.IncludePropertyValues and set.changes_with_values or set.changes
  if input.IncludePropertyValues then out.StatusReason = out.StatusReason or set.warning end
  local page, next_token = paging.forward(changes, input.NextToken, PAGE, "changes")
  out.Changes = json.list {}
  for i, change in ipairs(page) do out.Changes[i] = { Type = "Resource", ResourceChange = change } end
  out.NextToken, out.Parameters = next_token, shown_parameters(target)
  out.OnStackFailure, out.DeploymentMode = set.on_stack_failure, set.deployment_mode
  out.StackDriftStatus = set.drift_status or nil
  out.NotificationARNs = json.list(target.notification_arns or {})
  out.RollbackConfiguration = target.rollback_configuration or {}
  out.Capabilities, out.Tags = json.list(set.capabilities or {}), target.tags
  return out
end

--- No hooks are invoked here; what early validation finds is told by DescribeEvents only, as in the service.
function change_sets.DescribeChangeSetHooks(context, input)
  local set = reads.change_set(context, input)
  return { ChangeSetId = set.id, ChangeSetName = set.name, StackId = set.stack.id, StackName = set.stack.name,
    Hooks = json.list {}, Status = set.status == "CREATE_COMPLETE" and "PLANNED" or "UNAVAILABLE" }
end

function change_sets.ListChangeSets(context, input)
  local out = json.list {}
  for i, set in ipairs(reads.find(context, input.StackName, "brackets").change_sets or {}) do
    out[i] = summary(set)
  end
  local page, next_token = paging.forward(out, input.NextToken, PAGE, "change sets")
  return { Summaries = json.list(page), NextToken = next_token }
end

local function check_executable(set, input)
  nested_sets.check_root(set)
  if set.status ~= "CREATE_COMPLETE" then
    fault.raise("InvalidChangeSetStatus", ("ChangeSet [%s] cannot be executed in its current status of [%s]")
      :format(set.id, set.status))
  elseif set.execution ~= "AVAILABLE" then
    fault.raise("InvalidChangeSetStatus",
      ("ChangeSet [%s] cannot be executed in its current execution status of [%s]"):format(set.id,
        set.execution))
  end
  local wanted = mode.of { DeploymentConfig = set.config, DisableRollback = input.DisableRollback }
  mode.check_follow_up(set.stack, wanted)
  if set.type == "UPDATE" then updates.check_updateable(set.stack, wanted.disable_rollback) end
  if set.on_stack_failure and input.DisableRollback then
    fault.validation("Either DisableRollback or OnStackFailure can be specified, not both.")
  end
end

-- Executing one removes all others of its stack; it stays readable by its id.
local function take(context, set)
  for _, other in ipairs(set.stack.change_sets) do
    if other ~= set then
      context.region.change_sets[other.id] = nil
      nested_sets.remove(context, other)
    end
  end
  set.stack.change_sets = {}
  nested_sets.each(set, nested_sets.unlist)
end

-- How far the execution of a set and of those below it is.
local function mark(set, execution)
  local function each(one)
    if one.status == "CREATE_COMPLETE" then one.stack.change_set_id, one.execution = one.id, execution end
  end
  each(set)
  nested_sets.each(set, each)
end

-- How a change set deploys: as it was made, and as its execution says.
local function mode_of(set, input)
  return mode.of { DeploymentConfig = set.config, DisableRollback = input.DisableRollback }
end

local function create_stack(context, set, input)
  local stack = set.stack
  for field, value in pairs(set.target) do stack[field] = value end
  local wanted = mode_of(set, input)
  stack.express = wanted.express
  stack.on_failure = set.on_stack_failure or wanted.disable_rollback and "DO_NOTHING" or "ROLLBACK"
  stack.updated = math.floor(context.world.clock.now() * 1000) / 1000
  create.start(context.world, stack, input.ClientRequestToken, set.imports)
end

local function update_stack(context, set, input)
  update.start(context.world, set.stack, set.target,
    { token = input.ClientRequestToken, disable_rollback = mode_of(set, input).disable_rollback,
      express = mode_of(set, input).express,
      imports = set.imports, drift_aware = set.deployment_mode ~= nil })
end

local function import_into_stack(context, set, input)
  import.start(context.world, set.stack, set.target, set.imports, input.ClientRequestToken)
end

local EXECUTE = { CREATE = create_stack, UPDATE = update_stack, IMPORT = import_into_stack }

change_sets.ExecuteChangeSet = tokens.once("ExecuteChangeSet", function(context, input)
  local set = reads.change_set(context, input)
  check_executable(set, input)
  take(context, set)
  mark(set, "EXECUTE_IN_PROGRESS")
  EXECUTE[set.type](context, set, input)
  set.stack.operation.ended = function(status)
    mark(set, status:match("_COMPLETE$") and "EXECUTE_COMPLETE" or "EXECUTE_FAILED")
  end
  return {}
end)

function change_sets.DeleteChangeSet(context, input)
  local ok, set = pcall(reads.change_set, context, input)
  if not ok then
    if set.code == "ChangeSetNotFound" then return {} end
    error(set, 0)
  end
  nested_sets.check_root(set)
  set.status = "DELETE_COMPLETE"
  context.region.change_sets[set.id] = nil
  nested_sets.unlist(set)
  nested_sets.remove(context, set)
  return {}
end

return change_sets
