--- Connectors: what one resource may do with another, as policies and permissions. They look at what other resources
-- have become, so they are translated when all others are.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local policies = require "sandbox.template.serverless.policies"
local profiles = require "sandbox.template.serverless.connector_profiles"
local resources = require "sandbox.template.serverless.resources"

local connectors = {}

local TYPE = "AWS::Serverless::Connector"
local KIND = resources.kind(TYPE, [[ Source! map<any>, Destination! map|list<map>, Permissions! list<string> ]])

---------------------------------------------------------------------------------------------------------
-- Connectors inside of their sources

local function embedded(id, name, given)
  local full = id .. name
  if not values.is_map(given) then failure.resource(full, "%s.%s should be a map.", id, full) end
  local connector = values.map("Type", TYPE)
  for _, key in ipairs(values.keys(given)) do values.put(connector, key, values.copy(given[key])) end
  local properties = connector.Properties
  if not values.is_map(properties) then
    failure.resource(id, "Attribute 'Connectors.%s.Properties' should be a map.", name)
  end
  local reference = properties.SourceReference
  if reference ~= nil then
    resources.expect(failure.resource, id, ("Connectors.%s.Properties.SourceReference"):format(name), reference, "map")
    if reference.Id ~= nil then failure.resource(name, "'Id' shouldn't be defined in 'SourceReference'.") end
  end
  properties.SourceReference = nil
  values.put(properties, "Source", values.merged(values.map("Id", id), reference or {}))
  return full, connector
end

--- Makes connectors that stand in their sources resources of their own.
---@param tree table changed where it stands
---@param noting function runs a function and notes what is wrong
function connectors.take_out(tree, noting)
  for _, id in ipairs(values.keys(tree.Resources)) do
    local given = tree.Resources[id].Connectors
    tree.Resources[id].Connectors = nil
    if given ~= nil and not values.is_map(given) then
      noting(failure.resource, id, "Attribute '%s.Connectors' should be a map.", id)
      given = nil
    end
    for _, name in ipairs(values.keys(given or {})) do
      noting(function()
        local full, connector = embedded(id, name, given[name])
        if tree.Resources[full] then failure.taken(id, full, TYPE) end
        values.put(tree.Resources, full, connector)
      end)
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- The two ends

local function refuse_end(id, message, ...) failure.resource(id, message, ...) end

local function checked(id, given)
  local others = false
  for key in pairs(given) do others = others or key ~= "Id" and key ~= "Qualifier" end
  if (given.Id ~= nil) == others then
    refuse_end(id, "Must provide 'Id' (with optional 'Qualifier') or a supported combination of other properties.")
  end
end

local function role_name(arn)
  local named = values.named(arn)
  return named and values.ref(named)
end

-- The role in which a rule calls the other end.
local function target_role(properties, other)
  for _, target in ipairs(values.is_list(properties.Targets) and properties.Targets or {}) do
    local named = values.named(target.Arn)
    local is_other = named and named == other.Id or other.Arn ~= nil and values.same(target.Arn, other.Arn)
    if is_other then return target.RoleArn end
  end
end

local function by_id(work, id, given, other)
  if type(given.Id) ~= "string" or given.Id == "" then refuse_end(id, "'Id' is missing or not a string.") end
  local resource = work.tree.Resources[given.Id]
  if not resource then refuse_end(id, "Unable to find resource with logical ID '%s'.", given.Id) end
  if type(resource.Type) ~= "string" or resource.Type == "" then
    refuse_end(id, "'Type' is missing or not a string.")
  end
  local facts, properties = profiles.ends[resource.Type] or {}, resource.Properties or {}
  local out = { id = given.Id, type = resource.Type }
  for _, name in ipairs { "Arn", "Name", "ResourceId", "QueueUrl" } do
    local attribute = facts[name]
    out[name] = attribute and (attribute == "Ref" and values.ref(given.Id) or values.getatt(given.Id, attribute))
  end
  out.Qualifier = given.Qualifier or facts.qualifier
  out.RoleName = role_name(facts.target_role and target_role(properties, other)
    or facts.role and properties[facts.role])
  return out
end

local function end_of(work, id, given, other)
  checked(id, given)
  if values.given(given.Id) then return by_id(work, id, given, other) end
  if type(given.Type) ~= "string" or given.Type == "" then refuse_end(id, "'Type' is missing or not a string.") end
  local out = values.merged(given)
  out.type = profiles.became[given.Type] or given.Type
  return out
end

---------------------------------------------------------------------------------------------------------
-- Texts of profiles

-- A text with what the ends are in place of {Source.Arn} and the like.
local function filled(id, text, ends)
  text = policies.arns(text)
  local variables, whole = {}, nil
  local replaced = text:gsub("{(%w+)%.(%w+)}", function(side, name)
    local value = ends[side][name]
    if value == nil then failure.resource(id, "%s.%s is missing.", side, name) end
    if text == ("{%s.%s}"):format(side, name) then whole = value end
    values.put(variables, side .. name, value)
    return "${" .. side .. name .. "}"
  end)
  if whole ~= nil then return whole end
  if next(variables) then return values.sub(replaced, variables) end
  return replaced:find "%${.+}" and values.sub(replaced) or replaced
end

local function ways_of(profile)
  local out = {}
  for _, way in ipairs(profile) do
    if not values.has(out, way[1]) then out[#out + 1] = way[1] end
  end
  return out
end

local function check_permissions(id, wanted, profile, ends)
  local ways = ways_of(profile)
  local listed = table.concat(ways, ", ")
  if not values.given(wanted) then
    failure.resource(id, "'Permissions' cannot be empty; valid values are: %s.", listed)
  end
  local function refuse(what)
    failure.resource(id, "Unsupported 'Permissions' provided for connector from %s to %s; valid %s.", ends.Source.type,
      ends.Destination.type, what)
  end
  local distinct = {}
  for _, each in ipairs(values.is_list(wanted) and wanted or { "" }) do
    if not values.has(ways, each) then refuse("values are: " .. listed) end
    if not values.has(distinct, each) then distinct[#distinct + 1] = each end
  end
  if not profile.together then return end
  table.sort(distinct)
  local fits, sets = false, {}
  for i, set in ipairs(profile.together) do
    sets[i] = table.concat(set, " + ")
    fits = fits or sets[i] == table.concat(distinct, " + ")
  end
  if not fits then refuse("combinations are: " .. table.concat(sets, ", ")) end
end

---------------------------------------------------------------------------------------------------------
-- What is made

local function statements(id, use)
  local out = values.list()
  for _, way in ipairs(use.profile) do
    if values.has(use.permissions, way[1]) then
      out[#out + 1] = policies.statement(way[2], function(text) return filled(id, text, use.ends) end)
    end
  end
  return out
end

local function made(use, type_name, suffix)
  local name = use.id .. suffix .. (use.index and "Destination" .. use.index or "")
  return resources.new(type_name, name, use.attributes, use.depends_on)
end

local function needed(use, side, property, words)
  local value = use.ends[side][property]
  if value == nil then failure.resource(use.id, "Unable to get %s from '%s' resource.", words, side) end
  return value
end

-- The event source mappings between the two ends.
local function mappings(work, ends)
  local out = {}
  for _, id in ipairs(values.keys(work.tree.Resources)) do
    local resource = work.tree.Resources[id]
    local properties = resource.Type == "AWS::Lambda::EventSourceMapping" and resource.Properties or {}
    if ends.Source.id and values.named(properties.EventSourceArn) == ends.Source.id
      and values.named(properties.FunctionName) == ends.Destination.id then out[#out + 1] = id end
  end
  return out
end

local function add_dependency(work, id, on)
  local resource = work.tree.Resources[id]
  local list = values.joined(values.as_list(resource.DependsOn or values.list()))
  if not values.has(list, on) then list[#list + 1] = on end
  values.put(resource, "DependsOn", list)
end

local function role_policy(work, use)
  local role = needed(use, use.profile.role, "RoleName", "IAM role name")
  local policy = resources.set(made(use, "AWS::IAM::ManagedPolicy", "Policy"), "PolicyDocument",
    values.map("Version", "2012-10-17", "Statement", statements(use.id, use)), "Roles", values.list(role))
  local waiting = use.profile.waits == "source" and { use.ends.Source.id }
    or use.profile.waits == "mapping" and mappings(work, use.ends) or {}
  if #waiting == 1 then add_dependency(work, waiting[1], policy.id) end
  return policy
end

local function permission(_, use)
  local arn = needed(use, "Destination", "Arn", "Lambda function ARN")
  local account = use.profile.source_account
  return resources.set(made(use, "AWS::Lambda::Permission", "WriteLambdaPermission"),
    "Action", "lambda:InvokeFunction", "FunctionName", arn, "Principal", use.profile.permission,
    "SourceArn", filled(use.id, use.profile.source_arn, use.ends),
    "SourceAccount", account and filled(use.id, account, use.ends))
end

-- A resource that has a policy -> the policy's type, the end of its name, the property that names the resource, what
-- of the resource that is, and the words for it.
local POLICIES = {
  topic = { "AWS::SNS::TopicPolicy", "TopicPolicy", "Topics", "Arn", "SNS topic ARN" },
  queue = { "AWS::SQS::QueuePolicy", "QueuePolicy", "Queues", "QueueUrl", "SQS queue URL" },
}

local function resource_policy(_, use)
  local form = POLICIES[use.profile.policy]
  local target = needed(use, "Destination", form[4], form[5])
  local statement = values.map("Effect", "Allow", "Principal", values.map("Service", use.profile.service),
    "Resource", filled(use.id, "{Destination.Arn}", use.ends), "Action", use.profile.action,
    "Condition", values.map("ArnEquals", values.map("aws:SourceArn", filled(use.id, "{Source.Arn}", use.ends))))
  return resources.set(made(use, form[1], form[2]), "PolicyDocument",
    values.map("Version", "2012-10-17", "Statement", values.list(statement)), form[3], values.list(target))
end

local function original_type(work, given)
  return given.id and work.original[given.id] or given.type
end

local function note_ends(work, use, resource)
  local metadata = values.map("aws:sam:connectors", values.map(use.id, values.map(
    "Source", values.map("Type", original_type(work, use.ends.Source)),
    "Destination", values.map("Type", original_type(work, use.ends.Destination)))))
  values.put(resource.attributes, "Metadata", values.merged(resource.attributes.Metadata or {}, metadata))
end

local function connect(work, id, definition, given, destination, index)
  local ends = { Destination = end_of(work, id, destination, given.Source),
    Source = end_of(work, id, given.Source, destination) }
  local profile = (profiles.permissions[ends.Source.type] or {})[ends.Destination.type]
  if not profile then
    failure.resource(id, "Unable to create connector from %s to %s; it's not supported or the template is invalid.",
      ends.Source.type, ends.Destination.type)
  end
  check_permissions(id, given.Permissions, profile, ends)
  local use = { id = id, ends = ends, profile = profile, permissions = given.Permissions, index = index,
    attributes = resources.own_attributes(definition), depends_on = definition.DependsOn }
  local make = profile.role and role_policy or profile.permission and permission or resource_policy
  local resource = make(work, use)
  note_ends(work, use, resource)
  return resource
end

-- What waits for a connector waits for what it has become; not so, as with SAM, connectors that are translated later.
local function replace_dependency(work, id, out)
  for _, other in ipairs(values.keys(work.tree.Resources)) do
    local on = values.as_list(work.tree.Resources[other].DependsOn or values.list())
    if values.has(on, id) and work.tree.Resources[other].Type ~= TYPE then
      local list = values.list()
      for _, each in ipairs(on) do
        if each ~= id then list[#list + 1] = each end
      end
      for _, each in ipairs(out) do list[#list + 1] = each.id end
      values.put(work.tree.Resources[other], "DependsOn", list)
    end
  end
end

--- What a connector becomes.
---@param work table the translation, in whose tree the other resources are translated
---@return table[] made
function connectors.translate(work, id, definition)
  local given = resources.properties(KIND, id, definition)
  local several, out = values.is_list(given.Destination), {}
  for i, destination in ipairs(several and given.Destination or { given.Destination }) do
    out[i] = connect(work, id, definition, given, destination, several and i - 1 or nil)
  end
  if #out == 0 then failure.resource(id, "'Destination' is an empty list") end
  replace_dependency(work, id, out)
  return out
end

return connectors
