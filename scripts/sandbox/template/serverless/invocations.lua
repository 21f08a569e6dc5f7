--- Where the results of asynchronous invocations go (EventInvokeConfig), with queues and topics that SAM makes, and a
-- function's URL with who may call it.

local values = require "sandbox.template.serverless.values"
local conditions = require "sandbox.template.serverless.conditions"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"

local invocations = {}

local ACCEPTED = { SQS = "SQS", SNS = "SNS", EventBridge = "EventBridge", Lambda = "Lambda", S3Bucket = "S3" }

-- The kinds that SAM makes: what the resource is, what its name ends in, what its ARN is.
local MADE = {
  SQS = { "AWS::SQS::Queue", "Queue", function(id) return values.getatt(id, "Arn") end },
  SNS = { "AWS::SNS::Topic", "Topic", function(id) return values.ref(id) end },
}

local function put_condition(work, name, definition)
  if work.tree.Conditions == nil then values.put(work.tree, "Conditions", {}) end
  values.put(work.tree.Conditions, name, definition)
  return name
end

-- The condition under which a destination is not given, and what it is else.
local function missing_when(work, id, destination)
  if not values.is_if(destination) then return nil end
  local branches = destination["Fn::If"]
  if not values.is_list(branches) or #branches ~= 3 then
    failure.resource(id, "Malformed 'Destination' property: Fn::If requires 3 arguments.")
  end
  local condition, yes, no = table.unpack(branches)
  if values.is_no_value(yes) == values.is_no_value(no) then return nil end
  if values.is_no_value(yes) then return condition, no end
  local negated = "NOT" .. condition .. values.hash(id)
  return put_condition(work, negated, conditions.negated(condition)), yes
end

local function both(work, id, one, other)
  if not one or not other then return one or other end
  local name = one .. "AND" .. other
  return put_condition(work, name .. values.hash(id), conditions.all { one, other })
end

-- One destination: its ARN, the policy that lets it be used, and what SAM makes for it.
local function destination_of(work, id, attributes, config, name)
  local kind = ACCEPTED[config.Type]
  if not kind then
    failure.resource(id, "'Type: %s' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']",
      values.shown(config.Type))
  end
  local condition, given = missing_when(work, id .. "EventInvokeConfig", config.Destination)
  if config.Destination ~= nil and not condition then
    return config.Destination, policies.send(kind, name, config.Destination)
  end
  local made = MADE[kind]
  if not made then failure.resource(id, "Destination is required if Type is not ['SQS', 'SNS']") end
  local resource = resources.new(made[1], name .. made[2], attributes)
  values.put(resource.attributes, "Condition", both(work, id, attributes.Condition, condition))
  local arn = made[3](resource.id)
  if condition then arn = values.choice(condition, arn, given) end
  return arn, policies.send(kind, name, arn), resource
end

--- The configuration of a function's asynchronous invocations.
---@param given table the function's properties
---@param alias table?
---@param alias_name string?
---@return table[] made resources
---@return table[] inline policies for the function's role
function invocations.configuration(work, id, given, lambda, alias, alias_name)
  local made, inline = {}, {}
  if not values.given(given.EventInvokeConfig) then return made, inline end
  local config = resolve.parameters(values.copy(given.EventInvokeConfig), work.parameters)
  local destinations = config.DestinationConfig
  local shown = {}
  if values.given(destinations) then
    resources.expect(failure.resource, id, "EventInvokeConfig.DestinationConfig", destinations, "map")
    for _, name in ipairs { "OnSuccess", "OnFailure" } do
      local each = destinations[name]
      if each ~= nil then
        resources.expect(failure.resource, id, "EventInvokeConfig.DestinationConfig." .. name, each, "map")
        local arn, policy, resource = destination_of(work, id, resources.shared_attributes(lambda.attributes), each,
          id .. "EventInvokeConfig" .. name)
        values.put(shown, name, values.map("Destination", arn))
        made[#made + 1], inline[#inline + 1] = resource, policy
      end
    end
  end
  local resource = resources.new("AWS::Lambda::EventInvokeConfig", id .. "EventInvokeConfig", lambda.attributes,
    alias and values.list(alias.id))
  made[#made + 1] = resources.set(resource, "DestinationConfig", shown, "FunctionName", values.ref(id),
    "MaximumEventAgeInSeconds", config.MaximumEventAgeInSeconds,
    "MaximumRetryAttempts", config.MaximumRetryAttempts, "Qualifier", alias_name or "$LATEST")
  return made, inline
end

---------------------------------------------------------------------------------------------------------
-- URLs

local CORS = { AllowOrigins = "list", AllowMethods = "list", AllowCredentials = "boolean", AllowHeaders = "list",
  ExposeHeaders = "list", MaxAge = "integer" }
local PYTHON = { list = "list", boolean = "bool", integer = "int" }

local function fits(value, form)
  if form == "list" then return values.is_list(value) end
  return form == "boolean" and type(value) == "boolean" or form == "integer" and math.type(value) == "integer"
end

local function check_cors(id, cors)
  if not values.given(cors) or values.intrinsic(cors) then return end
  resources.expect(failure.resource, id, "FunctionUrlConfig.Cors", cors, "map")
  for _, name in ipairs(values.keys(cors)) do
    local form = CORS[name]
    if not form then failure.resource(id, "%s is not a valid property for configuring Cors.", name) end
    if not values.intrinsic(cors[name]) and not fits(cors[name], form) then
      failure.resource(id, "%s must be of type %s.", name, PYTHON[form])
    end
  end
end

local function check_url(id, config)
  if values.intrinsic(config) then return end
  local auth = config.AuthType
  if not values.intrinsic(auth) and auth ~= "AWS_IAM" and auth ~= "NONE" then
    failure.resource(id, "AuthType is required to configure function property `FunctionUrlConfig`. Please provide "
      .. "either AWS_IAM or NONE.")
  end
  check_cors(id, config.Cors)
end

--- A function's URL, and the permissions of one that anybody may call.
---@return table[]
function invocations.url(id, given, lambda, alias)
  local config = given.FunctionUrlConfig
  if not values.given(config) then return {} end
  check_url(id, config)
  local attributes = resources.shared_attributes(lambda.attributes)
  local target = alias and values.ref(alias.id) or values.ref(id)
  local out = { resources.set(resources.new("AWS::Lambda::Url", id .. "Url", attributes),
    "TargetFunctionArn", target, "AuthType", config.AuthType, "Cors", values.or_nil(config.Cors),
    "InvokeMode", config.InvokeMode) }
  if config.AuthType ~= "NONE" or values.intrinsic(config) then return out end
  local function permit(suffix, action, name, value)
    out[#out + 1] = resources.set(resources.new("AWS::Lambda::Permission", id .. suffix, attributes),
      "Action", action, "FunctionName", target, "Principal", "*", name, value)
  end
  permit("UrlPublicPermissions", "lambda:InvokeFunctionUrl", "FunctionUrlAuthType", "NONE")
  permit("URLInvokeAllowPublicAccess", "lambda:InvokeFunction", "InvokedViaFunctionUrl", true)
  return out
end

return invocations
