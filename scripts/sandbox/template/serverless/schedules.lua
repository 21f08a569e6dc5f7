--- Schedules of EventBridge Scheduler (ScheduleV2), for functions and state machines.

local values = require "sandbox.template.serverless.values"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resources = require "sandbox.template.serverless.resources"

local schedules = { kinds = {} }

local SAME = { "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn" }

local function schedule_of(event, target)
  local given = event.given
  local schedule = resources.set(resources.new("AWS::Scheduler::Schedule", event.id, target.attributes),
    "ScheduleExpression", given.ScheduleExpression, "State", values.or_nil(given.State))
  if given.OmitName and values.given(given.Name) then
    failure.event(event.id, "Name cannot be set when OmitName is True")
  elseif not given.OmitName then
    resources.set(schedule, "Name", values.or_nil(given.Name) or event.id)
  end
  resources.set(schedule, "FlexibleTimeWindow", values.or_nil(given.FlexibleTimeWindow) or values.map("Mode", "OFF"))
  for _, name in ipairs(SAME) do resources.set(schedule, name, given[name]) end
  return schedule
end

local function role_of(event, target, queue)
  local inline = values.list(policies.send(target.kind, event.id, target.arn))
  if queue then inline[2] = policies.send("SQS", event.id, queue) end
  return resources.set(resources.new("AWS::IAM::Role", event.id .. "Role", target.attributes),
    "AssumeRolePolicyDocument", policies.assume "scheduler.amazonaws.com", "Policies", inline,
    "PermissionsBoundary", values.or_nil(event.given.PermissionsBoundary))
end

local function make(_, event, target)
  local given, schedule = event.given, schedule_of(event, target)
  local queue, made = events.dead_letters(event, target)
  table.insert(made, 1, schedule)
  local role_arn = values.or_nil(given.RoleArn)
  if not role_arn then
    local role = role_of(event, target, queue)
    made[#made + 1], role_arn = role, values.getatt(role.id, "Arn")
  end
  resources.set(schedule, "Target", values.map("Arn", target.arn, "RoleArn", role_arn, "Input", given.Input,
    "DeadLetterConfig", given.DeadLetterConfig and values.map("Arn", queue), "RetryPolicy", given.RetryPolicy))
  return made
end

schedules.kinds.ScheduleV2 = { make = make, kind = resources.kind("ScheduleV2", [[ PermissionsBoundary string,
  ScheduleExpression! string, FlexibleTimeWindow map, Name string, State string, Description string, StartDate string,
  EndDate string, ScheduleExpressionTimezone string, GroupName string, KmsKeyArn string, Input string, RoleArn string,
  DeadLetterConfig map, RetryPolicy map, OmitName= boolean ]]) }

return schedules
