--- Makes and removes one resource: the events of its life, its physical id, its thing in the store. Which
-- resource comes when is decided elsewhere (sandbox.engine.create, .teardown).

local json = require "tap.core.json"
local text = require "tap.core.text"
local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"
local durations = require "sandbox.resources.durations"
local names = require "sandbox.resources.names"
local pattern = require "sandbox.resources.pattern"
local dynamic = require "sandbox.template.dynamic"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local scope = require "sandbox.engine.scope"

local provision = {}

--- CloudFormation's record of a resource that is to be made.
---@param op table
---@param id string logical id
function provision.resource(op, id)
  local stack = op.stack
  local definition = stack.template.resources[id]
  return {
    logical = id, type = definition.Type, physical_id = "", definition = definition,
    stream = op.world.store:stream(stack.chance .. "/" .. id), -- not by the stack's id: that knows the time
  }
end

--- A resource's properties by the stack's template, and as events show them. Raises ValidationError.
---@return table properties
---@return string shown JSON, with secrets masked
function provision.evaluate(stack, definition)
  local written = definition.Properties or {}
  local properties = dynamic.resolve(functions.evaluate(written, scope.of(stack)), stack.plan.dynamic)
  local why = dynamic.check_secrets(properties, stack.plan.environment)
  if why then fault.validation("%s", why) end
  return properties, json.encode(scope.shown(stack, written, parameters.MASK))
end

local function evaluate(stack, resource)
  resource.properties, resource.shown_properties = provision.evaluate(stack, resource.definition)
end

-- What patterns are filled from.
local function facts_of(op, resource)
  local stack = op.stack
  return {
    type = resource.type, logical = resource.logical, stack = stack.name, stack_id = stack.id,
    region = stack.region.name, account = stack.region.account, partition = stack.region.partition,
    created = text.iso_time(op:now(), true):gsub("Z$", ""), properties = resource.properties, parts = {},
    stream = resource.stream,
  }
end

local function taken(thing)
  if thing.owner then return ("%s already exists in stack %s"):format(thing.key, thing.owner.stack.id) end
  return ("%s already exists"):format(thing.key)
end

--- Gives the resource its physical id and puts its thing into the store; a text when the service would refuse
-- it, and then whether that is because the name that the template gives is taken.
---@return string? refusal
---@return boolean? name_taken
function provision.make(op, resource)
  local record, facts = catalog.of(resource.type), facts_of(op, resource)
  if record.refusal then return record.refusal end
  local custom = false
  if record.name then facts.name, custom = names.of(record.name, facts) end
  local id = record.id or "{name}"
  facts.id = type(id) == "function" and id(facts, pattern.expand) or pattern.expand(id, facts)
  local home = op.stack.region:home(record.global)
  local key = facts.name or facts.id
  local other = home:thing(resource.type, key)
  if other and custom then return taken(other), true end
  if other then key = op.stack.id .. "/" .. resource.logical end
  local refusal = record.refuse_create and record.refuse_create(facts, home)
  if refusal then return refusal end
  resource.facts, resource.physical_id = facts, facts.id
  resource.thing = {
    type = resource.type, key = key, id = facts.id, properties = resource.properties, facts = facts,
    home = home, created = op:now(), owner = { stack = op.stack, logical = resource.logical },
  }
  home:add_thing(resource.thing)
  if record.made then record.made(resource.thing, op.world) end
end

--- Gives a resource and its thing other properties.
function provision.set_properties(op, resource, properties)
  resource.properties = properties
  local thing, record = resource.thing, catalog.of(resource.type)
  if not thing then return end
  local old = thing.properties
  thing.properties = properties
  if record.changed then record.changed(thing, old, op.world) end
end

local function fail_creation(op, resource, turn, reason)
  op:resource_event(resource, "CREATE_FAILED", reason)
  turn.done(false)
end

local function complete(op, resource, turn)
  op:resource_event(resource, "CREATE_COMPLETE")
  turn.done(true)
end

local function stabilize(op, resource, turn, total, settle)
  if settle then
    op:after(settle, function()
      op:resource_event(resource, "CREATE_IN_PROGRESS", "Eventual consistency check initiated",
        "CONFIGURATION_COMPLETE")
      turn.ready()
    end)
  end
  op:act(resource, "create", total, {
    done = function() complete(op, resource, turn) end,
    failed = function(reason) fail_creation(op, resource, turn, reason) end,
  })
end

local function initiate(op, resource, turn, total, settle)
  local refusal = provision.make(op, resource)
  if refusal then return fail_creation(op, resource, turn, refusal) end
  op:resource_event(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
  local timeout = catalog.of(resource.type).timeout
  local seconds, reason
  if timeout then seconds, reason = timeout(resource.properties) end
  if not seconds then return stabilize(op, resource, turn, total, settle) end
  op:after(seconds, function() fail_creation(op, resource, turn, reason) end)
end

--- Creates a resource.
---@param op table the operation
---@param resource table of provision.resource
---@param turn table { ready(), done(ok) } of sandbox.engine.walk
function provision.create(op, resource, turn)
  local ok, err = pcall(evaluate, op.stack, resource)
  if not ok and not fault.is(err) then error(err, 0) end
  op:resource_event(resource, "CREATE_IN_PROGRESS")
  local initiated, total, settle = durations.create(catalog.of(resource.type), resource.stream,
    resource.definition.CreationPolicy ~= nil)
  op:after(initiated, function()
    if not ok then return fail_creation(op, resource, turn, err.message) end
    initiate(op, resource, turn, total - initiated, settle and settle - initiated)
  end)
end

--- The event of a creation that is given up because something else failed.
function provision.cancel(op, resource)
  op:resource_event(resource, "CREATE_FAILED", "Resource creation cancelled")
end

local HANDLER_FAILURE = 'Resource handler returned message: "%s (Service: %s, Status Code: 400, Request ID: '
  .. '%s) (SDK Attempt Count: 1)" (RequestToken: %s, HandlerErrorCode: %s)'

local function handler_failure(op, protection)
  local stream = op.stack.stream
  return HANDLER_FAILURE:format(protection.message, protection.service, stream:uuid(), stream:uuid(),
    protection.code)
end

local function is_protected(resource, protection)
  return protection and tostring(resource.properties[protection.property]):lower() == "true"
end

--- Takes a resource's thing out of the store.
function provision.forget(op, resource)
  local thing = resource.thing
  if not thing then return end
  thing.home:remove_thing(thing)
  resource.thing = nil
  local record = catalog.of(resource.type)
  if record.gone then record.gone(thing, op.world) end
end

-- Why the service would not delete it: protected, or in use. As a handler's message; nil when it would.
local function refused_deletion(op, resource, record)
  if is_protected(resource, record.protection) then return handler_failure(op, record.protection) end
  return record.refuse_delete and resource.thing and record.refuse_delete(resource.thing, resource.thing.home)
end

local REFUSED_AFTER = 1 -- seconds

--- Deletes a resource.
---@param turn table { done(ok) }
function provision.delete(op, resource, turn)
  if resource.physical_id == "" then -- nothing was made
    op:resource_event(resource, "DELETE_COMPLETE")
    return turn.done(true)
  end
  local record = catalog.of(resource.type)
  op:resource_event(resource, "DELETE_IN_PROGRESS")
  local refusal = refused_deletion(op, resource, record)
  if refusal then
    return op:after(REFUSED_AFTER, function()
      op:resource_event(resource, "DELETE_FAILED", refusal)
      turn.done(false)
    end)
  end
  op:act(resource, "delete", durations.delete(record, resource.stream), {
    done = function()
      provision.forget(op, resource)
      op:resource_event(resource, "DELETE_COMPLETE")
      turn.done(true)
    end,
    failed = function(reason)
      op:resource_event(resource, "DELETE_FAILED", reason)
      turn.done(false)
    end,
  })
end

--- Leaves a resource where it is, without its stack.
function provision.skip_delete(op, resource)
  if resource.thing then resource.thing.owner = nil end
  op:resource_event(resource, "DELETE_SKIPPED")
end

return provision
