--- Rollback triggers: alarms that are looked at while a stack is created or updated and for some time after;
-- one in ALARM, or one that is not there, takes the operation back (reference part 1.6).

local fault = require "sandbox.fault"

local triggers = {}

local EVERY = 10 -- seconds between two looks

local TYPES = { ["AWS::CloudWatch::Alarm"] = true, ["AWS::CloudWatch::CompositeAlarm"] = true }

--- Checks a request's triggers. Raises ValidationError.
---@param configuration table? RollbackConfiguration
function triggers.check(configuration)
  for _, trigger in ipairs((configuration or {}).RollbackTriggers or {}) do
    if not TYPES[trigger.Type] then fault.validation("Rollback Trigger Type not supported") end
    if not trigger.Arn:match("^arn:[^:]+:cloudwatch:[^:]+:%d+:alarm:.+$") then
      fault.validation("RelativeId of a Rollback Trigger's ARN is incorrect")
    end
  end
end

-- Why the triggers take an operation back now; nil when they do not.
local function verdict(stack)
  for _, trigger in ipairs(stack.rollback_configuration.RollbackTriggers or {}) do
    local name = trigger.Arn:match(":alarm:(.+)$")
    local alarm = stack.region:thing(trigger.Type, name)
    if not alarm then return ("Rollback Trigger %s does not exist"):format(trigger.Arn) end
    if alarm.state and alarm.state.value == "ALARM" then
      return ("Rollback Trigger %s is in ALARM"):format(trigger.Arn)
    end
  end
end

--- Looks at the triggers of an operation until it ends.
---@param op table
---@param fail fun(why: string)
function triggers.watch(op, fail)
  if #(op.stack.rollback_configuration.RollbackTriggers or {}) == 0 then return end
  local function look()
    local why = verdict(op.stack)
    if why then return fail(why) end
    op:after(EVERY, look)
  end
  op:after(EVERY, look)
end

return triggers
