--- Drift: what differs between a stack's template and what its resources really are.

local errors = require "tap.error"
local json = require "tap.core.json"
local task = require "tap.task"

local drift = {}

local FIRST_INTERVAL, LAST_INTERVAL, GROWTH = 0.5, 5, 1.4 -- seconds between two looks
local LIMIT = 30 * 60 -- seconds that a detection may take

local function run_detection(cfn, stack)
  local id = cfn:detect_stack_drift({ StackName = stack }).StackDriftDetectionId
  local interval, deadline = FIRST_INTERVAL, task.monotonic() + LIMIT
  while true do
    local state = cfn:describe_stack_drift_detection_status { StackDriftDetectionId = id }
    if state.DetectionStatus ~= "DETECTION_IN_PROGRESS" then return state end
    if task.monotonic() > deadline then
      errors.raise { class = "timeout", code = "DriftTimeout", message = stack .. ": drift detection did not end" }
    end
    task.sleep(interval)
    interval = math.min(interval * GROWTH, LAST_INTERVAL)
  end
end

-- The service pages this answer without saying so in its model.
local function read_drifts(cfn, stack)
  local items, token = {}, nil
  repeat
    local page = cfn:describe_stack_resource_drifts { StackName = stack, NextToken = token }
    table.move(page.StackResourceDrifts or {}, 1, #(page.StackResourceDrifts or {}), #items + 1, items)
    token = page.NextToken
  until not token
  return items
end

local function describe_difference(difference)
  return { path = difference.PropertyPath, kind = difference.DifferenceType, expected = difference.ExpectedValue,
    actual = difference.ActualValue }
end

--- Looks whether the resources of a stack are what the template says. Types that CloudFormation cannot
-- check are left out, as the service leaves them out.
---@param cfn table a client of CloudFormation
---@param stack string name or id
---@return { logical_id: string, physical_id: string, type: string, status: "MODIFIED"|"DELETED",
---  differences: { path: string, kind: string, expected: string, actual: string }[] }[] drifted
---@return { checked: integer, status: string, reason: string? } about what was looked at
function drift.detect(cfn, stack)
  local state = run_detection(cfn, stack)
  if state.DetectionStatus == "DETECTION_FAILED" and state.StackDriftStatus == nil then
    errors.raise { class = "failed", code = "DriftDetectionFailed",
      message = ("%s: drift detection failed: %s"):format(stack, state.DetectionStatusReason or "no reason given") }
  end
  local found, items = json.list {}, read_drifts(cfn, stack)
  for _, item in ipairs(items) do
    if item.StackResourceDriftStatus == "MODIFIED" or item.StackResourceDriftStatus == "DELETED" then
      local differences = json.list {}
      for index, difference in ipairs(item.PropertyDifferences or {}) do
        differences[index] = describe_difference(difference)
      end
      found[#found + 1] = { logical_id = item.LogicalResourceId, physical_id = item.PhysicalResourceId,
        type = item.ResourceType, status = item.StackResourceDriftStatus, differences = differences }
    end
  end
  return found, { checked = #items, status = state.StackDriftStatus or "UNKNOWN",
    reason = state.DetectionStatusReason }
end

return drift
