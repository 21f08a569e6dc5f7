--- Finds what a template refers to and does not have: Ref, Fn::GetAtt, Fn::Sub, DependsOn, conditions and
-- mappings, each with the place where it stands and the name that was probably meant.

local json = require "tap.core.json"
local util = require "tap.util"

local references = {}

local PSEUDO = {}
for name in ("AccountId NoValue NotificationARNs Partition Region StackId StackName URLSuffix")
  :gmatch("%a+") do
  PSEUDO["AWS::" .. name] = true
end

-- The texts of the service; %s: what is missing, the block in which it was asked for.
local TEXTS = {
  name = "Template format error: Unresolved resource dependencies [%s] in the %s block of the template",
  condition_name = "Template format error: Unresolved dependencies [%s]. Cannot reference resources in "
    .. "the %s block of the template",
  attribute = "Template error: instance of Fn::GetAtt references undefined resource %s",
  branch = "Template error: unresolved condition dependency %s in Fn::If",
  condition = "Template format error: Unresolved condition dependency %s in the %s block of the template",
  mapping = "Template error: Mapping named '%s' is not present in the 'Mappings' section of template",
}

-- One check of a template: names known, problems found, and where the walk stands.
local function new_scan(template, problems)
  local scan = { template = template, problems = problems, path = {}, block = nil }
  scan.resources, scan.conditions = template.root.Resources or {}, template.root.Conditions or {}
  scan.mappings, scan.parameters = template.root.Mappings or {}, template.root.Parameters or {}
  return scan
end

local function names_of(...)
  local names = {}
  for _, map in ipairs { ... } do
    for name in pairs(map) do names[#names + 1] = tostring(name) end
  end
  return names
end

local function report(scan, text, missing, candidates)
  local message = TEXTS[text]:format(missing, scan.block) .. util.suggest(missing, candidates)
  scan.problems[#scan.problems + 1] = scan.template:problem(scan.path, message)
end

local function need_name(scan, name)
  if PSEUDO[name] or scan.parameters[name] ~= nil then return end
  if scan.block == "Conditions" then
    return report(scan, "condition_name", name, names_of(scan.parameters))
  end
  if scan.resources[name] == nil then
    report(scan, "name", name, names_of(scan.resources, scan.parameters))
  end
end

local function need_resource(scan, name, text)
  if scan.resources[name] == nil then report(scan, text, name, names_of(scan.resources)) end
end

local function need_condition(scan, name, text)
  if scan.conditions[name] == nil then report(scan, text, name, names_of(scan.conditions)) end
end

local function visit_sub(scan, argument)
  local text, variables = argument, {}
  if type(argument) == "table" then text, variables = argument[1], argument[2] or {} end
  if type(text) ~= "string" or type(variables) ~= "table" then return end
  for name in text:gmatch("%${%s*([^!}][^}]-)%s*}") do
    local resource, dot = name:match("^([^.]+)(%.?)")
    if variables[name] == nil then
      if dot == "." then need_resource(scan, resource, "name") else need_name(scan, name) end
    end
  end
end

-- Function -> what its argument refers to by name. What is not a plain string is judged by the service.
local FUNCTIONS = {
  Ref = function(scan, argument)
    if type(argument) == "string" then need_name(scan, argument) end
  end,
  ["Fn::GetAtt"] = function(scan, argument)
    local id = type(argument) == "table" and argument[1] or argument
    if type(id) ~= "string" then return end
    if type(argument) == "string" then id = argument:match("^[^.]+") or argument end
    need_resource(scan, id, "attribute")
  end,
  ["Fn::Sub"] = visit_sub,
  ["Fn::If"] = function(scan, argument)
    local name = type(argument) == "table" and argument[1]
    if type(name) == "string" then need_condition(scan, name, "branch") end
  end,
  ["Fn::FindInMap"] = function(scan, argument)
    local name = type(argument) == "table" and argument[1]
    if type(name) == "string" and scan.mappings[name] == nil then
      report(scan, "mapping", name, names_of(scan.mappings))
    end
  end,
  Condition = function(scan, argument) -- only a function among the conditions; a policy has such a key too
    if scan.block == "Conditions" and type(argument) == "string" then
      need_condition(scan, argument, "condition")
    end
  end,
}

local walk

--- Walks into a member, with the path kept up to date.
local function walk_into(scan, key, node)
  scan.path[#scan.path + 1] = key
  walk(scan, node)
  scan.path[#scan.path] = nil
end

function walk(scan, node)
  if type(node) ~= "table" then return end
  if json.is_list(node) then
    for index, element in ipairs(node) do walk_into(scan, index, element) end
    return
  end
  local keys = json.keys(node)
  local visit = #keys == 1 and FUNCTIONS[keys[1]]
  if visit then
    scan.path[#scan.path + 1] = keys[1]
    visit(scan, node[keys[1]])
    scan.path[#scan.path] = nil
  end
  for _, key in ipairs(keys) do walk_into(scan, key, node[key]) end
end

local function at(scan, path, fn, ...)
  scan.path = path
  fn(scan, ...)
  scan.path = {}
end

local function check_resource(scan, id, resource)
  local depends_on = resource.DependsOn
  for _, name in ipairs(type(depends_on) == "table" and depends_on or { depends_on }) do
    if type(name) == "string" then
      at(scan, { "Resources", id, "DependsOn" }, need_resource, name, "name")
    end
  end
  if type(resource.Condition) == "string" then
    at(scan, { "Resources", id, "Condition" }, need_condition, resource.Condition, "condition")
  end
  for _, part in ipairs { "Properties", "CreationPolicy", "UpdatePolicy", "Metadata" } do
    at(scan, { "Resources", id, part }, walk, resource[part])
  end
end

local function check_output(scan, name, output)
  if type(output.Condition) == "string" then
    at(scan, { "Outputs", name, "Condition" }, need_condition, output.Condition, "condition")
  end
  at(scan, { "Outputs", name, "Value" }, walk, output.Value)
  at(scan, { "Outputs", name, "Export" }, walk, output.Export)
end

--- Adds a problem for every reference to nothing.
---@param template table as tap.template reads it, with sections of the right shape
---@param problems table[]
function references.check(template, problems)
  local scan = new_scan(template, problems)
  scan.block = "Conditions"
  for _, member in ipairs(template:members("Conditions")) do
    at(scan, { "Conditions", member.name }, walk, member.value)
  end
  scan.block = "Resources"
  for _, member in ipairs(template:members("Resources")) do
    check_resource(scan, member.name, member.value)
  end
  scan.block = "Outputs"
  for _, member in ipairs(template:members("Outputs")) do
    if type(member.value) == "table" then check_output(scan, member.name, member.value) end
  end
end

return references
