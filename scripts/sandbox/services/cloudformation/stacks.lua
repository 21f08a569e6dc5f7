--- CloudFormation's operations that change stacks: what is checked before one is accepted. What happens then
-- is the engine's (sandbox.engine).

local fault = require "sandbox.fault"
local template = require "sandbox.template"
local create = require "sandbox.engine.create"
local delete = require "sandbox.engine.delete"
local mode = require "sandbox.engine.mode"
local requests = require "sandbox.engine.requests"
local reads = require "sandbox.services.cloudformation.reads"
local tokens = require "sandbox.services.cloudformation.tokens"

local stacks = {}

-- Fields of a stack in review that its creation leaves as they are.
local KEPT = { "id", "chance", "stream", "created", "events", "last_operations" }

-- A stack that a change set left in review is created under its own id; its change sets are obsolete.
local function take_over(reviewed, stack)
  if not reviewed then return stack end
  for _, field in ipairs(KEPT) do stack[field] = reviewed[field] end
  for _, set in ipairs(reviewed.change_sets or {}) do set.execution = "OBSOLETE" end
  for field in pairs(reviewed) do
    if field ~= "change_sets" then reviewed[field] = nil end
  end
  for field, value in pairs(stack) do reviewed[field] = value end
  return reviewed
end

function stacks.CreateStack(context, input)
  local region = context.region
  local before = tokens.seen(region, "CreateStack", input)
  if before then return { StackId = before } end
  local read = template.read(requests.text(context, input))
  local reviewed = region.stack_names[input.StackName]
  if reviewed and reviewed.status ~= "REVIEW_IN_PROGRESS" then
    fault.raise("AlreadyExistsException", ("Stack [%s] already exists"):format(input.StackName))
  end
  local stack = requests.bound_stack(context, input, read, reviewed and reviewed.id)
  stack = take_over(reviewed, stack)
  if not reviewed then region:add_stack(stack) end
  tokens.remember(region, "CreateStack", input, stack.id)
  create.start(context.world, stack, input.ClientRequestToken)
  return { StackId = stack.id }
end

local function check_retained(stack, retain)
  if #retain == 0 then return end
  if stack.status ~= "DELETE_FAILED" then
    fault.validation("Invalid operation on stack [%s]. When you delete a stack, specify which resources to "
      .. "retain only when the stack is in the DELETE_FAILED state.", stack.id)
  end
  for _, id in ipairs(retain) do
    local resource = stack.resources[id]
    if not resource or resource.status == "DELETE_COMPLETE" then
      fault.validation("The specified resources to retain must be in a valid state. Do not specify "
        .. "resources that are in the DELETE_COMPLETE state.")
    end
  end
end

-- An update, an import and their ways back are not given up for a deletion, as a creation is.
local NOT_DELETABLE = {
  UPDATE_IN_PROGRESS = true, UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = true, UPDATE_ROLLBACK_IN_PROGRESS = true,
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = true, IMPORT_IN_PROGRESS = true,
  IMPORT_ROLLBACK_IN_PROGRESS = true,
}

local function check_deletable(stack, input)
  if NOT_DELETABLE[stack.status] then
    fault.validation("Stack [%s] cannot be deleted while in status %s", input.StackName, stack.status)
  end
  if (stack.root or stack).termination_protection then
    fault.validation("Stack [%s] cannot be deleted while TerminationProtection is enabled", input.StackName)
  end
  check_retained(stack, input.RetainResources or {})
  if input.DeletionMode == "FORCE_DELETE_STACK" and stack.status ~= "DELETE_FAILED" then
    fault.validation("Invalid operation on stack [%s]. FORCE_DELETE_STACK is only allowed when the stack is "
      .. "in the DELETE_FAILED state.", stack.id)
  end
end

local function check_same_deletion(stack, retain)
  if table.concat(retain, ",") == table.concat(stack.retained or {}, ",") then return end
  fault.validation("A delete stack operation is already in progress for stack %s. Do not submit another "
    .. "delete stack request specifying different resources to retain or resources to retain in a different "
    .. "order.", stack.id)
end

function stacks.DeleteStack(context, input)
  local stack = context.region:stack(input.StackName)
  if not stack or stack.status == "DELETE_COMPLETE" then return {} end
  local list = input.RetainResources or {}
  if stack.status == "DELETE_IN_PROGRESS" then
    check_same_deletion(stack, list)
    return {}
  end
  if tokens.seen(context.region, "DeleteStack", input) == stack.id then return {} end
  stack.express = mode.of(input).express
  check_deletable(stack, input)
  requests.check_role(context, input.RoleARN)
  tokens.remember(context.region, "DeleteStack", input, stack.id)
  local retain = {}
  for _, id in ipairs(list) do retain[id] = true end
  stack.retained, stack.deletion_mode = list, input.DeletionMode
  delete.start(context.world, stack,
    { token = input.ClientRequestToken, retain = retain, force = input.DeletionMode == "FORCE_DELETE_STACK" })
  return {}
end

function stacks.UpdateTerminationProtection(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  stack.termination_protection = input.EnableTerminationProtection
  return { StackId = stack.id }
end

return stacks
