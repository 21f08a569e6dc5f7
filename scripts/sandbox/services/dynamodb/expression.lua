--- DynamoDB's expressions, evaluated over an item: conditions give truth, updates a new item, projections a
-- part.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local value = require "sandbox.services.dynamodb.value"

local expression = {}

local function child_of(node, step)
  if node == nil then return nil end
  if math.type(step) == "integer" then return node.L and node.L[step + 1] end
  return node.M and node.M[step]
end

--- The value at a path of an item; nil when there is none.
function expression.at(item, path)
  local node = item[path[1]]
  for i = 2, #path do node = child_of(node, path[i]) end
  return node
end

local operand -- forward

local FUNCTIONS = {
  size = function(item, node)
    local of = operand(item, node[1])
    local size = of and value.size(of)
    return size and value.of_number(size)
  end,
  if_not_exists = function(item, node)
    return operand(item, node[1]) or operand(item, node[2])
  end,
  list_append = function(item, node)
    local out = json.list {}
    for _, part in ipairs(node) do
      local list = operand(item, part)
      if not list or not list.L then
        fault.raise("ValidationException", "An operand in the update expression has an incorrect data type")
      end
      for _, element in ipairs(list.L) do out[#out + 1] = element end
    end
    return { L = out }
  end,
}

local function arithmetic(item, node)
  local a, b = value.number(operand(item, node[1])), value.number(operand(item, node[2]))
  if not a or not b then
    fault.raise("ValidationException", "The provided expression refers to an attribute that does not exist "
      .. "in "
      .. "the item")
  end
  return value.of_number(node.op == "+" and a + b or a - b)
end
FUNCTIONS["+"], FUNCTIONS["-"] = arithmetic, arithmetic

operand = function(item, node)
  if node.value then return node.value end
  if node.path then return expression.at(item, node.path) end
  return FUNCTIONS[node.op](item, node)
end

local function compare(test)
  return function(item, node)
    local a, b = operand(item, node[1]), operand(item, node[2])
    return a ~= nil and b ~= nil and test(a, b) or false
  end
end

local function contains(a, b)
  local kind, content = next(a)
  if kind == "S" then return b.S ~= nil and content:find(b.S, 1, true) ~= nil end
  local _, wanted = next(b)
  for _, element in ipairs(type(content) == "table" and content or {}) do
    if kind == "L" and value.equal(element, b) or kind ~= "L" and element == wanted then return true end
  end
  return false
end

local holds -- forward

local CONDITIONS = {
  ["and"] = function(item, node) return holds(item, node[1]) and holds(item, node[2]) end,
  ["or"] = function(item, node) return holds(item, node[1]) or holds(item, node[2]) end,
  ["not"] = function(item, node) return not holds(item, node[1]) end,
  ["="] = compare(value.equal),
  ["<>"] = function(item, node)
    local a, b = operand(item, node[1]), operand(item, node[2])
    return a == nil or b == nil or not value.equal(a, b)
  end,
  ["<"] = compare(function(a, b) return value.less(a, b) end),
  [">"] = compare(function(a, b) return value.less(b, a) end),
  ["<="] = compare(function(a, b) return value.less(a, b) or value.equal(a, b) end),
  [">="] = compare(function(a, b) return value.less(b, a) or value.equal(a, b) end),
  between = function(item, node)
    local a, low, high = operand(item, node[1]), operand(item, node[2]), operand(item, node[3])
    return a ~= nil and value.less(a, low) == false and value.less(high, a) == false
  end,
  ["in"] = function(item, node)
    local a = operand(item, node[1])
    for i = 2, a and #node or 0 do
      local b = operand(item, node[i])
      if b and value.equal(a, b) then return true end
    end
    return false
  end,
  attribute_exists = function(item, node) return operand(item, node[1]) ~= nil end,
  attribute_not_exists = function(item, node) return operand(item, node[1]) == nil end,
  attribute_type = compare(function(a, b) return next(a) == b.S end),
  begins_with = compare(function(a, b)
    return a.S ~= nil and b.S ~= nil and a.S:sub(1, #b.S) == b.S
  end),
  contains = compare(contains),
}

holds = function(item, node)
  return CONDITIONS[node.op](item, node)
end

--- Does a condition hold for an item?
---@param item table attribute -> value; {} when there is none
---@param condition table of parser.condition
---@return boolean
expression.holds = function(item, condition) return holds(item, condition) end

-- The table that a path's last step is in, and the key in it. Raises when the path leads nowhere.
local function place(item, path)
  local container, key = item, path[1]
  for i = 2, #path do
    local node = container[key]
    local inner = node and (math.type(path[i]) == "integer" and node.L or node.M)
    if not inner then
      fault.raise("ValidationException", "The document path provided in the update expression is invalid for "
        .. "update")
    end
    container, key = inner, math.type(path[i]) == "integer" and math.min(path[i], #inner) + 1 or path[i]
  end
  return container, key
end

local UPDATES = {
  SET = function(old, item, action)
    local new = operand(old, action.value)
    if new == nil then
      fault.raise("ValidationException", "The provided expression refers to an attribute that does not exist "
        .. "in "
        .. "the item")
    end
    local container, key = place(item, action.path)
    container[key] = value.copy(new)
  end,
  REMOVE = function(_, item, action)
    local container, key = place(item, action.path)
    if math.type(key) == "integer" then table.remove(container, key) else container[key] = nil end
  end,
  ADD = function(old, item, action)
    local given, had = operand(old, action.value), expression.at(old, action.path)
    local container, key = place(item, action.path)
    if given.N then
      container[key] = value.of_number((value.number(had) or 0) + value.number(given))
    else
      container[key] = had and value.union(had, given) or value.copy(given)
    end
  end,
  DELETE = function(old, item, action)
    local had = expression.at(old, action.path)
    local container, key = place(item, action.path)
    container[key] = had and value.difference(had, operand(old, action.value)) or nil
  end,
}

--- An item after an update's actions, which all see the item as it was.
---@param item table
---@param actions table[] of parser.update
---@return table
function expression.update(item, actions)
  local out = value.copy(item)
  for _, action in ipairs(actions) do UPDATES[action.kind](item, out, action) end
  return out
end

-- Puts the value at a path of `item` into `out`, with what leads there.
local function copy_path(item, out, path)
  local found = expression.at(item, path)
  if found == nil then return end
  if #path == 1 then
    out[path[1]] = found
    return
  end
  local node, from = out, nil
  for i = 1, #path - 1 do
    local step = path[i]
    from = i == 1 and item[step] or child_of(from, step)
    local container = math.type(path[i + 1]) == "integer" and "L" or "M"
    local list = container == "L" and json.list {} or {}
    if math.type(step) == "integer" then
      node[#node + 1] = { [container] = list }
      node = node[#node][container]
    else
      node[step] = node[step] or { [container] = list }
      node = node[step][container]
    end
  end
  local last = path[#path]
  node[math.type(last) == "integer" and #node + 1 or last] = found
end

--- The part of an item that a projection names; the whole without one.
---@param paths table[]? of parser.projection
function expression.project(item, paths)
  if not paths then return item end
  local out = {}
  for _, path in ipairs(paths) do copy_path(item, out, path) end
  return out
end

return expression
