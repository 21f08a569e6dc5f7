--- The values that a node may have: the branches of Fn::If, the items of lists. What other functions give is not known
-- offline, so that rules about values look only at these.

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

return values
