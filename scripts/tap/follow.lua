--- Follows an operation to its end: polls, tells the events of the stack and of the stacks nested in it in the order of
-- time, and minds the limits. What goes wrong between here and AWS does not end it, because it does not end the
-- operation.

local budget = require "tap.budget"
local errors = require "tap.error"
local status = require "tap.status"
local task = require "tap.task"
local util = require "tap.util"

local follow = {}

-- A look comes after an eighth of the time that has passed: a stack of seconds is told at once, one of an hour costs
-- little.
local LEAST_INTERVAL, MOST_INTERVAL, SHARE = 0.4, 4.8, 0.12
local DESCRIBE_EVERY = 10 -- looks: in case the event that ends an operation is never seen
local PATIENCE = 300 -- seconds of nothing but network trouble before the wait gives up
local BIRTH = 30 -- seconds in which a stack that was just made may be unknown to the calls that read it
local TELL_EVERY = 60 -- seconds between two lines about trouble
local NESTED = "AWS::CloudFormation::Stack"

---@class tap.Follower
---@field stack table the root
---@field options table
---@field seen table[] events so far
---@field children table<string, { stack: table, depth: integer, ended: boolean }> by stack id
---@field working table<string, { event: table, since: number }> resources at work, by stack and logical id
---@field since number? server's time of the first event

local function is_passing(e) -- trouble on the way to AWS, or AWS asking for patience
  return e.class == "network" or e.class == "timeout" or e.retryable or (e.status or 0) >= 500
end

local function is_own(event)
  return event.ResourceType == NESTED and event.PhysicalResourceId == event.StackId
end

---------------------------------------------------------------------------------------------------------
-- Events

-- A nested stack at work is followed, too, from now on; one that has ended is read once more.
local function note_child(self, event, depth)
  local id = event.PhysicalResourceId or ""
  if event.ResourceType ~= NESTED or is_own(event) or not id:find("^arn:") then return end
  local at_work = event.ResourceStatus:find("_IN_PROGRESS$") ~= nil
  local child = self.children[id]
  if not child then
    local stack = require("tap.stack").new(self.stack.cfn, id)
    stack.id = id
    child = { stack = stack, depth = depth + 1 }
    self.children[id], self.order[#self.order + 1] = child, child
  end
  child.ended = not at_work
end

-- New events of one stack, with their depth; those of a child that cannot be read are done without.
local function read(self, stack, depth, into)
  budget.take()
  local events
  if depth == 0 then
    events = stack:new_events()
  else
    events = errors.try(stack.new_events, stack, self.since) or {}
  end
  for _, event in ipairs(events) do
    self.since = self.since or event.Timestamp
    into[#into + 1] = { event = event, depth = depth, order = #into }
    note_child(self, event, depth)
  end
end

local function by_time(a, b)
  if a.event.Timestamp ~= b.event.Timestamp then return a.event.Timestamp < b.event.Timestamp end
  return a.order < b.order
end

local function note_work(self, event)
  local key = event.StackId .. " " .. event.LogicalResourceId
  if event.ResourceStatus:find("_IN_PROGRESS$") then
    self.working[key] = self.working[key] or { event = event, since = task.monotonic() }
  else
    self.working[key] = nil
  end
end

-- An event that was told before this wait began.
local function take(self, event, depth)
  self.since = self.since or event.Timestamp
  self.seen[#self.seen + 1] = event
  note_child(self, event, depth)
  note_work(self, event)
end

-- One look: tells new events; true when they say that the operation has ended.
local function poll(self)
  local batch, ended = {}, false
  read(self, self.stack, 0, batch)
  local index = 1
  while index <= #self.order do -- grows while it runs: children have children
    local child = self.order[index]
    if not child.done then
      child.done = child.ended
      read(self, child.stack, child.depth, batch)
    end
    index = index + 1
  end
  table.sort(batch, by_time)
  for _, item in ipairs(batch) do
    self.seen[#self.seen + 1] = item.event
    note_work(self, item.event)
    if self.options.on_event then self.options.on_event(item.event, item.depth) end
    if item.depth == 0 and is_own(item.event) then ended = status.settled(item.event.ResourceStatus) end
  end
  return ended
end

-- Polls once; the description when the operation has ended.
local function look(self, round)
  local ended = poll(self)
  if not ended and round % DESCRIBE_EVERY ~= 0 then return nil end
  budget.take()
  local description = self.stack:must_describe()
  if not status.settled(description.StackStatus) then return nil end
  poll(self)
  return description
end

---------------------------------------------------------------------------------------------------------
-- Limits

local function raise_timeout(self, what, limit)
  errors.raise { class = "timeout", code = "OperationTimeout", message = ("%s: %s did not end within %s"):format(
    self.stack.name, what, util.show_duration(limit)) }
end

-- The resource that has been at work for longer than its type may be; nil when none has.
local function overdue(self, now)
  for _, work in pairs(self.working) do
    local limit = self.options.resource_limits and self.options.resource_limits[work.event.ResourceType]
    if limit and now - work.since > limit then return work.event, limit end
  end
  return nil
end

-- At a limit the caller may do something about it (cancel the update) and wait on, once; else the wait ends.
local function mind_limits(self, began, now)
  if self.acted then return math.huge end
  local left = self.options.timeout and began + self.options.timeout - now or math.huge
  local what, limit = "the " .. self.options.verb, self.options.timeout
  local late, late_limit = overdue(self, now)
  if late then
    left, what, limit = 0, ("%s (%s)"):format(late.LogicalResourceId, late.ResourceType), late_limit
  end
  if left >= 0.001 then return left end -- the clock's own unit
  self.acted = self.options.on_limit and self.options.on_limit(what, limit)
  if not self.acted then raise_timeout(self, what, limit) end
  return math.huge
end

-- Tells trouble when it begins, and again each minute that it goes on: a line a look would bury the events.
local function tell_trouble(self, e, now)
  if not self.options.on_trouble or now - (self.told_at or -math.huge) < TELL_EVERY then return end
  self.told_at = now
  self.options.on_trouble(e)
end

--- Waits until no operation is at work on the stack, and tells its events as they come.
---@param stack table tap.stack
---@param options { verb: string, timeout: number?, resource_limits: table<string, number>?,
---  on_limit: (fun(what: string, limit: number): boolean)?, on_event: fun(event: table, depth: integer)?,
---  on_trouble: fun(e: table)?, on_tick: fun()?, past: table[]? } verb: "create", for messages; timeout in seconds,
---  then an error of class "timeout", unless on_limit says that it has done something that ends the operation;
---  resource_limits: the same for each resource of a type; on_tick: after each look; past: the operation's events
---  that are known
---@return table description as DescribeStacks gives it
---@return table[] events of this wait, those of nested stacks included, oldest first
function follow.wait(stack, options)
  local self = { stack = stack, options = options, seen = {}, children = {}, order = {}, working = {} }
  for _, event in ipairs(options.past or {}) do take(self, event, 0) end
  local round, began, trouble_since = 0, task.monotonic(), nil
  while true do
    round = round + 1
    local description, e = errors.try(look, self, round)
    if description then return description, self.seen end
    local now = task.monotonic()
    trouble_since = e and (trouble_since or now) or nil
    if e and not (stack.is_missing(e) and now - began < BIRTH) then
      if not is_passing(e) or now - trouble_since > PATIENCE then error(e, 0) end
      budget.slow_down()
      tell_trouble(self, e, now)
    end
    if options.on_tick then options.on_tick() end
    local left = mind_limits(self, began, now)
    local interval = math.max(LEAST_INTERVAL, math.min((now - began) * SHARE, MOST_INTERVAL))
    task.sleep(math.min(interval, left))
  end
end

return follow
