--- Which existing things a stack takes over: the resources that its template has and the stack does not, each found by
-- its type's primary identifier. That comes from --identifier, else from the properties that the template gives.

local asked = require "tap.asked"
local json = require "tap.core.json"
local schema = require "tap.schema"
local template = require "tap.template"

local imports = {}

-- The resources that the stack has not yet, in the template's order.
local function new_resources(job)
  local has, list = {}, {}
  if job.existing then
    for _, item in ipairs(job.stack:resources()) do
      has[item.LogicalResourceId] = item.ResourceStatus ~= "DELETE_COMPLETE"
    end
  end
  for _, resource in ipairs(job.target.template:resources()) do
    if not has[resource.id] then list[#list + 1] = resource end
  end
  return list
end

-- What Ref will give for the parameters: as given, else as the stack has them, else the template's defaults.
local function parameter_values(job, given)
  local values, list = {}, {}
  for _, member in ipairs(job.target.template:members "Parameters") do values[member.name] = member.value.Default end
  for _, parameters in ipairs { job.existing and job.existing.Parameters or {}, given } do
    for _, one in ipairs(parameters) do values[one.ParameterKey] = one.ParameterValue or values[one.ParameterKey] end
  end
  for name, value in pairs(values) do list[#list + 1] = { ParameterKey = name, ParameterValue = tostring(value) } end
  return list
end

-- The template's properties by logical id, computed as far as the parameters and the caller say.
local function properties_of(job, given)
  local identity = job.ctx:client("sts"):get_caller_identity {}
  local id = ("arn:%s:cloudformation:%s:%s:stack/%s/new"):format(identity.Arn:match "^arn:([^:]+):",
    job.cfn:region(), identity.Account, job.target.name)
  return asked.properties(job.target.template.text, { StackId = id, StackName = job.target.name,
    Parameters = parameter_values(job, given) }, {})
end

-- "bus|rule" for { "EventBusName", "Name" }, as Cloud Control writes identifiers of several parts; nil when there are
-- more or fewer parts than names.
local function split(value, names)
  local found, count = {}, 0
  for part in (value .. "|"):gmatch "([^|]*)|" do
    count = count + 1
    if part == "" or not names[count] then return nil end
    found[names[count]] = part
  end
  return count == #names and found or nil
end

-- What the template itself says; nil when it leaves a part to AWS.
local function from_template(properties, names)
  local found = {}
  for _, name in ipairs(names) do
    local value = properties[name]
    if type(value) ~= "string" or value:find("${", 1, true) then return nil end
    found[name] = value
  end
  return found
end

-- The identifier of one resource; nil and what is wrong.
local function identifier_of(resource, given, properties)
  local known = schema.of(resource.type)
  local names = known and known.identifier
  if not names then return nil, ("%s cannot be imported: nothing is known that identifies it"):format(resource.type) end
  local form = ("--identifier %s=%s"):format(resource.id, table.concat(names, "|"))
  if not given then
    local found = from_template(properties, names)
    return found, not found and ("the template does not say which %s it is: add %s"):format(resource.type, form)
  end
  local found = split(given, names)
  return found, not found and ("--identifier %s=%s is not of the form %s"):format(resource.id, given, form)
end

-- The service demands it: a failed import must not delete what was there before.
local function has_policy(job, resource)
  return job.target.template.root.Resources[resource.id].DeletionPolicy ~= nil
end

--- What an import's change set is to take over. Raises class "invalid" with every problem's place.
---@param job tap.Rollout
---@param parameters table[] of the request
---@return { ResourceType: string, LogicalResourceId: string, ResourceIdentifier: table<string, string> }[]
function imports.of(job, parameters)
  local t, given = job.target.template, job.identifiers
  local list, problems, unknown = json.list {}, {}, {}
  for id in pairs(given) do unknown[id] = true end
  local resources = new_resources(job)
  local properties = #resources > 0 and properties_of(job, parameters) or {}
  local function problem(resource, words)
    problems[#problems + 1] = t:problem({ "Resources", resource.id }, resource.id .. ": " .. words)
  end
  for _, resource in ipairs(resources) do
    unknown[resource.id] = nil
    local identifier, wrong = identifier_of(resource, given[resource.id], properties[resource.id] or {})
    list[#list + 1] = { ResourceType = resource.type, LogicalResourceId = resource.id, ResourceIdentifier = identifier }
    if wrong then problem(resource, wrong) end
    if not has_policy(job, resource) then problem(resource, "what is imported needs a DeletionPolicy (Retain)") end
  end
  for id in pairs(unknown) do
    problems[#problems + 1] = t:problem({ "Resources" }, ("--identifier %s: %s"):format(id, t.root.Resources[id]
      and "the stack has it already" or "the template has no such resource"))
  end
  if #resources == 0 and #problems == 0 then
    problems[1] = t:problem({ "Resources" }, "the stack has all of them already: there is nothing to import")
  end
  template.refuse(problems)
  return list
end

return imports
