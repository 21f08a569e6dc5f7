--- Imports: a stack takes over things that exist already (reference part 3.5). An import is an operation of
-- its own; a creation or an update may import, too, what has the name that a template gives.

local catalog = require "sandbox.resources.catalog"
local operation = require "sandbox.engine.operation"
local provision = require "sandbox.engine.provision"
local walk = require "sandbox.engine.walk"

local import = {}

local TAGS = "Apply stack-level tags to imported resource if applicable."

--- The thing of a type that an identifier names, if no stack owns it.
---@param region table
---@param type_name string
---@param value string a name or a physical id
---@return table? thing
function import.find(region, type_name, value)
  local home = region:home(catalog.of(type_name).global)
  local thing = home:thing(type_name, value)
  if not thing then
    for _, each in pairs(home.things[type_name] or {}) do
      if each.id == value then thing = each end
    end
  end
  return thing and not thing.owner and thing or nil
end

--- The things that a template's resources name by names of their own and that exist already.
---@param region table
---@param plan table
---@return table<string, table> logical id -> thing
function import.existing(region, plan, known)
  local out = {}
  for _, id in ipairs(plan.created) do
    local definition = plan.template.resources[id]
    local rule = catalog.of(definition.Type).name
    local name = rule and rule[1] and (definition.Properties or {})[rule[1]]
    if type(name) == "string" and not known[id] then
      out[id] = import.find(region, definition.Type, name)
    end
  end
  return out
end

local function adopt(op, resource, thing)
  resource.physical_id, resource.facts, resource.thing = thing.id, thing.facts, thing
  thing.owner = { stack = op.stack, logical = resource.logical }
  resource.facts.resource = resource
  provision.set_properties(op, resource, resource.properties)
end

local function release(resource)
  if resource.thing then resource.thing.owner = nil end
  resource.thing = nil
end

--- Takes a thing over as a resource.
---@param resource table of provision.resource
---@param turn table { done(ok) }
function import.resource(op, resource, thing, turn)
  resource.properties, resource.shown_properties = provision.evaluate(op.stack, resource.definition)
  resource.physical_id = thing.id
  op:resource_event(resource, "IMPORT_IN_PROGRESS", "Resource import started.")
  op:act(resource, "import", 2, {
    done = function()
      adopt(op, resource, thing)
      op:resource_event(resource, "IMPORT_COMPLETE", "Resource import completed.")
      op:resource_event(resource, "UPDATE_IN_PROGRESS", TAGS)
      op:after(1, function()
        op:resource_event(resource, "UPDATE_COMPLETE")
        turn.done(true)
      end)
    end,
    failed = function(reason)
      op:resource_event(resource, "IMPORT_FAILED", reason)
      turn.done(false)
    end,
  })
end

local function finish(op, status, why)
  op:stack_event(status, why)
  op:finish()
end

-- What was taken over is let go again; an import that cannot be undone ends in a failed state.
local function roll_back(op, previous, ids)
  local stack, failed = op.stack, {}
  op:stack_event("IMPORT_ROLLBACK_IN_PROGRESS", ("The following resource(s) failed to import: %s. "):format(
    operation.name_list(op.failed)))
  walk.start(ids, {}, function(id, turn)
    local resource = stack.resources[id]
    op:resource_event(resource, "IMPORT_ROLLBACK_IN_PROGRESS")
    op:act(resource, "rollback", 2, {
      done = function()
        release(resource)
        op:resource_event(resource, "IMPORT_ROLLBACK_COMPLETE")
        turn.done(true)
      end,
      failed = function(reason)
        op:resource_event(resource, "IMPORT_ROLLBACK_FAILED", reason)
        failed[#failed + 1] = resource
        turn.done(false)
      end,
    })
  end, { finished = function()
    if #failed > 0 then
      return finish(op, "IMPORT_ROLLBACK_FAILED",
        ("The following resource(s) failed to roll back: %s. "):format(
        operation.name_list(failed)))
    end
    for _, id in ipairs(ids) do stack.resources[id] = nil end
    for field, value in pairs(previous) do stack[field] = value end
    finish(op, "IMPORT_ROLLBACK_COMPLETE")
  end })
end

--- Starts an import.
---@param world table
---@param stack table
---@param target table { template, plan } with what is imported
---@param things table<string, table> logical id -> thing
---@param token string?
function import.start(world, stack, target, things, token)
  local op = operation.begin(world, stack, "UPDATE_STACK", token)
  local previous = { template = stack.template, plan = stack.plan }
  stack.template, stack.plan = target.template, target.plan
  stack.updated, op.failed = op:now(), {}
  op:stack_event("IMPORT_IN_PROGRESS", "User Initiated")
  local ids = {}
  for _, id in ipairs(target.plan.created) do
    if things[id] then ids[#ids + 1] = id end
  end
  op:soon(1, 2, function()
    walk.start(ids, target.plan.graph, function(id, turn)
      local resource = provision.resource(op, id)
      stack.resources[id] = resource
      import.resource(op, resource, things[id], { done = function(ok)
        if not ok then op.failed[#op.failed + 1] = resource end
        turn.done(ok)
      end })
    end, { finished = function()
      op:soon(1, 2, function()
        if #op.failed > 0 then return roll_back(op, previous, ids) end
        finish(op, "IMPORT_COMPLETE")
      end)
    end })
  end)
end

return import
