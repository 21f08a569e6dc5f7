--- Removes a stack's resources, in reverse order of their dependencies, as parallel as they allow: the common
-- part of a deletion and of the rollback of a creation. A resource that cannot be deleted keeps what it
-- depends on; all others go on.

local operation = require "sandbox.engine.operation"
local provision = require "sandbox.engine.provision"
local walk = require "sandbox.engine.walk"

local teardown = {}

local GONE = { DELETE_COMPLETE = true, DELETE_SKIPPED = true }

-- By the template's order; then what an update that was not finished would have removed.
local function still_there(stack)
  local out, planned, others = {}, {}, {}
  local function note(id)
    local resource = stack.resources[id]
    if resource and not GONE[resource.status] then out[#out + 1] = id end
  end
  for _, id in ipairs(stack.plan.created) do
    planned[id] = true
    note(id)
  end
  for id in pairs(stack.resources) do
    if not planned[id] then others[#others + 1] = id end
  end
  table.sort(others)
  for _, id in ipairs(others) do note(id) end
  return out
end

-- Of each id those that depend on it, in the order of `ids`.
local function dependents(ids, graph)
  local out = {}
  for _, id in ipairs(ids) do out[id] = {} end
  for _, id in ipairs(ids) do
    for _, first in ipairs(graph[id] or {}) do
      if out[first] then table.insert(out[first], id) end
    end
  end
  return out
end

local function is_kept(resource, options)
  local policy = resource.definition.DeletionPolicy
  if options.retain and options.retain[resource.logical] then return true end
  if policy == "Retain" then return not (options.of_creation and options.retain_except_on_create) end
  return policy == "RetainExceptOnCreate" and not options.of_creation
end

--- Removes what is there.
---@param op table
---@param options table { retain = set of logical ids, force = skip what fails, of_creation = true in the
-- rollback of a creation, retain_except_on_create = then, delete even what is to be retained }
---@param finished fun(failed: table[]) the resources that could not be deleted
function teardown.start(op, options, finished)
  local stack = op.stack
  local ids = still_there(stack)
  local function visit(id, turn)
    local resource = stack.resources[id]
    if is_kept(resource, options) then
      provision.skip_delete(op, resource)
      return turn.done(true)
    end
    provision.delete(op, resource, {
      done = function(ok)
        if not ok and options.force then
          provision.skip_delete(op, resource)
          ok = true
        end
        turn.done(ok)
      end,
    }, options.of_creation)
  end
  walk.start(ids, dependents(ids, stack.plan.graph), visit, {
    finished = function(done)
      local failed = {}
      for i, id in ipairs(done.failed) do failed[i] = stack.resources[id] end
      finished(failed)
    end,
  })
end

--- The reason of a stack's event when resources could not be deleted; nil when there are none.
---@param failed table[]
function teardown.failure(failed)
  if #failed == 0 then return nil end
  return ("The following resource(s) failed to delete: %s. "):format(operation.name_list(failed))
end

--- Are there resources to remove?
function teardown.is_needed(stack)
  return #still_there(stack) > 0
end

return teardown
