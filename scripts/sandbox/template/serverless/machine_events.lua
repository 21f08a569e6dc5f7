--- Events of state machines: rules of EventBridge and methods of REST APIs, each with a role that starts the machine.

local values = require "sandbox.template.serverless.values"
local api_events = require "sandbox.template.serverless.api_events"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"
local resources = require "sandbox.template.serverless.resources"
local rules = require "sandbox.template.serverless.rules"
local swagger = require "sandbox.template.serverless.swagger"

local machine_events = { kinds = {} }

local function make_rule(_, event, target)
  local rule, arn = rules.rule(event, target), values.getatt(event.id, "Arn")
  local role_arn, role = event.given.RoleArn, nil
  if role_arn == nil then
    role = rules.role(event.id .. "Role", target, "events.amazonaws.com", target.boundary)
    role_arn = values.getatt(role.id, "Arn")
  end
  local queue, made = events.dead_letters(event, target, arn)
  resources.set(rule, "Targets", values.list(rules.target(event, target, queue, role_arn)))
  table.insert(made, 1, rule)
  made[#made + 1] = role
  return made
end

machine_events.kinds.Schedule = { make = make_rule, kind = resources.kind("Schedule", [[ Schedule! string, Input string,
  Enabled boolean, State string, Name string, Description string, DeadLetterConfig map, RetryPolicy map, Target= map,
  RoleArn= string ]]) }

for _, name in ipairs { "CloudWatchEvent", "EventBridgeRule" } do
  machine_events.kinds[name] = { make = make_rule, kind = resources.kind(name, [[ EventBusName string, RuleName string,
    Pattern map, Input string, InputPath string, DeadLetterConfig map, RetryPolicy map, State string, Target= map,
    InputTransformer map ]]) }
end

local INPUT = "$util.escapeJavaScript($input.json('$'))"
local UNESCAPED_INPUT = INPUT .. [[.replaceAll("\\'","'")]]
local REQUEST = '{"input": "%s", "stateMachineArn": "${%s}"}'

local function integrate(work, event, target, role)
  local link, given = event.link, event.given
  if link.properties.DefinitionBody == nil then return end
  local document = swagger.open(link.properties.DefinitionBody)
  if paths.has_integration(document, given.Path, event.method) then
    failure.event(event.name, 'API method "%s" defined multiple times for path "%s".', event.method, given.Path)
  end
  local template = REQUEST:format(given.UnescapeMappingTemplate and UNESCAPED_INPUT or INPUT, target.id)
  swagger.add_state_machine(document, { path = given.Path, method = event.method, condition = target.condition,
    uri = python2.ordinary("Fn::Sub", "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution"),
    role = python2.ordinary("Fn::GetAtt", python2.list(role.id, "Arn")),
    template = python2.ordinary("Fn::Sub", template) })
  if values.given(given.Auth) then api_events.secure(work, event, link, document) end
  swagger.close(document)
end

machine_events.kinds.Api = {
  kind = resources.kind("Api", [[ Path! string, Method! string, RestApiId! string, Stage string, Auth map,
    UnescapeMappingTemplate= boolean ]]),
  link = api_events.link,
  make = function(work, event, target)
    event.method = event.given.Method:lower()
    local role = rules.role(event.id .. "Role", target, "apigateway.amazonaws.com", target.boundary)
    if values.given(event.link.properties.__MANAGE_SWAGGER) then integrate(work, event, target, role) end
    return { role }
  end,
}

return machine_events
