--- Patterns of identifiers: text with pieces in braces.
--
--   {region} {account} {partition} {stack} {stack_id} {logical} {name} {id} {number} {created}   facts of the resource
--   {.Property} {.Property|default}   a property's value; a default is a pattern, and empty if there is none
--   {@Attribute}                      another attribute
--   {hex:17} {upper:12} {lower:10} {mixed:12} {digits:9} {uuid}   chance: the same piece is the same text in
--                                     all patterns of one resource, and `{hex:16#b}` is another piece

local ids = require "sandbox.ids"
local json = require "tap.core.json"
local catalog = require "sandbox.resources.catalog"

local pattern = {}

local function random_piece(facts, piece)
  if facts.parts[piece] then return facts.parts[piece] end
  local kind, length = piece:match("^(%l+):?(%d*)")
  if kind == "uuid" then
    facts.parts[piece] = facts.stream:uuid()
  elseif ids.alphabets[kind] then
    facts.parts[piece] = facts.stream:text(tonumber(length), ids.alphabets[kind])
  else
    error("no such piece in a pattern: {" .. piece .. "}")
  end
  return facts.parts[piece]
end

local function property(facts, name, default)
  local value = facts.properties[name]
  return type(value) == "string" and value or pattern.expand(default, facts)
end

local function resolve(facts, piece)
  local name, default = piece:match("^%.(%w+)|?(.*)$")
  if name then return property(facts, name, default) end
  local attribute = piece:match("^@([%w.]+)$")
  if attribute then return pattern.attribute(facts, attribute) end
  return facts[piece] or random_piece(facts, piece)
end

--- The text of a pattern.
---@param text string
---@param facts table of the resource (sandbox.engine.resource)
---@return string
function pattern.expand(text, facts)
  return (text:gsub("%b{}", function(piece) return resolve(facts, piece:sub(2, -2)) end))
end

--- The value of an attribute: a string or a list; nil when this resource does not have it.
---@param facts table
---@param name string
function pattern.attribute(facts, name)
  if facts.attribute then return facts.attribute(name) end
  local value = catalog.attribute(facts.type, name)
  if type(value) == "string" then return pattern.expand(value, facts) end
  if type(value) == "function" then return value(facts, pattern.expand) end
  if value == nil then return nil end
  if value.when then
    return facts.properties[value.when] ~= nil and pattern.expand(value[1], facts) or nil
  end
  local out = json.list {}
  for i, element in ipairs(value) do out[i] = pattern.expand(element, facts) end
  return out
end

return pattern
