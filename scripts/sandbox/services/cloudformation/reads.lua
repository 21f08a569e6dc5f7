--- CloudFormation's describing and listing operations. The wordings for a stack that does not exist differ
-- from operation to operation, as in the service: clients match on them.

local json = require "tap.core.json"
local answers = require "sandbox.answers"
local fault = require "sandbox.fault"
local exports = require "sandbox.engine.exports"
local paging = require "sandbox.services.paging"
local views = require "sandbox.services.cloudformation.views"

local reads = {}

local PAGE = 100

local MISSING = {
  with_id = "Stack with id %s does not exist",
  brackets = "Stack [%s] does not exist",
  quotes = "Stack '%s' does not exist",
  colon = "Stack: %s does not exist",
}

local function find(context, name, wording)
  if not name then
    fault.validation("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: "
      .. "Member must not be null")
  end
  return context.region:stack(name) or fault.validation(MISSING[wording], name)
end
reads.find = find

--- The change set of a stack by its name or id; nil when there is none.
function reads.change_set_of(stack, name)
  for _, set in ipairs(stack.change_sets or {}) do
    if set.name == name or set.id == name then return set end
  end
end

local function no_change_set(name)
  fault.raise("ChangeSetNotFound", ("ChangeSet [%s] does not exist"):format(name), 404)
end

--- The change set that a request names. Raises ChangeSetNotFound.
function reads.change_set(context, input)
  local name = input.ChangeSetName
  if name:match("^arn:") then return context.region.change_sets[name] or no_change_set(name) end
  if not input.StackName then
    fault.validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
  end
  return reads.change_set_of(find(context, input.StackName, "brackets"), name) or no_change_set(name)
end

local function is_live(stack)
  return stack.status ~= "DELETE_COMPLETE"
end

local function map(list, view, ...)
  local out = json.list {}
  for i, element in ipairs(list) do out[i] = view(element, ...) end
  return out
end

local function filtered(list, wanted)
  local out = {}
  for _, element in ipairs(list) do
    if wanted(element) then out[#out + 1] = element end
  end
  return out
end

function reads.DescribeStacks(context, input)
  if input.StackName then
    return { Stacks = json.list { views.stack(find(context, input.StackName, "with_id")) } }
  end
  local live = filtered(context.region.stacks, is_live)
  local page, next_token = paging.forward(live, input.NextToken, PAGE, "stacks")
  return { Stacks = map(page, views.stack), NextToken = next_token }
end

function reads.ListStacks(context, input)
  local statuses = {}
  for _, status in ipairs(input.StackStatusFilter or {}) do statuses[status] = true end
  local stacks = filtered(context.region.stacks, function(stack)
    return next(statuses) == nil or statuses[stack.status] ~= nil
  end)
  local page, next_token = paging.newest_first(stacks, input.NextToken, PAGE, "summaries")
  return { StackSummaries = map(page, views.summary), NextToken = next_token }
end

-- The first page of a stack's events: their list -> { count, output }. When the collector takes it, it is made anew.
local newest = setmetatable({}, { __mode = "kv" })

-- The same table as long as no event has come: whoever waits asks for it every few seconds.
function reads.DescribeStackEvents(context, input)
  local events = find(context, input.StackName, "brackets").events
  local known = newest[events]
  if known and known.count == #events and not input.NextToken then return known.output end
  local page, next_token = paging.newest_first(events, input.NextToken, PAGE, "events")
  local output = { StackEvents = json.list(page), NextToken = next_token }
  if not input.NextToken then newest[events] = { count = #events, output = answers.keep(output) } end
  return output
end

-- The resources that have begun, in the order of the template.
local function resources_of(stack)
  local out = {}
  for _, id in ipairs(stack.plan.created) do out[#out + 1] = stack.resources[id] end
  return out
end

local function viewed(stack, resources, view)
  return map(resources, function(resource) return view(stack, resource) end)
end

local function owner_of(context, physical_id)
  for _, stack in ipairs(context.region.stacks) do
    for _, resource in pairs(is_live(stack) and stack.resources or {}) do
      if resource.physical_id == physical_id then return stack end
    end
  end
  fault.validation("Stack for %s does not exist", physical_id)
end

function reads.DescribeStackResources(context, input)
  if input.StackName and input.PhysicalResourceId then
    fault.validation("StackName and PhysicalResourceId cannot be specified together.")
  elseif not input.StackName and not input.PhysicalResourceId then
    fault.validation("StackName or PhysicalResourceId must be specified.")
  end
  local stack = input.StackName and find(context, input.StackName, "with_id")
    or owner_of(context, input.PhysicalResourceId)
  local wanted = filtered(resources_of(stack), function(resource)
    return not input.LogicalResourceId or resource.logical == input.LogicalResourceId
  end)
  return { StackResources = viewed(stack, table.move(wanted, 1, PAGE, 1, {}), views.resource) }
end

function reads.DescribeStackResource(context, input)
  local stack = find(context, input.StackName, "quotes")
  local resource = stack.resources[input.LogicalResourceId]
  if not resource or resource.status == "DELETE_COMPLETE" and is_live(stack) then
    fault.validation("Resource %s does not exist for stack %s", input.LogicalResourceId, input.StackName)
  end
  return { StackResourceDetail = views.resource_detail(stack, resource) }
end

function reads.ListStackResources(context, input)
  local stack = find(context, input.StackName, "with_id")
  local page, next_token = paging.forward(resources_of(stack), input.NextToken, PAGE, "resources")
  return { StackResourceSummaries = viewed(stack, page, views.resource_summary), NextToken = next_token }
end

function reads.GetStackPolicy(context, input)
  return { StackPolicyBody = find(context, input.StackName, "colon").policy_text }
end

function reads.ListExports(context, input)
  local page, next_token = paging.forward(context.region:sorted_exports(), input.NextToken, PAGE, "exports")
  return { Exports = map(page, views.export), NextToken = next_token }
end

function reads.ListImports(context, input)
  local export = context.region.exports[input.ExportName]
  local importers = export and exports.importers(export) or {}
  if #importers == 0 then fault.validation("Export '%s' is not imported by any stack.", input.ExportName) end
  local page, next_token = paging.forward(importers, input.NextToken, PAGE, "imports")
  return { Imports = json.list(page), NextToken = next_token }
end

return reads
