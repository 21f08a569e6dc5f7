--- What a stack's events say to the topics of its NotificationARNs: one message an event, lines of
-- Key='value' (reference part 8).

local sns = require "sandbox.services.sns"
local text = require "tap.core.text"

local notifications = {}

local SUBJECT = "AWS CloudFormation Notification"

-- The lines of a message, in the service's order. A resource without a physical id has no line for it.
local function lines_of(stack, event)
  local properties = event.ResourceProperties
  return {
    { "StackId", stack.id }, { "Timestamp", text.iso_time(event.Timestamp, true) }, { "EventId",
      event.EventId },
    { "LogicalResourceId", event.LogicalResourceId }, { "Namespace", stack.region.account },
    { "PhysicalResourceId", event.PhysicalResourceId ~= "" and event.PhysicalResourceId or nil },
    { "PrincipalId", stack.principal or "" },
    { "ResourceProperties", properties and properties .. "\n" or "null" },
    { "ResourceStatus", event.ResourceStatus }, { "ResourceStatusReason", event.ResourceStatusReason or "" },
    { "ResourceType", event.ResourceType }, { "StackName", stack.name },
    { "ClientRequestToken", event.ClientRequestToken or "null" },
  }
end

--- The text of an event's message.
---@param stack table
---@param event table as in DescribeStackEvents
---@return string
function notifications.text(stack, event)
  local out = {}
  for _, line in ipairs(lines_of(stack, event)) do
    if line[2] then out[#out + 1] = ("%s='%s'\n"):format(line[1], line[2]) end
  end
  return table.concat(out)
end

--- Tells an event to the stack's topics. A topic that is not there hears nothing.
---@param world table
function notifications.tell(world, stack, event)
  local context = { world = world, region = stack.region }
  for _, arn in ipairs(stack.notification_arns or {}) do
    local ok, topic = pcall(sns.find, context, arn)
    if ok then sns.publish(context, topic, notifications.text(stack, event), SUBJECT) end
  end
end

return notifications
