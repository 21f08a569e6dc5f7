--- Drift: what differs between a stack's template and what its resources really are. A stack file's `ignore_drift` says
-- which differences somebody knows of, and why they stay:
--
--     ignore_drift = {
--       ["Queue/VisibilityTimeout"] = { actual = "60", note = "until the consumer is faster" }, -- only while it is 60
--       ["Logs"] = "retention is set by the audit team", -- whatever differs there
--     }

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

-- The entry for a difference: that of its own path, of a path above it, or of the whole resource.
local function entry_for(ignore, path)
  while path do
    local entry = ignore[path]
    if entry then return type(entry) == "table" and entry or { note = entry } end
    path = path:match "^(.+)/[^/]*$"
  end
  return nil
end

-- The note for a difference that is known; nil when nobody knows it, or when it has changed since.
local function note_for(ignore, path, actual)
  local entry = entry_for(ignore, path)
  if not entry or entry.actual and entry.actual ~= actual then return nil end
  return entry.note
end

-- Takes what is known out of a resource's differences; true when nothing is left.
local function set_aside(found, ignore, ignored)
  local kept = json.list {}
  local function judge(path, actual, difference)
    local note = note_for(ignore, path, actual)
    if note then ignored[#ignored + 1] = { path = path, actual = actual, note = note } end
    if not note and difference then kept[#kept + 1] = difference end
    return note ~= nil
  end
  if found.status == "DELETED" then return judge(found.logical_id, "DELETED") end
  for _, difference in ipairs(found.differences) do
    judge(found.logical_id .. difference.path, difference.actual, difference)
  end
  found.differences = kept
  return #kept == 0
end

--- The key and the entry with which `ignore_drift` would know a resource's differences from now on, as Lua.
---@param found table as drift.detect gives it
---@return string[] lines
function drift.ignore_lines(found)
  local lines = {}
  local function add(path, actual)
    lines[#lines + 1] = ('["%s"] = { actual = %q, note = "why, and until when" },'):format(path, actual or "")
  end
  if found.status == "DELETED" then add(found.logical_id, "DELETED") end
  for _, difference in ipairs(found.differences) do add(found.logical_id .. difference.path, difference.actual) end
  return lines
end

--- Looks whether the resources of a stack are what the template says. Types that CloudFormation cannot
-- check are left out, as the service leaves them out.
---@param cfn table a client of CloudFormation
---@param stack string name or id
---@param ignore table<string, string | { actual: string?, note: string }>? the stack file's `ignore_drift`
---@return { logical_id: string, physical_id: string, type: string, status: "MODIFIED"|"DELETED",
---  differences: { path: string, kind: string, expected: string, actual: string }[] }[] drifted
---@return { checked: integer, status: string, reason: string?, ignored: { path: string, actual: string,
---  note: string }[] } about what was looked at
function drift.detect(cfn, stack, ignore)
  local state = run_detection(cfn, stack)
  if state.DetectionStatus == "DETECTION_FAILED" and state.StackDriftStatus == nil then
    errors.raise { class = "failed", code = "DriftDetectionFailed",
      message = ("%s: drift detection failed: %s"):format(stack, state.DetectionStatusReason or "no reason given") }
  end
  local drifted, ignored, items = json.list {}, json.list {}, read_drifts(cfn, stack)
  for _, item in ipairs(items) do
    if item.StackResourceDriftStatus == "MODIFIED" or item.StackResourceDriftStatus == "DELETED" then
      local found = { logical_id = item.LogicalResourceId, physical_id = item.PhysicalResourceId,
        type = item.ResourceType, status = item.StackResourceDriftStatus, differences = json.list {} }
      for index, difference in ipairs(item.PropertyDifferences or {}) do
        found.differences[index] = describe_difference(difference)
      end
      if not ignore or not set_aside(found, ignore, ignored) then drifted[#drifted + 1] = found end
    end
  end
  return drifted, { checked = #items, status = state.StackDriftStatus or "UNKNOWN",
    reason = state.DetectionStatusReason, ignored = ignored }
end

return drift
