--- What properties demand of each other in certain cases (lint.case_facts).
--
-- A case holds when each member of `when` is as it says: a text or a list of texts: a literal that is one of them;
-- true: there; false: not there; { like = PATTERN } or { unlike = PATTERN }: a literal text that does, or does not,
-- match. Then the object needs members, forbids members, or has members with certain values, in a range, like a
-- pattern, with a count of items. What a function gives is not known: then no case holds, and no demand is broken.

local case_facts = require "lint.case_facts"
local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"
local values = require "lint.values"

local cases = {}

local join, is_map, show = state.join, state.is_map, state.show
local literal = values.literal

local BY_TYPE = state.by_type(case_facts)

local function is_one_of(text, wanted)
  for _, one in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    if text:lower() == one:lower() then return true end
  end
  return false
end

local function holds_for(wanted, value)
  if wanted == false then return value == nil end
  if wanted == true then return value ~= nil end
  local text = literal(value)
  if not text then return false end
  if wanted.like then return text:find(wanted.like) ~= nil end
  if wanted.unlike then return text:find(wanted.unlike) == nil end
  return is_one_of(text, wanted)
end

local function holds(when, object)
  for member, wanted in pairs(when) do
    if not holds_for(wanted, object[member]) then return false end
  end
  return true
end

local function said(when)
  local parts = {}
  for _, member in ipairs(util.sorted_keys(when)) do
    local wanted = when[member]
    local words = wanted == false and "is not there" or wanted == true and "is there"
      or wanted.like and "is as it is" or wanted.unlike and "is as it is"
      or "is '" .. (type(wanted) == "table" and table.concat(wanted, "' or '") or wanted) .. "'"
    parts[#parts + 1] = ("%s %s"):format(member, words)
  end
  return table.concat(parts, " and ")
end

-- May a function bring members, or take this one away?
local function is_open(object, member)
  if object["Fn::Transform"] ~= nil then return true end
  return member ~= nil and functions.name_of(object[member]) ~= nil
end

local CHECKS = {}

function CHECKS.needs(L, case, object, path)
  for _, member in ipairs(case.needs) do
    if object[member] == nil and not is_open(object) then
      L:find(case[3], path, "'%s' is needed when %s", member, said(case[4]))
    end
  end
end

function CHECKS.forbids(L, case, object, path)
  for _, member in ipairs(case.forbids) do
    if object[member] ~= nil and functions.name_of(object[member]) ~= "Fn::If"
      and not (is_map(object[member]) and object[member].Ref == "AWS::NoValue") then
      L:find(case[3], join(path, member), "'%s' may not stand here when %s", member, said(case[4]))
    end
  end
end

function CHECKS.values(L, case, object, path)
  for member, wanted in pairs(case.values) do
    local text = literal(object[member])
    if text and not is_one_of(text, wanted) then
      L:find(case[3], join(path, member), "%s is not one of '%s', when %s", show(object[member]),
        table.concat(wanted, "', '"), said(case[4]))
    end
  end
end

function CHECKS.range(L, case, object, path)
  for member, range in pairs(case.range) do
    local number = tonumber(literal(object[member]))
    if number and (number < range[1] or range[2] and number > range[2]) then
      L:find(case[3], join(path, member), "%s is not in the range %s to %s, when %s", show(object[member]), range[1],
        range[2] or "any", said(case[4]))
    end
  end
end

function CHECKS.like(L, case, object, path)
  for member, pattern in pairs(case.like) do
    local text = literal(object[member])
    if text and not text:find(pattern) then
      L:find(case[3], join(path, member), "%s does not match %s, when %s", show(text), pattern, said(case[4]))
    end
  end
end

function CHECKS.count(L, case, object, path)
  for member, range in pairs(case.count) do
    local list = object[member]
    local certain = json.is_list(list)
    for _, item in ipairs(certain and list or {}) do certain = certain and functions.name_of(item) ~= "Fn::If" end
    if certain and #list < range[1] then
      L:find(case[3], join(path, member), "there are %d, and at least %d are needed when %s", #list, range[1],
        said(case[4]))
    end
  end
end

local ORDER = { "needs", "forbids", "values", "range", "like", "count" }

local function check_case(L, case, object, path)
  if not is_map(object) or functions.name_of(object) or not holds(case[4], object) then return end
  for _, kind in ipairs(ORDER) do
    if case[kind] then CHECKS[kind](L, case, object, path) end
  end
end

--- Every resource whose type has cases.
---@param L table
function cases.check(L)
  L:each_row(BY_TYPE, function(case, properties, path)
    values.at(properties, case[2], path, function(object, at) check_case(L, case, object, at) end)
  end)
end

return cases
