--- `--output text`: a value as lines of tab-separated cells, laid out as the AWS CLI does, so that scripts
-- that cut columns out of its text read ours.
--
-- An object is one line of its plain members, sorted by name; what is not plain follows in lines of its own
-- that begin with the member's name in capitals. The objects of a list have the same columns.

local json = require "tap.core.json"
local util = require "tap.util"

local text = {}

local function is_plain(value)
  return type(value) ~= "table"
end

local WORDS = { [json.null] = "None", [true] = "True", [false] = "False" }

local function cell(value)
  return WORDS[value] or (is_plain(value) and tostring(value)) or json.encode(value)
end

local add -- (lines, value, label, columns)

local function put(lines, label, cells)
  if label then table.insert(cells, 1, label:upper()) end
  lines[#lines + 1] = table.concat(cells, "\t")
end

--- The names of all plain members that any object of the list has.
local function columns_of(list)
  local seen = {}
  for _, item in ipairs(list) do
    for name, value in pairs(type(item) == "table" and not json.is_list(item) and item or {}) do
      if is_plain(value) then seen[name] = true end
    end
  end
  return util.sorted_keys(seen)
end

local function add_object(lines, object, label, columns)
  local cells, is_column, names = {}, {}, util.sorted_keys(object)
  if not columns then
    columns = {}
    for _, name in ipairs(names) do
      if is_plain(object[name]) then columns[#columns + 1] = name end
    end
  end
  for index, name in ipairs(columns) do
    cells[index] = object[name] == nil and "" or cell(object[name])
    is_column[name] = true
  end
  if #cells > 0 then put(lines, label, cells) end
  for _, name in ipairs(names) do
    if not is_column[name] then add(lines, object[name], name) end
  end
end

local function add_plain_list(lines, cells, label)
  if #cells == 0 then return end
  if not label then return put(lines, nil, cells) end
  for _, one in ipairs(cells) do put(lines, label, { one }) end
end

local function add_list(lines, list, label)
  local plain, others = {}, {}
  for _, item in ipairs(list) do
    if is_plain(item) then plain[#plain + 1] = cell(item) else others[#others + 1] = item end
  end
  add_plain_list(lines, plain, label)
  local columns = columns_of(others)
  for _, item in ipairs(others) do add(lines, item, label, columns) end
end

add = function(lines, value, label, columns)
  if is_plain(value) then
    put(lines, label, { cell(value) })
  elseif json.is_list(value) then
    add_list(lines, value, label)
  else
    add_object(lines, value, label, columns)
  end
end

--- The lines of a value; none for an empty one.
---@param value any
---@return string[]
function text.lines(value)
  local lines = {}
  add(lines, value)
  return lines
end

return text
