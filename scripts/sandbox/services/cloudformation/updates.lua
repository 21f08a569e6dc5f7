--- CloudFormation's operations that update stacks and lead them back: what is checked before one is accepted.
-- What happens then is the engine's (sandbox.engine.update, .update_rollback).

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local template = require "sandbox.template"
local capabilities = require "sandbox.template.capabilities"
local environment = require "sandbox.engine.environment"
local rollback = require "sandbox.engine.rollback"
local update = require "sandbox.engine.update"
local update_rollback = require "sandbox.engine.update_rollback"
local reads = require "sandbox.services.cloudformation.reads"
local stacks = require "sandbox.services.cloudformation.stacks"
local templates = require "sandbox.services.cloudformation.templates"
local tokens = require "sandbox.services.cloudformation.tokens"

local updates = {}

-- What a request leaves as it is comes from the stack.
local function previous_values(stack, given)
  local out = {}
  for i, parameter in ipairs(given) do
    out[i] = parameter
    if parameter.UsePreviousValue and not parameter.ParameterValue then
      local value = stack.plan.texts[parameter.ParameterKey]
      if not value then
        fault.validation("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a "
          .. "parameter key not in the previous template", parameter.ParameterKey)
      end
      out[i] = { ParameterKey = parameter.ParameterKey, ParameterValue = value }
    end
  end
  return out
end

local function template_of_update(context, stack, input)
  if not input.UsePreviousTemplate then return template.read(templates.text(context, input)) end
  if input.TemplateBody or input.TemplateURL then
    fault.validation("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
  end
  return stack.template.original or stack.template
end

local function check_same_types(stack, read)
  local changed = {}
  for _, id in ipairs(json.keys(read.resources)) do
    local resource = stack.resources[id]
    if resource and resource.type ~= read.resources[id].Type then changed[#changed + 1] = id end
  end
  if #changed > 0 then
    fault.validation("Update of resource type is not permitted. The new template modifies resource type of "
      .. "the following resources: [%s]", table.concat(changed, ", "))
  end
end

--- What a stack is to become by a request to update it. Raises ValidationError.
---@param direct boolean? without a change set: then transforms need a capability
---@return table target of sandbox.engine.update
function updates.target(context, stack, input, direct)
  local plan = template.bind(template_of_update(context, stack, input), previous_values(stack,
    input.Parameters or {}),
    environment.of(context.world, context.region, stack))
  local read = plan.template
  stacks.check_tags(input.Tags or {})
  stacks.check_types(read, input.ResourceTypes)
  check_same_types(stack, read)
  local target = {
    template = read, plan = plan, tags = input.Tags, notification_arns = input.NotificationARNs,
    role_arn = input.RoleARN, rollback_configuration = input.RollbackConfiguration,
    capabilities = input.Capabilities,
  }
  capabilities.check(read, input.Capabilities or {}, direct)
  return target
end

-- Sections whose change is a change of the stack.
local SECTIONS = { "Resources", "Outputs", "Conditions" }

--- Is there anything to do?
function updates.changes_anything(stack, target)
  for _, section in ipairs(SECTIONS) do
    if not same(stack.template.tree[section] or {}, target.template.tree[section] or {}) then return true end
  end
  for _, field in ipairs { "tags", "notification_arns", "role_arn", "rollback_configuration" } do
    if target[field] ~= nil and not same(stack[field], target[field]) then return true end
  end
  for _, field in ipairs { "texts", "resolved", "dynamic", "conditions" } do
    if not same(stack.plan[field], target.plan[field]) then return true end
  end
  return false
end

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

-- What this version leaves out is refused by name rather than ignored.
local function check_emulated(input)
  for _, member in ipairs { "StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL", "StackPolicyBody",
    "StackPolicyURL" } do
    if input[member] then fault.not_emulated("cloudformation UpdateStack with " .. member) end
  end
  if (input.DeploymentConfig or {}).Mode == "EXPRESS" then
    fault.not_emulated("cloudformation UpdateStack in express mode")
  end
end

function updates.UpdateStack(context, input)
  local region = context.region
  local before = tokens.seen(region, "UpdateStack", input)
  if before then return { StackId = before } end
  local stack = reads.find(context, input.StackName, "brackets")
  updates.check_updateable(stack, input.DisableRollback)
  check_emulated(input)
  local target = updates.target(context, stack, input, true)
  if UPDATEABLE[stack.status] and not updates.changes_anything(stack, target) then
    fault.validation("No updates are to be performed.")
  end
  tokens.remember(region, "UpdateStack", input, stack.id)
  local op = update.start(context.world, stack, target,
    { token = input.ClientRequestToken, disable_rollback = input.DisableRollback })
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

function updates.CancelUpdateStack(context, input)
  local stack = in_status(context, input, "colon", "UPDATE_IN_PROGRESS", "CancelUpdateStack")
  update.cancel(stack.operation, input.ClientRequestToken)
  return {}
end

function updates.RollbackStack(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  local token = input.ClientRequestToken
  if stack.status == "UPDATE_FAILED" and stack.unfinished then
    update_rollback.start(context.world, stack, stack.unfinished, "User Initiated", token)
  elseif stack.status == "CREATE_FAILED" then
    rollback.start(context.world, stack, "User Initiated", token)
  else
    fault.validation("RollbackStack cannot be called from current stack status")
  end
  return { StackId = stack.id, OperationId = stack.operation.id }
end

function updates.ContinueUpdateRollback(context, input)
  local stack = in_status(context, input, "brackets", "UPDATE_ROLLBACK_FAILED", "RollbackUpdatedStack")
  local skip = input.ResourcesToSkip or {}
  for _, id in ipairs(skip) do
    if id:find(".", 1, true) then fault.validation("Stack [%s] does not exist", id:match("^[^.]*")) end
    if not update_rollback.can_skip(stack, id) then
      fault.validation("The specified resources to skip must be in a valid state. Specify only resources "
        .. "whose rollback failed.")
    end
  end
  stack.role_arn = input.RoleARN or stack.role_arn
  update_rollback.start(context.world, stack, stack.unfinished, "User Initiated", input.ClientRequestToken,
    skip)
  return {}
end

function updates.UpdateTerminationProtection(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  stack.termination_protection = input.EnableTerminationProtection
  return { StackId = stack.id }
end

return updates
