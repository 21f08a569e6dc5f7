--- What the specs of the reference's parts share: a test a row, each in a sandbox of its own, and ways into the
-- states in which rows begin.

local assert = require "luassert"
local world = require "spec.sandbox_world"

local rows = {}

--- A topic, with further attributes of a resource.
function rows.topic(display, more)
  local resource = world.topic { DisplayName = display }
  for attribute, value in pairs(more or {}) do resource[attribute] = value end
  return resource
end

--- A stack's resources, before an update and after.
rows.ONE = { A = rows.topic "old" }
rows.OTHER = { A = rows.topic "new" }

--- A scenario in which each of these actions of resource A fails once.
function rows.fails(...)
  local rules = {}
  for i, action in ipairs { ... } do rules[i] = { resource = "A", on = action, fail = "no" } end
  return { resources = rules }
end

--- A function that makes tests, each in a sandbox of its own: (name, scenario or nil, fun(w)).
---@param it function busted's, of the spec that asks
function rows.by(it)
  return function(name, story, body)
    it(name, function() world.within(story, body) end)
  end
end

--- The last statuses of a stack itself, oldest first.
function rows.last(w, name, count)
  local all = w:statuses(name)
  return table.move(all, math.max(1, #all - count + 1), #all, 1, {})
end

--- A call is refused with ValidationError and exactly this text.
function rows.refused(text, fn, ...)
  assert.are.equal("ValidationError: " .. text, (world.refusal(fn, ...)))
end

function rows.id_of(w)
  return w:stack "demo".StackId
end

--- Ways of the stack "demo" into statuses.
rows.into = {
  CREATE_FAILED = function(w) w:create("demo", rows.ONE, { OnFailure = "DO_NOTHING" }) end,
  UPDATE_FAILED = function(w)
    w:create("demo", rows.ONE)
    w:update("demo", rows.OTHER, { DisableRollback = true })
  end,
  updated = function(w)
    w:create("demo", rows.ONE)
    w:update("demo", rows.OTHER)
  end,
  deleted = function(w)
    w:create("demo", rows.ONE)
    w:delete "demo"
  end,
}

--- Goes such a way, and makes sure of its end.
function rows.begin(w, way, status)
  rows.into[way](w)
  assert.are.equal(status or way, w:status "demo")
end

return rows
