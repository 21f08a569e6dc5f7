--- Events of EventBridge for functions: schedules and patterns, as rules with a target.

local values = require "sandbox.template.serverless.values"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resources = require "sandbox.template.serverless.resources"

local rules = { kinds = {} }

local PRINCIPAL = "events.amazonaws.com"
local MOST = 64 -- characters of a target's id

-- Whom a rule calls -> what its target's id ends in.
local SUFFIX = { Lambda = "LambdaTarget", StateMachine = "StepFunctionsTarget" }

local function state_of(event)
  local given = event.given
  if values.given(given.State) and given.Enabled ~= nil then
    failure.event(event.name, "State and Enabled Properties cannot both be specified.")
  end
  if given.Enabled ~= nil then return values.given(given.Enabled) and "ENABLED" or "DISABLED" end
  return values.or_nil(given.State)
end

--- The target of a rule.
---@param role_arn any? for targets that EventBridge calls in a role
function rules.target(event, target, dead_letters, role_arn)
  local given = event.given
  local suffix = SUFFIX[target.kind]
  local id = (given.Target or {}).Id or event.id:sub(1, MOST - #suffix) .. suffix
  return values.map("Arn", target.arn, "Id", id, "RoleArn", role_arn, "Input", given.Input,
    "InputPath", given.InputPath, "DeadLetterConfig", given.DeadLetterConfig and values.map("Arn", dead_letters),
    "RetryPolicy", given.RetryPolicy, "InputTransformer", given.InputTransformer)
end

--- A rule that is due at times, or when something happens.
function rules.rule(event, target)
  local given = event.given
  return resources.set(resources.new("AWS::Events::Rule", event.id, target.attributes),
    "ScheduleExpression", given.Schedule, "EventBusName", given.EventBusName, "EventPattern", given.Pattern,
    "State", state_of(event), "Name", given.Name or (given.Schedule == nil and given.RuleName) or nil,
    "Description", given.Description)
end

local function make(_, event, target)
  local rule, arn = rules.rule(event, target), values.getatt(event.id, "Arn")
  local queue, made = events.dead_letters(event, target, arn)
  resources.set(rule, "Targets", values.list(rules.target(event, target, queue)))
  table.insert(made, 1, rule)
  made[#made + 1] = events.permission(event, target, PRINCIPAL, { SourceArn = arn })
  return made
end

rules.kinds.Schedule = { make = make, kind = resources.kind("Schedule", [[ Schedule! string, RuleName string,
  Input string, Enabled boolean, State string, Name string, Description string, DeadLetterConfig map,
  RetryPolicy map ]]) }

local PATTERN = [[ EventBusName string, RuleName string, Pattern map, DeadLetterConfig map, RetryPolicy map,
  Input string, InputPath string, Target map, Enabled boolean, State string, InputTransformer map ]]

for _, name in ipairs { "CloudWatchEvent", "EventBridgeRule" } do
  rules.kinds[name] = { make = make, kind = resources.kind(name, PATTERN) }
end

--- The role in which a service starts a state machine.
---@param role_id string
function rules.role(role_id, target, service, boundary)
  return resources.set(resources.new("AWS::IAM::Role", role_id, target.attributes),
    "AssumeRolePolicyDocument", policies.assume(service),
    "Policies", values.list(policies.send("StateMachine", role_id, target.arn)), "PermissionsBoundary", boundary)
end

return rules
