--- Things that a service's own call makes or changes, beside those that stacks make
-- (sandbox.engine.provision).

local things = {}

--- Makes a thing that no stack owns.
---@param context table of an operation
---@param type_name string the resource type that a template would use
---@param key string
---@param properties table in a template's spelling
---@param id string? the physical id, the key if nil
---@return table thing
function things.make(context, type_name, key, properties, id, home)
  home = home or context.region
  local region = context.region
  local now = context.world.clock.now()
  local thing = {
    type = type_name, key = key, id = id or key, properties = properties, home = home, created = now,
    facts = { type = type_name, name = key, id = id or key, region = region.name, account = region.account,
      partition = region.partition, properties = properties, parts = {}, logical = key, stack = "",
      created = os.date("!%Y-%m-%dT%H:%M:%S.000", math.floor(now)),
      stream = context.world.store:stream(type_name .. "/" .. key) },
  }
  home:add_thing(thing)
  return thing
end

--- Changes properties of a thing behind its stack's back: in a copy, since the stack's record shares the
-- table and must see what is drift.
---@param changes table property -> value
---@param removed string[]? properties that go
function things.change(thing, changes, removed)
  local properties = {}
  for name, value in pairs(thing.properties) do properties[name] = value end
  for name, value in pairs(changes) do properties[name] = value end
  for _, name in ipairs(removed or {}) do properties[name] = nil end
  thing.properties = properties
end

--- The things of a type, by their keys' order.
---@return table[]
function things.all(home, type_name)
  local out = {}
  for _, thing in pairs(home.things[type_name] or {}) do out[#out + 1] = thing end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

--- Is a template's boolean true?
function things.truth(value)
  return value == true or value == "true"
end

--- A template's integer; nil for what is none.
function things.integer(value)
  return value ~= nil and math.tointeger(tonumber(value)) or nil
end

return things
