--- A table's items and its keys. Items stand in partitions by their hash key's canonical text, in these by
-- their range key's, so that a query reads one partition only.

local fault = require "sandbox.fault"
local value = require "sandbox.services.dynamodb.value"

local tables = {}

local TYPE = "AWS::DynamoDB::Table"

--- The table of a request, by name or ARN. Raises ResourceNotFoundException.
---@param text string? nil: as the operations on items say it
---@return table thing
function tables.find(context, name, text)
  local short = name:match(":table/([^/]+)") or name
  return context.region:thing(TYPE, short)
    or fault.raise("ResourceNotFoundException", (text or "Requested resource not found"):format(short))
end

--- The names of the key's attributes.
---@param schema table[] KeySchema
---@return string hash
---@return string? range
function tables.key_names(schema)
  local names = {}
  for _, element in ipairs(schema or {}) do names[element.KeyType] = element.AttributeName end
  return names.HASH, names.RANGE
end

local function partitions(thing)
  thing.state = thing.state or { partitions = {}, count = 0 }
  return thing.state.partitions
end

local function key_type(thing, name)
  for _, definition in ipairs(thing.properties.AttributeDefinitions or {}) do
    if definition.AttributeName == name then return definition.AttributeType end
  end
end

local function invalid(message, ...)
  fault.raise("ValidationException", message:format(...))
end

-- The canonical texts of an item's key.
local function key_of(thing, item, missing)
  local hash, range = tables.key_names(thing.properties.KeySchema)
  local out = {}
  for i, name in ipairs { hash, range } do
    local attribute = item[name]
    if not attribute then invalid(missing, name) end
    local kind, wanted = next(attribute), key_type(thing, name)
    if kind ~= wanted then
      invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
        name,
        tostring(wanted), kind)
    elseif attribute[kind] == "" then
      invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
        .. "contain "
        .. "an empty string value. Key: %s", name)
    end
    out[i] = value.canonical(attribute)
  end
  return out[1], out[2] or ""
end

local NO_MATCH = "The provided key element does not match the schema"

-- A key as requests give it: its attributes and no others.
local function request_key(thing, key)
  local hash, range = tables.key_names(thing.properties.KeySchema)
  for name in pairs(key) do
    if name ~= hash and name ~= range then invalid(NO_MATCH) end
  end
  return key_of(thing, key, NO_MATCH)
end

--- The item of a key; nil when there is none.
function tables.get(thing, key)
  local hash, range = request_key(thing, key)
  return (partitions(thing)[hash] or {})[range]
end

local NO_KEY = "One or more parameter values were invalid: Missing the key %s in the item"

--- The item that a new one would replace; nil when there is none.
function tables.replaced(thing, item)
  local hash, range = key_of(thing, item, NO_KEY)
  return (partitions(thing)[hash] or {})[range]
end

--- Puts an item in.
function tables.put(thing, item)
  local hash, range = key_of(thing, item, NO_KEY)
  local all = partitions(thing)
  all[hash] = all[hash] or {}
  if not all[hash][range] then thing.state.count = thing.state.count + 1 end
  all[hash][range] = item
end

--- Removes an item. What was there.
function tables.remove(thing, key)
  local hash, range = request_key(thing, key)
  local partition = partitions(thing)[hash]
  local old = partition and partition[range]
  if not old then return nil end
  partition[range] = nil
  thing.state.count = thing.state.count - 1
  if next(partition) == nil then partitions(thing)[hash] = nil end
  return old
end

--- The items of one hash key, in no order.
---@param attribute table the hash key's value
function tables.partition(thing, attribute)
  local out = {}
  for _, item in pairs(partitions(thing)[value.canonical(attribute)] or {}) do out[#out + 1] = item end
  return out
end

--- All items, in an order that is always the same.
function tables.all(thing)
  local hashes, out = {}, {}
  for hash in pairs(partitions(thing)) do hashes[#hashes + 1] = hash end
  table.sort(hashes)
  for _, hash in ipairs(hashes) do
    local ranges = {}
    for range in pairs(partitions(thing)[hash]) do ranges[#ranges + 1] = range end
    table.sort(ranges)
    for _, range in ipairs(ranges) do out[#out + 1] = partitions(thing)[hash][range] end
  end
  return out
end

function tables.count(thing)
  partitions(thing)
  return thing.state.count
end

--- The key attributes of an item: of the table, and of an index when there is one.
function tables.key_attributes(thing, item, index_schema)
  local out = {}
  for _, schema in ipairs { thing.properties.KeySchema, index_schema } do
    for _, element in ipairs(schema) do out[element.AttributeName] = item[element.AttributeName] end
  end
  return out
end

return tables
