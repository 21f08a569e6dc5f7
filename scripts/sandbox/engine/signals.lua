--- Signals: a resource may wait for some number of them, within a time (reference parts 2.8 and 6.3). Wait
-- conditions do; SignalResource brings signals.

local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"

local signals = {}

local TIMED_OUT = "WaitCondition timed out. Received %d conditions when expecting %d"
local NO_SIGNAL = "Failed to receive %d resource signal(s) within the specified duration"

-- "PT1H30M" in seconds.
local function duration(text)
  local hours, minutes, seconds = text:match("(%d+)H"), text:match("(%d+)M"), text:match("(%d+)S")
  return (tonumber(hours) or 0) * 3600 + (tonumber(minutes) or 0) * 60 + (tonumber(seconds) or 0)
end

-- How many signals a resource waits for and how long; nil when it waits for none.
local function wanted(resource)
  local policy = (resource.definition.CreationPolicy or {}).ResourceSignal
  local is_condition = catalog.of(resource.type).signals
  if not is_condition then return nil end -- others boot in their time, and signal by themselves
  local count, seconds, text
  if policy then
    count, seconds, text = tonumber(policy.Count or "1"), duration(policy.Timeout or "PT5M"), NO_SIGNAL
  else
    count = tonumber(resource.properties.Count or "1")
    seconds, text = tonumber(resource.properties.Timeout or is_condition.longest), TIMED_OUT
  end
  if not count or count < 1 then return nil end
  return { count = math.tointeger(count) or 1, seconds = seconds, text = text, by_id = {}, received = 0 }
end

local function timeout_text(awaits)
  if awaits.text == TIMED_OUT then return TIMED_OUT:format(awaits.received, awaits.count) end
  return NO_SIGNAL:format(awaits.count - awaits.received)
end

--- Lets a resource wait for its signals. False when it waits for none.
---@param course { done: fun(), failed: fun(reason: string) }
---@return boolean
function signals.awaited(op, resource, course)
  local awaits = wanted(resource)
  if not awaits then return false end
  awaits.course, awaits.op = course, op
  resource.awaits = awaits
  op:after(awaits.seconds, function()
    if resource.awaits ~= awaits then return end
    resource.awaits = nil
    course.failed(timeout_text(awaits))
  end)
  return true
end

local function finish(resource, how, ...)
  local course = resource.awaits.course
  resource.awaits = nil
  course[how](...)
end

--- Brings a signal to a resource. Raises ValidationError when it takes none.
---@param id string UniqueId
---@param status string "SUCCESS" or "FAILURE"
function signals.receive(resource, id, status)
  local awaits = resource.awaits
  if not awaits then
    fault.validation("Resource %s is in %s state and can not be signaled.", resource.logical, resource.status)
  elseif awaits.by_id[id] and status ~= "FAILURE" then
    fault.validation("Signal with ID %s for resource %s already exists. Signals may only be updated with a "
      .. "FAILURE status.", id, resource.logical)
  end
  awaits.by_id[id], awaits.received = status, awaits.received + 1
  resource.signal_data = resource.signal_data or {}
  resource.signal_data[id] = status
  awaits.op:resource_event(resource, resource.status, ("Received %s signal with UniqueId %s"):format(status,
    id))
  if status == "FAILURE" then
    return finish(resource, "failed", ("WaitCondition received failed message: '%s' for uniqueId: %s"):format(
      status, id))
  end
  if awaits.received >= awaits.count then finish(resource, "done") end
end

return signals
