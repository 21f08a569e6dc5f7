--- Where a template names what it defines: every Ref, GetAtt, name in a Sub, mapping and condition, with its place and
-- the values that conditions have for certain there. One walk; the rules about use read its result.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"

local uses = {}

local join, is_map = state.join, state.is_map

---@class lint.Use
---@field kind "Ref"|"GetAtt"|"Sub"
---@field name string
---@field path table of the function
---@field owner string? the resource in whose definition it stands
---@field section string "Resources", "Outputs", ...
---@field part string? "Properties", "Metadata": of a resource
---@field given table<string, boolean> conditions that are known there

---@class lint.Uses
---@field names lint.Use[]
---@field named table<string, boolean> parameters and resources that are named anywhere
---@field mappings table<string, boolean>
---@field any_mapping boolean a mapping's name is computed
---@field conditions table<string, boolean>
---@field ifs { name: string, path: table, given: table<string, boolean> }[]

local function with(given, name, value)
  local out = {}
  for key, held in pairs(given) do out[key] = held end
  if type(name) == "string" then out[name] = value end
  return out
end

local function add(found, kind, name, path, at)
  found.named[name] = true
  found.names[#found.names + 1] = { kind = kind, name = name, path = path, owner = at.owner, section = at.section,
    part = at.part, given = at.given }
end

local visit -- forward

local function visit_all(found, value, path, at)
  for key, item in pairs(value) do
    if type(item) == "table" then visit(found, item, join(path, key), at) end
  end
end

local VISITS = {}

function VISITS.Ref(found, argument, path, at)
  if type(argument) == "string" then add(found, "Ref", argument, path, at) end
end

VISITS["Fn::GetAtt"] = function(found, argument, path, at)
  local name = argument
  if json.is_list(argument) then
    name = argument[1]
    visit_all(found, argument, path, at)
  end
  if type(name) == "string" then add(found, "GetAtt", name:match "^[^.]+" or name, path, at) end
end

VISITS["Fn::Sub"] = function(found, argument, path, at)
  local text, own = argument, {}
  if json.is_list(argument) then
    text, own = argument[1], is_map(argument[2]) and argument[2] or {}
    visit_all(found, own, join(path, 2), at)
  end
  if type(text) ~= "string" then return end
  for _, name in ipairs(functions.names_in(text)) do
    if own[name] == nil then add(found, "Sub", name:match "^[^.]+" or name, path, at) end
  end
end

VISITS["Fn::If"] = function(found, argument, path, at)
  if not json.is_list(argument) then return end
  local name = argument[1]
  if type(name) == "string" then
    found.conditions[name] = true
    found.ifs[#found.ifs + 1] = { name = name, path = path, given = at.given }
  end
  for index = 2, 3 do
    local inside = { owner = at.owner, section = at.section, part = at.part,
      given = with(at.given, name, index == 2) }
    if type(argument[index]) == "table" then visit(found, argument[index], join(path, index), inside) end
  end
end

VISITS["Fn::FindInMap"] = function(found, argument, path, at)
  if not json.is_list(argument) then return end
  if type(argument[1]) == "string" then
    found.mappings[argument[1]] = true
  else
    found.any_mapping = true
  end
  visit_all(found, argument, path, at)
end

visit = function(found, value, path, at)
  local name = functions.name_of(value)
  if VISITS[name] then return VISITS[name](found, value[name], join(path, name), at) end
  visit_all(found, value, path, at)
end

---------------------------------------------------------------------------------------------------------
-- Sections

local function note_condition(found, name)
  if type(name) == "string" then found.conditions[name] = true end
end

local function visit_resources(found, resources)
  for id, resource in pairs(resources) do
    if is_map(resource) then
      note_condition(found, resource.Condition)
      for part, value in pairs(resource) do
        if type(value) == "table" then
          visit(found, value, { "Resources", id, part }, { owner = id, section = "Resources", part = part,
            given = with({}, resource.Condition, true) })
        end
      end
    elseif type(resource) == "table" then
      visit(found, resource, { "Resources", id }, { section = "Resources", given = {} })
    end
  end
end

local function visit_outputs(found, outputs)
  for id, output in pairs(outputs) do
    if is_map(output) then
      note_condition(found, output.Condition)
      visit(found, output, { "Outputs", id }, { section = "Outputs", given = with({}, output.Condition, true) })
    end
  end
end

-- Conditions name others as { Condition = NAME }.
local function visit_conditions(found, value, path)
  if type(value) ~= "table" then return end
  if is_map(value) and next(value) == "Condition" and next(value, "Condition") == nil then
    return note_condition(found, value.Condition)
  end
  local name = functions.name_of(value)
  if VISITS[name] then return VISITS[name](found, value[name], path, { section = "Conditions", given = {} }) end
  for _, item in pairs(value) do visit_conditions(found, item, path) end
end

--- All uses in a template.
---@param L table lint.state
---@return lint.Uses
function uses.of(L)
  local found = { names = {}, named = {}, mappings = {}, any_mapping = false, conditions = {}, ifs = {} }
  visit_resources(found, L.resources)
  visit_outputs(found, L.outputs)
  visit_conditions(found, L.conditions, { "Conditions" })
  for _, section in ipairs { "Rules", "Metadata", "Globals", "Hooks", "Transform" } do
    local value = L.root[section]
    if type(value) == "table" then visit(found, value, { section }, { section = section, given = {} }) end
  end
  return found
end

return uses
