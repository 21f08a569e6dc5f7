--- CloudFormation's operations on templates.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local template = require "sandbox.template"
local capabilities = require "sandbox.template.capabilities"
local parameters = require "sandbox.template.parameters"
local requests = require "sandbox.engine.requests"
local reads = require "sandbox.services.cloudformation.reads"

local templates = {}

local function declared(read, with_types)
  local out = json.list {}
  for _, name in ipairs(json.keys(read.parameters)) do
    local definition = read.parameters[name]
    local entry = {
      ParameterKey = name, DefaultValue = definition.Default, Description = definition.Description,
      NoEcho = parameters.is_secret(definition),
    }
    if with_types then
      entry.ParameterType = definition.Type
      entry.ParameterConstraints = { AllowedValues = definition.AllowedValues }
    end
    out[#out + 1] = entry
  end
  return out
end

-- What ValidateTemplate and GetTemplateSummary both say.
local function described(read, with_types)
  local capability, types
  if not read.pending then capability, types = capabilities.needed(read.tree) end
  return {
    Parameters = declared(read, with_types), Description = read.description,
    Capabilities = capability and json.list { capability },
    DeclaredTransforms = #read.transforms > 0 and read.transforms or nil,
    CapabilitiesReason = capability
      and ("The following resource(s) require capabilities: [%s]"):format(table.concat(types, ", ")),
  }
end

function templates.ValidateTemplate(context, input)
  return described(template.read(requests.text(context, input)), false)
end

local function resource_types(read)
  local types, by_type = json.list {}, {}
  for _, id in ipairs(json.keys(read.resources)) do
    local name = read.resources[id].Type
    if not by_type[name] then
      by_type[name] = json.list {}
      types[#types + 1] = name
    end
    table.insert(by_type[name], id)
  end
  local summaries = json.list {}
  for i, name in ipairs(types) do
    summaries[i] = { ResourceType = name, LogicalResourceIds = by_type[name] }
  end
  return types, summaries
end

function templates.GetTemplateSummary(context, input)
  if input.StackSetName then fault.not_emulated("cloudformation GetTemplateSummary of stack sets") end
  local stack = input.StackName and reads.find(context, input.StackName, "with_id")
  if stack and stack.status == "REVIEW_IN_PROGRESS" then
    fault.validation("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
  end
  local read = stack and stack.template or template.read(requests.text(context, input))
  local out = described(read, true)
  out.Version = "2010-09-09"
  out.Metadata = read.tree.Metadata and json.encode(read.tree.Metadata)
  if not read.pending then out.ResourceTypes, out.ResourceIdentifierSummaries = resource_types(read) end
  return out
end

function templates.GetTemplate(context, input)
  local read
  if input.ChangeSetName then
    if not input.ChangeSetName:match("^arn:") and not input.StackName then
      fault.validation("StackName is a required parameter.")
    end
    read = reads.change_set(context, input).target.template
  elseif input.StackName then
    read = reads.find(context, input.StackName, "with_id").template
  else
    fault.validation("StackName is required if ChangeSetName is not specified.")
  end
  return { TemplateBody = input.TemplateStage == "Processed" and read.processed or read.text,
    StagesAvailable = json.list { "Original", "Processed" } }
end

return templates
