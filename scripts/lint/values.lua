--- The values that a node may have: the branches of Fn::If, the items of lists, what stands at a path. What other
-- functions give is not known offline, so that rules about values look only at these.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"

local values = {}

local join = state.join

--- Calls f(value, path) for the value itself, or for each branch when it is an Fn::If; functions other than that are
-- values, too.
---@param value any
---@param path table
---@param f fun(value: any, path: table)
function values.each_branch(value, path, f)
  if functions.name_of(value) == "Fn::If" and json.is_list(value["Fn::If"]) then
    for index = 2, 3 do values.each_branch(value["Fn::If"][index], join(path, "Fn::If", index), f) end
  else
    f(value, path)
  end
end

--- The same without what functions give, and without nothing.
---@param value any
---@param path table
---@param f fun(value: any, path: table)
function values.each(value, path, f)
  values.each_branch(value, path, function(one, at)
    if one ~= nil and not functions.name_of(one) then f(one, at) end
  end)
end

--- The same for each item, when it is a list.
---@param value any
---@param path table
---@param f fun(value: any, path: table)
function values.each_item(value, path, f)
  values.each(value, path, function(one, at)
    if not json.is_list(one) then return f(one, at) end
    for index, item in ipairs(one) do values.each(item, join(at, index), f) end
  end)
end

--- The text of what stands in the template itself: nil for what a function or a dynamic reference gives, and for
-- nothing.
---@param value any
---@return string?
function values.literal(value)
  if value == nil or type(value) == "table" or value == json.null then return nil end
  local text = tostring(value)
  return not text:find("{{resolve:", 1, true) and text or nil
end

local steps_of = setmetatable({}, { __index = function(cache, text)
  local steps = {}
  for step in text:gmatch("[^/]+") do steps[#steps + 1] = step end
  cache[text] = steps
  return steps
end })

local function descend(value, steps, at, path, f)
  local name = functions.name_of(value)
  if name == "Fn::If" and json.is_list(value[name]) then
    for index = 2, 3 do descend(value[name][index], steps, at, join(path, name, index), f) end
    return
  elseif name or value == nil then
    return
  end
  local step = steps[at]
  if not step then return f(value, path) end
  if step == "*" then
    if json.is_list(value) then
      for index, item in ipairs(value) do descend(item, steps, at + 1, join(path, index), f) end
    else
      descend(value, steps, at + 1, path, f)
    end
  elseif state.is_map(value) then
    descend(value[step], steps, at + 1, join(path, step), f)
  end
end

--- Calls f(value, path) for every value at a path below an object, "Listeners/*/Protocol": elements of lists for *, the
-- branches of Fn::If everywhere; "" is the object itself.
---@param object any
---@param text string
---@param path table of the object
---@param f fun(value: any, path: table)
function values.at(object, text, path, f)
  descend(object, steps_of[text], 1, path, f)
end

return values
