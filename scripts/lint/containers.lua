--- ECS task definitions: sizes that Fargate has (E3047) and what it needs (E3048), ports in awsvpc mode (E3053), one
-- container that is essential (E3042), options of the log driver (E3046).

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local values = require "lint.values"

local containers = {}

local join, is_map, show = state.join, state.is_map, state.show

-- CPU units -> least and most memory, and its steps, in MiB.
local SIZES = {
  [256] = { 512, 2048, 512, { [512] = true, [1024] = true, [2048] = true } }, [512] = { 1024, 4096, 1024 },
  [1024] = { 2048, 8192, 1024 }, [2048] = { 4096, 16384, 1024 }, [4096] = { 8192, 30720, 1024 },
  [8192] = { 16384, 61440, 4096 }, [16384] = { 32768, 122880, 8192 },
}

local LOG_OPTIONS = {}
for name in ([[ awslogs-create-group awslogs-datetime-format awslogs-group awslogs-multiline-pattern awslogs-region
  awslogs-stream-prefix max-buffer-size mode ]]):gmatch("%S+") do
  LOG_OPTIONS[name] = true
end

-- "1024", ".5 vCPU", "2 GB": units of CPU, or MiB; nil when a function gives it, false when it is nothing of that.
local function amount(value, suffix)
  if value == nil or type(value) == "table" or value == json.null then return nil end
  local text = tostring(value):lower()
  if text:find("{{resolve:", 1, true) then return nil end
  local whole = text:match("^%d+$")
  local share = text:match("^([%d.]+)%s*" .. suffix .. "$")
  local result = whole and tonumber(whole) or share and tonumber(share) and tonumber(share) * 1024
  return result and math.tointeger(result) or false
end

local function is_fargate(list)
  for _, one in ipairs(json.is_list(list) and list or {}) do
    if one == "FARGATE" then return true end
  end
  return false
end

local function check_size(L, task, path)
  local cpu, memory = amount(task.Cpu, "vcpu"), amount(task.Memory, "gb")
  local size = cpu and SIZES[cpu]
  if cpu == false or cpu and not size then
    return L:find("E3048", join(path, "Cpu"), "Fargate has no tasks with %s CPU", show(task.Cpu))
  end
  if not size or memory == nil then return end
  local good = memory and (size[4] and size[4][memory] or not size[4] and memory >= size[1] and memory <= size[2]
    and memory % size[3] == 0)
  if not good then
    L:find("E3047", path, "Fargate has no tasks with %s CPU and %s memory", show(task.Cpu), show(task.Memory))
  end
end

local function check_fargate(L, task, path)
  if not is_fargate(task.RequiresCompatibilities) or task["Fn::Transform"] ~= nil then return end
  for _, name in ipairs { "Cpu", "Memory" } do
    if task[name] == nil then L:find("E3048", path, "'%s' is a required property for Fargate", name) end
  end
  if type(task.NetworkMode) == "string" and task.NetworkMode ~= "awsvpc" then
    L:find("E3048", join(path, "NetworkMode"), "Fargate's tasks have the network mode awsvpc")
  end
  if task.PlacementConstraints ~= nil and not functions.name_of(task.PlacementConstraints) then
    L:find("E3048", join(path, "PlacementConstraints"), "Fargate has no placement constraints")
  end
  check_size(L, task, path)
end

local function check_ports(L, task, path)
  if task.NetworkMode ~= "awsvpc" then return end
  values.at(task, "ContainerDefinitions/*/PortMappings/*", path, function(mapping, at)
    local host, inside = is_map(mapping) and mapping.HostPort, is_map(mapping) and mapping.ContainerPort
    if host and inside and type(host) ~= "table" and type(inside) ~= "table" and tostring(host) ~= tostring(inside) then
      L:find("E3053", join(at, "HostPort"), "in the mode awsvpc HostPort %s is ContainerPort %s", show(host),
        show(inside))
    end
  end)
end

local function check_essential(L, task, path)
  local list = task.ContainerDefinitions
  if not json.is_list(list) or #list == 0 then return end
  for _, container in ipairs(list) do
    if not is_map(container) or functions.name_of(container) or tostring(container.Essential):lower() ~= "false" then
      return
    end
  end
  L:find("E3042", join(path, "ContainerDefinitions"), "at least one container has to be essential")
end

local function check_log_options(L, task, path)
  values.at(task, "ContainerDefinitions/*/LogConfiguration", path, function(log, at)
    local options = is_map(log) and log.LogDriver == "awslogs" and log.Options
    for _, name in ipairs(is_map(options) and not functions.name_of(options) and json.keys(options) or {}) do
      if not LOG_OPTIONS[name] then
        L:find("E3046", join(at, "Options", name), "the log driver awslogs has no option '%s'", name)
      end
    end
  end)
end

--- Every task definition.
---@param L table
function containers.check(L)
  L:each_resource(function(task, path, resource)
    if resource.Type ~= "AWS::ECS::TaskDefinition" then return end
    check_fargate(L, task, path)
    check_ports(L, task, path)
    check_essential(L, task, path)
    check_log_options(L, task, path)
  end)
end

return containers
