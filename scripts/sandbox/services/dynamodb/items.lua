--- DynamoDB's operations on one item.

local fault = require "sandbox.fault"
local expression = require "sandbox.services.dynamodb.expression"
local parser = require "sandbox.services.dynamodb.parser"
local tables = require "sandbox.services.dynamodb.table"
local value = require "sandbox.services.dynamodb.value"

local items = {}

local MAX_ITEM_BYTES = 400 * 1024

-- The parameters of before expressions: what asks for them is told so rather than given something else.
local LEGACY = { "Expected", "AttributeUpdates", "ConditionalOperator", "AttributesToGet", "KeyConditions",
  "QueryFilter", "ScanFilter" }

--- Refuses the members that came before expressions.
function items.refuse_legacy(operation, input)
  for _, member in ipairs(LEGACY) do
    if input[member] then fault.not_emulated(("dynamodb %s with %s"):format(operation, member)) end
  end
end

--- Raises ConditionalCheckFailedException unless a request's condition holds for an item.
---@param item table? as it is
function items.check_condition(input, item)
  if not input.ConditionExpression then return end
  local condition = parser.condition(input.ConditionExpression, "ConditionExpression",
    input.ExpressionAttributeNames, input.ExpressionAttributeValues)
  if not expression.holds(item or {}, condition) then
    fault.raise("ConditionalCheckFailedException", "The conditional request failed")
  end
end

local function bytes_of(node)
  if type(node) ~= "table" then return #tostring(node) end
  local n = 0
  for key, element in pairs(node) do n = n + (type(key) == "string" and #key or 0) + bytes_of(element) end
  return n
end

--- Raises when an item is larger than the service takes.
function items.check_size(item)
  if bytes_of(item) > MAX_ITEM_BYTES then
    fault.raise("ValidationException", "Item size has exceeded the maximum allowed size")
  end
end

local function projection(input)
  return input.ProjectionExpression
    and parser.projection(input.ProjectionExpression, input.ExpressionAttributeNames)
end

--- ConsumedCapacity, when it is asked for.
function items.capacity(input, units)
  if (input.ReturnConsumedCapacity or "NONE") == "NONE" then return nil end
  return { TableName = input.TableName, CapacityUnits = units }
end

function items.GetItem(context, input)
  items.refuse_legacy("GetItem", input)
  local item = tables.get(tables.find(context, input.TableName), input.Key)
  return { Item = item and expression.project(item, projection(input)),
    ConsumedCapacity = items.capacity(input, 0.5) }
end

function items.PutItem(context, input)
  items.refuse_legacy("PutItem", input)
  local thing = tables.find(context, input.TableName)
  items.check_size(input.Item)
  local old = tables.replaced(thing, input.Item)
  items.check_condition(input, old)
  tables.put(thing, input.Item)
  return { Attributes = input.ReturnValues == "ALL_OLD" and old or nil,
    ConsumedCapacity = items.capacity(input, 1) }
end

function items.DeleteItem(context, input)
  items.refuse_legacy("DeleteItem", input)
  local thing = tables.find(context, input.TableName)
  items.check_condition(input, tables.get(thing, input.Key))
  local old = tables.remove(thing, input.Key)
  return { Attributes = input.ReturnValues == "ALL_OLD" and old or nil,
    ConsumedCapacity = items.capacity(input, 1) }
end

local function check_keys_stay(thing, key, actions)
  for _, action in ipairs(actions) do
    local name = action.path[1]
    if key[name] and tables.key_attributes(thing, key)[name] then
      fault.raise("ValidationException", ("One or more parameter values were invalid: Cannot update "
        .. "attribute %s. This attribute is part of the key"):format(name))
    end
  end
end

local function changed_part(item, actions)
  local out = {}
  for _, action in ipairs(actions) do out[action.path[1]] = item and item[action.path[1]] end
  return out
end

local RETURNED = {
  ALL_OLD = function(old) return old end,
  ALL_NEW = function(_, new) return new end,
  UPDATED_OLD = function(old, _, actions) return changed_part(old, actions) end,
  UPDATED_NEW = function(_, new, actions) return changed_part(new, actions) end,
}

--- An item after a request's UpdateExpression.
---@return table item
---@return table[] actions
function items.updated(thing, input, old)
  local actions = input.UpdateExpression and parser.update(input.UpdateExpression,
    input.ExpressionAttributeNames, input.ExpressionAttributeValues) or {}
  check_keys_stay(thing, input.Key, actions)
  local item = expression.update(old or value.copy(input.Key), actions)
  items.check_size(item)
  return item, actions
end

function items.UpdateItem(context, input)
  items.refuse_legacy("UpdateItem", input)
  local thing = tables.find(context, input.TableName)
  local old = tables.get(thing, input.Key)
  items.check_condition(input, old)
  local item, actions = items.updated(thing, input, old)
  tables.put(thing, item)
  local returned = RETURNED[input.ReturnValues or "NONE"]
  return { Attributes = returned and returned(old, item, actions), ConsumedCapacity = items.capacity(input,
    1) }
end

return items
