--- AWS::Serverless::StateMachine: the state machine, its role, its version and alias, and its events.

local values = require "sandbox.template.serverless.values"
local events = require "sandbox.template.serverless.events"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local resources = require "sandbox.template.serverless.resources"

local state_machines = {}

local KIND = resources.kind("AWS::Serverless::StateMachine", [[ Definition map, DefinitionUri string|map, Logging map,
  Role string, RolePath= any, DefinitionSubstitutions map, Events map<map>, Name string, Type string, Tags map,
  PropagateTags boolean, Policies string|list<string|map>, Tracing map, PermissionsBoundary string,
  AutoPublishAlias= any, DeploymentPreference= any, UseAliasAsEventTarget= boolean ]])

---------------------------------------------------------------------------------------------------------
-- The definition: calls of functions inside of it become substitutions

local function is_dynamic(value)
  return values.intrinsic(value) ~= nil or type(value) == "string" and value:find "^{{resolve:[%l-]+:.+}}$" ~= nil
end

local function substitute(node, found)
  local keys = {}
  for key in pairs(node) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = node[key]
    if is_dynamic(value) then
      local name = "definition_substitution_" .. #found + 1
      found[#found + 1] = { name, value }
      node[key] = "${" .. name .. "}"
    elseif type(value) == "table" then
      substitute(value, found)
    end
  end
  return found
end

local function define(id, given, machine)
  local substitutions = given.DefinitionSubstitutions
  if values.given(given.Definition) and values.given(given.DefinitionUri) then
    failure.resource(id, "Specify either 'Definition' or 'DefinitionUri' property and not both.")
  elseif values.given(given.Definition) then
    local definition = values.copy(given.Definition)
    for _, pair in ipairs(substitute(definition, {})) do
      substitutions = values.put(values.merged(substitutions or {}), pair[1], pair[2])
    end
    local lines = values.list()
    for line in (values.dumps(definition, "pretty") .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
    resources.set(machine, "DefinitionString", values.map("Fn::Join", values.list("\n", lines)))
  elseif values.given(given.DefinitionUri) then
    resources.set(machine, "DefinitionS3Location",
      resources.s3_object(id, "DefinitionUri", given.DefinitionUri, { "Bucket", "Key", "Version" }))
  else
    failure.resource(id, "Either 'Definition' or 'DefinitionUri' property must be specified.")
  end
  resources.set(machine, "DefinitionSubstitutions", values.or_nil(substitutions))
end

---------------------------------------------------------------------------------------------------------
-- Role, version and alias

local function tags_of(given)
  return values.joined(values.tags(values.map("stateMachine:createdBy", "SAM")), values.tags(given.Tags))
end

local function role_of(work, id, given, attributes)
  local list = values.given(given.Policies) and values.joined(values.as_list(given.Policies)) or values.list()
  if given.Tracing and given.Tracing.Enabled == true then list[#list + 1] = policies.tracing(work.partition) end
  return policies.role { id = id, attributes = attributes, assume = policies.assume "states.amazonaws.com",
    policies = list, path = given.RolePath, boundary = given.PermissionsBoundary, tags = tags_of(given),
    partition = work.partition }
end

local function check_alias(id, given)
  for _, name in ipairs { "UseAliasAsEventTarget", "DeploymentPreference" } do
    if not values.given(given.AutoPublishAlias) and values.given(given[name]) then
      failure.resource(id, "'%s' requires 'AutoPublishAlias' property to be specified.", name)
    end
  end
end

local function published(id, given, attributes)
  check_alias(id, given)
  if not values.given(given.AutoPublishAlias) then return {} end
  local kept = values.merged(values.map("DeletionPolicy", "Retain", "UpdateReplacePolicy", "Retain"), attributes)
  local version = resources.set(resources.new("AWS::StepFunctions::StateMachineVersion", id .. "Version", kept),
    "StateMachineArn", values.ref(id), "StateMachineRevisionId", values.getatt(id, "StateMachineRevisionId"))
  local preference = values.given(given.DeploymentPreference) and given.DeploymentPreference
    or values.map("Type", "ALL_AT_ONCE")
  local alias_id = id .. "Alias" .. values.shown(given.AutoPublishAlias)
  local alias = resources.set(resources.new("AWS::StepFunctions::StateMachineAlias", alias_id, attributes),
    "Name", given.AutoPublishAlias, "DeploymentPreference",
    values.put(values.merged(preference), "StateMachineVersionArn", values.ref(version.id)))
  return { version, alias }
end

local SAME = { { "StateMachineName", "Name" }, { "StateMachineType", "Type" }, { "LoggingConfiguration", "Logging" },
  { "TracingConfiguration", "Tracing" } }

--- What a state machine becomes.
---@return table[] made
function state_machines.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  local sources = failure.within(id, events.read, work, id, given.Events, "machine")
  local attributes = resources.shared_attributes(definition)
  local machine = resources.new("AWS::StepFunctions::StateMachine", id, resources.own_attributes(definition),
    definition.DependsOn)
  define(id, given, machine)
  if values.given(given.Role) and values.given(given.Policies) then
    failure.resource(id, "Specify either 'Role' or 'Policies' (but not both at the same time) or neither of them")
  end
  local made = { machine }
  if not values.given(given.Role) then made[2] = role_of(work, id, given, attributes) end
  resources.set(machine, "RoleArn", values.or_nil(given.Role) or values.getatt(id .. "Role", "Arn"))
  for _, pair in ipairs(SAME) do resources.set(machine, pair[1], given[pair[2]]) end
  resources.set(machine, "Tags", tags_of(given))
  local alias = published(id, given, attributes)
  for _, each in ipairs(alias) do made[#made + 1] = each end
  local target_id = given.UseAliasAsEventTarget and alias[2] and alias[2].id or id
  local target = { id = target_id, arn = values.ref(target_id), attributes = attributes,
    condition = definition.Condition, kind = "StateMachine", boundary = values.or_nil(given.PermissionsBoundary) }
  for _, each in ipairs(events.translate(work, sources, target)) do made[#made + 1] = each end
  resources.spread_tags(made, given.Tags, given.PropagateTags)
  return made
end

state_machines.PROPERTIES = {}

return state_machines
