--- CloudFormation's operations on templates.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local template = require "sandbox.template"
local capabilities = require "sandbox.template.capabilities"
local parameters = require "sandbox.template.parameters"
local reads = require "sandbox.services.cloudformation.reads"
local address = require "sandbox.services.s3.address"
local s3 = require "sandbox.services.s3.store"

local templates = {}

local MAX_BYTES = 1000000
local MORE = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

--- The text of a template in the sandbox's S3. Raises ValidationError, with S3's own reason.
---@param url string
---@return string
function templates.fetch(context, url)
  if not url:match("^https://") then fault.validation("TemplateURL must be a supported URL.") end
  local bucket, key, version = address.parse(url)
  if not bucket then
    fault.validation("S3 error: Domain name specified in %s is not a valid S3 domain", key)
  end
  local ok, object = pcall(function() return s3.get(s3.bucket(context, bucket), key, version) end)
  if not ok then
    if not fault.is(object) then error(object, 0) end
    fault.validation("S3 error: %s%s", object.message, MORE)
  elseif #object.body > MAX_BYTES then
    fault.validation("Template may not exceed %d bytes in size.", MAX_BYTES)
  end
  return object.body
end

--- The template's text of a request that must bring one.
---@param context table
---@param input table
---@return string
function templates.text(context, input)
  if input.TemplateBody and input.TemplateURL then
    fault.validation("You cannot specify both Template Body and Template URL")
  elseif input.TemplateURL then
    return templates.fetch(context, input.TemplateURL)
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
  return described(template.read(templates.text(context, input)), false)
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
    or template.read(templates.text(context, input))
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
  local processed = input.TemplateStage == "Processed" and read.original
  return { TemplateBody = processed and json.encode(read.tree) or read.text,
    StagesAvailable = json.list { "Original", "Processed" } }
end

return templates
