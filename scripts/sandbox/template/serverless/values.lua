--- Values of templates as SAM's transform handles them: maps whose keys stand in the order in which they were put
-- there, calls of intrinsic functions, and what counts as given. Texts, numbers and truth values have their types here.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local shape = require "sandbox.template.shape"

local values = { keys = json.keys, is_list = json.is_list, is_map = shape.is_map }

--- Puts a member into a map, as its last when it is new. nil puts nothing.
---@return table map
function values.put(map, key, value)
  if value == nil then return map end
  if map[key] == nil then
    local keys = json.keys(map)
    keys[#keys + 1] = key
    json.object(map, keys)
  end
  map[key] = value
  return map
end

--- A map of keys and values in turn; what is nil is left out.
---@return table
function values.map(...)
  local map, keys, given = {}, {}, table.pack(...)
  for i = 1, given.n, 2 do
    if given[i + 1] ~= nil then
      keys[#keys + 1] = given[i]
      map[given[i]] = given[i + 1]
    end
  end
  return json.object(map, keys)
end

--- A list of what is given; each must be there.
---@return table
function values.list(...)
  return json.list { ... }
end

--- A copy that shares nothing with the original.
function values.copy(value)
  if type(value) ~= "table" then return value end
  if json.is_list(value) then
    local out = json.list {}
    for i, element in ipairs(value) do out[i] = values.copy(element) end
    return out
  end
  local out, keys = {}, json.keys(value)
  for _, key in ipairs(keys) do out[key] = values.copy(value[key]) end
  return json.object(out, keys)
end

--- A map with the members of several; the later win.
function values.merged(...)
  local out = {}
  for _, map in ipairs { ... } do
    for _, key in ipairs(json.keys(map)) do values.put(out, key, map[key]) end
  end
  return out
end

--- The elements of several lists.
function values.joined(...)
  local out = json.list {}
  for _, list in ipairs { ... } do
    for _, element in ipairs(list) do out[#out + 1] = element end
  end
  return out
end

--- Does a value count as given? Empty texts, maps and lists, 0 and false do not.
---@return boolean
function values.given(value)
  if type(value) == "table" then return next(value) ~= nil end
  return value ~= nil and value ~= false and value ~= "" and value ~= 0
end

--- A value that counts as given, or nil.
function values.or_nil(value)
  if values.given(value) then return value end
end

--- Are two values alike, whatever the order of keys?
function values.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if json.is_list(a) ~= json.is_list(b) then return false end
  for key, value in pairs(a) do
    if not values.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- Is a value in a list?
function values.has(list, wanted)
  for _, element in ipairs(list) do
    if values.same(element, wanted) then return true end
  end
  return false
end

--- A list with one value as its only element, or the list itself.
function values.as_list(value)
  return json.is_list(value) and value or json.list { value }
end

---------------------------------------------------------------------------------------------------------
-- Intrinsic functions

function values.ref(id) return values.map("Ref", id) end
function values.getatt(id, attribute) return values.map("Fn::GetAtt", values.list(id, attribute)) end

--- Fn::Sub of a text, with variables or none.
function values.sub(text, variables)
  return values.map("Fn::Sub", variables and values.list(text, variables) or text)
end

--- One of two by a condition; without the second, nothing.
function values.choice(condition, yes, no)
  return values.map("Fn::If", values.list(condition, yes, no or values.ref "AWS::NoValue"))
end

--- The intrinsic function that a value calls, or nil.
---@return string?
function values.intrinsic(value)
  if not values.is_map(value) then return nil end
  local name = next(value)
  if type(name) ~= "string" or next(value, name) ~= nil then return nil end
  if name == "Ref" or name == "Condition" or name:sub(1, 4) == "Fn::" then return name end
end

function values.is_if(value) return values.intrinsic(value) == "Fn::If" end
function values.is_no_value(value) return values.intrinsic(value) == "Ref" and value.Ref == "AWS::NoValue" end

--- The logical id that a Ref or a GetAtt names, or nil.
function values.named(value)
  local name = values.intrinsic(value)
  if name == "Ref" and type(value.Ref) == "string" then return value.Ref end
  if name ~= "Fn::GetAtt" then return nil end
  local argument = value["Fn::GetAtt"]
  if type(argument) == "string" then return argument:match "^([^.]*)%.[^.]*$" end
  if json.is_list(argument) and #argument == 2 and type(argument[1]) == "string" then return argument[1] end
end

--- Tags of a map as a list of { Key, Value }.
function values.tags(map)
  local out = json.list {}
  for _, key in ipairs(json.keys(map or {})) do out[#out + 1] = values.map("Key", key, "Value", map[key]) end
  return out
end

---------------------------------------------------------------------------------------------------------
-- JSON as Python's json.dumps writes it: what names with hashes are made of

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b",
  ["\f"] = "\\f" }

local function quoted(text)
  local out = {}
  for _, code in utf8.codes(text, true) do
    local char = utf8.char(code)
    if ESCAPES[char] then
      out[#out + 1] = ESCAPES[char]
    elseif code >= 0x10000 then
      local rest = code - 0x10000
      out[#out + 1] = ("\\u%04x\\u%04x"):format(0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF))
    elseif code < 0x20 or code > 0x7E then
      out[#out + 1] = ("\\u%04x"):format(code)
    else
      out[#out + 1] = char
    end
  end
  return '"' .. table.concat(out) .. '"'
end

--- A number as Python writes it.
function values.number(number)
  if math.type(number) == "integer" then return ("%d"):format(number) end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(number)
    if tonumber(text) == number then return text:find "[.e]" and text or text .. ".0" end
  end
end

--- A value as Python shows it: what errors say.
function values.shown(value)
  if value == nil then return "None" end
  if type(value) == "boolean" then return value and "True" or "False" end
  if type(value) == "number" then return values.number(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  local function inner(each) return type(each) == "string" and "'" .. each .. "'" or values.shown(each) end
  if json.is_list(value) then
    for i, element in ipairs(value) do parts[i] = inner(element) end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  for i, key in ipairs(json.keys(value)) do parts[i] = "'" .. key .. "': " .. inner(value[key]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function write(value, style, depth)
  if type(value) == "string" then return quoted(value) end
  if type(value) == "number" then return values.number(value) end
  if type(value) ~= "table" then return tostring(value) end
  local is_list, parts = json.is_list(value), {}
  local keys = is_list and value or style.keys(value)
  for i, key in ipairs(keys) do
    parts[i] = is_list and write(key, style, depth + 1)
      or quoted(key) .. style.colon .. write(value[key], style, depth + 1)
  end
  local open, close = is_list and "[" or "{", is_list and "]" or "}"
  if #parts == 0 then return open .. close end
  if not style.indent then return open .. table.concat(parts, style.comma) .. close end
  local inner, outer = "\n" .. (" "):rep(style.indent * (depth + 1)), "\n" .. (" "):rep(style.indent * depth)
  return open .. inner .. table.concat(parts, "," .. inner) .. outer .. close
end

--- The keys of a map, sorted.
function values.sorted(map)
  local keys = json.keys(map)
  table.sort(keys)
  return keys
end

local STYLES = {
  compact = { comma = ",", colon = ":", keys = values.sorted },
  pretty = { comma = ",", colon = ": ", indent = 4, keys = values.sorted },
}

--- JSON in one of the styles, or in one of the caller's.
---@param style "compact"|"pretty"|table
---@return string
function values.dumps(value, style)
  return write(value, STYLES[style] or style, 0)
end

local HASH = 10 -- hex digits of a hash that a name carries

--- The hash of what a name stands for; "" when nothing is given.
---@param data any a text as it is, else its JSON
---@param length integer? hex digits
function values.hash(data, length)
  if not values.given(data) then return "" end
  local text = type(data) == "string" and data or values.dumps(data, "compact")
  return crypto.sha1(text):sub(1, length or HASH)
end

return values
