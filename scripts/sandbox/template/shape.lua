--- What a node of a template is: a map, a list, a string, or a call of an intrinsic function.

local json = require "tap.core.json"

local shape = { keys = json.keys, is_list = json.is_list }

---@return boolean
function shape.is_map(value)
  return type(value) == "table" and not json.is_list(value)
end

--- The function that a node calls and its argument; nil for plain data. A call is a map with one key, which
-- is "Ref" or begins with "Fn::".
---@return string? name
---@return any argument
function shape.call(node)
  if type(node) ~= "table" then return nil end
  local name, argument = next(node)
  if type(name) ~= "string" or next(node, name) ~= nil then return nil end
  if name == "Ref" or name:sub(1, 4) == "Fn::" then return name, argument end
end

--- The logical id and attribute of a GetAtt's argument ("a.b.c" or [a, "b.c"]), nil when it is neither.
function shape.attribute(argument)
  if type(argument) == "string" then return argument:match("^([^.]+)%.(.+)$") end
  if shape.is_list(argument) and #argument == 2 and type(argument[1]) == "string" and argument[1] ~= "" then
    return argument[1], argument[2]
  end
end

-- "${Name}" or "${!Literal}"; what is between them is the text before.
local VARIABLE = "^(.-)%${([^}]*)}()"

--- The pieces of a Sub string: a list of strings and of { name = "A.B" } for its variables.
function shape.substitution(text)
  local pieces, at = {}, 1
  while true do
    local before, name, next_at = text:match(VARIABLE, at)
    if not before then break end
    if name:sub(1, 1) == "!" then
      before, name = before .. "${" .. name:sub(2) .. "}", nil
    end
    if before ~= "" then pieces[#pieces + 1] = before end
    if name then pieces[#pieces + 1] = { name = name:match("^%s*(.-)%s*$") } end
    at = next_at
  end
  if at <= #text then pieces[#pieces + 1] = text:sub(at) end
  return pieces
end

--- The elements of a set of names, as the keys' order of `map` has them.
function shape.in_order(map, set)
  local out = {}
  for _, key in ipairs(json.keys(map)) do
    if set[key] then out[#out + 1] = key end
  end
  return out
end

--- A new map whose keys stand in the order given.
---@param map table
---@param keys string[]
shape.ordered = json.object

return shape
