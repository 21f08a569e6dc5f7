--- The way back of an update: everything that it changed gets its old properties or its old physical
-- resource again; what it made is deleted in the clean-up (reference part 1.5).
--
-- A *state* says what is left to do: { previous = the stack's fields before the update, touched = resources
-- that changed, created = resources that the update made, back = those of touched that are as they were,
-- stuck = ids of those that could not be put back, old = new physical resources to clean up }.

local operation = require "sandbox.engine.operation"
local change = require "sandbox.engine.change"
local cleanup = require "sandbox.engine.cleanup"
local walk = require "sandbox.engine.walk"

local update_rollback = {}

--- The state of an update that failed.
---@param op table the update's operation
function update_rollback.state(op)
  return { previous = op.previous, touched = op.touched, created = op.created, back = {}, stuck = {},
    old = {} }
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

-- Reverts what was touched and is not back yet, in the order of the old template's dependencies.
local function revert(op, state)
  local by_id, ids = {}, {}
  for _, resource in ipairs(state.touched) do by_id[resource.logical] = resource end
  for _, id in ipairs(op.stack.plan.created) do
    if by_id[id] and not state.back[by_id[id]] then ids[#ids + 1] = id end
  end
  walk.start(ids, op.stack.plan.graph, function(id, turn)
    local function done(ok)
      state.back[by_id[id]], state.stuck[id] = ok or nil, not ok or nil
      turn.done(ok)
    end
    change.revert(op, by_id[id], { done = done }, state.old)
  end, {
    finished = function(done)
      local failed = {}
      for i, id in ipairs(done.failed) do failed[i] = by_id[id] end
      op:soon(1, 2, function() finish(op, state, failed) end)
    end,
  })
end

--- Takes resources for put back, on the caller's word: the way back goes on without them.
---@param state table
---@param skip string[] logical ids
local function skip_resources(op, state, skip)
  local wanted = {}
  for _, id in ipairs(skip) do wanted[id] = true end
  for _, resource in ipairs(state.touched) do
    if wanted[resource.logical] and not state.back[resource] then
      change.skip(op, resource)
      state.back[resource] = true
    end
  end
end

--- Can a resource be skipped: did putting it back fail?
---@param stack table in UPDATE_ROLLBACK_FAILED
---@param id string
function update_rollback.can_skip(stack, id)
  return stack.unfinished ~= nil and stack.unfinished.stuck[id] ~= nil
end

--- Starts the way back, or goes on with one that failed.
---@param world table
---@param stack table
---@param state table
---@param reason string of the stack's event
---@param token string?
---@param skip string[]? when it goes on: logical ids of what stays as it is
---@param nested table<string, string[]>? the same of nested stacks, by their names
function update_rollback.start(world, stack, state, reason, token, skip, nested)
  local op = operation.begin(world, stack, skip and "CONTINUE_ROLLBACK" or "ROLLBACK", token)
  op.skip = nested or {}
  op.update_plan = state.update_plan or stack.plan
  state.update_plan = op.update_plan
  for field, value in pairs(state.previous) do stack[field] = value end
  op:stack_event("UPDATE_ROLLBACK_IN_PROGRESS", reason)
  op:after(2, function()
    skip_resources(op, state, skip or {})
    revert(op, state)
  end)
end

return update_rollback
