--- What a resource demands of another one that it refers to by Ref or Fn::GetAtt. Each row: the type, the rule, the
-- property with the reference, the type referred to, and what may not hold of both. Only literals are compared.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local values = require "lint.values"

local across = {}

local join, is_map = state.join, state.is_map
local literal = values.literal

--- The resource that a value refers to.
---@param L table
---@param value any
---@param type_name string?
---@return table? resource
---@return string? id
function across.target(L, value, type_name)
  local name = functions.name_of(value)
  local id
  if name == "Ref" then
    id = value.Ref
  elseif name == "Fn::GetAtt" then
    local argument = value[name]
    id = json.is_list(argument) and argument[1] or tostring(argument):match("^[^.]+")
  end
  local resource = type(id) == "string" and L.resources[id]
  if is_map(resource) and (not type_name or resource.Type == type_name) and is_map(resource.Properties or {}) then
    return resource, id
  end
end

local function is_true(value) return (literal(value) or ""):lower() == "true" end

-- A literal, or what stands for an absent one; nil when a function gives it.
local function known(value, otherwise)
  if value == nil then return otherwise end
  return literal(value)
end

local function same_reference(a, b)
  return a == nil or b == nil or json.encode(a) == json.encode(b)
end

local function has_fargate(list)
  for _, one in ipairs(json.is_list(list) and list or {}) do
    if type(one) == "table" or one == "FARGATE" then return true end
  end
  return not json.is_list(list) and list ~= nil
end

local LOG_DRIVERS = { awslogs = true, splunk = true, awsfirelens = true }

local function has_foreign_log_driver(task)
  for _, container in ipairs(json.is_list(task.ContainerDefinitions) and task.ContainerDefinitions or {}) do
    local log = is_map(container) and container.LogConfiguration
    local driver = is_map(log) and literal(log.LogDriver)
    if driver and not LOG_DRIVERS[driver] then return true end
  end
  return false
end

local TASK, QUEUE, CLUSTER = "AWS::ECS::TaskDefinition", "AWS::SQS::Queue", "AWS::RDS::DBCluster"

--- { type, rule, path of the reference, type referred to, broken(own properties, the other's), message, told of the
-- whole }
local ROWS = {
  { "AWS::ApiGateway::Method", "E3699", "AuthorizerId", "AWS::ApiGateway::Authorizer", function(own, other)
    return not same_reference(own.RestApiId, other.RestApiId)
  end, "the authorizer belongs to another RestApiId" },
  { "AWS::ApiGateway::Method", "E3708", "AuthorizerId", "AWS::ApiGateway::Authorizer", function(own, other)
    local wanted, given = literal(own.AuthorizationType), literal(other.Type)
    if wanted == "CUSTOM" then return given and given ~= "TOKEN" and given ~= "REQUEST" end
    return wanted == "COGNITO_USER_POOLS" and given and given ~= wanted
  end, "the authorizer's Type does not go with AuthorizationType" },
  { "AWS::ApiGateway::Stage", "E3698", "DeploymentId", "AWS::ApiGateway::Deployment", function(own, other)
    return not same_reference(own.RestApiId, other.RestApiId)
  end, "the deployment belongs to another RestApiId" },
  { "AWS::AutoScaling::ScalingPolicy", "E3712", "AutoScalingGroupName", "AWS::AutoScaling::AutoScalingGroup",
    function(own, other)
      local least, most = tonumber(literal(other.MinSize)), tonumber(literal(other.MaxSize))
      return literal(own.PolicyType) == "TargetTrackingScaling" and least and most and most <= least
    end, "target tracking needs a group whose MaxSize is above its MinSize" },
  { "AWS::ECS::Service", "E3052", "TaskDefinition", TASK, function(own, other)
    return literal(other.NetworkMode) == "awsvpc" and own.NetworkConfiguration == nil
  end, "'NetworkConfiguration' is a required property for tasks in awsvpc mode", "" },
  { "AWS::ECS::Service", "E3054", "TaskDefinition", TASK, function(own, other)
    return literal(own.LaunchType) == "FARGATE" and (other.NetworkMode == nil or literal(other.NetworkMode))
      and literal(other.NetworkMode) ~= "awsvpc" and not has_fargate(other.RequiresCompatibilities)
  end, "the task definition does not say FARGATE in RequiresCompatibilities" },
  { "AWS::ECS::Service", "E3713", "TaskDefinition", TASK, function(own, other)
    return literal(own.LaunchType) == "FARGATE" and has_foreign_log_driver(other)
  end, "Fargate has only the log drivers awslogs, splunk and awsfirelens" },
  { "AWS::ElasticLoadBalancingV2::ListenerRule", "E3711", "Actions/*/TargetGroupArn",
    "AWS::ElasticLoadBalancingV2::TargetGroup", function(_, other) return literal(other.Protocol) == "GENEVE" end,
    "a target group of GENEVE takes no listener's rule" },
  { "AWS::Lambda::EventSourceMapping", "E3505", "EventSourceArn", QUEUE, function(own, other, L)
    local func = across.target(L, own.FunctionName, "AWS::Lambda::Function")
    local visible = tonumber(known(other.VisibilityTimeout, "30"))
    local takes = func and tonumber(known((func.Properties or {}).Timeout, "3"))
    return visible and takes and visible < takes
  end, "the queue's VisibilityTimeout is shorter than the function's Timeout" },
  { "AWS::Lambda::EventSourceMapping", "E3705", "EventSourceArn", QUEUE, function(own, other)
    return is_true(other.FifoQueue) and (tonumber(literal(own.BatchSize)) or 0) > 10
  end, "of a FIFO queue a batch has at most 10 messages" },
  { "AWS::RDS::DBInstance", "E3707", "DBClusterIdentifier", CLUSTER, function(own, other)
    local a, b = literal(own.Engine), literal(other.Engine)
    return a and b and a ~= b
  end, "the cluster has another Engine" },
  { "AWS::RDS::DBInstance", "E3709", "DBClusterIdentifier", CLUSTER, function(own, other)
    local a, b = literal(own.StorageEncrypted), known(other.StorageEncrypted, "false")
    return a and b and a:lower() ~= b:lower()
  end, "the cluster has another StorageEncrypted" },
  { QUEUE, "E3502", "RedrivePolicy/deadLetterTargetArn", QUEUE, function(own, other)
    local a, b = known(own.FifoQueue, "false"), known(other.FifoQueue, "false")
    return a and b and a:lower() ~= b:lower()
  end, "a FIFO queue's dead letters go to a FIFO queue, another's to another" },
}

local BY_TYPE = state.by_type(ROWS)

local function check_row(L, row, properties, path)
  local steps = row[3]:gsub("/[^/]*$", "")
  local last = row[3]:match("[^/]+$")
  -- The object that has the reference, since a reference itself is a function, which a path does not go into.
  values.at(properties, steps ~= row[3] and steps or "", path, function(object, at)
    local resource = is_map(object) and across.target(L, object[last], row[4])
    if resource and row[5](properties, resource.Properties or {}, L) then
      L:find(row[2], row[7] and path or join(at, last), row[6])
    end
  end)
end

--- Every resource that demands something of another one.
---@param L table
function across.check(L)
  L:each_row(BY_TYPE, function(row, properties, path) check_row(L, row, properties, path) end)
end

return across
