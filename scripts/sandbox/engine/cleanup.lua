--- The clean-up after an update or its roll-back: old physical resources and resources that are in the
-- template no more are deleted. A failure here is not one of the update: what cannot be
-- deleted stays behind, without a stack.

local catalog = require "sandbox.resources.catalog"
local durations = require "sandbox.resources.durations"
local drivers = require "sandbox.engine.drivers"
local provision = require "sandbox.engine.provision"
local snapshots = require "sandbox.engine.snapshots"
local walk = require "sandbox.engine.walk"

local cleanup = {}

local function orphan(thing)
  if thing then thing.owner = nil end
end

-- An old physical resource: events of the logical one, with the old id and ids of their own, no properties.
local function delete_old(op, old, turn)
  if old.policy == "Retain" then
    orphan(old.thing)
    op:cleanup_event(old, "DELETE_SKIPPED")
    return turn.done(true)
  end
  op:cleanup_event(old, "DELETE_IN_PROGRESS")
  local course = {
    done = function()
      snapshots.take(op, old, old.policy)
      provision.forget(op, old)
      op:cleanup_event(old, "DELETE_COMPLETE")
      turn.done(true)
    end,
    failed = function(reason)
      orphan(old.thing)
      op:cleanup_event(old, "DELETE_FAILED", reason)
      op.left_behind = true
      turn.done(true)
    end,
  }
  local driver = drivers.of(old.type)
  if driver then return driver.delete(op, old, course) end
  local refusal = provision.refused_deletion(op, old)
  if refusal then return op:after(1, function() course.failed(refusal) end) end
  op:after(durations.delete(catalog.of(old.type), old.stream), course.done)
end

local function delete_removed(op, resource, turn)
  if (resource.definition.DeletionPolicy or "Delete") == "Retain" then
    provision.skip_delete(op, resource)
    return turn.done(true)
  end
  provision.delete(op, resource, {
    done = function(ok)
      if not ok then orphan(resource.thing) end
      op.left_behind = op.left_behind or not ok
      turn.done(true)
    end,
  })
end

-- What has to be gone before each node may go: whatever depended on it, old things and removed resources alike.
local function dependents_of(nodes, graph)
  local of_id, before = {}, {}
  for _, node in ipairs(nodes) do
    of_id[type(node) == "table" and node.logical or node], before[node] = node, {}
  end
  for id, node in pairs(of_id) do
    for _, first in ipairs(graph[id] or {}) do
      if of_id[first] then table.insert(before[of_id[first]], node) end
    end
  end
  return before
end

--- Deletes, what depends on others first.
---@param op table
---@param old table[] of change.left_behind
---@param removed string[] logical ids
---@param graph table<string, string[]> what each of them depended on
---@param finished fun()
function cleanup.start(op, old, removed, graph, finished)
  local stack, nodes = op.stack, {}
  table.move(old, 1, #old, 1, nodes)
  table.move(removed, 1, #removed, #nodes + 1, nodes)
  local before = dependents_of(nodes, graph)
  walk.start(nodes, before, function(node, turn)
    if type(node) == "table" then return delete_old(op, node, turn) end
    delete_removed(op, stack.resources[node], turn)
  end, {
    finished = function()
      for _, id in ipairs(removed) do stack.resources[id] = nil end
      finished()
    end,
  })
end

return cleanup
