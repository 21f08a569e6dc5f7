--- The logic of conditions: can these conditions have these values at once? Decided by trying: each expression that is
-- compared takes every value that it is compared with, and one more; a parameter with AllowedValues takes only those.
-- Where that would be too many cases the answer is yes, so that nothing is called wrong that may be right.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"

local Logic = {}
Logic.__index = Logic

local logic = {}

local MOST_CASES = 4096
local MOST_DEPTH = 20 -- of conditions in conditions
local OTHER = "\0other" -- a value that nothing is compared with

local is_map = state.is_map

-- A text that is the same for equal expressions.
local function canonical(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  if json.is_list(value) then
    for index, item in ipairs(value) do parts[index] = canonical(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = tostring(key) .. ":" .. canonical(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

---------------------------------------------------------------------------------------------------------
-- Conditions as trees: { constant = true } | { variable = key, is = text } | { all = { ... } } | { any = { ... } }
-- | { no = tree } | { name = condition }

local tree_of -- forward

local function trees_of(self, list)
  local out = {}
  for index, item in ipairs(json.is_list(list) and list or {}) do out[index] = tree_of(self, item) end
  return out
end

-- An expression becomes a variable, and remembers what it is compared with.
local function variable(self, key, text)
  local values = self.values[key] or {}
  self.values[key] = values
  values[text] = true
  return { variable = key, is = text }
end

local function allowed_values(self, expression)
  local parameter = is_map(expression) and self.parameters[expression.Ref]
  local allowed = is_map(parameter) and parameter.AllowedValues
  return json.is_list(allowed) and #allowed > 0 and allowed or nil
end

local function comparison(self, pair)
  if not json.is_list(pair) or #pair ~= 2 then return variable(self, canonical(pair), "true") end
  local left, right = pair[1], pair[2]
  if type(left) ~= "table" then left, right = right, left end
  if type(left) ~= "table" then return { constant = tostring(left) == tostring(right) } end
  if type(right) == "table" then return variable(self, canonical(left) .. "=" .. canonical(right), "true") end
  local key = canonical(left)
  self.allowed[key] = allowed_values(self, left)
  return variable(self, key, tostring(right))
end

local TREES = {
  ["Fn::Equals"] = comparison,
  ["Fn::And"] = function(self, list) return { all = trees_of(self, list) } end,
  ["Fn::Or"] = function(self, list) return { any = trees_of(self, list) } end,
  ["Fn::Not"] = function(self, list) return { no = trees_of(self, list)[1] or { constant = false } } end,
  Condition = function(_, name) return { name = name } end,
}

tree_of = function(self, value)
  if type(value) == "boolean" then return { constant = value } end
  local name = is_map(value) and next(value)
  if TREES[name] then return TREES[name](self, value[name]) end
  return variable(self, canonical(value), "true")
end

---------------------------------------------------------------------------------------------------------
-- Trying

local function any_of(trees, wanted, values, trees_by_name, depth)
  for _, tree in ipairs(trees) do
    if logic.evaluate(tree, values, trees_by_name, depth) == wanted then return true end
  end
  return false
end

--- A tree's value when the variables have these values. A condition that is not there, or in itself, is false.
---@param tree table
---@param values table<string, string>
---@param trees table<string, table> by condition
---@param depth integer
---@return boolean
function logic.evaluate(tree, values, trees, depth)
  if tree.constant ~= nil then return tree.constant end
  if tree.variable then return values[tree.variable] == tree.is end
  if tree.all then return not any_of(tree.all, false, values, trees, depth) end
  if tree.any then return any_of(tree.any, true, values, trees, depth) end
  if tree.no then return not logic.evaluate(tree.no, values, trees, depth) end
  local named = trees[tree.name]
  return named ~= nil and depth < MOST_DEPTH and logic.evaluate(named, values, trees, depth + 1)
end

-- The variables of a tree, those of the conditions in it included.
local function collect(self, tree, into, depth)
  if tree.variable then into[tree.variable] = true end
  for _, inner in ipairs(tree.all or tree.any or { tree.no }) do collect(self, inner, into, depth) end
  if tree.name and self.trees[tree.name] and depth < MOST_DEPTH then
    collect(self, self.trees[tree.name], into, depth + 1)
  end
end

-- The values that a variable may have.
local function domain(self, key)
  local values = {}
  if self.allowed[key] then
    for index, value in ipairs(self.allowed[key]) do values[index] = tostring(value) end
    return values
  end
  for value in pairs(self.values[key]) do values[#values + 1] = value end
  values[#values + 1] = OTHER
  return values
end

local function holds(self, assumptions, values)
  for name, wanted in pairs(assumptions) do
    if logic.evaluate({ name = name }, values, self.trees, 0) ~= wanted then return false end
  end
  return true
end

-- Tries every combination of the variables from the n-th on.
local function try(self, assumptions, keys, domains, n, values)
  if n > #keys then return holds(self, assumptions, values) end
  for _, value in ipairs(domains[n]) do
    values[keys[n]] = value
    if try(self, assumptions, keys, domains, n + 1, values) then return true end
  end
  return false
end

--- Can all of this be so at once?
---@param assumptions table<string, boolean> condition -> its value
---@return boolean
function Logic:possible(assumptions)
  local variables, keys, domains, cases = {}, {}, {}, 1
  for name in pairs(assumptions) do
    if not self.trees[name] then return true end
    collect(self, { name = name }, variables, 0)
  end
  for key in pairs(variables) do
    keys[#keys + 1] = key
    domains[#keys] = domain(self, key)
    cases = cases * #domains[#keys]
    if cases > MOST_CASES then return true end
  end
  return try(self, assumptions, keys, domains, 1, {})
end

--- The logic of a template's conditions.
---@param L table lint.state
---@return table
function logic.new(L)
  local self = setmetatable({ parameters = L.parameters, trees = {}, values = {}, allowed = {} }, Logic)
  for name, definition in pairs(L.conditions) do
    if not functions.name_of(name) then self.trees[name] = tree_of(self, definition) end
  end
  return self
end

return logic
