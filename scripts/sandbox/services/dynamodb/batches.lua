--- DynamoDB's operations on many items: batches, and transactions, which do all or nothing.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local expression = require "sandbox.services.dynamodb.expression"
local items = require "sandbox.services.dynamodb.items"
local parser = require "sandbox.services.dynamodb.parser"
local tables = require "sandbox.services.dynamodb.table"

local batches = {}

local MAX_WRITES, MAX_TRANSACTION = 25, 100

function batches.BatchWriteItem(context, input)
  local count = 0
  for _, requests in pairs(input.RequestItems) do count = count + #requests end
  if count > MAX_WRITES then
    fault.raise("ValidationException", "Too many items requested for the BatchWriteItem call")
  end
  for name, requests in pairs(input.RequestItems) do
    local thing = tables.find(context, name)
    for _, request in ipairs(requests) do
      if request.PutRequest then
        items.check_size(request.PutRequest.Item)
        tables.put(thing, request.PutRequest.Item)
      else
        tables.remove(thing, request.DeleteRequest.Key)
      end
    end
  end
  return { UnprocessedItems = {} }
end

function batches.BatchGetItem(context, input)
  local responses = {}
  for name, request in pairs(input.RequestItems) do
    local thing, out = tables.find(context, name), json.list {}
    local paths = request.ProjectionExpression
      and parser.projection(request.ProjectionExpression, request.ExpressionAttributeNames)
    for _, key in ipairs(request.Keys) do
      local item = tables.get(thing, key)
      if item then out[#out + 1] = expression.project(item, paths) end
    end
    responses[name] = out
  end
  return { Responses = responses, UnprocessedKeys = {} }
end

-- Each kind of a transaction's item: checks it, and gives what is to be done once all are checked.
local KINDS = {
  Put = function(thing, request)
    items.check_size(request.Item)
    items.check_condition(request, tables.replaced(thing, request.Item))
    return function() tables.put(thing, request.Item) end
  end,
  Delete = function(thing, request)
    items.check_condition(request, tables.get(thing, request.Key))
    return function() tables.remove(thing, request.Key) end
  end,
  Update = function(thing, request)
    local old = tables.get(thing, request.Key)
    items.check_condition(request, old)
    local item = items.updated(thing, request, old)
    return function() tables.put(thing, item) end
  end,
  ConditionCheck = function(thing, request)
    items.check_condition(request, tables.get(thing, request.Key))
    return function() end
  end,
}

local function prepare(context, each)
  local kind, request = next(each)
  return KINDS[kind](tables.find(context, request.TableName), request)
end

function batches.TransactWriteItems(context, input)
  if #input.TransactItems > MAX_TRANSACTION then
    fault.raise("ValidationException", "Member must have length less than or equal to 100")
  end
  local effects, reasons, failed = {}, {}, false
  for i, each in ipairs(input.TransactItems) do
    local ok, result = pcall(prepare, context, each)
    if not ok and not (fault.is(result) and result.code == "ConditionalCheckFailedException") then
      error(result, 0)
    end
    effects[i], reasons[i], failed = result, ok and "None" or "ConditionalCheckFailed", failed or not ok
  end
  if failed then
    fault.raise("TransactionCanceledException", ("Transaction cancelled, please refer cancellation reasons "
      .. "for "
      .. "specific reasons [%s]"):format(table.concat(reasons, ", ")))
  end
  for _, effect in ipairs(effects) do effect() end
  return {}
end

function batches.TransactGetItems(context, input)
  local out = json.list {}
  for i, each in ipairs(input.TransactItems) do
    local item = tables.get(tables.find(context, each.Get.TableName), each.Get.Key)
    local paths = each.Get.ProjectionExpression
      and parser.projection(each.Get.ProjectionExpression, each.Get.ExpressionAttributeNames)
    out[i] = { Item = item and expression.project(item, paths) }
  end
  return { Responses = out }
end

return batches
