--- CloudFormation's operations on templates.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local template = require "sandbox.template"
local capabilities = require "sandbox.template.capabilities"
local parameters = require "sandbox.template.parameters"
local reads = require "sandbox.services.cloudformation.reads"

local templates = {}

--- The template's text of a request that must bring one.
---@param input table
---@return string
function templates.text(input)
  if input.TemplateBody and input.TemplateURL then
    fault.validation("You cannot specify both Template Body and Template URL")
  elseif input.TemplateURL then
    if not input.TemplateURL:match("^https://") then
      fault.validation("TemplateURL must be a supported URL.")
    end
    fault.not_emulated("cloudformation with TemplateURL: send the text as TemplateBody")
  end
  return input.TemplateBody or fault.validation("Either Template URL or Template Body must be specified.")
end

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
  local capability, types = capabilities.needed(read.tree)
  return {
    Parameters = declared(read, with_types), Description = read.description,
    Capabilities = capability and json.list { capability },
    CapabilitiesReason = capability
      and ("The following resource(s) require capabilities: [%s]"):format(table.concat(types, ", ")),
  }
end

function templates.ValidateTemplate(_, input)
  return described(template.read(templates.text(input)), false)
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
  local read = input.StackName and reads.find(context, input.StackName, "with_id").template
    or template.read(templates.text(input))
  local out = described(read, true)
  out.Version = "2010-09-09"
  out.Metadata = read.tree.Metadata and json.encode(read.tree.Metadata)
  out.ResourceTypes, out.ResourceIdentifierSummaries = resource_types(read)
  return out
end

function templates.GetTemplate(context, input)
  if input.ChangeSetName then fault.not_emulated("cloudformation GetTemplate of change sets") end
  if not input.StackName then fault.validation("StackName is required if ChangeSetName is not specified.") end
  local stack = reads.find(context, input.StackName, "with_id")
  -- No transforms are emulated, so a template is the same before and after them.
  return { TemplateBody = stack.template.text, StagesAvailable = json.list { "Original", "Processed" } }
end

return templates
