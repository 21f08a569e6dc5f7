--- One CloudFormation stack: describe it, follow its events, wait for the end of an operation.
--
-- A stack that is being worked on is addressed by its id, so that it can still be described after it has been
-- deleted. Events are read newest first and reading stops at the first one already known: an account has
-- about five of these calls a second for everybody. Following an operation is tap.follow.

local errors = require "tap.error"
local task = require "tap.task"

local stack = {}
stack.__index = stack

local MAX_NESTING = 5
local SETTLING, SETTLING_INTERVAL = 10, 0.5 -- seconds in which a new stack becomes known everywhere

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

--- Does the error say that there is no such stack?
---@param e table
---@return boolean
function stack.is_missing(e)
  return e.code == "ValidationError" and tostring(e.message):find("does not exist", 1, true) ~= nil
end

--- The stack as DescribeStacks gives it; nil when there is none. Remembers its id, and what it saw as `last`.
---@return table?
function stack:describe()
  local answer, e = errors.try(self.cfn.describe_stacks, self.cfn, { StackName = self:key() })
  if not answer then
    if stack.is_missing(e) then return nil end
    error(e, 0)
  end
  local found = answer.Stacks[1]
  self.id, self.last = found.StackId, found
  return found
end

--- The same, raising when there is none. One whose id an answer has told exists, if not everywhere yet: it is asked for
-- again for a moment.
---@return table
function stack:must_describe()
  local deadline = task.monotonic() + (self.id and SETTLING or 0)
  local found = self:describe()
  while not found and task.monotonic() < deadline do
    task.sleep(SETTLING_INTERVAL)
    found = self:describe()
  end
  if found then return found end
  return errors.raise { class = "failed", code = "NoSuchStack",
    message = ("Stack %s does not exist in %s"):format(self.name, self.cfn:region() or "this region") }
end

--- Its resources, also those of a stack that is gone and known by its id. All of them: DescribeStackResources would
-- stop at a hundred.
---@return table[] as ListStackResources gives them
function stack:resources()
  local list = {}
  for resource in self.cfn:each("list_stack_resources", { StackName = self:key() }) do list[#list + 1] = resource end
  return list
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
---@param since number? seconds since 1970: older ones are left out, and not looked for
---@return table[] as DescribeStackEvents gives them
function stack:new_events(since)
  local fresh, token, newest = {}, nil, nil
  repeat
    local page, details = self.cfn:describe_stack_events({ StackName = self:key(), NextToken = token },
      { unless = not token and self.newest_page or nil })
    if not page then return {} end
    newest, token = newest or details.answer, page.NextToken
    for _, event in ipairs(page.StackEvents or {}) do
      if self.known[event.EventId] or since and event.Timestamp < since then
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
  self.newest_page = newest
  return ordered
end

--- Marks everything that has happened so far as known: the newest page is enough, since reading stops at the
-- first event that is.
function stack:skip_events()
  local page, e = errors.try(self.cfn.describe_stack_events, self.cfn, { StackName = self:key() })
  if e and not stack.is_missing(e) then error(e, 0) end
  for _, event in ipairs(page and page.StackEvents or {}) do self.known[event.EventId] = true end
end

-- A stack's own statuses with which an operation begins.
local BEGINNINGS = { CREATE_IN_PROGRESS = true, UPDATE_IN_PROGRESS = true, DELETE_IN_PROGRESS = true,
  IMPORT_IN_PROGRESS = true, REVIEW_IN_PROGRESS = true }

--- Is this the event with which an operation of the stack begins?
---@param event table
---@return boolean
function stack.begins_operation(event)
  return BEGINNINGS[event.ResourceStatus] == true and stack.is_own_event(event) and not event.DetailedStatus
end

--- The events of the operation that is at work, or was the last one, oldest first, its way back included; all of them
-- are known then.
---@return table[]
function stack:operation_events()
  local found, token = {}, nil
  repeat
    local page = self.cfn:describe_stack_events { StackName = self:key(), NextToken = token }
    token = page.NextToken
    for _, event in ipairs(page.StackEvents or {}) do
      found[#found + 1] = event
      if stack.begins_operation(event) then
        token = nil
        break
      end
    end
  until not token
  local ordered = {}
  for index = #found, 1, -1 do
    ordered[#ordered + 1] = found[index]
    self.known[found[index].EventId] = true
  end
  return ordered
end

--- Is this the event of the stack itself, not of one of its resources?
---@param event table
---@return boolean
function stack.is_own_event(event)
  return event.ResourceType == "AWS::CloudFormation::Stack" and event.PhysicalResourceId == event.StackId
end

--- Waits until no operation is at work on the stack, and tells its events as they come.
---@param options table as of tap.follow
---@return table description as DescribeStacks gives it
---@return table[] events of this wait, those of nested stacks included, oldest first
function stack:wait(options)
  return require("tap.follow").wait(self, options)
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
local function nested_failures(self, event, depth, since)
  if event.ResourceType ~= "AWS::CloudFormation::Stack" or depth >= MAX_NESTING then return {} end
  if (event.PhysicalResourceId or "") == "" then return {} end
  local child = stack.new(self.cfn, event.PhysicalResourceId)
  local events = errors.try(child.new_events, child, since)
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
    if is_real_failure(event) and (not self.id or event.StackId == self.id) then
      local inner = nested_failures(self, event, depth or 0, events[1].Timestamp)
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
