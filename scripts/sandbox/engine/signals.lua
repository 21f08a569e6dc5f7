--- Signals: a resource may wait for some number of them, within a time (reference parts 2.8 and 6.3). Wait
-- conditions do, and instances and groups with a CreationPolicy. What boots signals by itself, unless a scenario
-- lets it hang; SignalResource brings signals, too.

local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"

local signals = {}

local DEFAULT_TIMEOUT = "PT5M"
local CONDITION_TIMED_OUT = "WaitCondition timed out. Received %d conditions when expecting %d"
local CONDITION_FAILED = "WaitCondition received failed message: '%s' for uniqueId: %s"
local NOT_RECEIVED = "Failed to receive %d resource signal(s) within the specified duration"
local BATCH_TIMED_OUT = "Failed to receive %d resource signal(s) for the current batch.  Each resource signal "
  .. "timeout is counted as a FAILURE."
local TOO_FEW = "Received %d SUCCESS signal(s) out of %d.  Unable to satisfy %d%% MinSuccessfulInstancesPercent "
  .. "requirement"
local RECEIVED = "Received %s signal with UniqueId %s"

local function finish(awaits, how, ...)
  awaits.resource.awaits = nil
  awaits.course[how](...)
end

-- Are the successes enough, now that no more signals are expected?
local function judge(awaits)
  if awaits.successes * 100 >= awaits.percent * awaits.count then return finish(awaits, "done") end
  finish(awaits, "failed", TOO_FEW:format(awaits.successes, awaits.count, awaits.percent))
end

-- What happens to those that wait: with a failure signal, and when time is up.
local KINDS = {
  condition = {
    failure = function(awaits, id) finish(awaits, "failed", CONDITION_FAILED:format("FAILURE", id)) end,
    timeout = function(awaits) finish(awaits, "failed", CONDITION_TIMED_OUT:format(awaits.received, awaits.count)) end,
  },
  instance = {
    failure = function(awaits, id) finish(awaits, "failed", RECEIVED:format("FAILURE", id)) end,
    timeout = function(awaits) finish(awaits, "failed", NOT_RECEIVED:format(awaits.count - awaits.received)) end,
  },
  group = {
    failure = function(awaits)
      if awaits.received >= awaits.count then judge(awaits) end
    end,
    timeout = function(awaits)
      local missing = BATCH_TIMED_OUT:format(awaits.count - awaits.received)
      awaits.op:resource_event(awaits.resource, awaits.resource.status, missing)
      judge(awaits)
    end,
  },
}

-- "PT1H30M" in seconds.
local function duration(text)
  local hours, minutes, seconds = text:match("(%d+)H"), text:match("(%d+)M"), text:match("(%d+)S")
  return (tonumber(hours) or 0) * 3600 + (tonumber(minutes) or 0) * 60 + (tonumber(seconds) or 0)
end

-- How many signals a resource waits for and how long; nil when it waits for none.
local function wanted(resource)
  local record, policies = catalog.of(resource.type).signals, resource.definition.CreationPolicy or {}
  local policy = policies.ResourceSignal
  if not record or not policy and record.senders then return nil end
  local properties = policy and { Count = policy.Count, Timeout = duration(policy.Timeout or DEFAULT_TIMEOUT) }
    or resource.properties
  local count = tonumber(properties.Count or "1")
  if not count or count < 1 then return nil end
  local percent = (policies.AutoScalingCreationPolicy or {}).MinSuccessfulInstancesPercent
  return {
    resource = resource, count = math.tointeger(count) or 1, percent = math.tointeger(tonumber(percent)) or 100,
    seconds = tonumber(properties.Timeout or record.longest), by_id = {}, received = 0, successes = 0,
    kind = KINDS[policy and record.kind == "condition" and "instance" or record.kind], senders = record.senders,
  }
end

local function take(awaits, id, status)
  local resource = awaits.resource
  if not awaits.by_id[id] then awaits.received = awaits.received + 1 end
  awaits.successes = awaits.successes + (status == "SUCCESS" and 1 or awaits.by_id[id] and -1 or 0)
  awaits.by_id[id] = status
  resource.signal_data = resource.signal_data or {}
  resource.signal_data[id] = status
  awaits.op:resource_event(resource, resource.status, RECEIVED:format(status, id))
  if status == "FAILURE" then return awaits.kind.failure(awaits, id) end
  if awaits.received >= awaits.count then judge(awaits) end
end

-- What boots signals when it has booted.
local function boot(awaits, seconds)
  awaits.op:act(awaits.resource, "create", seconds, {
    done = function()
      for _, id in ipairs(awaits.senders(awaits.resource, awaits.op)) do
        if awaits.resource.awaits == awaits then take(awaits, id, "SUCCESS") end
      end
    end,
    failed = function(reason)
      if awaits.resource.awaits == awaits then finish(awaits, "failed", reason) end
    end,
  })
end

--- Lets a resource wait for its signals. False when it waits for none.
---@param course { done: fun(), failed: fun(reason: string) }
---@param seconds number until what boots has booted
---@return boolean
function signals.awaited(op, resource, course, seconds)
  local awaits = wanted(resource)
  if not awaits then return false end
  awaits.course, awaits.op = course, op
  resource.awaits = awaits
  op:after(awaits.seconds, function()
    if resource.awaits == awaits then awaits.kind.timeout(awaits) end
  end)
  if awaits.senders then boot(awaits, seconds) end
  return true
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
  take(awaits, id, status)
end

return signals
