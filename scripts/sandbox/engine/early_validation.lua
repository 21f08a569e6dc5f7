--- What is validated before anything is provisioned, when a change set is made (reference part 1.9):
-- properties against their type's schema, names against what exists. What is found fails the change set; the
-- details are events of its operation.

local schema = require "tap.schema"
local catalog = require "sandbox.resources.catalog"
local import = require "sandbox.engine.import"
local diff_values = require "sandbox.engine.diff_values"
local parameters = require "sandbox.template.parameters"

local early_validation = {}

-- Types that the service does not validate.
local SKIPPED = {
  ["AWS::CloudFormation::CustomResource"] = true, ["AWS::CloudFormation::WaitCondition"] = true,
  ["AWS::CloudFormation::WaitConditionHandle"] = true, ["AWS::CloudFormation::Macro"] = true,
  ["AWS::CertificateManager::Certificate"] = true, ["AWS::CloudFormation::Stack"] = true,
}

-- What a resource will give, and what nobody is shown.
local function is_unknown(value)
  return type(value) == "string" and (value:find("{{", 1, true) or value:find(parameters.MASK, 1, true)) ~= nil
end

local PROPERTIES = "AWS::EarlyValidation::PropertyValidation"
local EXISTENCE = "AWS::EarlyValidation::ResourceExistenceCheck"

local function add(found, id, type_name, fields)
  fields.LogicalResourceId, fields.ResourceType = id, type_name
  found[#found + 1] = fields
end

local function check_properties(found, id, type_name, properties)
  for _, wrong in ipairs(schema.check(type_name, properties, is_unknown)) do
    add(found, id, type_name, {
      name = PROPERTIES, ValidationName = "PROPERTY_VALIDATION",
      ValidationStatusReason = wrong.path .. ": " .. wrong.message,
      ValidationPath = ("/Resources/%s/Properties%s"):format(id, wrong.path:sub(2)),
    })
  end
end

local function check_name(found, region, id, type_name, properties)
  local rule = catalog.of(type_name).name
  local name = rule and rule[1] and not rule.shared and properties[rule[1]]
  if type(name) ~= "string" or is_unknown(name) then return end
  local home = region:home(catalog.of(type_name).global)
  if not home:thing(type_name, name) and not import.find(region, type_name, name) then return end
  add(found, id, type_name, {
    name = EXISTENCE, ValidationName = "NAME_CONFLICT_VALIDATION",
    ValidationStatusReason = ("Resource of type '%s' with identifier '%s' already exists."):format(type_name,
      name),
    ValidationPath = ("/Resources/%s/Properties/%s"):format(id, rule[1]),
  })
end

--- What validation finds.
---@param changes table[] of sandbox.engine.diff
---@param stack table
---@param target table
---@return table[] found each with the fields of an OperationEvent that tell it
---@return string? reason of the change set's failure; nil when nothing was found
function early_validation.check(changes, stack, target)
  local found, after = {}, diff_values.after(changes, stack, target)
  for _, change in ipairs(changes) do
    local id, type_name = change.LogicalResourceId, change.ResourceType
    local properties = not SKIPPED[type_name] and not type_name:match("^Custom::") and after(id)
    if properties then
      check_properties(found, id, type_name, properties)
      local makes = change.Action == "Add" or change.Replacement == "True"
      if makes then check_name(found, stack.region, id, type_name, properties) end
    end
  end
  if #found == 0 then return found, nil end
  return found, ("The following hook(s)/validation failed: [%s]. To troubleshoot Early Validation errors, "
    .. "use the "
    .. "DescribeEvents API for detailed failure information."):format(found[1].name)
end

return early_validation
