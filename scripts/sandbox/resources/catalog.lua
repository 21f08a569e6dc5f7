--- What the sandbox knows about resource types: one record a type, in the files of this folder.
--
--   name        how the physical name is made (sandbox.resources.names); absent: the type has none; shared = true:
--               others may have the same
--   id          the physical id, which Ref gives: a pattern (sandbox.resources.pattern), or a function(facts,
--               expand); "{name}" when absent
--   attributes  what Fn::GetAtt gives: attribute -> pattern, list of patterns, or function(facts, expand);
--               { when = "Property", pattern }: only there when the resource has that property
--   numbered    a pattern: what has the same text here has other numbers ({number}), from 1 on
--   any_attribute  true: every attribute is accepted
--   create, delete  seconds: a number, or { least, most }; see sandbox.resources.durations
--   initiate    seconds until the physical id is known, 1 when absent
--   settle      seconds until the configuration is complete ("Eventual consistency check initiated"): then
--               what depends on the resource starts, before the resource itself is complete
--   protection  { property = "X", message = ... }: while the property is true, it cannot be deleted
--   global      true: its names are the account's, not the region's
--   refuse_create(facts, region), refuse_delete(thing, region)
--               why the service refuses to make or to delete it: a text, or nil
--   made(thing, world), changed(thing, old_properties, world), gone(thing, world)
--               keep what the type's own service shows (thing.state) in step
--   driver      the module of sandbox.engine that decides when it is complete (sandbox.engine.drivers)
--   always_updated  true: an update of its stack updates it even when its properties stay the same
--   steps(op, resource, properties)  what an update in place goes through, each with an event:
--               { after = seconds, reason, act() }; nil: nothing
--   signals     { kind = "condition", "instance" or "group", longest = seconds, senders = function(resource, op) that
--               gives the ids of what signals by itself }: it waits for signals (sandbox.engine.signals)
--
-- A type without a record is made by rule from its schema (tap.schema), so that any template can be
-- rehearsed.

local schema = require "tap.schema"

local catalog = {}

local FILES = { "network", "compute", "storage", "identity", "messaging", "operations" }

local records = {}
for _, file in ipairs(FILES) do
  for type_name, record in pairs(require("sandbox.resources." .. file)) do records[type_name] = record end
end

local CUSTOM = {
  name = { suffix = "upper" }, any_attribute = true, initiate = 1, create = { 5, 15 }, delete = 3,
  driver = "custom",
}

-- A name of an attribute as text: an ARN is one, an id or a name is the physical id, all others name
-- themselves.
local function attribute_text(name, arn)
  if name:match("Arn$") or name:match("ARN$") then return arn end
  if name:match("Id$") or name:match("Name$") then return "{id}" end
  return "{name}." .. name
end

-- "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}" as a pattern.
local function arn_pattern(known, service, kind)
  local template = known and known.arn
  if not template then
    return ("arn:{partition}:%s:{region}:{account}:%s/{name}"):format(service:lower(), kind:lower())
  end
  return (template:gsub("%${(%w+)}", function(piece)
    local place = piece:lower()
    if place == "partition" or place == "region" or place == "account" then return "{" .. place .. "}" end
    return "{name}"
  end))
end

-- A part of a physical id that has several: a property, else an id of its own.
local function part_of(known, member)
  return known.properties[member] and ("{.%s|{lower:10}}"):format(member) or "{lower:10}"
end

-- What identifies a type by its schema: a property that templates may give, an ARN, an id of its own, or several parts.
-- Ref gives what the schema says of it, else the whole.
local function identity(known, arn)
  local members = known and (known.ref or known.identifier) or {}
  local first = members[1]
  if not first then return {}, nil end
  if #members > 1 then
    local parts = {}
    for index, member in ipairs(members) do parts[index] = part_of(known, member) end
    return nil, table.concat(parts, "|")
  end
  -- A stage's name is the only one of its API: others may have the same.
  if known.properties[first] then return { first, shared = #(known.identifier or {}) > 1 }, nil end
  if first:match("Arn$") then return {}, arn end
  if first:match("Id$") then return nil, "{lower:10}" end
  return {}, nil
end

-- The rule for types without a record: what their schema says, else what their name suggests.
local function by_rule(type_name)
  local service, kind = type_name:match("^%w+::(%w+)::(%w+)")
  local known = schema.of(type_name)
  local arn = arn_pattern(known, service or "custom", kind or "resource")
  local name, id = identity(known, arn)
  return {
    name = name or {}, id = id, by_rule = true,
    attribute = function(attribute)
      if not known then return attribute_text(attribute, arn) end
      local shape = (known.attributes or {})[attribute]
      if not shape then return nil end
      local pattern = attribute_text(attribute, arn)
      return type(shape) == "table" and shape.list and { pattern } or pattern
    end,
  }
end

--- Is there a type of that name?
---@param type_name string
function catalog.exists(type_name)
  return records[type_name] ~= nil or schema.of(type_name) ~= nil
    or type_name:match("^Custom::[%w_@-]+$") ~= nil
end

--- The record of a type; never nil.
---@param type_name string
function catalog.of(type_name)
  if not records[type_name] then
    local custom = type_name:match("^Custom::") or type_name == "AWS::CloudFormation::CustomResource"
    records[type_name] = custom and CUSTOM or by_rule(type_name)
  end
  return records[type_name]
end

--- The pattern (or list of patterns, or function) of an attribute; nil when the type has none such.
function catalog.attribute(type_name, attribute)
  local record = catalog.of(type_name)
  if record.by_rule then return record.attribute(attribute) end
  local pattern = (record.attributes or {})[attribute]
  if pattern == nil and record.any_attribute then return "{name}." .. attribute end
  return pattern
end

--- Does Fn::GetAtt know this attribute of the type?
function catalog.supports(type_name, attribute)
  local record = catalog.of(type_name)
  if record.any_attribute then return true end
  return catalog.attribute(type_name, attribute) ~= nil
end

return catalog
