--- One CloudFormation stack: describe it, follow its events, wait for the end of an operation.
--
-- A stack that is being worked on is addressed by its id, so that it can still be described after it has been
-- deleted. Events are read newest first and reading stops at the first one already known: an account has
-- about five of these calls a second for everybody. What goes wrong between here and AWS while an operation
-- is at work does not end the wait, because it does not end the operation.

local errors = require "tap.error"
local status = require "tap.status"
local task = require "tap.task"
local util = require "tap.util"

local stack = {}
stack.__index = stack

local FIRST_INTERVAL, LAST_INTERVAL, GROWTH = 0.5, 5, 1.2 -- seconds between two polls
local DESCRIBE_EVERY = 10 -- polls: in case the event that ends an operation is never seen
local PATIENCE = 300 -- seconds of nothing but network trouble before the wait gives up
local BIRTH = 30 -- seconds in which a stack that was just made may be unknown to the calls that read it
local MAX_NESTING = 5

--- @param cfn table a client of "cloudformation"
--- @param name string the stack's name or id
--- @return table
function stack.new(cfn, name)
  return setmetatable({ cfn = cfn, name = name, id = nil, known = {} }, stack)
end

--- What calls name the stack by.
---@return string
function stack:key()
  return self.id or self.name
end

local function is_missing(e)
  return e.code == "ValidationError" and tostring(e.message):find("does not exist", 1, true) ~= nil
end

--- The stack as DescribeStacks gives it; nil when there is none. Remembers its id.
---@return table?
function stack:describe()
  local answer, e = errors.try(self.cfn.describe_stacks, self.cfn, { StackName = self:key() })
  if not answer then
    if is_missing(e) then return nil end
    error(e, 0)
  end
  local found = answer.Stacks[1]
  self.id = found.StackId
  return found
end

--- The same, raising when there is none.
---@return table
function stack:must_describe()
  local found = self:describe()
  if found then return found end
  return errors.raise { class = "failed", code = "NoSuchStack",
    message = ("Stack %s does not exist in %s"):format(self.name, self.cfn:region() or "this region") }
end

--- OutputKey -> value, in the stack's order.
---@param description table as describe gives it
---@return { key: string, value: string, description: string?, export: string? }[]
function stack.outputs(description)
  local outputs = {}
  for index, output in ipairs(description.Outputs or {}) do
    outputs[index] = { key = output.OutputKey, value = output.OutputValue, description = output.Description,
      export = output.ExportName }
  end
  return outputs
end

--- The events that have come since the last call, oldest first. The first call reads all of them.
---@return table[] as DescribeStackEvents gives them
function stack:new_events()
  local fresh, token = {}, nil
  repeat
    local page = self.cfn:describe_stack_events { StackName = self:key(), NextToken = token }
    token = page.NextToken
    for _, event in ipairs(page.StackEvents or {}) do
      if self.known[event.EventId] then
        token = nil
        break
      end
      fresh[#fresh + 1] = event
    end
  until not token
  local ordered = {}
  for index = #fresh, 1, -1 do
    ordered[#ordered + 1] = fresh[index]
    self.known[fresh[index].EventId] = true
  end
  return ordered
end

--- Marks everything that has happened so far as known.
function stack:skip_events()
  self:new_events()
end

--- Is this the event of the stack itself, not of one of its resources?
---@param event table
---@return boolean
function stack.is_own_event(event)
  return event.ResourceType == "AWS::CloudFormation::Stack" and event.PhysicalResourceId == event.StackId
end

---------------------------------------------------------------------------------------------------------
-- Waiting

local function is_passing(e) -- trouble on the way to AWS, or AWS asking for patience
  return e.class == "network" or e.class == "timeout" or e.retryable or (e.status or 0) >= 500
end

local function raise_timeout(self, verb, limit)
  errors.raise { class = "timeout", code = "OperationTimeout",
    message = ("%s: the %s did not end within %s"):format(self.name, verb, util.show_duration(limit)) }
end

--- One look: tells new events; true when they say that the operation has ended.
local function poll(self, options, seen)
  local ended = false
  for _, event in ipairs(self:new_events()) do
    seen[#seen + 1] = event
    if options.on_event then options.on_event(event) end
    if stack.is_own_event(event) then ended = status.settled(event.ResourceStatus) end
  end
  return ended
end

--- Polls once; the description when the operation has ended. Passing trouble is told and outlived.
local function look(self, options, seen, round)
  local ended = poll(self, options, seen)
  if not ended and round % DESCRIBE_EVERY ~= 0 then return nil end
  local description = self:must_describe()
  if not status.settled(description.StackStatus) then return nil end
  poll(self, options, seen)
  return description
end

--- Waits until no operation is at work on the stack, and tells its events as they come.
---@param options { verb: string, timeout: number?, on_event: fun(event: table)?, on_trouble: fun(e: table)? }
---  verb: "create", for messages; timeout in seconds, then an error of class "timeout"
---@return table description as DescribeStacks gives it
---@return table[] events of this wait, oldest first
function stack:wait(options)
  local seen, interval, round = {}, FIRST_INTERVAL, 0
  local began = task.monotonic()
  local trouble_since
  while true do
    round = round + 1
    local description, e = errors.try(look, self, options, seen, round)
    if description then return description, seen end
    local now = task.monotonic()
    trouble_since = e and (trouble_since or now) or nil
    if e and not (is_missing(e) and now - began < BIRTH) then
      if not is_passing(e) or now - trouble_since > PATIENCE then error(e, 0) end
      if options.on_trouble then options.on_trouble(e) end
    end
    local left = options.timeout and began + options.timeout - now or math.huge
    if left < 0.001 then raise_timeout(self, options.verb, options.timeout) end -- the clock's own unit
    task.sleep(math.min(interval, left))
    interval = math.min(interval * GROWTH, LAST_INTERVAL)
  end
end

---------------------------------------------------------------------------------------------------------
-- Why it failed

local CANCELLED = {
  "^Resource creation cancelled", "^Resource update cancelled", "^Resource deletion cancelled",
}

local function is_real_failure(event)
  if not event.ResourceStatus:find("_FAILED$") or stack.is_own_event(event) then return false end
  for _, pattern in ipairs(CANCELLED) do
    if (event.ResourceStatusReason or ""):find(pattern) then return false end
  end
  return true
end

-- What failed inside a nested stack that failed; empty when that cannot be read.
local function nested_failures(self, event, depth)
  if event.ResourceType ~= "AWS::CloudFormation::Stack" or depth >= MAX_NESTING then return {} end
  if (event.PhysicalResourceId or "") == "" then return {} end
  local child = stack.new(self.cfn, event.PhysicalResourceId)
  local events = errors.try(child.new_events, child)
  return events and child:failures(events, depth + 1) or {}
end

--- The resources that failed by themselves, in the order of their failing; those that were only cancelled
-- because of them are left out. A failed nested stack is replaced by what failed in it.
---@param events table[] oldest first
---@param depth integer?
---@return table[] events
function stack:failures(events, depth)
  local found = {}
  for _, event in ipairs(events) do
    if is_real_failure(event) then
      local inner = nested_failures(self, event, depth or 0)
      if #inner == 0 then inner = { event } end
      table.move(inner, 1, #inner, #found + 1, found)
    end
  end
  return found
end

--- The reason that the stack itself gave for turning round; for failures without any failed resource.
---@param events table[] oldest first
---@return string?
function stack.own_reason(events)
  for _, event in ipairs(events) do
    local turned = event.ResourceStatus:find("ROLLBACK") or event.ResourceStatus:find("_FAILED$")
    if turned and stack.is_own_event(event) and event.ResourceStatusReason then
      return event.ResourceStatusReason
    end
  end
  return nil
end

return stack
