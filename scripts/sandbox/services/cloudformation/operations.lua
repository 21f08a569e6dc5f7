--- CloudFormation's DescribeEvents: the events of one operation, failures set apart (reference part 2.7).

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local paging = require "sandbox.services.paging"
local reads = require "sandbox.services.cloudformation.reads"

local operations = {}

local PAGE = 100
local STACK = "AWS::CloudFormation::Stack"

-- What is copied from a stack's event as it is.
local COPIED = {
  "EventId", "StackId", "OperationId", "LogicalResourceId", "PhysicalResourceId", "ResourceType", "Timestamp",
  "ResourceStatus", "ResourceStatusReason", "ResourceProperties", "ClientRequestToken", "DetailedStatus",
}

local function event_type(event)
  if event.ResourceType == STACK and event.PhysicalResourceId == event.StackId then return "STACK_EVENT" end
  if event.ResourceStatus:match("_FAILED$") then return "PROVISIONING_ERROR" end
  return "PROGRESS_EVENT"
end

local function operation_status(status)
  if status:match("_IN_PROGRESS$") then return "IN_PROGRESS" end
  return status:match("_FAILED$") and "FAILED" or "SUCCEEDED"
end

-- Which kind of operation an id is, in its stack.
local function kind_of(stack, id)
  for _, operation in ipairs(stack.last_operations) do
    if operation.OperationId == id then return operation.OperationType end
  end
end

local function viewed(stack, event, started)
  local out = { EventType = event_type(event), OperationType = kind_of(stack, event.OperationId) }
  for _, field in ipairs(COPIED) do out[field] = event[field] end
  if out.EventType == "STACK_EVENT" then
    out.OperationStatus = operation_status(event.ResourceStatus)
    out.StartTime = started
    if out.OperationStatus ~= "IN_PROGRESS" then out.EndTime = event.Timestamp end
  end
  return out
end

-- The events of an operation, oldest first. An operation that another one followed has failed.
local function events_of(stack, id)
  local out, started = {}, nil
  for _, event in ipairs(stack.events) do
    if event.OperationId == id then
      started = started or event.Timestamp
      out[#out + 1] = viewed(stack, event, started)
    end
  end
  return out
end

local function stack_of_operation(context, id)
  for _, stack in ipairs(context.region.stacks) do
    if kind_of(stack, id) then return stack end
  end
  fault.validation("Operation [%s] does not exist", id)
end

-- Which events a request means.
local function wanted(context, input)
  if input.ChangeSetName then return reads.change_set(context, input).events end
  if input.OperationId then
    return events_of(stack_of_operation(context, input.OperationId), input.OperationId)
  end
  if not input.StackName then
    fault.validation("One of StackName, ChangeSetName or OperationId must be specified.")
  end
  local stack = reads.find(context, input.StackName, "brackets")
  local last = stack.last_operations[1]
  return last and events_of(stack, last.OperationId) or {}
end

local function is_failure(event)
  return event.EventType:match("_ERROR$") ~= nil
end

function operations.DescribeEvents(context, input)
  local failed_only, out = (input.Filters or {}).FailedEvents, {}
  for _, event in ipairs(wanted(context, input)) do
    if not failed_only or is_failure(event) then out[#out + 1] = event end
  end
  local page, next_token = paging.newest_first(out, input.NextToken, PAGE, "operation events")
  return { OperationEvents = json.list(page), NextToken = next_token }
end

return operations
