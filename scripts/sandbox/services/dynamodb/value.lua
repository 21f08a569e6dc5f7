--- DynamoDB's attribute values, as the API has them: { S = "x" }, { N = "1" }, { L = {...} }, ... Numbers are
-- compared as numbers, sets without order.

local json = require "tap.core.json"

local value = {}

--- The type's letters and what it holds.
---@param attribute table
---@return string kind
---@return any content
function value.kind(attribute)
  return next(attribute)
end

local function number_text(number)
  local integer = math.tointeger(number)
  return integer and ("%d"):format(integer) or ("%.14g"):format(number)
end

--- A number's value.
function value.number(attribute)
  return attribute and attribute.N and (math.tointeger(tonumber(attribute.N)) or tonumber(attribute.N))
end

function value.of_number(number)
  return { N = number_text(number) }
end

local SETS = { SS = true, NS = true, BS = true }

--- A text that is the same for equal values.
function value.canonical(attribute)
  local kind, content = next(attribute)
  if kind == "N" then return "N" .. number_text(tonumber(content) or 0) end
  local parts = {}
  if kind == "L" then
    for i, element in ipairs(content) do parts[i] = value.canonical(element) end
  elseif kind == "M" then
    for key, element in pairs(content) do parts[#parts + 1] = ("%q=%s"):format(key,
      value.canonical(element)) end
    table.sort(parts)
  elseif SETS[kind] then
    for i, element in ipairs(content) do
      parts[i] = kind == "NS" and number_text(tonumber(element) or 0) or element
    end
    table.sort(parts)
  else
    return kind .. tostring(content)
  end
  return ("%s(%s)"):format(kind, table.concat(parts, "\0"))
end

function value.equal(a, b)
  return value.canonical(a) == value.canonical(b)
end

--- Is a less than b? Nil when their types cannot be compared.
---@return boolean?
function value.less(a, b)
  local kind, first = next(a)
  local other, second = next(b)
  if kind ~= other then return nil end
  if kind == "N" then return tonumber(first) < tonumber(second) end
  if kind == "S" or kind == "B" then return first < second end
  return nil
end

--- The size function: bytes of texts and binaries, elements of the rest. Nil for the others.
function value.size(attribute)
  local kind, content = next(attribute)
  if kind == "S" or kind == "B" then return #content end
  if kind == "L" or SETS[kind] then return #content end
  if kind == "M" then
    local n = 0
    for _ in pairs(content) do n = n + 1 end
    return n
  end
end

local function set_of(kind, elements)
  return { [kind] = json.list(elements) }
end

--- The union of two sets of one kind.
function value.union(a, b)
  local kind, first = next(a)
  local seen, out = {}, {}
  for _, list in ipairs { first, b[kind] or {} } do
    for _, element in ipairs(list) do
      if not seen[element] then
        seen[element] = true
        out[#out + 1] = element
      end
    end
  end
  return set_of(kind, out)
end

--- Set a without the elements of set b; nil when nothing is left.
function value.difference(a, b)
  local kind, first = next(a)
  local gone, out = {}, {}
  for _, element in ipairs(b[kind] or {}) do gone[element] = true end
  for _, element in ipairs(first) do
    if not gone[element] then out[#out + 1] = element end
  end
  return #out > 0 and set_of(kind, out) or nil
end

--- A copy that shares nothing.
function value.copy(node)
  if type(node) ~= "table" then return node end
  local out = json.is_list(node) and json.list {} or {}
  for key, element in pairs(node) do out[key] = value.copy(element) end
  return out
end

return value
