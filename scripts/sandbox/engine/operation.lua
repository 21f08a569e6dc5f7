--- One operation on a stack (a create, a rollback, a delete): its id, its timers, and the events it records.
-- A stack has at most one; starting the next ends the one before.
--
-- The engine is a discrete simulation: nothing runs between two timers, so a status is changed by exactly one
-- function at a time, and equal times fire in the order in which they were set.

local text = require "tap.core.text"
local drift = require "sandbox.engine.drift"
local notifications = require "sandbox.engine.notifications"

local operation = {}

local Operation = {}
Operation.__index = Operation

-- After these, things may be changed behind the stack's back.
local DRIFTS = { CREATE_COMPLETE = true, UPDATE_COMPLETE = true }

local APPLIED_AFTER = 1 -- seconds until a configuration is applied, in express mode
local USUAL_SHARE = 0.5 -- of its duration after which a resource fails by a scenario
local STACK_TYPE = "AWS::CloudFormation::Stack"

local function milliseconds(seconds)
  return math.floor(seconds * 1000 + 0.5) / 1000
end

--- Begins an operation.
---@param world table { clock = { now, after }, store, report } of sandbox.start
---@param stack table
---@param kind string "CREATE_STACK", "UPDATE_STACK", "DELETE_STACK", "ROLLBACK"
---@param token string? the caller's ClientRequestToken; every event carries it
function operation.begin(world, stack, kind, token)
  if stack.operation then stack.operation:finish() end
  local self = setmetatable({
    world = world, stack = stack, kind = kind, token = token, id = stack.stream:uuid(), timers = {},
  }, Operation)
  stack.operation = self
  table.insert(stack.last_operations, 1, { OperationType = kind, OperationId = self.id })
  return self
end

-- How a status ends when the sandbox itself fails under it.
local CRASHED = {
  CREATE_IN_PROGRESS = "CREATE_FAILED", ROLLBACK_IN_PROGRESS = "ROLLBACK_FAILED",
  DELETE_IN_PROGRESS = "DELETE_FAILED", UPDATE_IN_PROGRESS = "UPDATE_FAILED",
  UPDATE_ROLLBACK_IN_PROGRESS = "UPDATE_ROLLBACK_FAILED",
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_COMPLETE",
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_ROLLBACK_COMPLETE",
}

local function crash(self, err)
  self.world.report(("%s of stack %s: %s"):format(self.kind, self.stack.name, err))
  self:finish()
  self:stack_event(CRASHED[self.stack.status] or self.stack.status, "Internal Failure")
end

--- Calls fn after some seconds, unless the operation ends before. An error in fn is a bug of the sandbox: it
-- is reported, and the stack ends in a failed state instead of hanging.
function Operation:after(seconds, fn)
  local timer
  local guarded = self:guard(fn)
  timer = self.world.clock.after(seconds, function()
    self.timers[timer] = nil
    guarded()
  end)
  self.timers[timer] = true
end

--- A function that calls fn unless the operation has ended by then: for what other operations tell this one.
function Operation:guard(fn)
  return function(...)
    if self.over then return end
    local arguments = table.pack(...)
    local ok, err = xpcall(function() fn(table.unpack(arguments, 1, arguments.n)) end,
      function(e) return debug.traceback(tostring(e), 2) end)
    if not ok then crash(self, err) end
  end
end

--- Calls fn after a time between `least` and `most` seconds.
function Operation:soon(least, most, fn)
  self:after(self.stack.stream:between(least, most), fn)
end

--- Lets a resource's action take its course, or what the scenario says instead.
---@param resource table
---@param action string "create", "update", "delete", "rollback"
---@param seconds number its usual duration
---@param course { done: fun(), failed: fun(reason: string) }
function Operation:act(resource, action, seconds, course)
  if self.stack.express then seconds = math.min(seconds, APPLIED_AFTER) end
  local verdict = self.world.scenario:verdict(self.stack.name, resource, action)
  if not verdict then return self:after(seconds, course.done) end
  if verdict.slow then return self:after(seconds * verdict.slow, course.done) end
  if verdict.hang then return end
  self:after(seconds * (verdict.at or USUAL_SHARE), function() course.failed(verdict.fail) end)
end

--- Forgets everything that was to happen.
function Operation:cancel_timers()
  for timer in pairs(self.timers) do timer:cancel() end
  self.timers = {}
end

--- Ends the operation: nothing more happens in its name.
function Operation:finish()
  self.over = true
  self:cancel_timers()
  if self.stack.operation == self then self.stack.operation = nil end
  if self.ended then self.ended(self.stack.status, self.why or self.stack.status_reason) end
end

local function record(self, event)
  local stack = self.stack
  event.StackId, event.StackName = stack.id, stack.name
  event.ClientRequestToken, event.OperationId = self.token, self.id
  stack.events[#stack.events + 1] = event
  notifications.tell(self.world, stack, event)
end

function Operation:now()
  return milliseconds(self.world.clock.now())
end

--- Sets the stack's status and its reason, and records both.
---@param status string
---@param reason string?
---@param detailed string? DetailedStatus
function Operation:stack_event(status, reason, detailed)
  local stack, now = self.stack, self:now()
  stack.status, stack.status_reason, stack.detailed_status = status, reason, detailed
  record(self, {
    EventId = stack.stream:time_uuid(now), Timestamp = now, LogicalResourceId = stack.name,
    PhysicalResourceId = stack.id, ResourceType = STACK_TYPE, ResourceStatus = status,
    ResourceStatusReason = reason, DetailedStatus = detailed,
  })
  if DRIFTS[status] then drift.happen(stack, self.world.scenario) end
end

--- Sets a resource's status and records it.
function Operation:resource_event(resource, status, reason, detailed)
  local now = self:now()
  if resource.status == status and now <= resource.changed then -- a fast clock: their ids must differ
    now = milliseconds(resource.changed + 0.001)
  end
  resource.status, resource.status_reason, resource.changed = status, reason, now
  record(self, {
    EventId = ("%s-%s-%s"):format(resource.logical, status, text.iso_time(now, true)), Timestamp = now,
    LogicalResourceId = resource.logical, PhysicalResourceId = resource.physical_id,
    ResourceType = resource.type, ResourceStatus = status, ResourceStatusReason = reason,
    DetailedStatus = detailed, ResourceProperties = resource.shown_properties,
  })
end

--- Records what happens to an old physical resource in a clean-up; its logical resource's status stays.
---@param old table { logical, type, physical_id }
function Operation:cleanup_event(old, status, reason)
  record(self, {
    EventId = old.logical .. "-" .. self.stack.stream:uuid(), Timestamp = self:now(),
    LogicalResourceId = old.logical, PhysicalResourceId = old.physical_id, ResourceType = old.type,
    ResourceStatus = status, ResourceStatusReason = reason,
  })
end

--- "[A, B]" of resources, sorted.
function operation.name_list(resources)
  local names = {}
  for i, resource in ipairs(resources) do names[i] = resource.logical end
  table.sort(names)
  return "[" .. table.concat(names, ", ") .. "]"
end

return operation
