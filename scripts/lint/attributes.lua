--- What stands beside the properties, by shapes: UpdatePolicy (E3016), CreationPolicy (E3055), the configuration of
-- cfn-init (E3009); and the template's own Metadata (E4001). A shape is the name of a scalar, { list = SHAPE },
-- { map = SHAPE }, { loose = SHAPE } (if it is an object at all), or a table of members; what a function gives is taken
-- as it is.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"

local attributes = {}

local join, is_map, show = state.join, state.is_map, state.show

local SIGNAL = { Timeout = "string", Count = "integer" }

local CREATION = {
  ["AWS::AppStream::Fleet"] = { StartFleet = "boolean" },
  ["AWS::AutoScaling::AutoScalingGroup"] = {
    AutoScalingCreationPolicy = { MinSuccessfulInstancesPercent = "integer" }, ResourceSignal = SIGNAL },
  ["AWS::CloudFormation::WaitCondition"] = { ResourceSignal = SIGNAL },
}

local SEARCH = { EnableVersionUpgrade = "boolean" }

local UPDATE = {
  ["AWS::AppStream::Fleet"] = { StartAfterUpdate = { Type = "boolean" }, StopBeforeUpdate = { Type = "boolean" } },
  ["AWS::AutoScaling::AutoScalingGroup"] = {
    AutoScalingReplacingUpdate = { WillReplace = "boolean" },
    AutoScalingRollingUpdate = { MaxBatchSize = "integer", MinActiveInstancesPercent = "integer",
      MinInstancesInService = "integer", MinSuccessfulInstancesPercent = "integer", PauseTime = "string",
      SuspendProcesses = { list = "string" }, WaitOnResourceSignals = "boolean" },
    AutoScalingScheduledAction = { IgnoreUnmodifiedGroupSizeProperties = "boolean" },
  },
  ["AWS::ElastiCache::ReplicationGroup"] = { UseOnlineResharding = "boolean" },
  ["AWS::Elasticsearch::Domain"] = SEARCH, ["AWS::OpenSearchService::Domain"] = SEARCH,
  ["AWS::Lambda::Alias"] = { CodeDeployLambdaAliasUpdate = { AfterAllowTrafficHook = "string",
    ApplicationName = "string", BeforeAllowTrafficHook = "string", DeploymentGroupName = "string" } },
}

local PACKAGES = { map = "any" }
local SERVICE = { map = { commands = { list = "string" }, enabled = "boolean", ensureRunning = "boolean",
  files = { list = "string" }, packages = { map = { list = "string" } }, sources = { list = "string" } } }

local CONFIG = {
  commands = { map = { command = "any", cwd = "string", env = { map = "string" }, ignoreErrors = "string",
    test = "string", waitAfterCompletion = "string" } },
  files = { map = { authentication = "any", content = "any", context = "any", encoding = "string", group = "string",
    mode = "string", owner = "string", source = "string" } },
  groups = { map = { gid = "string" } },
  packages = { apt = PACKAGES, msi = PACKAGES, python = PACKAGES, rpm = PACKAGES, rubygems = PACKAGES,
    yum = PACKAGES, zypper = PACKAGES },
  services = { systemd = SERVICE, sysvinit = SERVICE, windows = SERVICE },
  sources = { map = "string" },
  users = { map = { groups = { list = "string" }, homeDir = "string", uid = "string" } },
}

local LABEL = { loose = { default = "string" } } -- a text is taken, too, and shown by nobody
local INTERFACE = { ParameterGroups = { list = { Label = LABEL, Parameters = { list = "string" } } },
  ParameterLabels = { map = LABEL } }

-- Templates hold texts: "2" is a good integer, 2 a good text.
local SCALARS = {
  any = function() return true end,
  string = function(value) return type(value) ~= "table" end,
  integer = function(value) return math.tointeger(tonumber(value)) ~= nil end,
  boolean = function(value) return tostring(value):lower() == "true" or tostring(value):lower() == "false" end,
}

local check -- forward

local function check_members(L, rule, shape, value, path)
  for _, key in ipairs(json.keys(value)) do
    if shape[key] then
      check(L, rule, shape[key], value[key], join(path, key))
    elseif not key:find("^Fn::") then
      L:find(rule, join(path, key), "'%s' is no member here%s", key, util.suggest(key, util.sorted_keys(shape)))
    end
  end
end

check = function(L, rule, shape, value, path)
  if functions.name_of(value) or value == nil then return end
  if type(shape) == "string" then
    if not SCALARS[shape](value) then L:find(rule, path, "%s is not of type '%s'", show(value), shape) end
  elseif shape.list then
    if not json.is_list(value) then return L:find(rule, path, "%s is not of type 'array'", show(value)) end
    for index, item in ipairs(value) do check(L, rule, shape.list, item, join(path, index)) end
  elseif shape.loose then
    if is_map(value) then check_members(L, rule, shape.loose, value, path) end
  elseif not is_map(value) then
    L:find(rule, path, "%s is not of type 'object'", show(value))
  elseif shape.map then
    for _, key in ipairs(json.keys(value)) do check(L, rule, shape.map, value[key], join(path, key)) end
  else
    check_members(L, rule, shape, value, path)
  end
end

local function check_init(L, resource, path)
  local init = is_map(resource.Metadata) and resource.Metadata["AWS::CloudFormation::Init"]
  if not init or functions.name_of(init) then return end
  if not is_map(init) then return L:find("E3009", path, "%s is not of type 'object'", show(init)) end
  for _, name in ipairs(json.keys(init)) do
    local at = join(path, name)
    if not is_map(init[name]) then
      L:find("E3009", at, "%s is not of type 'object'", show(init[name]))
    elseif name ~= "configSets" then
      for _, key in ipairs(json.keys(init[name])) do -- other members are for cfn-init's authors
        if CONFIG[key] then check(L, "E3009", CONFIG[key], init[name][key], join(at, key)) end
      end
    end
  end
end

local function check_resource(L, id, resource)
  local path = { "Resources", id }
  if CREATION[resource.Type] then
    check(L, "E3055", CREATION[resource.Type], resource.CreationPolicy, join(path, "CreationPolicy"))
  end
  if UPDATE[resource.Type] then
    check(L, "E3016", UPDATE[resource.Type], resource.UpdatePolicy, join(path, "UpdatePolicy"))
  elseif resource.UpdatePolicy ~= nil and type(resource.Type) == "string" and resource.Type:find("^AWS::")
    and not resource.Type:find("^AWS::Serverless::") then
    L:find("E3016", join(path, "UpdatePolicy"), "%s has no update policies", resource.Type)
  end
  check_init(L, resource, join(path, "Metadata", "AWS::CloudFormation::Init"))
end

--- Every resource, and the template's metadata.
---@param L table
function attributes.check(L)
  for _, id in ipairs(json.keys(L.resources)) do
    if is_map(L.resources[id]) then check_resource(L, id, L.resources[id]) end
  end
  local interface = is_map(L.root.Metadata) and L.root.Metadata["AWS::CloudFormation::Interface"]
  if interface then check(L, "E4001", INTERFACE, interface, { "Metadata", "AWS::CloudFormation::Interface" }) end
end

return attributes
