--- What references of a serverless template are replaced by: parameters' values and mappings where SAM must know
-- them, and at the end what resources became (Function.Version, a layer's new name).

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"

local resolve = {}

-- What a Sub's text calls, with ${ and } around.
local VARIABLE = "%${([%w.:]+)}"

-- Walks a value from its root to its leaves; each call of a function that `actions` know may be replaced.
local function walk(value, actions)
  local name = values.intrinsic(value)
  if name and actions[name] then value = actions[name](value) end
  if type(value) ~= "table" then return value end
  if values.is_list(value) then
    for i = 1, #value do value[i] = walk(value[i], actions) end
  else
    for _, key in ipairs(values.keys(value)) do value[key] = walk(value[key], actions) end
  end
  return value
end

-- Changes the text of a Sub in its place; `replace` gets the name of a variable and says what stands there, or nil.
local function substitute(call, replace)
  local argument = call["Fn::Sub"]
  local text = values.is_list(argument) and argument[1] or argument
  if type(text) ~= "string" then return call end
  text = text:gsub(VARIABLE, replace)
  if values.is_list(argument) then argument[1] = text else call["Fn::Sub"] = text end
  return call
end

local function parameter_actions(parameters)
  return {
    Ref = function(call)
      local known = parameters[call.Ref]
      if known == nil then return call end
      return known
    end,
    ["Fn::Sub"] = function(call)
      return substitute(call, function(name)
        local known = parameters[name]
        if known ~= nil and type(known) ~= "string" then
          failure.structure("Invalid Fn::Sub variable value %s. Fn::Sub expects all variables to be strings.",
            values.shown(known))
        end
        return known
      end)
    end,
  }
end

--- A value with parameters in place of references to them; changed where it stands.
---@param value any
---@param parameters table<string, any>
function resolve.parameters(value, parameters)
  return walk(value, parameter_actions(parameters))
end

local function found_in_map(call, mappings)
  local path = call["Fn::FindInMap"]
  if not values.is_list(path) or #path ~= 3 then
    failure.structure("Invalid FindInMap value %s. FindInMap expects an array with 3 values.",
      values.shown(path))
  end
  local at = mappings
  for _, key in ipairs(path) do
    if type(key) ~= "string" or not values.is_map(at) or at[key] == nil then return call end
    at = at[key]
  end
  return at
end

--- A value with what mappings say in place of Fn::FindInMap, as far as its keys are known.
function resolve.mappings(value, mappings)
  return walk(value, { ["Fn::FindInMap"] = function(call) return found_in_map(call, mappings) end })
end

---------------------------------------------------------------------------------------------------------
-- At the end: references to what resources became

-- The parts of a GetAtt's argument between dots; nil when it is none that SAM looks into.
local function parts(argument)
  if not values.is_list(argument) or #argument < 2 then return nil end
  local out = {}
  for _, element in ipairs(argument) do
    if type(element) ~= "string" then return nil end
    for part in (element .. "."):gmatch "([^.]*)%." do out[#out + 1] = part end
  end
  return out
end

local function id_actions(renamed)
  return {
    Ref = function(call)
      if renamed[call.Ref] then call.Ref = renamed[call.Ref] end
      return call
    end,
    ["Fn::Sub"] = function(call)
      return substitute(call, function(name)
        local id = name:match "^[^.]*"
        return renamed[id] and "${" .. renamed[id] .. name:sub(#id + 1) .. "}"
      end)
    end,
    ["Fn::GetAtt"] = function(call)
      local path = parts(call["Fn::GetAtt"])
      if path and renamed[path[1]] then
        call["Fn::GetAtt"] = values.list(renamed[path[1]], table.unpack(path, 2))
      end
      return call
    end,
  }
end

local function made_by(made, id, property)
  return made[id] and made[id][property]
end

local function made_actions(made)
  return {
    Ref = function(call)
      local id, property = tostring(call.Ref):match "^([^.]+)%.(.+)$"
      local became = id and made_by(made, id, property)
      if became then call.Ref = became end
      return call
    end,
    ["Fn::Sub"] = function(call)
      return substitute(call, function(name)
        local id, property, rest = name:match "^([^.]+)%.([^.]+)(.*)$"
        local became = id and made_by(made, id, property)
        return became and "${" .. became .. rest .. "}"
      end)
    end,
    ["Fn::GetAtt"] = function(call)
      local path = parts(call["Fn::GetAtt"])
      local became = path and made_by(made, path[1], path[2])
      if became then call["Fn::GetAtt"] = values.list(became, table.unpack(path, 3)) end
      return call
    end,
  }
end

local function renamed_dependencies(node, renamed)
  if type(node) ~= "table" then return end
  local on = not values.is_list(node) and node.DependsOn
  if type(on) == "string" then node.DependsOn = renamed[on] or on end
  for i, id in ipairs(type(on) == "table" and on or {}) do on[i] = renamed[id] or id end
  for _, inner in pairs(node) do renamed_dependencies(inner, renamed) end
end

--- A template with its references to what SAM renamed or made.
---@param tree table changed where it stands
---@param renamed table<string, string> resources whose ids carry a hash now
---@param made table<string, table<string, string>> resource -> property (Version, Alias, Stage...) -> id
function resolve.references(tree, renamed, made)
  renamed_dependencies(tree, renamed)
  walk(tree, id_actions(renamed))
  return walk(tree, made_actions(made))
end

return resolve
