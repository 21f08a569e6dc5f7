--- Members of an operation's input as options: --stack-name web, --capabilities A B, --parameters @p.json.
--
-- What a value may look like follows from the member's type in the service's model. `@FILE` (or file://FILE)
-- stands for what is in a file; a text that begins with @ is written with two of them. Structures are JSON or
-- Key=team,Value=web. What the model calls sensitive is taken from files only. A stream, such as the body of
-- s3 put-object, is always a file's name, as in the AWS CLI, and the file that an answer's becomes is a word by itself.

local errors = require "tap.error"
local json = require "tap.core.json"
local shape = require "tap.aws_shape"
local shorthand = require "tap.aws_shorthand"
local sys = require "tap.core.sys"
local text = require "tap.core.text"
local util = require "tap.util"

local input = {}

local function refuse(message, hints)
  errors.raise { class = "usage", code = "BadArguments", message = message, hints = hints }
end

--- How an option spells a member: "StackName" -> "--stack-name"; in the API's spelling when the command has
-- that option itself, "Query" -> "--Query"; and when that is no other one, it is left to --input.
---@param member string
---@param taken table<string, any>? options that the command keeps for itself
---@return string
function input.option(member, taken)
  local option = "--" .. text.snake_case(member):gsub("_", "-")
  if not taken or not taken[option] then return option end
  return "--" .. member ~= option and "--" .. member or "(in --input)"
end

---------------------------------------------------------------------------------------------------------
-- Words to members

local function is_option(word)
  return word ~= nil and word:sub(1, 2) == "--" and #word > 2
end

--- The member that an option names: in the API's own spelling, else in any; and whether it says no to it
-- (--no-disable-rollback).
local function member_of(members, shapes, name)
  if members[name] then return name, false end
  for member in pairs(members) do
    if text.same_name(member, name) then return member, false end
  end
  local positive = name:match("^[Nn][Oo]%-(.+)$")
  for member, reference in pairs(positive and members or {}) do
    if text.same_name(member, positive) and shapes[reference.shape].type == "boolean" then
      return member, true
    end
  end
  return nil
end

local function unknown(members, word, operation)
  local names = {}
  for member in pairs(members) do names[#names + 1] = input.option(member) end
  table.sort(names)
  refuse(("%s has no member for %s%s"):format(operation.name, word, util.suggest(word, names)),
    { "--help shows what it takes" })
end

--- The values behind an option: a flag has none, a list takes all up to the next option, the rest one.
local function values_behind(words, i, kind)
  local values = {}
  if kind == "boolean" and words[i] ~= "true" and words[i] ~= "false" then return values, i end
  while words[i] and not is_option(words[i]) and (kind == "list" or #values == 0) do
    values[#values + 1] = words[i]
    i = i + 1
  end
  return values, i
end

--- Reads the words that are no options of the command itself.
---@param words string[]
---@param operation table of the model
---@param shapes table<string, table> of shape.all
---@return { member: string, option: string, values: string[], no: boolean? }[] given
---@return string? outfile
function input.parse(words, operation, shapes)
  local members = operation.input and shapes[operation.input.shape].members or {}
  local has_outfile = shape.stream_member(operation.output, shapes) ~= nil
  local given, by_member, outfile, i = {}, {}, nil, 1
  while words[i] do
    local word = words[i]
    if has_outfile and not outfile and not is_option(word) then
      outfile, i = word, i + 1
      goto continue
    elseif not is_option(word) then
      refuse(("unexpected argument '%s'"):format(word))
    end
    local option, inline = word:match("^(%-%-[^=]+)=(.*)$")
    option = option or word
    local member, no = member_of(members, shapes, option:sub(3))
    if not member then unknown(members, option, operation) end
    local kind, values = shapes[members[member].shape].type, { inline }
    i = i + 1
    if not inline and not no then values, i = values_behind(words, i, kind) end
    local entry = by_member[member]
    if entry and kind ~= "list" then refuse(("%s is given twice"):format(option)) end
    if not entry then
      entry = { member = member, option = option, values = {}, no = no }
      given[#given + 1], by_member[member] = entry, entry
    end
    table.move(values, 1, #values, #entry.values + 1, entry.values)
    ::continue::
  end
  return given, outfile
end

---------------------------------------------------------------------------------------------------------
-- Values

--- The file that a word stands for; nil when it is text.
local function file_of(word)
  return word:match("^@([^@].*)$") or word:match("^fileb?://(.+)$")
end

--- A word and what it stands for: its text, or that of a file.
local function expand(word)
  if word:sub(1, 2) == "@@" then return { word = word, content = word:sub(2) } end
  local file = file_of(word)
  return { word = word, content = file and sys.read_file(file) or word, file = file }
end

local function bad(option, given, problem)
  refuse(("%s '%s' %s"):format(option, given.word, problem))
end

local function to_integer(option, given)
  return math.tointeger(tonumber(given.content)) or bad(option, given, "is not a whole number")
end

local function to_number(option, given)
  return tonumber(given.content) or bad(option, given, "is not a number")
end

local function to_boolean(option, given)
  if given.content == "true" then return true end
  return given.content ~= "false" and bad(option, given, "is neither true nor false")
end

--- JSON, as lists, maps and structures are given.
local function to_json(option, given, example)
  local ok, value = pcall(json.decode, given.content, given.file)
  if ok and type(value) == "table" then return value end
  if not ok and given.file then error(value, 0) end
  local is_meant = not ok and value.column and given.content:match("^%s*[%[{]")
  local problem = is_meant and ("is no JSON from column %d on"):format(value.column) or "is JSON: " .. example
  return refuse(("%s %s"):format(option, problem), { "or @FILE with the JSON in it" })
end

local function to_list(option, given) return to_json(option, given, '["value"]') end
local function to_object(option, given)
  return to_json(option, given, '{"Name": "value"}, or in short Name=value')
end

-- Type -> the JSON value that a word is; other types are texts.
local CONVERSIONS = { integer = to_integer, long = to_integer, float = to_number, double = to_number,
  boolean = to_boolean, list = to_list, map = to_object, structure = to_object }

local value_of

--- Key=team,Value=web as a value of the structure or map; nil when the text is not of that form.
local function from_short_form(option, s, content, shapes)
  local function is_name(name) return s.type == "map" or (s.members or {})[name] ~= nil end
  local members = not content:match("^%s*{") and shorthand.split(content, is_name)
  if not members then return nil end
  local value = {}
  for _, member in ipairs(members) do
    local path = option .. " " .. member.name
    local reference = s.type == "map" and s.value or s.members[member.name]
    local words = { member.value }
    if shapes[reference.shape].type == "list" and not member.value:match("^%s*[%[{]") then
      words = {}
      for word in (member.value .. ","):gmatch("([^,]*),") do words[#words + 1] = word end
    end
    if value[member.name] ~= nil then refuse(path .. " is given twice") end
    value[member.name] = value_of({ option = path, values = words }, reference.shape, shapes)
  end
  return value
end

--- One word to one value of the shape.
local function to_value(option, name, given, shapes)
  local s = shapes[name]
  local is_object = s.type == "structure" or s.type == "map"
  local short = is_object and not given.file and from_short_form(option, s, given.content, shapes)
  if short then return short end
  if s.type == "blob" and given.file then -- its bytes, not base64
    if s.sensitive then shape.keep_secret(given.content) end
    return given.content
  end
  local convert, value = CONVERSIONS[s.type], given.content
  if convert then value = convert(option, given) end
  return shape.read({ shapes = shapes, visible = not given.file }, name, value, option)
end

--- A list: JSON as a whole, or one element a word.
local function list_of(entry, name, shapes)
  local words = {}
  for index, word in ipairs(entry.values) do words[index] = expand(word) end
  if #words == 1 and words[1].content:match("^%s*%[") then
    return to_value(entry.option, name, words[1], shapes)
  end
  local items, element = json.list {}, shapes[name].member.shape
  for index, given in ipairs(words) do items[index] = to_value(entry.option, element, given, shapes) end
  return items
end

value_of = function(entry, name, shapes)
  local kind = shapes[name].type
  for _, word in ipairs(shapes[name].sensitive and entry.values or {}) do
    if not file_of(word) then shape.refuse_secret(entry.option) end
  end
  if kind == "boolean" and #entry.values == 0 then return not entry.no end
  if kind == "list" then return list_of(entry, name, shapes) end
  if #entry.values == 0 then refuse(("%s needs a value"):format(entry.option)) end
  return to_value(entry.option, name, expand(entry.values[1]), shapes)
end

--- The input of the call: `whole` (what --input says, or nil) under the options.
---@param given table[] of input.parse
---@param whole string? JSON, or @FILE
---@param operation table of the model
---@param shapes table<string, table> of shape.all
---@return table
---@return string? file that the operation's stream is read from
function input.build(given, whole, operation, shapes)
  local name = operation.input and operation.input.shape
  local stream, from = shape.stream_member(operation.input, shapes), nil
  local value = {}
  if whole then
    local words = expand(whole)
    value = to_json("--input", words, '{"Member": "value"}')
    if name then value = shape.read({ shapes = shapes, visible = not words.file }, name, value, "--input") end
  end
  for _, entry in ipairs(given) do
    if entry.member == stream then
      local word = entry.values[1] or refuse(("%s needs a file"):format(entry.option))
      from, value[stream] = file_of(word) or word, nil
    else
      value[entry.member] = value_of(entry, shapes[name].members[entry.member].shape, shapes)
    end
  end
  return value, from
end

return input
