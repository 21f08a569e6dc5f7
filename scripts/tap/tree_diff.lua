--- What differs between two templates, member by member: the same whether they are YAML or JSON, and whatever the order
-- of their keys is.

local json = require "tap.core.json"

local tree_diff = {}

local MOST = 2000 -- differences that are told

local function is_map(value)
  return type(value) == "table" and not json.is_list(value)
end

local function short(value)
  if value == nil then return nil end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

local function note(found, path, before, after)
  if #found >= MOST then return end
  found[#found + 1] = { path = path, before = short(before), after = short(after) }
end

local compare

local function compare_maps(a, b, path, found)
  local seen = {}
  for _, keys in ipairs { json.keys(a), json.keys(b) } do
    for _, key in ipairs(keys) do
      if not seen[key] then
        seen[key] = true
        compare(a[key], b[key], path .. "/" .. key, found)
      end
    end
  end
end

local function compare_lists(a, b, path, found)
  for index = 1, math.max(#a, #b) do compare(a[index], b[index], ("%s/%d"):format(path, index - 1), found) end
end

function compare(a, b, path, found)
  if a == b then return end
  if is_map(a) and is_map(b) then return compare_maps(a, b, path, found) end
  if json.is_list(a) and json.is_list(b) then return compare_lists(a, b, path, found) end
  local scalars = a ~= nil and b ~= nil and type(a) ~= "table" and type(b) ~= "table"
  if scalars and tostring(a) == tostring(b) then return end -- "80" and 80 are the same to the service
  note(found, path, a, b)
end

--- Compares two values of templates.
---@param before any
---@param after any
---@return { path: string, before: string?, after: string? }[] JSON pointers; what is missing on one side is nil
function tree_diff.compare(before, after)
  local found = json.list {}
  compare(before, after, "", found)
  return found
end

return tree_diff
