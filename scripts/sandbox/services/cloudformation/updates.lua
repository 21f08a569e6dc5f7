--- CloudFormation's operations that update stacks and lead them back: what is checked before one is accepted.
-- What happens then is the engine's (sandbox.engine.update, .update_rollback).

local fault = require "sandbox.fault"
local rollback = require "sandbox.engine.rollback"
local signals = require "sandbox.engine.signals"
local update = require "sandbox.engine.update"
local update_rollback = require "sandbox.engine.update_rollback"
local mode = require "sandbox.engine.mode"
local requests = require "sandbox.engine.requests"
local reads = require "sandbox.services.cloudformation.reads"
local tokens = require "sandbox.services.cloudformation.tokens"

local updates = {}

local UPDATEABLE = {
  CREATE_COMPLETE = true, UPDATE_COMPLETE = true, UPDATE_ROLLBACK_COMPLETE = true, IMPORT_COMPLETE = true,
  IMPORT_ROLLBACK_COMPLETE = true,
}

-- States that an update may leave only when nothing is to be rolled back.
local UNFINISHED = { CREATE_FAILED = true, UPDATE_FAILED = true }

--- Raises ValidationError when a stack's status does not allow an update.
function updates.check_updateable(stack, disable_rollback)
  if UPDATEABLE[stack.status] or UNFINISHED[stack.status] and disable_rollback then return end
  if UNFINISHED[stack.status] then
    fault.validation("This stack is currently in a non-terminal [%s] state. To update the stack from this "
      .. "state, please use the disable-rollback parameter with update-stack API. To rollback to the last "
      .. "known good state, use the rollback-stack API", stack.status)
  end
  fault.validation("Stack:%s is in %s state and can not be updated.", stack.id, stack.status)
end

function updates.UpdateStack(context, input)
  local region = context.region
  local before = tokens.seen(region, "UpdateStack", input)
  if before then return { StackId = before } end
  local stack = reads.find(context, input.StackName, "brackets")
  local wanted = mode.of(input)
  mode.check_follow_up(stack, wanted)
  updates.check_updateable(stack, wanted.disable_rollback)
  local target = requests.target(context, stack, input, true)
  local something = requests.changes_anything(stack, target) or requests.keeps_children(stack, target)
  if UPDATEABLE[stack.status] and not something then
    fault.validation("No updates are to be performed.")
  end
  for _, set in ipairs(stack.change_sets or {}) do
    set.execution = set.execution == "AVAILABLE" and "OBSOLETE" or set.execution
  end
  local during = requests.policy(context, input, "StackPolicyDuringUpdate")
  if requests.has_policy(input) then requests.set_policy(context, stack, input) end
  tokens.remember(region, "UpdateStack", input, stack.id)
  local op = update.start(context.world, stack, target,
    { token = input.ClientRequestToken, disable_rollback = wanted.disable_rollback,
      express = wanted.express, policy = during })
  return { StackId = stack.id, OperationId = op.id }
end

-- The stack of an operation that is allowed in one status only.
local function in_status(context, input, wording, status, operation)
  local stack = reads.find(context, input.StackName, wording)
  if stack.status ~= status then
    fault.validation("%s cannot be called from current stack status", operation)
  end
  return stack
end

updates.CancelUpdateStack = tokens.once("CancelUpdateStack", function(context, input)
  local stack = in_status(context, input, "colon", "UPDATE_IN_PROGRESS", "CancelUpdateStack")
  update.cancel(stack.operation, input.ClientRequestToken)
  return {}
end)

updates.RollbackStack = tokens.once("RollbackStack", function(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  local token = input.ClientRequestToken
  if stack.express then
    fault.validation("RollbackStack cannot be called on a stack that was deployed in EXPRESS mode")
  end
  if stack.status == "UPDATE_FAILED" and stack.unfinished then
    update_rollback.start(context.world, stack, stack.unfinished, "User Initiated", token)
  elseif stack.status == "CREATE_FAILED" then
    rollback.start(context.world, stack, "User Initiated", token)
  else
    fault.validation("RollbackStack cannot be called from current stack status")
  end
  return { StackId = stack.id, OperationId = stack.operation.id }
end)

local function check_skippable(stack, id)
  if update_rollback.can_skip(stack, id) then return end
  fault.validation("The specified resources to skip must be in a valid state. Specify only resources whose "
    .. "rollback failed.")
end

local function child_called(stack, name)
  for _, resource in pairs(stack.resources) do
    if resource.child and resource.child.name == name then return resource.child end
  end
  fault.validation("Stack [%s] does not exist", name)
end

-- ResourcesToSkip: the stack's own, and by the name of a nested stack that stack's.
local function resources_to_skip(stack, list)
  local own, nested = {}, {}
  for _, id in ipairs(list) do
    local name, inner = id:match("^([^.]+)%.([^.]+)$")
    if name then
      check_skippable(child_called(stack, name), inner)
      nested[name] = nested[name] or {}
      table.insert(nested[name], inner)
    else
      check_skippable(stack, id)
      own[#own + 1] = id
    end
  end
  return own, nested
end

updates.ContinueUpdateRollback = tokens.once("ContinueUpdateRollback", function(context, input)
  local stack = in_status(context, input, "brackets", "UPDATE_ROLLBACK_FAILED", "RollbackUpdatedStack")
  if stack.parent then fault.validation("RollbackUpdatedStack cannot be invoked on child stacks") end
  local own, nested = resources_to_skip(stack, input.ResourcesToSkip or {})
  requests.check_role(context, input.RoleARN)
  stack.role_arn = input.RoleARN or stack.role_arn
  update_rollback.start(context.world, stack, stack.unfinished, "User Initiated", input.ClientRequestToken,
    own, nested)
  return {}
end)

function updates.SetStackPolicy(context, input)
  requests.set_policy(context, reads.find(context, input.StackName, "colon"), input)
  return {}
end

function updates.SignalResource(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  local resource = stack.resources[input.LogicalResourceId]
    or fault.validation("Resource %s does not exist for stack %s", input.LogicalResourceId, input.StackName)
  signals.receive(resource, input.UniqueId, input.Status)
  return {}
end

function updates.UpdateTerminationProtection(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  stack.termination_protection = input.EnableTerminationProtection
  return { StackId = stack.id }
end

return updates
