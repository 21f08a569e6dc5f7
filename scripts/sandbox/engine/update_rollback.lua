--- The way back of an update: everything that it changed gets its old properties or its old physical
-- resource again; what it made is deleted in the clean-up (reference part 1.5).
--
-- A *state* says what is left to do: { previous = the stack's fields before the update, touched = resources
-- that changed, created = resources that the update made, old = new physical resources to clean up }.

local operation = require "sandbox.engine.operation"
local change = require "sandbox.engine.change"
local cleanup = require "sandbox.engine.cleanup"
local walk = require "sandbox.engine.walk"

local update_rollback = {}

--- The state of an update that failed.
---@param op table the update's operation
function update_rollback.state(op)
  return { previous = op.previous, touched = op.touched, created = op.created, old = {} }
end

-- The physical resources and the logical ones that exist only because of the update.
local function made_by_update(op, state)
  local removed = {}
  for _, id in ipairs(op.update_plan.created) do
    local resource = op.stack.resources[id]
    if resource and state.created[resource] then removed[#removed + 1] = id end
  end
  return removed
end

local function complete(op, state)
  local stack = op.stack
  for _, resource in ipairs(state.touched) do change.settle(resource) end
  stack.unfinished = nil
  op:stack_event("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
  op:soon(1, 2, function()
    cleanup.start(op, state.old, made_by_update(op, state), op.update_plan.graph, function()
      op:stack_event("UPDATE_ROLLBACK_COMPLETE")
      op:finish()
    end)
  end)
end

local function finish(op, state, failed)
  if #failed == 0 then return complete(op, state) end
  op.stack.unfinished = state
  op:stack_event("UPDATE_ROLLBACK_FAILED", ("The following resource(s) failed to update: %s. "):format(
    operation.name_list(failed)))
  op:finish()
end

-- Reverts what was touched, in the order of the old template's dependencies.
local function revert(op, state)
  local by_id, ids = {}, {}
  for _, resource in ipairs(state.touched) do by_id[resource.logical] = resource end
  for _, id in ipairs(op.stack.plan.created) do
    if by_id[id] and by_id[id].before then ids[#ids + 1] = id end
  end
  walk.start(ids, op.stack.plan.graph, function(id, turn)
    state.old[#state.old + 1] = change.revert(op, by_id[id], { done = turn.done })
  end, {
    finished = function(done)
      local failed = {}
      for i, id in ipairs(done.failed) do failed[i] = by_id[id] end
      op:soon(1, 2, function() finish(op, state, failed) end)
    end,
  })
end

--- Starts the way back, or goes on with one that failed.
---@param world table
---@param stack table
---@param state table
---@param reason string of the stack's event
---@param token string?
---@param kind string? of the operation, "ROLLBACK" if nil
function update_rollback.start(world, stack, state, reason, token, kind)
  local op = operation.begin(world, stack, kind or "ROLLBACK", token)
  op.update_plan = state.update_plan or stack.plan
  state.update_plan = op.update_plan
  for field, value in pairs(state.previous) do stack[field] = value end
  op:stack_event("UPDATE_ROLLBACK_IN_PROGRESS", reason)
  op:after(2, function() revert(op, state) end)
end

return update_rollback
