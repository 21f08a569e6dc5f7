--- Makes and removes one resource: the events of its life, its physical id, its thing in the store. Which
-- resource comes when is decided elsewhere (sandbox.engine.create, .teardown).

local json = require "tap.core.json"
local text = require "tap.core.text"
local schema = require "tap.schema"
local fault = require "sandbox.fault"
local catalog = require "sandbox.resources.catalog"
local durations = require "sandbox.resources.durations"
local names = require "sandbox.resources.names"
local pattern = require "sandbox.resources.pattern"
local dynamic = require "sandbox.template.dynamic"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local drivers = require "sandbox.engine.drivers"
local scope = require "sandbox.engine.scope"
local signals = require "sandbox.engine.signals"
local snapshots = require "sandbox.engine.snapshots"

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

-- Of names that are too long the service itself speaks.
local function is_services(wrong, rule)
  return rule and rule.max and wrong.path == "#/" .. rule[1] and wrong.message:find "^expected maxLength" ~= nil
end

-- What the schema of its type says against a resource's properties; nil when it says nothing.
local function against_schema(type_name, properties, id)
  local lines = {}
  for _, wrong in ipairs(schema.check(type_name, properties)) do
    if not is_services(wrong, catalog.of(type_name).name) then
      lines[#lines + 1] = wrong.path .. ": " .. wrong.message
    end
  end
  return #lines > 0 and ("Properties validation failed for resource %s with message:\n%s"):format(id,
    table.concat(lines, "\n")) or nil
end

--- Why properties cannot be those of a resource; nil when they can.
---@return string?
function provision.invalid(stack, type_name, properties, id)
  return dynamic.check_secrets(properties, stack.plan.environment)
    or against_schema(type_name, properties, id)
end

--- A resource's properties by the stack's template, and as events show them. Raises ValidationError.
---@return table properties
---@return string shown JSON, with secrets masked
function provision.evaluate(stack, definition)
  local written = definition.Properties or {}
  local properties = dynamic.resolve(functions.evaluate(written, scope.of(stack)), stack.plan.dynamic)
  return properties, json.encode(scope.shown(stack, written, parameters.MASK))
end

local function evaluate(stack, resource)
  resource.properties, resource.shown_properties = provision.evaluate(stack, resource.definition)
  return provision.invalid(stack, resource.type, resource.properties, resource.logical)
end

--- What patterns are filled from, the name among it when the type has one.
function provision.facts(op, resource)
  local stack, record = op.stack, catalog.of(resource.type)
  local facts = {
    type = resource.type, logical = resource.logical, stack = stack.name, stack_id = stack.id,
    region = stack.region.name, account = stack.region.account, partition = stack.region.partition,
    created = text.iso_time(op:now(), true):gsub("Z$", ""), properties = resource.properties, parts = {},
    stream = resource.stream, resource = resource,
  }
  if record.name then facts.name, facts.custom_name = names.of(record.name, facts) end
  if record.numbered then
    facts.number = stack.region:number(resource.type .. "/" .. pattern.expand(record.numbered, facts))
  end
  return facts
end

local function taken(thing)
  if thing.owner then return ("%s already exists in stack %s"):format(thing.key, thing.owner.stack.id) end
  return ("%s already exists"):format(thing.key)
end

local function too_long(record, name)
  local member = record.name[1]:gsub("^%u", string.lower)
  return ("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have "
    .. "length "
    .. "less than or equal to %d"):format(name, member, record.name.max)
end

--- Takes a physical id for the resource's, and puts its thing into the store.
---@param facts table
---@param key string of the thing
---@param home table where the thing lives
function provision.adopt(op, resource, facts, key, home)
  resource.facts, resource.physical_id = facts, facts.id
  resource.thing = {
    type = resource.type, key = key, id = facts.id, properties = resource.properties, facts = facts,
    home = home, created = op:now(), owner = { stack = op.stack, logical = resource.logical },
  }
  home:add_thing(resource.thing)
  local record = catalog.of(resource.type)
  if record.made then record.made(resource.thing, op.world) end
end

--- Gives the resource its physical id and puts its thing into the store; a text when the service would refuse
-- it, and then whether that is because the name that the template gives is taken.
---@return string? refusal
---@return boolean? name_taken
function provision.make(op, resource)
  local record, facts = catalog.of(resource.type), provision.facts(op, resource)
  local id, given = record.id or "{name}", (op.stack.given_ids or {})[resource.logical]
  if given and id == "{name}" then facts.name = given end
  facts.id = given or type(id) == "function" and id(facts, pattern.expand) or pattern.expand(id, facts)
  local home = op.stack.region:home(record.global)
  local key = facts.name or facts.id
  if facts.custom_name and record.name.max and #key > record.name.max then return too_long(record, key) end
  local other = home:thing(resource.type, key)
  if other and facts.custom_name and not record.name.shared then return taken(other), true end
  if other then key = op.stack.id .. "/" .. resource.logical end
  local refusal = record.refuse_create and record.refuse_create(facts, home)
  if refusal then return refusal end
  provision.adopt(op, resource, facts, key, home)
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

-- Tells when the configuration is complete, for the types that do.
local function tell_settled(op, resource, turn, settle)
  if not settle or op.stack.express then return end
  op:after(settle, function()
    if resource.status ~= "CREATE_IN_PROGRESS" then return end
    op:resource_event(resource, "CREATE_IN_PROGRESS", "Eventual consistency check initiated",
      "CONFIGURATION_COMPLETE")
    turn.ready()
  end)
end

-- Where a creation ends.
local function course_of(op, resource, turn)
  return {
    initiated = function() op:resource_event(resource, "CREATE_IN_PROGRESS",
      "Resource creation Initiated") end,
    done = function() complete(op, resource, turn) end,
    failed = function(reason) fail_creation(op, resource, turn, reason) end,
  }
end

local function initiate(op, resource, turn, total, settle)
  local course, driver = course_of(op, resource, turn), drivers.of(resource.type)
  if driver then return driver.create(op, resource, course) end
  local refusal = provision.make(op, resource)
  if refusal then return course.failed(refusal) end
  course.initiated()
  tell_settled(op, resource, turn, settle)
  if not signals.awaited(op, resource, course, total) then op:act(resource, "create", total, course) end
end

--- Creates a resource.
---@param op table the operation
---@param resource table of provision.resource
---@param turn table { ready(), done(ok) } of sandbox.engine.walk
function provision.create(op, resource, turn)
  local ok, why = pcall(evaluate, op.stack, resource)
  if not ok then
    if not fault.is(why) then error(why, 0) end
    why = why.message
  end
  op:resource_event(resource, "CREATE_IN_PROGRESS")
  local initiated, total, settle = durations.create(catalog.of(resource.type), resource.stream,
    resource.definition.CreationPolicy ~= nil)
  op:after(initiated, function()
    if why then return fail_creation(op, resource, turn, why) end
    initiate(op, resource, turn, total - initiated, settle and settle - initiated)
  end)
end

--- The event of a creation that is given up because something else failed.
function provision.cancel(op, resource)
  resource.awaits = nil
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

--- Why the service would not delete it: protected, or in use. As a handler's message; nil when it would.
function provision.refused_deletion(op, resource)
  local record = catalog.of(resource.type)
  if is_protected(resource, record.protection) then return handler_failure(op, record.protection) end
  return record.refuse_delete and resource.thing and record.refuse_delete(resource.thing, resource.thing.home)
end

local REFUSED_AFTER = 1 -- seconds

--- Deletes a resource.
---@param turn table { done(ok) }
---@param of_creation boolean? in the rollback of a creation: then no snapshot is worth anything
function provision.delete(op, resource, turn, of_creation)
  if resource.physical_id == "" then -- nothing was made
    op:resource_event(resource, "DELETE_COMPLETE")
    return turn.done(true)
  end
  local record = catalog.of(resource.type)
  op:resource_event(resource, "DELETE_IN_PROGRESS")
  local refusal = provision.refused_deletion(op, resource)
  if refusal then
    return op:after(REFUSED_AFTER, function()
      op:resource_event(resource, "DELETE_FAILED", refusal)
      turn.done(false)
    end)
  end
  local course = {
    done = function()
      if not of_creation then snapshots.take(op, resource, resource.definition.DeletionPolicy) end
      provision.forget(op, resource)
      op:resource_event(resource, "DELETE_COMPLETE")
      turn.done(true)
    end,
    failed = function(reason)
      op:resource_event(resource, "DELETE_FAILED", reason)
      turn.done(false)
    end,
  }
  local driver = drivers.of(resource.type)
  if driver then return driver.delete(op, resource, course) end
  op:act(resource, "delete", durations.delete(record, resource.stream), course)
end

--- Leaves a resource where it is, without its stack.
function provision.skip_delete(op, resource)
  if resource.thing then resource.thing.owner = nil end
  op:resource_event(resource, "DELETE_SKIPPED")
end

return provision
