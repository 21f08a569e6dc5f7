--- DynamoDB's Query and Scan: over the table or an index, in the order of the range key, in pages.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local expression = require "sandbox.services.dynamodb.expression"
local items = require "sandbox.services.dynamodb.items"
local parser = require "sandbox.services.dynamodb.parser"
local tables = require "sandbox.services.dynamodb.table"
local value = require "sandbox.services.dynamodb.value"

local reads = {}

local function invalid(message)
  fault.raise("ValidationException", message)
end

-- The key schema that a request reads by, and that of the index when it names one.
local function schema_of(thing, input)
  if not input.IndexName then return thing.properties.KeySchema end
  for _, kind in ipairs { "GlobalSecondaryIndexes", "LocalSecondaryIndexes" } do
    for _, index in ipairs(thing.properties[kind] or {}) do
      if index.IndexName == input.IndexName then return index.KeySchema, index.KeySchema end
    end
  end
  invalid(("The table does not have the specified index: %s"):format(input.IndexName))
end

-- The conditions that an "and" joins.
local function flat(node, out)
  if node.op == "and" then
    flat(node[1], out)
    flat(node[2], out)
  else
    out[#out + 1] = node
  end
  return out
end

-- The value that a key condition asks of the hash key.
local function hash_value(condition, hash)
  for _, part in ipairs(flat(condition, {})) do
    local path = part[1] and part[1].path
    if part.op == "=" and path and #path == 1 and path[1] == hash
      and part[2].value then return part[2].value end
  end
  invalid("Query condition missed key schema element: " .. hash)
end

local function by_range(range, forward)
  return function(a, b)
    local first, second = a[range], b[range]
    if not forward then first, second = second, first end
    return value.less(first, second) or false
  end
end

-- The items of a query, in order.
local function queried(thing, input)
  if not input.KeyConditionExpression then
    invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
  end
  local schema, index = schema_of(thing, input)
  local hash, range = tables.key_names(schema)
  local condition = parser.condition(input.KeyConditionExpression, "KeyConditionExpression",
    input.ExpressionAttributeNames, input.ExpressionAttributeValues)
  local wanted, out = hash_value(condition, hash), {}
  for _, item in ipairs(index and tables.all(thing) or tables.partition(thing, wanted)) do
    if item[hash] and (not range or item[range]) and expression.holds(item, condition) then
      out[#out + 1] = item
    end
  end
  if range then table.sort(out, by_range(range, input.ScanIndexForward ~= false)) end
  return out, index
end

local function same_key(thing, item, start)
  for name, attribute in pairs(tables.key_attributes(thing, item)) do
    if not start[name] or not value.equal(attribute, start[name]) then return false end
  end
  return true
end

-- Where a page begins: after the item whose key the request gives.
local function start_of(thing, list, start)
  if not start then return 1 end
  for i, item in ipairs(list) do
    if same_key(thing, item, start) then return i + 1 end
  end
  return #list + 1
end

local function page_of(thing, input, list, index)
  local filter = input.FilterExpression and parser.condition(input.FilterExpression, "FilterExpression",
    input.ExpressionAttributeNames, input.ExpressionAttributeValues)
  local paths = input.ProjectionExpression
    and parser.projection(input.ProjectionExpression, input.ExpressionAttributeNames)
  local first = start_of(thing, list, input.ExclusiveStartKey)
  local last = math.min(first + (input.Limit or #list) - 1, #list)
  local out, count = json.list {}, 0
  for i = first, last do
    if not filter or expression.holds(list[i], filter) then
      count = count + 1
      if input.Select ~= "COUNT" then out[count] = expression.project(list[i], paths) end
    end
  end
  return {
    Items = input.Select ~= "COUNT" and out or nil, Count = count,
    ScannedCount = math.max(last - first + 1, 0),
    LastEvaluatedKey = last < #list and last >= first and tables.key_attributes(thing, list[last], index)
      or nil,
    ConsumedCapacity = items.capacity(input, math.max(count * 0.5, 0.5)),
  }
end

function reads.Query(context, input)
  items.refuse_legacy("Query", input)
  local thing = tables.find(context, input.TableName)
  local list, index = queried(thing, input)
  return page_of(thing, input, list, index)
end

-- One of TotalSegments parts of a list.
local function segment(list, input)
  if not input.TotalSegments then return list end
  local out = {}
  for i = input.Segment + 1, #list, input.TotalSegments do out[#out + 1] = list[i] end
  return out
end

function reads.Scan(context, input)
  items.refuse_legacy("Scan", input)
  local thing = tables.find(context, input.TableName)
  local _, index = schema_of(thing, input)
  local list = tables.all(thing)
  if index then
    local hash, indexed = tables.key_names(index), {}
    for _, item in ipairs(list) do
      if item[hash] then indexed[#indexed + 1] = item end
    end
    list = indexed
  end
  return page_of(thing, input, segment(list, input), index)
end

return reads
