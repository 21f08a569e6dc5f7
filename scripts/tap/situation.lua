--- What a stack is in: its status, what failed and why, which resources are left in which state, nested stacks
-- included. All that recover and its runbooks decide by; reading it changes nothing.

local failure = require "tap.failure"
local json = require "tap.core.json"
local stacks = require "tap.stack"
local status = require "tap.status"

local situation = {}

local NESTED = "AWS::CloudFormation::Stack"
local MAX_NESTING = 5

---@class tap.Situation
---@field ctx tap.Context
---@field p table recover's values
---@field cfn table client of CloudFormation
---@field stack table tap.stack
---@field name string
---@field id string
---@field description table as DescribeStacks gives it
---@field status string
---@field events table[] of the last operation
---@field failures table[] as tap.failure describes them
---@field resources table[] as ListStackResources gives them
---@field target table tap.target
---@field drifted table[] as tap.drift finds it; empty when nobody asked
---@field template table? tap.template, when the command names one
local methods = {}
methods.__index = methods

--- Reads it.
---@param ctx tap.Context
---@param p table
---@param cfn table
---@param stack table tap.stack whose description has been read
---@param description table
---@param template table?
---@return tap.Situation
function situation.read(ctx, p, cfn, stack, description, template)
  stack.name = description.StackName
  local events = stack:operation_events()
  return setmetatable({ ctx = ctx, p = p, cfn = cfn, stack = stack, description = description, template = template,
    name = description.StackName, id = description.StackId, status = description.StackStatus, events = events,
    failures = failure.of(stack, events, template), resources = stack:resources() }, methods)
end

--- The resources that are in a status.
---@param pattern string
---@return table[]
function methods:resources_in(pattern)
  local found = {}
  for _, resource in ipairs(self.resources) do
    if resource.ResourceStatus:find(pattern) then found[#found + 1] = resource end
  end
  return found
end

local CANCELLED = "^Resource update cancelled"

-- The resources that failed on the way back, by logical id: what failed in the update itself, or was only cancelled,
-- can still go back.
local function failed_to_go_back(events)
  local failed, back = {}, false
  for _, event in ipairs(events) do
    if stacks.is_own_event(event) then
      if event.ResourceStatus == "UPDATE_ROLLBACK_IN_PROGRESS" then failed, back = {}, true end
    elseif back and event.ResourceStatus == "UPDATE_FAILED"
      and not (event.ResourceStatusReason or ""):find(CANCELLED) then
      failed[event.LogicalResourceId] = true
    end
  end
  return failed
end

local function add_skips(cfn, resources, events, prefix, depth, into)
  local failed = failed_to_go_back(events)
  for _, resource in ipairs(resources) do
    if failed[resource.LogicalResourceId] and resource.ResourceStatus == "UPDATE_FAILED" then
      local child_id = resource.ResourceType == NESTED and resource.PhysicalResourceId
      local child = child_id and stacks.new(cfn, child_id)
      local description = child and depth < MAX_NESTING and child:describe()
      if description and description.StackStatus == "UPDATE_ROLLBACK_FAILED" then
        add_skips(cfn, child:resources(), child:operation_events(),
          description.StackName .. ".", depth + 1, into)
      else
        into[#into + 1] = prefix .. resource.LogicalResourceId
      end
    end
  end
  return into
end

--- The smallest list for ContinueUpdateRollback's ResourcesToSkip: what failed to go back, those of nested stacks by
-- their form, STACK.RESOURCE.
---@return string[]
function methods:resources_to_skip()
  return json.list(add_skips(self.cfn, self.resources, self.events, "", 0, {}))
end

--- What the operation waits for: resources at work, the longest first.
---@return { logical_id: string, type: string, since: number }[]
function methods:at_work()
  local since = {}
  for _, event in ipairs(self.events) do
    local key = event.LogicalResourceId
    if stacks.is_own_event(event) then
      since[key] = nil
    elseif event.ResourceStatus:find("_IN_PROGRESS$") then
      since[key] = since[key] or { logical_id = key, type = event.ResourceType, since = event.Timestamp }
    else
      since[key] = nil
    end
  end
  local list = json.list {}
  for _, item in pairs(since) do list[#list + 1] = item end
  table.sort(list, function(a, b) return a.since < b.since end)
  return list
end

--- Is an operation at work?
---@return boolean
function methods:is_at_work()
  return not status.settled(self.status)
end

--- The stack as it is now.
---@return table description
function methods:refresh()
  self.description = self.stack:must_describe()
  self.status = self.description.StackStatus
  self.resources = self.stack:resources()
  return self.description
end

return situation
