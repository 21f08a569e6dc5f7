--- Values along a service's model: from what a person wrote to what a call takes, and from what a call gives
-- to what a person reads.
--
-- Clients have blobs as byte strings and times as numbers; in JSON they are base64 and ISO 8601.

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local json = require "tap.core.json"
local text = require "tap.core.text"

local shape = {}

--- A model's shapes by name, each read once.
---@param model table of tap.core.model
---@return table<string, table> shapes
function shape.all(model)
  return setmetatable({}, { __index = function(self, name)
    local s = model:shape(name)
    rawset(self, name, s)
    return s
  end })
end

--- The member of an operation's input or output that is a stream of bytes and the whole body.
---@param reference table? `input` or `output` of the operation
---@param shapes table<string, table> of shape.all
---@return string? member
function shape.stream_member(reference, shapes)
  local s = reference and shapes[reference.shape]
  local member = s and s.payload and s.members[s.payload]
  return member and (member.streaming or shapes[member.shape].streaming) and s.payload or nil
end

local function refuse(path, problem, hints)
  errors.raise { class = "usage", code = "BadArguments", message = ("%s %s"):format(path, problem),
    hints = hints }
end

local function to_bytes(value, path)
  local ok, bytes = pcall(crypto.unbase64, value)
  if not ok or not bytes then refuse(path, "is a blob: base64 text, or @FILE for the bytes of a file") end
  return bytes
end

local function to_time(value, path)
  local seconds = type(value) == "number" and value or text.parse_time(value) or tonumber(value)
  if not seconds then
    refuse(path, ("'%s' is no time; write 2026-01-31T12:00:00Z"):format(tostring(value)))
  end
  return seconds
end

--- What is secret stood on the command line.
---@param path string what it is
function shape.refuse_secret(path)
  refuse(path, "is secret: it is never given on the command line, where the process list and the shell's "
    .. "history show it", { "write it to a file and give @FILE, or the whole input as --input @FILE" })
end

--- From here on the value is shown nowhere.
---@param value any
function shape.keep_secret(value)
  if type(value) == "string" then require("tap.core.log").secret((value:gsub("[\r\n]+$", ""))) end
end

local read

local READERS = {
  blob = function(_, _, value, path)
    return type(value) == "string" and to_bytes(value, path) or value
  end,
  timestamp = function(_, _, value, path) return to_time(value, path) end,
  list = function(source, s, value, path)
    if not json.is_list(value) then return value end -- the input check says what is wrong
    local items = json.list {}
    for index, item in ipairs(value) do
      items[index] = read(source, s.member.shape, item, ("%s[%d]"):format(path, index - 1))
    end
    return items
  end,
  map = function(source, s, value, path)
    local map = {}
    for key, item in pairs(value) do map[key] = read(source, s.value.shape, item, path .. "." .. key) end
    return map
  end,
  structure = function(source, s, value, path)
    local object = {}
    for key, item in pairs(value) do
      local member = s.members[key] -- unknown: kept as it is, the input check names the nearest
      object[key] = member and read(source, member.shape, item, path .. "." .. key) or item
    end
    return object
  end,
}

local CONTAINERS = { list = true, map = true, structure = true }

read = function(source, name, value, path)
  local s = source.shapes[name]
  if s.sensitive then
    if source.visible then shape.refuse_secret(path) end
    shape.keep_secret(value)
  end
  local is_misfit = CONTAINERS[s.type] and type(value) ~= "table"
  if value == json.null or is_misfit or s.document or not READERS[s.type] then return value end
  return READERS[s.type](source, s, value, path)
end

--- A JSON value as a call takes it. Wrong types pass: the input check, which knows every path, names them.
---@param source { shapes: table, visible: boolean } visible: it stands on the command line
---@param name string the shape's
---@param value any
---@param path string for messages
---@return any
function shape.read(source, name, value, path)
  return read(source, name, value, path)
end

---------------------------------------------------------------------------------------------------------
-- Outputs

local function time_text(seconds)
  local ok, shown = pcall(text.iso_time, seconds, seconds % 1 ~= 0)
  return ok and shown or seconds
end

local write

local WRITERS = {
  blob = function(_, _, value) return crypto.base64(value) end,
  timestamp = function(_, _, value)
    return type(value) == "number" and time_text(value) or value
  end,
  list = function(shapes, s, value)
    local items = json.list {}
    for index, item in ipairs(value) do items[index] = write(shapes, s.member.shape, item) end
    return items
  end,
  map = function(shapes, s, value)
    local map = {}
    for key, item in pairs(value) do map[key] = write(shapes, s.value.shape, item) end
    return map
  end,
  structure = function(shapes, s, value)
    local object = {}
    for key, item in pairs(value) do
      local member = s.members[key]
      if member then object[key] = write(shapes, member.shape, item) else object[key] = item end
    end
    s.order = s.order or json.keys(s.members)
    return json.object(object, s.order)
  end,
}

write = function(shapes, name, value)
  local s = shapes[name]
  if value == json.null or not WRITERS[s.type] or s.document then return value end
  return WRITERS[s.type](shapes, s, value)
end

--- An output as people read it, its members in the API's order.
---@param shapes table of shape.all
---@param name string the shape's
---@param value any
---@return any
function shape.write(shapes, name, value)
  return write(shapes, name, value)
end

return shape
