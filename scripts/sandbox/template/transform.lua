--- Transforms: what a template becomes before anything else looks at it. AWS::LanguageExtensions, AWS::Include,
-- AWS::Serverless and a team's macros, in the order in which the template declares them; others of AWS are refused by
-- name. The scalars of what they work on have types (sandbox.template.parse).

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local extensions = require "sandbox.template.extensions"
local macros = require "sandbox.template.macros"
local parse = require "sandbox.template.parse"
local functions = require "sandbox.template.functions"
local shape = require "sandbox.template.shape"

local transform = {}

local EXTENSIONS, INCLUDE, SERVERLESS = "AWS::LanguageExtensions", "AWS::Include", "AWS::Serverless-2016-10-31"

-- One transform as a template names it: "Name", or { Name =, Parameters = }.
local function definition(element)
  local is_map = shape.is_map(element)
  if is_map and element.Name == nil then fault.validation "Transforms defined as maps require Name key." end
  local name = is_map and element.Name or element
  if type(name) ~= "string" then fault.validation "Key Name of transform definition must be a string." end
  return { name = name, parameters = is_map and element.Parameters or {} }
end

local function definitions(value)
  if value == nil then return {} end
  local out = {}
  for i, element in ipairs(shape.is_list(value) and value or { value }) do out[i] = definition(element) end
  return out
end

-- The transforms that a template declares.
local function declared(tree)
  return definitions(tree.Transform)
end

local function has_call(node)
  if type(node) ~= "table" then return false end
  if shape.is_map(node) and node["Fn::Transform"] ~= nil then return true end
  for _, inner in pairs(node) do
    if has_call(inner) then return true end
  end
  return false
end

--- The names of the transforms that a template declares.
---@return string[]
function transform.names(tree)
  local out = json.list {}
  for i, each in ipairs(declared(tree)) do out[i] = each.name end
  return out
end

--- Is anything to be transformed?
function transform.is_needed(tree)
  return #declared(tree) > 0 or has_call(tree)
end

local function fetched(location, environment)
  if type(location) ~= "string" then
    fault.late "Transform AWS::Include failed with: The location parameter is not a valid S3 uri."
  end
  local text, why = environment.fetch(location)
  if not text then fault.late("Transform AWS::Include failed with: %s", why) end
  return parse.typed(text)
end

-- A map with a snippet's members in place of its call.
local function merged(node, snippet, dropped)
  local out, keys = {}, {}
  for _, map in ipairs { node, snippet } do
    for _, key in ipairs(shape.keys(map)) do
      if key ~= dropped then
        if out[key] == nil then keys[#keys + 1] = key end
        out[key] = map[key]
      end
    end
  end
  return shape.ordered(out, keys)
end

-- What stands in place of a map that has a call among its members.
local function called(node, call, environment, scope)
  local parameters = functions.evaluate(parse.strings(call.parameters), scope)
  if call.name == INCLUDE then
    local snippet = fetched(parameters.Location or "", environment)
    return shape.is_map(snippet) and merged(node, snippet, "Fn::Transform") or snippet
  end
  return macros.apply(call.name, merged(node, {}, "Fn::Transform"), parameters, scope.parameters, environment)
end

-- The tree without calls of Fn::Transform.
local function expand(node, environment, scope)
  if type(node) ~= "table" then return node end
  for _, call in ipairs(shape.is_map(node) and definitions(node["Fn::Transform"]) or {}) do
    if shape.is_map(node) then node = called(node, call, environment, scope) end
  end
  if type(node) ~= "table" then return node end
  if shape.is_list(node) then
    local out = json.list {}
    for i, element in ipairs(node) do out[i] = expand(element, environment, scope) end
    return out
  end
  local out, keys = {}, shape.keys(node)
  for _, key in ipairs(keys) do out[key] = expand(node[key], environment, scope) end
  return shape.ordered(out, keys)
end

-- Transforms of AWS -> what a tree becomes.
local OF_AWS = {
  [EXTENSIONS] = function(tree, _, scope) return extensions.apply(tree, scope) end,
  [INCLUDE] = function(tree, parameters, _, environment)
    return merged(tree, fetched(parameters.Location or "", environment))
  end,
  [SERVERLESS] = function(tree, _, scope, environment)
    local serverless = require "sandbox.template.serverless" -- with its data; most templates do without
    local out, why = serverless.apply(tree, scope.parameters, environment)
    if not out then fault.late("Transform %s failed with: %s", SERVERLESS, why) end
    return out
  end,
}

--- The sections that a template may have because of its transforms.
---@return table<string, boolean>
function transform.sections(tree)
  for _, each in ipairs(declared(tree)) do
    if each.name == SERVERLESS then return { Globals = true } end
  end
  return {}
end

--- The tree after all transforms. Raises ValidationError, or fault.late.
---@param tree table with typed scalars; changed where it stands
---@param scope table parameters, pseudo and mappings of sandbox.template.functions
---@param environment { fetch: fun(location: string): string?, string?, macro: function } reads s3://bucket/key
---@return table tree with typed scalars
---@return boolean extended the language extensions are on
function transform.apply(tree, scope, environment)
  local extended = false
  local out = expand(tree, environment, scope)
  for _, each in ipairs(declared(tree)) do
    extended = extended or each.name == EXTENSIONS
    local parameters = functions.evaluate(parse.strings(each.parameters), scope)
    if OF_AWS[each.name] then
      out = OF_AWS[each.name](out, parameters, scope, environment)
    elseif each.name:match("^AWS::") then
      fault.not_emulated("cloudformation templates with the transform " .. each.name)
    else
      out = macros.apply(each.name, merged(out, {}, "Transform"), parameters, scope.parameters, environment)
    end
  end
  return merged(out, {}, "Transform"), extended
end

return transform
