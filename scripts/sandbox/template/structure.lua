--- The shape of a template: its sections, what each member of a section must look like, and the limits.
-- What refers to what is checked in sandbox.template.references, parameter values in .parameters.

local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"
local rules = require "sandbox.template.rules"
local shape = require "sandbox.template.shape"

local structure = {}

local function set(...)
  local out = {}
  for _, name in ipairs { ... } do out[name] = true end
  return out
end

local SECTIONS = set("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings",
  "Conditions", "Transform", "Resources", "Outputs", "Rules", "Hooks")
local MAP_SECTIONS = {
  "Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Rules", "Hooks",
}
local NOT_EMULATED = { "Hooks" }
local ATTRIBUTES = { "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy",
  "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy" }
local RESOURCE_KEYS, CUSTOM_KEYS = set(table.unpack(ATTRIBUTES)), set("Version", table.unpack(ATTRIBUTES))
local OUTPUT_KEYS = set("Value", "Description", "Export", "Condition")
local PARAMETER_KEYS = set("Type", "Default", "NoEcho", "AllowedPattern", "AllowedValues", "MinLength",
  "MaxLength", "MinValue", "MaxValue", "Description", "ConstraintDescription")
local DELETION_POLICIES = set("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
local REPLACE_POLICIES = set("Delete", "Retain", "Snapshot")

local LIMITS = { -- members a section, and the word for them in the refusal
  { "Resources", 500, "resources" }, { "Parameters", 200, "parameters" }, { "Outputs", 200, "outputs" },
  { "Mappings", 200, "mappings" },
}
local MAX_NAME = 255
local MAX_DESCRIPTION = 1024 -- bytes

local function format_error(message, ...)
  fault.validation("Template format error: " .. message, ...)
end

local function unknown_keys(map, known)
  local out = {}
  for _, key in ipairs(shape.keys(map)) do
    if not known[key] then out[#out + 1] = key end
  end
  return out
end

local function check_name(kind, name)
  if not name:match("^%w+$") then format_error("%s name %s is non alphanumeric.", kind, name) end
  if #name > MAX_NAME then
    format_error("%s name %s is longer than %d characters.", kind, name, MAX_NAME)
  end
end

local function check_sections(tree, more)
  local unknown = unknown_keys(tree, setmetatable(more or {}, { __index = SECTIONS }))
  if #unknown > 0 then
    fault.validation("Invalid template property or properties [%s]", table.concat(unknown, ", "))
  end
  if tree.AWSTemplateFormatVersion and tree.AWSTemplateFormatVersion ~= "2010-09-09" then
    format_error("unsupported value for AWSTemplateFormatVersion.")
  end
  local description = tree.Description or ""
  if type(description) ~= "string" then format_error("Every Description member must be a string.") end
  if #description > MAX_DESCRIPTION then
    format_error("'Description' length is greater than %d.", MAX_DESCRIPTION)
  end
  for _, name in ipairs(MAP_SECTIONS) do
    if tree[name] and not shape.is_map(tree[name]) then
      format_error("Every %s member must be an object.", name)
    end
  end
  for _, name in ipairs(NOT_EMULATED) do
    if tree[name] and (type(tree[name]) ~= "table" or next(tree[name]) ~= nil) then
      fault.validation("The sandbox does not emulate the %s section of a template.", name)
    end
  end
end

local function check_limits(tree)
  for _, limit in ipairs(LIMITS) do
    local section, most, word = table.unpack(limit)
    local count = #shape.keys(tree[section] or {})
    if count > most then
      format_error("Number of %s, %d, is greater than maximum allowed, %d", word, count, most)
    end
  end
end

local function check_depends_on(value)
  local list = type(value) == "string" and { value } or value
  if not shape.is_list(list) then format_error("DependsOn must be a string or list of strings.") end
  for _, name in ipairs(list) do
    if type(name) ~= "string" then format_error("Every DependsOn value must be a string.") end
  end
end

local function check_policy(id, resource, attribute, allowed)
  local value = resource[attribute]
  if value and not (type(value) == "string" and allowed[value]) then
    local text = type(value) == "string" and value or "{}"
    format_error("Unrecognized %s %s for resource %s", attribute, text, id)
  end
end

local function check_resource(id, resource)
  check_name("Resource", id)
  if not shape.is_map(resource) then format_error("Any Resources member must be an object.") end
  if type(resource.Type) ~= "string" then
    format_error("[/Resources/%s] Every Resources object must contain a Type member.", id)
  end
  local custom = resource.Type:find "^Custom::" or resource.Type == "AWS::CloudFormation::CustomResource"
  local unknown = unknown_keys(resource, custom and CUSTOM_KEYS or RESOURCE_KEYS)[1]
  if unknown then fault.validation("Invalid template resource property '%s'", unknown) end
  if resource.Properties and not shape.is_map(resource.Properties) then
    format_error("[/Resources/%s/Properties] Every Properties member must be an object.", id)
  end
  if resource.Condition and type(resource.Condition) ~= "string" then
    format_error("[/Resources/%s/Condition] Every Condition member must be a string.", id)
  end
  if resource.DependsOn then check_depends_on(resource.DependsOn) end
  check_policy(id, resource, "DeletionPolicy", DELETION_POLICIES)
  check_policy(id, resource, "UpdateReplacePolicy", REPLACE_POLICIES)
end

local function check_types(resources)
  local unknown = {}
  for _, id in ipairs(shape.keys(resources)) do
    local name = resources[id].Type
    if not catalog.exists(name) then unknown[#unknown + 1] = name end
  end
  if #unknown > 0 then
    format_error("Unrecognized resource types: [%s]", table.concat(unknown, ", "))
  end
end

local function check_output(id, output)
  check_name("Output", id)
  if not shape.is_map(output) then format_error("Every Outputs member must be an object.") end
  if output.Value == nil then format_error("Every Outputs member must contain a Value object") end
  if type(output.Value) == "table" and not shape.call(output.Value) then
    format_error("The Value field of every Outputs member must evaluate to a String.")
  end
  local unknown = unknown_keys(output, OUTPUT_KEYS)
  if #unknown > 0 then
    fault.validation("Invalid output property or properties [%s]", table.concat(unknown, ", "))
  end
  if output.Export and not (shape.is_map(output.Export) and output.Export.Name) then
    format_error("Output %s is malformed. The Export must be an object with a Name.", id)
  end
  if output.Description and type(output.Description) ~= "string" then
    format_error("Every Description member must be a string.")
  end
end

local function check_parameter(name, parameter)
  check_name("Parameter", name)
  if not shape.is_map(parameter) then format_error("Any Parameters member must be an object.") end
  if type(parameter.Type) ~= "string" then
    format_error("Every Parameters object must contain a Type member.")
  end
  local unknown = unknown_keys(parameter, PARAMETER_KEYS)[1]
  if unknown then fault.validation("Invalid template parameter property '%s'", unknown) end
  for _, key in ipairs(shape.keys(parameter)) do
    local value = parameter[key]
    if key == "AllowedValues" then
      if not shape.is_list(value) then format_error("Every AllowedValues member must be a list.") end
    elseif type(value) ~= "string" then
      format_error("Every %s member must be a string.", key)
    end
  end
end

local function check_mapping_value(value)
  if type(value) == "string" then return end
  if not shape.is_list(value) then format_error("Every Mappings attribute must be a String or a List.") end
  for _, element in ipairs(value) do
    if type(element) ~= "string" then
      format_error("Every Mappings attribute must be a String or a List.")
    end
  end
end

local function check_mapping(name, mapping)
  check_name("Mappings", name)
  if not shape.is_map(mapping) then format_error("Every Mappings member %s must be a map", name) end
  for _, key in ipairs(shape.keys(mapping)) do
    if not shape.is_map(mapping[key]) then format_error("Every Mappings member %s must be a map", key) end
    for _, attribute in ipairs(shape.keys(mapping[key])) do check_mapping_value(mapping[key][attribute]) end
  end
end

local function check_condition(_, condition)
  if not shape.is_map(condition) then format_error("Every Conditions member must be an object.") end
end

local function check_unique(tree)
  for _, name in ipairs(shape.keys(tree.Parameters or {})) do
    if tree.Resources[name] then
      format_error("Parameter and resource names must be unique: %s", name)
    end
  end
end

local MEMBERS = {
  { "Parameters", check_parameter }, { "Mappings", check_mapping }, { "Conditions", check_condition },
  { "Resources", check_resource }, { "Outputs", check_output },
}

--- Checks as much of a template as can be said before its transforms. Raises ValidationError.
---@param more table<string, boolean> sections that it may have because of its transforms
function structure.check_untransformed(tree, more)
  check_sections(tree, more)
  for _, name in ipairs(shape.keys(tree.Parameters or {})) do check_parameter(name, tree.Parameters[name]) end
end

--- Checks a template's tree (sandbox.template.parse). Raises ValidationError with the service's texts.
---@param tree table
function structure.check(tree)
  check_sections(tree)
  rules.check(tree.Rules or {})
  if not tree.Resources or next(tree.Resources) == nil then
    format_error("At least one Resources member must be defined.")
  end
  check_limits(tree)
  for _, member in ipairs(MEMBERS) do
    local section, check = table.unpack(member)
    local map = tree[section] or {}
    for _, name in ipairs(shape.keys(map)) do check(name, map[name]) end
  end
  check_types(tree.Resources)
  check_unique(tree)
end

return structure
