--- Capabilities: what a caller must acknowledge before a template may make IAM resources.

local fault = require "sandbox.fault"
local shape = require "sandbox.template.shape"

local capabilities = {}

-- IAM types and the property that gives them a name of the template's choosing (false: there is none).
local IAM = {
  ["AWS::IAM::AccessKey"] = false,
  ["AWS::IAM::Group"] = "GroupName",
  ["AWS::IAM::InstanceProfile"] = "InstanceProfileName",
  ["AWS::IAM::ManagedPolicy"] = "ManagedPolicyName",
  ["AWS::IAM::Policy"] = false, -- PolicyName is required and counts for nothing
  ["AWS::IAM::Role"] = "RoleName",
  ["AWS::IAM::User"] = "UserName",
  ["AWS::IAM::UserToGroupAddition"] = false,
}

--- The capability that a template needs, and the resource types that need it, in template order.
---@param tree table
---@return string? capability
---@return string[] types
function capabilities.needed(tree)
  local capability, types = nil, {}
  for _, id in ipairs(shape.keys(tree.Resources)) do
    local resource = tree.Resources[id]
    local name_property = IAM[resource.Type]
    if name_property ~= nil then
      local named = name_property and (resource.Properties or {})[name_property]
      if named then capability = "CAPABILITY_NAMED_IAM" end
      capability = capability or "CAPABILITY_IAM"
      if not types[resource.Type] then
        types[resource.Type] = true
        types[#types + 1] = resource.Type
      end
    end
  end
  return capability, types
end

local function has(list, wanted)
  for _, element in ipairs(list) do
    if element == wanted then return true end
  end
  return false
end

--- Raises InsufficientCapabilitiesException when transforms were not allowed for: a change set would show what they
--- make, an operation without one does not.
---@param read table
---@param given string[]
function capabilities.check_expansion(read, given)
  if (read.pending or read.original) and not has(given, "CAPABILITY_AUTO_EXPAND") then
    fault.raise("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
  end
end

--- Raises InsufficientCapabilitiesException when what is needed was not given.
---@param read table a template whose transforms are applied
---@param given string[]
function capabilities.check(read, given)
  local needed = capabilities.needed(read.tree)
  for _, capability in ipairs(given) do
    if capability == needed or capability == "CAPABILITY_NAMED_IAM" then return end
  end
  if needed then
    fault.raise("InsufficientCapabilitiesException", ("Requires capabilities : [%s]"):format(needed))
  end
end

return capabilities
