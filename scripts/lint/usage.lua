--- Rules about use: what is defined and never used, what is used where it may not be there, what is secret and shown.

local functions = require "lint.functions"
local json = require "tap.core.json"
local logic = require "lint.logic"
local state = require "lint.state"
local uses = require "lint.uses"
local util = require "tap.util"

local usage = {}

local join, is_map = state.join, state.is_map

---------------------------------------------------------------------------------------------------------
-- Defined and not used

local UNUSED = {
  { rule = "W2001", section = "Parameters", used = "named", message = "Parameter %s not used." },
  { rule = "W7001", section = "Mappings", used = "mappings", message = "Mapping '%s' is defined but not used" },
  { rule = "W8001", section = "Conditions", used = "conditions", message = "Condition %s not used" },
}

-- What a macro rewrites may be used in what cannot be seen.
local function check_unused(L, found)
  if L.modules or L.rewritten and not L.sam and not L.extended then return end
  for _, kind in ipairs(UNUSED) do
    local map = L[kind.section:lower()]
    for _, name in ipairs(json.keys(map)) do
      local computed = kind.section == "Mappings" and found.any_mapping
      if not found[kind.used][name] and not computed and not name:find("^Fn::") then
        L:find(kind.rule, { kind.section, name }, kind.message, name)
      end
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Conditions

-- A resource that may not be there, seen from where it is named.
local function check_availability(L, found, conditions)
  for _, use in ipairs(found.names) do
    local resource = L.resources[use.name]
    local condition = is_map(resource) and resource.Condition
    local matters = use.owner ~= use.name and use.part ~= "Metadata" and use.given[condition] ~= true
    if matters and type(condition) == "string" and L.conditions[condition] ~= nil then
      local without = { [condition] = false }
      for name, value in pairs(use.given) do without[name] = value end
      if use.given[condition] == false or conditions:possible(without) then
        L:find("W1001", use.path, "%s to resource '%s' that may not be available when condition '%s' is False",
          use.kind == "GetAtt" and "GetAtt" or "Ref", use.name, condition)
      end
    end
  end
end

local BRANCHES = { [2] = true, [3] = false }

-- A branch of an If that no case reaches.
local function check_branches(L, found, conditions)
  for _, one in ipairs(found.ifs) do
    if L.conditions[one.name] ~= nil and next(one.given) and conditions:possible(one.given) then
      for index, value in pairs(BRANCHES) do
        local case = { [one.name] = value }
        for name, held in pairs(one.given) do
          if name ~= one.name then case[name] = held end
        end
        local known = one.given[one.name]
        if known ~= nil and known ~= value or known == nil and not conditions:possible(case) then
          L:find("W1028", join(one.path, index), "this branch is not reachable: condition '%s' is %s here", one.name,
            value and "False" or "True")
        end
      end
    end
  end
end

local function equals_of(value, path, into)
  if type(value) ~= "table" then return end
  if is_map(value) and json.is_list(value["Fn::Equals"]) then
    into[#into + 1] = { pair = value["Fn::Equals"], path = join(path, "Fn::Equals") }
    return
  end
  for key, item in pairs(value) do equals_of(item, join(path, key), into) end
end

-- A comparison that is always the same.
local function check_comparisons(L)
  for _, name in ipairs(json.keys(L.conditions)) do
    local found = {}
    equals_of(L.conditions[name], { "Conditions", name }, found)
    for _, one in ipairs(found) do
      local left, right = one.pair[1], one.pair[2]
      if type(left) ~= "table" and type(right) ~= "table" and left ~= nil and right ~= nil then
        L:find("W8003", one.path, "%s and %s: this is always %s", state.show(left), state.show(right),
          tostring(tostring(left) == tostring(right)))
      end
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Dependencies

local function depends_of(resource)
  local value = resource.DependsOn
  return json.is_list(value) and value or { value }, json.is_list(value)
end

-- A dependency that a Ref or a GetAtt makes by itself.
local function check_depends(L, found)
  local by_owner = {}
  for _, use in ipairs(found.names) do
    if use.owner and (use.part == "Properties" or use.part == "Metadata") then
      by_owner[use.owner] = by_owner[use.owner] or {}
      by_owner[use.owner][use.name] = by_owner[use.owner][use.name] or use
    end
  end
  for id, used in pairs(by_owner) do
    local names, is_list = depends_of(L.resources[id])
    for index, name in ipairs(names) do
      local use = type(name) == "string" and used[name]
      if use and L.resources[name] ~= nil then
        L:find("W3005", is_list and join({ "Resources", id, "DependsOn" }, index) or { "Resources", id, "DependsOn" },
          "'%s' dependency already enforced by a '%s'", name, use.kind == "Sub" and "Fn::Sub" or use.kind == "GetAtt"
            and "Fn::GetAtt" or use.kind)
      end
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Secrets and outputs

local function check_secrets(L, found)
  for _, use in ipairs(found.names) do
    local parameter = L.parameters[use.name]
    local secret = is_map(parameter) and tostring(parameter.NoEcho) == "true"
    if secret and (use.section == "Metadata" or use.part == "Metadata" or use.section == "Outputs") then
      L:find("W2010", use.path, "Don't use 'NoEcho' parameter '%s' in %s: it is shown there", use.name,
        use.section == "Outputs" and "outputs" or "metadata")
    end
  end
end

local function check_outputs(L)
  for _, name in ipairs(json.keys(L.outputs)) do
    local output = L.outputs[name]
    if is_map(output) and functions.name_of(output.Value) == "Fn::ImportValue" then
      L:find("W6001", { "Outputs", name, "Value", "Fn::ImportValue" },
        "The output value is an import from another output")
    end
  end
end

local INTERFACE = "AWS::CloudFormation::Interface"

-- The names that the console's groups and labels have.
local function check_interface(L)
  local interface = is_map(L.root.Metadata) and L.root.Metadata[INTERFACE]
  if not is_map(interface) then return end
  local path = { "Metadata", INTERFACE }
  local function check(name, at)
    if type(name) == "string" and L.parameters[name] == nil then
      L:find("W4001", at, "'%s' is no parameter%s", name, util.suggest(name, util.sorted_keys(L.parameters)))
    end
  end
  for group, one in ipairs(json.is_list(interface.ParameterGroups) and interface.ParameterGroups or {}) do
    for index, name in ipairs(is_map(one) and json.is_list(one.Parameters) and one.Parameters or {}) do
      check(name, join(path, "ParameterGroups", group, "Parameters", index))
    end
  end
  for name in pairs(is_map(interface.ParameterLabels) and interface.ParameterLabels or {}) do
    check(name, join(path, "ParameterLabels", name))
  end
end

--- All of them.
---@param L table lint.state
function usage.check(L)
  local found, conditions = uses.of(L), logic.new(L)
  check_unused(L, found)
  check_availability(L, found, conditions)
  check_branches(L, found, conditions)
  check_comparisons(L)
  check_depends(L, found)
  check_secrets(L, found)
  check_outputs(L)
  check_interface(L)
end

return usage
