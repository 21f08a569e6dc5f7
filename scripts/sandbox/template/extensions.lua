--- The transform AWS::LanguageExtensions: loops are written out, and policies of resources may be functions.
-- Its other functions are evaluated like all others (sandbox.template.functions).

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local functions = require "sandbox.template.functions"
local parse = require "sandbox.template.parse"
local shape = require "sandbox.template.shape"

local extensions = {}

local LOOP = "^Fn::ForEach::(%w+)$"
local MOST = 10000 -- members that all loops of a template may make

-- What a function is, whose scalars may have types.
local function computed(node, scope)
  return functions.evaluate(parse.strings(node), scope)
end

local function fail(message, ...)
  fault.validation("Transform AWS::LanguageExtensions failed with: " .. message, ...)
end

local function layout()
  fail("Fn::ForEach layout is incorrect")
end

-- A text with a loop's variable replaced; &{X} drops what no logical id can have.
local function replace(text, name, value)
  text = text:gsub("%${" .. name .. "}", (value:gsub("%%", "%%%%")))
  return (text:gsub("&{" .. name .. "}", (value:gsub("%W", ""))))
end

local function substitute(node, name, value)
  if type(node) == "string" then return replace(node, name, value) end
  if type(node) ~= "table" then return node end
  if shape.is_list(node) then
    local out = json.list {}
    for i, element in ipairs(node) do out[i] = substitute(element, name, value) end
    return out
  end
  local out, keys = {}, {}
  for i, key in ipairs(shape.keys(node)) do
    keys[i] = replace(key, name, value)
    out[keys[i]] = substitute(node[key], name, value)
  end
  if keys[1] == "Ref" and #keys == 1 and out.Ref == name then return value end
  return shape.ordered(out, keys)
end

local function collection_of(node, scope)
  local list = computed(node, scope)
  if type(list) ~= "table" or not shape.is_list(list) then layout() end
  local out = {}
  for _, element in ipairs(list) do
    for _, text in ipairs(type(element) == "table" and element or { element }) do
      if type(text) ~= "string" then layout() end
      out[#out + 1] = text
    end
  end
  return out
end

local expand -- forward

-- The members that one loop makes, in their order.
local function loop(argument, state)
  if type(argument) ~= "table" or not shape.is_list(argument) or #argument ~= 3 then layout() end
  local name, collection, body = argument[1], argument[2], argument[3]
  if type(name) ~= "string" or not name:match("^%w+$") or not shape.is_map(body) then layout() end
  local out = {}
  for _, value in ipairs(collection_of(collection, state.scope)) do
    local made = expand(substitute(body, name, value), state)
    for _, key in ipairs(shape.keys(made)) do out[#out + 1] = { key, made[key] } end
  end
  return out
end

local function add(out, keys, key, value, state)
  if out[key] ~= nil then fail("Fn::ForEach makes the key %s more than once", key) end
  state.made = state.made + 1
  if state.made > MOST then fail("Fn::ForEach makes more than %d members", MOST) end
  out[key] = value
  keys[#keys + 1] = key
end

expand = function(node, state)
  if type(node) ~= "table" then return node end
  if shape.is_list(node) then
    local out = json.list {}
    for i, element in ipairs(node) do out[i] = expand(element, state) end
    return out
  end
  local out, keys = {}, {}
  for _, key in ipairs(shape.keys(node)) do
    if key:match(LOOP) then
      for _, pair in ipairs(loop(node[key], state)) do add(out, keys, pair[1], pair[2], state) end
    else
      add(out, keys, key, expand(node[key], state), state)
    end
  end
  return shape.ordered(out, keys)
end

-- Names of resources and parameters may be functions, of what is known before anything exists.
local function name_of(node, scope)
  return type(node) == "table" and computed(node, scope) or node
end

local named
named = function(node, scope)
  if type(node) ~= "table" then return node end
  for _, key in ipairs(shape.is_list(node) and {} or shape.keys(node)) do
    local argument = node[key]
    if key == "Ref" then node[key] = name_of(argument, scope) end
    if key == "Fn::GetAtt" and type(argument) == "table" then argument[1] = name_of(argument[1], scope) end
  end
  for _, inner in pairs(node) do named(inner, scope) end
  return node
end

local POLICIES = { "DeletionPolicy", "UpdateReplacePolicy" }

--- The tree of a template after the transform. Raises ValidationError.
---@param tree table
---@param scope table parameters, pseudo and mappings of sandbox.template.functions
---@return table tree
function extensions.apply(tree, scope)
  local out = named(expand(tree, { scope = scope, made = 0 }), scope)
  for _, id in ipairs(shape.keys(out.Resources or {})) do
    local resource = out.Resources[id]
    for _, policy in ipairs(shape.is_map(resource) and POLICIES or {}) do
      if type(resource[policy]) == "table" then resource[policy] = computed(resource[policy], scope) end
    end
  end
  return out
end

return extensions
