--- Changes one resource to what the stack's template says now: in place, or by a new physical resource; and
-- puts it back to what it was. Which resource comes when is decided elsewhere (sandbox.engine.update).
--
-- What a resource was before its change is kept in `resource.before` until the update is over: a way back
-- needs it, and the old physical resource of a replacement lives on until the clean-up.

local schema = require "tap.schema"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local catalog = require "sandbox.resources.catalog"
local durations = require "sandbox.resources.durations"
local diff = require "sandbox.engine.diff"
local drivers = require "sandbox.engine.drivers"
local policy = require "sandbox.engine.policy"
local provision = require "sandbox.engine.provision"

local change = {}

local REPLACES = "Requested update requires the creation of a new physical resource; hence creating one."
local NAMED = "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
  .. "Rename %s and update the stack again."

local REFUSED_AFTER = 1 -- seconds

local KEPT = { "properties", "shown_properties", "definition", "physical_id", "facts", "thing" }

local function remember(resource)
  local before = {}
  for _, field in ipairs(KEPT) do before[field] = resource[field] end
  resource.before = before
end

local function put_back(op, resource)
  for _, field in ipairs(KEPT) do resource[field] = resource.before[field] end
  resource.facts.properties = resource.properties
  provision.set_properties(op, resource, resource.properties)
end

--- Does going from one set of properties to another make a new physical resource?
local function needs_replacement(type_name, old, new)
  for _, properties in ipairs { old, new } do
    for name in pairs(properties) do
      if schema.recreation(type_name, name) == "Always" and not same(old[name],
        new[name]) then return true end
    end
  end
  return false
end

local function fail(op, resource, turn, reason)
  op:resource_event(resource, "UPDATE_FAILED", reason)
  turn.done(false)
end

local function complete(op, resource, turn)
  op:resource_event(resource, "UPDATE_COMPLETE")
  turn.done(true)
end

-- Where a change by a driver ends.
local function course_of(op, resource, turn)
  return {
    replaced = function(reason)
      resource.replaced = true
      op:resource_event(resource, "UPDATE_IN_PROGRESS", reason)
    end,
    done = function() complete(op, resource, turn) end,
    failed = function(reason) fail(op, resource, turn, reason) end,
  }
end

-- Lets an update's steps happen. How long they take together, in seconds.
local function play(op, resource, steps)
  local at = 0
  for _, step in ipairs(steps) do
    at = at + step.after
    op:after(at, function()
      if step.act then step.act() end
      if step.reason and resource.status == "UPDATE_IN_PROGRESS" then
        op:resource_event(resource, "UPDATE_IN_PROGRESS", step.reason)
      end
    end)
  end
  return at
end

local function change_in_place(op, resource, turn, properties, shown)
  resource.shown_properties = shown
  op:resource_event(resource, "UPDATE_IN_PROGRESS")
  local driver = drivers.of(resource.type)
  if driver then return driver.update(op, resource, properties, course_of(op, resource, turn)) end
  local record = catalog.of(resource.type)
  local steps = record.steps and record.steps(op, resource, properties) or {}
  op:act(resource, "update", durations.update(record, resource.stream) + play(op, resource, steps), {
    done = function()
      resource.facts.properties = properties
      provision.set_properties(op, resource, properties)
      complete(op, resource, turn)
    end,
    failed = function(reason) fail(op, resource, turn, reason) end,
  })
end

local function replace(op, resource, turn, properties, shown)
  resource.shown_properties = shown
  op:resource_event(resource, "UPDATE_IN_PROGRESS", REPLACES)
  local initiated, total = durations.create(catalog.of(resource.type), resource.stream)
  op:after(initiated, function()
    resource.properties, resource.thing = properties, nil
    local refusal, name_taken = provision.make(op, resource)
    if refusal then
      put_back(op, resource)
      return fail(op, resource, turn, name_taken and NAMED:format(resource.physical_id) or refusal)
    end
    resource.replaced = true
    op:resource_event(resource, "UPDATE_IN_PROGRESS", "Resource creation Initiated")
    op:act(resource, "update", total - initiated, {
      done = function() complete(op, resource, turn) end,
      failed = function(reason) fail(op, resource, turn, reason) end,
    })
  end)
end

local NO_WAY_BACK = "Replacement type updates not supported on stack with disable-rollback."

-- Why a change may not be made; nil when it may.
local function refusal_of(op, resource, replaces)
  if replaces and op.disable_rollback then return NO_WAY_BACK end
  return policy.denial(op.policy, replaces and "Update:Replace" or "Update:Modify", resource)
end

--- Brings a resource that exists to what the template says. A resource whose properties and tags stay the same has
-- no events, unless it has failed before.
---@param op table the operation
---@param resource table
---@param definition table its definition in the new template
---@param turn table { done(ok) } of sandbox.engine.walk
---@param touched table[] gets the resource when anything happens to it
function change.apply(op, resource, definition, turn, touched)
  local ok, properties, shown = pcall(provision.evaluate, op.stack, definition)
  if not ok and not fault.is(properties) then error(properties, 0) end
  local touched_anyway = catalog.of(resource.type).always_updated or op.retags and diff.is_taggable(resource.type)
    or resource.status == "UPDATE_FAILED" -- an update that stayed as it failed goes on with it
  if ok and same(properties, resource.properties) and not touched_anyway then
    resource.definition = definition
    return turn.done(true)
  end
  if not resource.before then
    remember(resource)
    touched[#touched + 1] = resource
  end
  resource.definition = definition
  local invalid = ok and provision.invalid(op.stack, resource.type, properties, resource.logical)
  local replaces = ok and not invalid and needs_replacement(resource.type, resource.properties, properties)
  local problem = not ok and properties.message or refusal_of(op, resource, replaces) or invalid
  if problem then
    op:resource_event(resource, "UPDATE_IN_PROGRESS")
    return op:after(REFUSED_AFTER, function() fail(op, resource, turn, problem) end)
  end
  local way = replaces and replace or change_in_place
  way(op, resource, turn, properties, shown)
end

--- The event of a change that is given up because something else failed.
function change.cancel(op, resource)
  op:resource_event(resource, "UPDATE_FAILED", "Resource update cancelled")
end

-- The physical resource that a replacement made, for the clean-up.
local function made_by(resource)
  return { thing = resource.thing, physical_id = resource.physical_id, logical = resource.logical,
    type = resource.type, stream = resource.stream, properties = resource.properties }
end

--- Puts a resource back to what it was before the update; what a replacement had made is then to be cleaned
-- up.
---@param old table[] gets what is to be cleaned up
function change.revert(op, resource, turn, old)
  if resource.replaced then
    old[#old + 1] = made_by(resource)
    put_back(op, resource)
    return complete(op, resource, turn)
  end
  op:resource_event(resource, "UPDATE_IN_PROGRESS")
  local driver = drivers.of(resource.type)
  if driver then
    return driver.revert(op, resource, resource.before.properties, {
      replaced = function() old[#old + 1] = made_by(resource) end,
      done = function()
        put_back(op, resource)
        complete(op, resource, turn)
      end,
      failed = function(reason) fail(op, resource, turn, reason) end,
    })
  end
  op:act(resource, "rollback", durations.update(catalog.of(resource.type), resource.stream), {
    done = function()
      put_back(op, resource)
      complete(op, resource, turn)
    end,
    failed = function(reason) fail(op, resource, turn, reason) end,
  })
end

--- Takes a resource for put back that is not: the stack's record says what the old template says, the thing
-- stays as it is (reference part 1.7).
function change.skip(op, resource)
  local thing = resource.thing
  for _, field in ipairs(KEPT) do resource[field] = resource.before[field] end
  resource.thing = thing
  op:resource_event(resource, "UPDATE_COMPLETE")
end

--- The old physical resource of a replacement, for the clean-up; nil when the change was made in place.
function change.left_behind(resource)
  if not resource.replaced then return nil end
  local before = resource.before
  return {
    logical = resource.logical, type = resource.type, stream = resource.stream,
    physical_id = before.physical_id, thing = before.thing, properties = before.properties,
    policy = resource.definition.UpdateReplacePolicy,
  }
end

--- Forgets what was before: the update is over.
function change.settle(resource)
  resource.before, resource.replaced = nil, nil
end

return change
