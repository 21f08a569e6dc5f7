--- Documents as SAM's transform keeps them: dictionaries in the order that Python 2.7 gave them, and texts that are
-- either the user's (unicode) or its own (bytes). The hash in the name of an API's deployment is made of such a
-- document written out as Python 2.7 wrote it, so that stacks of that time keep their deployments; to make the same
-- names, the order in which members came and went is followed here.
--
-- A table of the template is a dictionary of the user's texts. What this module makes has its own texts, but for
-- those that `put` is told are the user's.

local values = require "sandbox.template.serverless.values"

local python2 = {}

-- Table -> what is known of it: own_keys and own_values (sets of those that are SAM's own), `ordinary` (a dictionary
-- of today's Python: members stand as they came), else slots, mask, fill, size: the hash table.
local states = setmetatable({}, { __mode = "k" })

local SMALLEST = 8 -- slots
local SHIFT = 5
local MULTIPLIER = 1000003

local function computed_hash(key)
  if key == "" then return 0 end
  local x, length = nil, 0
  for _, code in utf8.codes(key, true) do
    if not x then x = code << 7 end
    x = MULTIPLIER * x ~ code
    length = length + 1
  end
  x = x ~ length
  return x == -1 and -2 or x
end

-- Texts -> their hashes, of which the same are asked for again and again.
local hashes, kept, MOST_KEPT = {}, 0, 20000

local function hash_of(key)
  local hash = hashes[key]
  if hash then return hash end
  if kept == MOST_KEPT then hashes, kept = {}, 0 end
  hash = computed_hash(key)
  hashes[key], kept = hash, kept + 1
  return hash
end

-- The slot of a key: its own, or the one where it would go. Slots of removed keys hold false.
local function slot_of(state, key)
  local slots, mask, hash = state.slots, state.mask, hash_of(key)
  local at = hash & mask
  if slots[at] == nil or slots[at] == key then return at end
  local free = slots[at] == false and at or nil
  local walker, perturb = at, hash
  while true do
    walker = walker * 5 + perturb + 1
    at = walker & mask
    if slots[at] == nil then return free or at end
    if slots[at] == key then return at end
    if slots[at] == false then free = free or at end
    perturb = perturb >> SHIFT
  end
end

local add -- forward

local function ordered(state)
  local out = {}
  for at = 0, state.mask do
    if state.slots[at] then out[#out + 1] = state.slots[at] end
  end
  return out
end

local function resize(state, least)
  local size, keys = SMALLEST, ordered(state)
  while size <= least do size = size << 1 end
  state.mask, state.slots, state.fill, state.size = size - 1, {}, 0, 0
  for _, key in ipairs(keys) do add(state, key) end
end

add = function(state, key)
  local at = slot_of(state, key)
  if state.slots[at] == key then return end
  if state.slots[at] == nil then state.fill = state.fill + 1 end
  state.slots[at] = key
  state.size = state.size + 1
  if state.fill * 3 >= (state.mask + 1) * 2 then resize(state, state.size * 4) end
end

local function emptied(state)
  state.slots, state.mask, state.fill, state.size = {}, SMALLEST - 1, 0, 0
  return state
end

local function state_of(map)
  local state = states[map]
  if state then return state end
  state = emptied { own_keys = {}, own_values = {} }
  states[map] = state
  for _, key in ipairs(values.keys(map)) do add(state, key) end
  return state
end

--- A new dictionary of SAM's own: keys and values in turn, whose texts are its own.
function python2.dict(...)
  local map, given = {}, table.pack(...)
  states[map] = emptied { own_keys = {}, own_values = {} }
  for i = 1, given.n, 2 do python2.put(map, given[i], given[i + 1]) end
  return map
end

--- The same as Python has them today: the members stay as they came.
function python2.ordinary(...)
  local map, given = {}, table.pack(...)
  states[map] = { own_keys = {}, own_values = {}, ordinary = true }
  for i = 1, given.n, 2 do python2.put(map, given[i], given[i + 1]) end
  return map
end

--- A list of SAM's own texts.
function python2.list(...)
  local list = values.list(...)
  states[list] = { own_texts = true }
  return list
end

-- Nodes that a copy leaves as they are, with all that is in them, and in what each node is: so that copies, which are
-- many, look only at what was changed. This holds because put and remove are all that changes a document.
local clean = setmetatable({}, { __mode = "k" })
local above = setmetatable({}, { __mode = "k" })

local function touched(node)
  if not clean[node] then return end -- nor is what it is in
  clean[node] = nil
  for holder in pairs(above[node] or {}) do touched(holder) end
end

--- Puts a member into a dictionary; nil puts nothing.
---@param users "key"|"value"|"both"? which of the two, if texts, are the user's
---@return table map
function python2.put(map, key, value, users)
  if value == nil then return map end
  local state = state_of(map)
  touched(map)
  if map[key] == nil then
    state.own_keys[key] = users ~= "key" and users ~= "both" or nil
    if not state.ordinary then add(state, key) end
    state.settled = false
  end
  state.own_values[key] = users ~= "value" and users ~= "both" or nil
  return values.put(map, key, value)
end

--- Takes a member out of a dictionary.
function python2.remove(map, key)
  local state = state_of(map)
  if map[key] == nil then return end
  touched(map)
  map[key] = nil
  if not state.ordinary then
    state.slots[slot_of(state, key)] = false
    state.size = state.size - 1
  end
  state.settled = false
end

--- The text at a key: is it the user's?
---@return "value"|nil users what `put` takes
function python2.users(map, key)
  return not state_of(map).own_values[key] and "value" or nil
end

--- The keys of a dictionary in its order.
function python2.keys(map)
  local state = state_of(map)
  return state.ordinary and values.keys(map) or ordered(state)
end

local function same_order(one, other)
  for i, key in ipairs(one) do
    if other[i] ~= key then return false end
  end
  return true
end

-- Copying a dictionary puts its members into a new one, one by one; that may change the order.
local function copied(state)
  local keys = ordered(state)
  emptied(state)
  for _, key in ipairs(keys) do add(state, key) end
  state.settled = same_order(keys, ordered(state))
end

-- Copies a node with all that is in it: will the next copy leave it as it is?
local function settle(node, seen)
  if clean[node] then return true end
  if seen[node] ~= nil then return seen[node] end
  local still = true
  if not values.is_list(node) then
    local state = state_of(node)
    if not state.ordinary and not state.settled then
      copied(state)
      still = state.settled
    end
  end
  for _, inner in pairs(node) do
    if type(inner) == "table" then
      above[inner] = above[inner] or {}
      above[inner][node] = true
      if not settle(inner, seen) then still = false end
    end
  end
  seen[node], clean[node] = still, still or nil
  return still
end

--- Gives a document the order that a copy of it has.
function python2.copy_order(document)
  settle(document, {})
  return document
end

-- Fills an empty dictionary at once, which makes it larger before it is full.
local function fill(state, keys)
  if #keys * 3 >= SMALLEST * 2 then resize(state, #keys * 2) end
  for _, key in ipairs(keys) do add(state, key) end
end

local function put_all(out, map)
  local state = state_of(map)
  for _, key in ipairs(python2.keys(map)) do
    local own_key, own_value = state.own_keys[key], state.own_values[key]
    python2.put(out, key, map[key], not own_key and (own_value and "key" or "both") or not own_value and "value" or nil)
  end
  return out
end

--- A copy of a dictionary that shares its values.
function python2.shallow(map)
  if state_of(map).ordinary then return put_all(python2.ordinary(), map) end
  local out = {}
  states[out] = emptied { own_keys = {}, own_values = {} }
  fill(states[out], python2.keys(map))
  return put_all(out, map)
end

--- What two dictionaries say, the second over the first, as an ordinary one.
function python2.combined(first, second)
  return put_all(put_all(python2.ordinary(), first), second)
end

---------------------------------------------------------------------------------------------------------
-- Texts

local NAMED = { ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- As repr writes a text of ASCII.
local function quoted(text)
  local quote = text:find("'", 1, true) and not text:find('"', 1, true) and '"' or "'"
  text = text:gsub('[\\\n\r\t%c]', function(char) return NAMED[char] or ("\\x%02x"):format(char:byte()) end)
  if quote == "'" then text = text:gsub("'", "\\'") end
  return quote .. text .. quote
end

local function unicode(text)
  local out = {}
  for _, code in utf8.codes(text, true) do
    local char = utf8.char(code)
    local form = code > 0xFFFF and "\\U%08x" or code > 0xFF and "\\u%04x" or (code < 0x20 or code > 0x7E) and "\\x%02x"
    out[#out + 1] = NAMED[char] or form and form:format(code) or char
  end
  return "u" .. quoted(table.concat(out)):gsub("\\\\", "\\")
end

local function written(value, own)
  if type(value) == "string" then return own and quoted(value) or unicode(value) end
  if type(value) == "boolean" then return value and "True" or "False" end
  if type(value) == "number" then return values.number(value) end
  return python2.text(value)
end

--- A document written out.
---@param node table
---@return string
function python2.text(node)
  local parts = {}
  if values.is_list(node) then
    local own = states[node] and states[node].own_texts
    for i, element in ipairs(node) do parts[i] = written(element, own) end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  local state = state_of(node)
  for i, key in ipairs(python2.keys(node)) do
    parts[i] = written(key, state.own_keys[key]) .. ": " .. written(node[key], state.own_values[key])
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

return python2
