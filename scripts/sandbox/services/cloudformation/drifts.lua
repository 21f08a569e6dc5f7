--- CloudFormation's drift detection.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local drift = require "sandbox.engine.drift"
local paging = require "sandbox.services.paging"
local reads = require "sandbox.services.cloudformation.reads"

local drifts = {}

local PAGE = 100

-- Statuses in which a stack can be looked at.
local STABLE = {
  CREATE_COMPLETE = true, UPDATE_COMPLETE = true, UPDATE_ROLLBACK_COMPLETE = true, UPDATE_ROLLBACK_FAILED =
    true,
  IMPORT_COMPLETE = true, IMPORT_ROLLBACK_COMPLETE = true,
}

local function check_stable(stack)
  if STABLE[stack.status] then return end
  fault.validation("Drift detection cannot be performed on stack [%s] while it is in %s state.", stack.id,
    stack.status)
end

local function set_of(list)
  if not list then return nil end
  local out = {}
  for _, each in ipairs(list) do out[each] = true end
  return out
end

function drifts.DetectStackDrift(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  check_stable(stack)
  local clock = context.world.clock
  local detection = { id = stack.stream:time_uuid(clock.now()), stack = stack, status =
    "DETECTION_IN_PROGRESS",
    began = clock.now() }
  context.region.detections[detection.id] = detection
  clock.after(stack.stream:between(2, 5), function()
    detection.drifted = drift.of_stack(stack, set_of(input.LogicalResourceIds), clock.now())
    detection.status, detection.result = "DETECTION_COMPLETE", stack.drift.status
  end)
  return { StackDriftDetectionId = detection.id }
end

function drifts.DescribeStackDriftDetectionStatus(context, input)
  local id = input.StackDriftDetectionId
  local detection = context.region.detections[id]
    or fault.validation("Stack drift detection [%s] does not exist", id)
  return { StackId = detection.stack.id, StackDriftDetectionId = id, DetectionStatus = detection.status,
    StackDriftStatus = detection.result, DriftedStackResourceCount = detection.drifted,
    Timestamp = detection.began }
end

local function document(value)
  return value and json.encode(value)
end

local function viewed(stack, resource)
  local found = resource.drift
  return {
    StackId = stack.id, LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, StackResourceDriftStatus = found.status, Timestamp = found.at,
    ExpectedProperties = document(found.expected), ActualProperties = document(found.actual),
    PropertyDifferences = found.differences,
  }
end

function drifts.DescribeStackResourceDrifts(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  local wanted, all = set_of(input.StackResourceDriftStatusFilters), {}
  for _, id in ipairs(stack.plan.created) do
    local resource = stack.resources[id]
    if resource and resource.drift and (not wanted or wanted[resource.drift.status]) then
      all[#all + 1] = viewed(stack, resource)
    end
  end
  local page, next_token = paging.forward(all, input.NextToken, input.MaxResults or PAGE, "drifts")
  return { StackResourceDrifts = json.list(page), NextToken = next_token }
end

function drifts.DetectStackResourceDrift(context, input)
  local stack = reads.find(context, input.StackName, "brackets")
  check_stable(stack)
  local resource = stack.resources[input.LogicalResourceId]
    or fault.validation("Resource %s does not exist for stack %s", input.LogicalResourceId, input.StackName)
  drift.of_resource(resource, context.world.clock.now())
  return { StackResourceDrift = viewed(stack, resource) }
end

return drifts
