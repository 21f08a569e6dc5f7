--- What the sandbox knows about resource types: one record a type, in the files of this folder.
--
--   name        how the physical name is made (sandbox.resources.names); absent: the type has none
--   id          the physical id, which Ref gives: a pattern (sandbox.resources.pattern), or a function(facts,
--               expand); "{name}" when absent
--   attributes  what Fn::GetAtt gives: attribute -> pattern, list of patterns, or function(facts, expand);
--               { when = "Property", pattern }: only there when the resource has that property
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
--   signals     { longest = seconds }: it waits for signals (sandbox.engine.signals)
--
-- A type without a record is made by rule, so that any template can be rehearsed.

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

-- The rule for other types: attributes that are named like an ARN are one, all others name themselves.
local function by_rule(type_name)
  local service, kind = type_name:match("^%w+::(%w+)::(%w+)")
  local arn = ("arn:{partition}:%s:{region}:{account}:%s/{name}"):format(
    (service or "custom"):lower(), (kind or "resource"):lower())
  return {
    name = {}, by_rule = true,
    attribute = function(name)
      if name:match("Arn$") or name:match("ARN$") then return arn end
      if name == "Id" or name == (kind or "") .. "Id" or name:match("Name$") then return "{id}" end
      return "{name}." .. name
    end,
  }
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

--- Does Fn::GetAtt know this attribute of the type?
function catalog.supports(type_name, attribute)
  local record = catalog.of(type_name)
  return record.by_rule or record.any_attribute or (record.attributes or {})[attribute] ~= nil
end

--- The pattern (or list of patterns, or function) of an attribute; nil when the type has none such.
function catalog.attribute(type_name, attribute)
  local record = catalog.of(type_name)
  if record.by_rule then return record.attribute(attribute) end
  local pattern = (record.attributes or {})[attribute]
  if pattern == nil and record.any_attribute then return "{name}." .. attribute end
  return pattern
end

return catalog
