--- Properties against what their type's schema demands of values (vendor/cfn-constraints): patterns, lengths, ranges,
-- counts, values that there are, members that demand or exclude each other. Only what is written in the template is
-- judged, a parameter's values included: what other functions give is not known offline.

local forms = require "lint.forms"
local functions = require "lint.functions"
local json = require "tap.core.json"
local resolved = require "lint.resolved"
local schema = require "tap.schema"
local state = require "lint.state"
local util = require "tap.util"
local value_rules = require "tap.value_rules"

local constraints = {}

local join, is_map, show = state.join, state.is_map, state.show

---------------------------------------------------------------------------------------------------------
-- Texts, numbers, lists

local function show_range(pair)
  local least, most = pair[1], pair[2]
  if most == json.null then return ("%s or more"):format(least) end
  if least == json.null then return ("%s at most"):format(most) end
  return least == most and tostring(least) or ("%s to %s"):format(least, most)
end

local function tell_length(L, node, value, path, broken)
  L:find("E3033", path, "%s has %d characters; it takes %s", show(value), broken[3], show_range(node.length))
end

local function tell_range(L, node, value, path)
  L:find("E3034", path, "%s is not in the range: %s", show(value), show_range(node.range))
end

local function tell_count(L, node, _, path, broken)
  L:find("E3032", path, "there are %d items; it takes %s", broken[3], show_range(node.count))
end

local function tell_enum(L, _, value, path, broken)
  local words = {}
  for index, one in ipairs(broken[2]) do words[index] = tostring(one) end
  L:find("E3030", path, "%s is not one of '%s'%s", show(value), table.concat(words, "', '"),
    util.suggest(tostring(value), words))
end

-- Keyword of JSON Schema -> how it is told that a value breaks it.
local TELL = {
  pattern = function(L, node, value, path)
    L:find("E3031", path, "%s does not match '%s'", show(value), node.pattern)
  end,
  minLength = tell_length, maxLength = tell_length, minimum = tell_range, maximum = tell_range,
  minItems = tell_count, maxItems = tell_count, enum = tell_enum,
  const = function(L, node, _, path) L:find("E3002", path, "'%s' has to stand here", node.const) end,
  uniqueItems = function(L, _, list, path, broken)
    L:find("E3037", join(path, broken[3]), "%s stands here already, as item %d", show(list[broken[3]]), broken[2])
  end,
}

local function tell(L, node, value, path, found)
  for _, broken in ipairs(found) do TELL[broken[1]](L, node, value, path, broken) end
end

local function check_scalar(L, node, value, path)
  if value == json.null or tostring(value):find("{{resolve:", 1, true) then return end
  tell(L, node, value, path, value_rules.scalar(node, value, L.budget))
  if node.form then forms.check_literal(L, node.form, value, path) end
end

-- An item may go away, or become several.
local function is_certain(list)
  for _, item in ipairs(list) do
    local name = functions.name_of(item)
    if name == "Fn::If" or name == "Ref" and item.Ref == "AWS::NoValue" or name == "Fn::Transform" then return false end
  end
  return true
end

local function check_list(L, node, list, path)
  if is_certain(list) then tell(L, node, list, path, value_rules.list(node, list)) end
end

---------------------------------------------------------------------------------------------------------
-- Tags

local TAG = { Key = true, Value = true }

local function check_tag(L, node, tag, path)
  for _, name in ipairs(json.keys(tag)) do
    local value = tag[name]
    if not TAG[name] then
      if not name:find "^Fn::" then L:find("E3002", join(path, name), "a tag has no '%s'", name) end
    elseif type(value) == "table" and not functions.name_of(value) then
      L:find("E3012", join(path, name), "%s is not of type 'string'", show(value))
    end
  end
  for _, name in ipairs(tag["Fn::Transform"] == nil and node.tag or {}) do
    if tag[name] == nil then L:find("E3003", path, "'%s' is a required property of a tag", name) end
  end
  if type(tag.Key) == "string" and tag.Key:find "^aws:" then
    L:find("E3024", join(path, "Key"), "names that begin with aws: are AWS's own")
  end
end

local function check_keys(L, list, path)
  local first = {}
  for index, tag in ipairs(list) do
    local key = is_map(tag) and type(tag.Key) == "string" and tag.Key
    if key and first[key] then L:find("E3024", join(path, index), "the tag '%s' stands here already", key) end
    if key then first[key] = true end
  end
end

---------------------------------------------------------------------------------------------------------
-- Objects

local function has_all(object, names)
  for _, name in ipairs(names) do
    if object[name] == nil then return false end
  end
  return true
end

local function words_of(sets)
  local out = {}
  for index, names in ipairs(sets) do
    out[index] = table.concat(type(names) == "table" and names or { names }, "' with '")
  end
  return "'" .. table.concat(out, "', '") .. "'"
end

local function count_sets(object, sets)
  local n = 0
  for _, names in ipairs(sets) do
    n = n + (has_all(object, type(names) == "table" and names or { names }) and 1 or 0)
  end
  return n
end

-- Field of a node -> rule, what is good, what is told. Each is a list of members, or of sets of members.
local SETS = {
  { "one", "E3018", function(n) return n == 1 end, "exactly one of %s is needed here" },
  { "any", "E3017", function(n) return n >= 1 end, "one of %s is needed here" },
  { "xor", "E3014", function(n) return n == 1 end, "exactly one of %s is needed here" },
  { "or", "E3058", function(n) return n >= 1 end, "one of %s is needed here" },
}

-- Members that may not be there after all make nothing certain.
local function may_vanish(object)
  for key, value in pairs(object) do
    local name = functions.name_of(value)
    if key == "Fn::Transform" or key:find "^Fn::ForEach" or name == "Fn::If"
      or name == "Ref" and value.Ref == "AWS::NoValue" then
      return true
    end
  end
  return false
end

local function check_pairs(L, node, object, path)
  for _, name in ipairs(util.sorted_keys(node.excludes or {})) do
    for _, other in ipairs(object[name] ~= nil and node.excludes[name] or {}) do
      if object[other] ~= nil then
        L:find("E3020", join(path, other), "'%s' does not go together with '%s'", other, name)
      end
    end
  end
  for _, name in ipairs(util.sorted_keys(node.needs or {})) do
    for _, other in ipairs(object[name] ~= nil and node.needs[name] or {}) do
      if object[other] == nil then L:find("E3021", path, "'%s' needs '%s' as well", name, other) end
    end
  end
end

local function check_object(L, node, object, path)
  if may_vanish(object) then return end
  for _, row in ipairs(SETS) do
    local sets = node[row[1]]
    if sets and not row[3](count_sets(object, sets)) then L:find(row[2], path, row[4], words_of(sets)) end
  end
  check_pairs(L, node, object, path)
end

---------------------------------------------------------------------------------------------------------

local check -- forward

local function check_inside(L, where, node, value, path)
  if json.is_list(value) then
    check_list(L, node, value, path)
    local item_node = node.items and (where.definitions[node.items.is] or node.items)
    if item_node and item_node.tag then check_keys(L, value, path) end
    for index, item in ipairs(value) do
      local first = node.first and node.first[index]
      if first then check(L, where, first, item, join(path, index)) end
      if node.items then check(L, where, node.items, item, join(path, index)) end
    end
    return
  end
  check_object(L, node, value, path)
  if node.tag then check_tag(L, node, value, path) end
  for key, one in pairs(value) do
    local inner = node.members and node.members[key] or node.values
    if inner then check(L, where, inner, one, join(path, key)) end
  end
end

check = function(L, where, node, value, path)
  local name = functions.name_of(value)
  if name == "Fn::If" then
    for index = 2, 3 do
      if json.is_list(value[name]) then check(L, where, node, value[name][index], join(path, name, index)) end
    end
    return
  elseif name then
    if node.form then forms.check_reference(L, node.form, name, value[name], join(path, name)) end
    if name == "Ref" then
      resolved.check_ref(L, value.Ref, join(path, name), function(trial, one) check_scalar(trial, node, one, path) end)
    end
    return
  elseif value == nil then
    return
  end
  local definition = node.is and where.definitions[node.is]
  if definition then check(L, where, definition, value, path) end
  if type(value) == "table" and value ~= json.null then
    check_inside(L, where, node, value, path)
  else
    check_scalar(L, node, value, path)
  end
end

--- Every resource whose type is known.
---@param L table
function constraints.check(L)
  L:each_resource(function(properties, path, resource)
    local known = schema.constraints(resource.Type)
    if known then check(L, { definitions = known.definitions or {} }, known, properties, path) end
  end)
end

return constraints
