--- What a node of vendor/cfn-constraints says of one value: a text, a number, a list. The lint tells it in its words,
-- the sandbox in CloudFormation's.

local json = require "tap.core.json"
local regex = require "tap.regex"

local value_rules = {}

local matchers = {} -- pattern -> compiled, false when it is beyond this matcher

-- A schema's pattern may match anywhere in the value; the matcher matches the whole of it.
local function matcher_of(pattern)
  if matchers[pattern] == nil then
    local whole = pattern:find "^%^" and pattern:find "%$$" and not pattern:find("|", 1, true) and pattern
      or ("[\\s\\S]*?(?:%s)[\\s\\S]*"):format(pattern)
    matchers[pattern] = regex.compile(whole) or false
  end
  return matchers[pattern]
end

local function matches(pattern, text, budget)
  local matcher = matcher_of(pattern)
  return not matcher or matcher:match_whole(text, budget) ~= false
end

local function bounds(found, pair, given, least, most)
  if not pair then return end
  if pair[1] ~= json.null and given < pair[1] then found[#found + 1] = { least, pair[1], given } end
  if pair[2] ~= json.null and given > pair[2] then found[#found + 1] = { most, pair[2], given } end
end

local function among(values, value, alike)
  for _, one in ipairs(values) do
    if alike(tostring(one)) == alike(tostring(value)) then return true end
  end
  return false
end

local function itself(text) return text end

--- Which keywords of JSON Schema a scalar breaks.
---@param node table
---@param value string|number|boolean
---@param budget { left: integer }? of tap.regex: when it is spent, patterns are left to the service
---@return { [1]: string, [2]: any, [3]: any }[] keyword, what it says, what is given
function value_rules.scalar(node, value, budget)
  local found = {}
  local number = node.range and tonumber(value)
  if node.pattern and not matches(node.pattern, tostring(value), budget) then
    found[1] = { "pattern", node.pattern, value }
  end
  if type(value) == "string" then
    bounds(found, node.length, utf8.len(value) or #value, "minLength", "maxLength")
  end
  if number then bounds(found, node.range, number, "minimum", "maximum") end
  local values = node.enum or node.enumCaseInsensitive
  if values and not among(values, value, node.enum and itself or string.lower) then
    found[#found + 1] = { "enum", values, value }
  end
  if node.const and tostring(value) ~= node.const then found[#found + 1] = { "const", node.const, value } end
  return found
end

local function holds_unknown(value, is_unknown)
  if type(value) ~= "table" then return is_unknown(value) end
  for _, inner in pairs(value) do
    if holds_unknown(inner, is_unknown) then return true end
  end
  return false
end

--- The same for a list; of items that stand twice the place of the second is given.
---@param node table
---@param list any[]
---@param is_unknown (fun(item: any): boolean)? values that are not known yet: items that hold one are like no other
---@return { [1]: string, [2]: any, [3]: any }[]
function value_rules.list(node, list, is_unknown)
  local found, first = {}, {}
  bounds(found, node.count, #list, "minItems", "maxItems")
  for index, item in ipairs(node.unique and list or {}) do
    local key = not (is_unknown and holds_unknown(item, is_unknown)) and json.encode(item)
    if key and first[key] then found[#found + 1] = { "uniqueItems", first[key], index } end
    if key then first[key] = first[key] or index end
  end
  return found
end

return value_rules
