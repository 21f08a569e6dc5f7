--- Updates a stack: creations and changes in the order of their dependencies, then outputs, then the
-- clean-up of what is no longer needed (reference part 1.5). What the stack was before is
-- kept in the operation's `previous` for the way back (sandbox.engine.update_rollback).

local operation = require "sandbox.engine.operation"
local change = require "sandbox.engine.change"
local cleanup = require "sandbox.engine.cleanup"
local drift_aware = require "sandbox.engine.drift_aware"
local import = require "sandbox.engine.import"
local outputs = require "sandbox.engine.outputs"
local policy = require "sandbox.engine.policy"
local provision = require "sandbox.engine.provision"
local triggers = require "sandbox.engine.triggers"
local update_rollback = require "sandbox.engine.update_rollback"
local walk = require "sandbox.engine.walk"
local same = require "sandbox.same"

local update = {}

-- What an update may change of a stack itself.
local FIELDS = {
  "template", "plan", "tags", "notification_arns", "capabilities", "role_arn", "rollback_configuration",
}

local function apply_target(stack, target)
  local previous = { outputs = stack.outputs }
  for _, field in ipairs(FIELDS) do
    previous[field] = stack[field]
    if target[field] ~= nil then stack[field] = target[field] end
  end
  return previous
end

-- "The following resource(s) failed to create: [A]. The following resource(s) failed to update: [B]. "
local function failures(op)
  local created, updated = {}, {}
  for _, resource in ipairs(op.failed) do
    table.insert(op.created[resource] and created or updated, resource)
  end
  local out = {}
  for _, part in ipairs { { "create", created }, { "update", updated } } do
    if #part[2] > 0 then
      out[#out + 1] = ("The following resource(s) failed to %s: %s. "):format(part[1],
        operation.name_list(part[2]))
    end
  end
  return table.concat(out)
end

local function fail(op, why)
  op:cancel_timers()
  for _, id in ipairs(op.walk and op.walk:stop() or {}) do
    local resource = op.stack.resources[id]
    local cancel = op.created[resource] and provision.cancel or change.cancel
    cancel(op, resource)
    op.failed[#op.failed + 1] = resource
  end
  why = why or failures(op)
  op.why = why
  if op.disable_rollback then
    op:stack_event("UPDATE_FAILED", why)
    op.stack.unfinished = update_rollback.state(op)
    return op:finish()
  end
  local state = update_rollback.state(op)
  op:after(2, function() update_rollback.start(op.world, op.stack, state, why, op.token) end)
end

-- Resources that the new plan has no more.
local function removed_ids(op)
  local planned, out = {}, {}
  for _, id in ipairs(op.stack.plan.created) do planned[id] = true end
  for _, id in ipairs(op.previous.plan.created) do
    if not planned[id] and op.stack.resources[id] then out[#out + 1] = id end
  end
  return out
end

-- Removals that the stack's policy does not allow.
local function refuse_removals(op)
  for _, id in ipairs(removed_ids(op)) do
    local resource = op.stack.resources[id]
    local why = policy.denial(op.policy, "Update:Delete", resource)
    if why then
      op:resource_event(resource, "UPDATE_FAILED", why)
      op.failed[#op.failed + 1] = resource
    end
  end
  return #op.failed > 0
end

local function complete(op)
  local stack, old = op.stack, {}
  if refuse_removals(op) then return fail(op) end
  local why = outputs.publish(stack)
  if why then return fail(op, why) end
  for _, resource in ipairs(op.touched) do
    old[#old + 1] = change.left_behind(resource)
    change.settle(resource)
  end
  op:cancel_timers() -- nothing leads back from here
  op:stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
  op:soon(1, 2, function()
    cleanup.start(op, old, removed_ids(op), op.previous.plan.graph, function()
      op:stack_event("UPDATE_COMPLETE",
        op.left_behind and "Update successful. One or more resources could not be deleted." or nil)
      op:finish()
    end)
  end)
end

local function resource_done(op, resource, turn, ok)
  if not ok then op.failed[#op.failed + 1] = resource end
  turn.done(ok)
  if not ok and not op.disable_rollback and not op.walk.stopped then fail(op) end
end

local TO_BE_MADE = { DELETE_COMPLETE = true, CREATE_FAILED = true }

-- One that is there is changed; one that is not, or that a failed creation left, is created.
local function visit(op, id, turn)
  local stack = op.stack
  local before = stack.resources[id]
  local function done(ok) resource_done(op, stack.resources[id], turn, ok) end
  local is_there = before and before.physical_id ~= "" and not TO_BE_MADE[before.status]
  if is_there and not (op.drift_aware and drift_aware.begin(before, op:now())) then
    return change.apply(op, before, stack.template.resources[id], { done = done }, op.touched)
  end
  if before and before.status == "CREATE_FAILED" then provision.forget(op, before) end
  local resource = provision.resource(op, id)
  resource.stream = before and before.stream or resource.stream -- what is made again gets other ids
  stack.resources[id] = resource
  if op.imports[id] then return import.resource(op, resource, op.imports[id], { done = done }) end
  op.created[resource] = true
  provision.create(op, resource, { ready = turn.ready, done = done })
end

local function change_resources(op)
  local plan = op.stack.plan
  op.walk = walk.start(plan.created, plan.graph, function(id, turn) visit(op, id, turn) end, {
    finished = function()
      if #op.failed > 0 then return fail(op) end
      local monitoring = (op.stack.rollback_configuration.MonitoringTimeInMinutes or 0) * 60
      op:soon(monitoring + 1, monitoring + 2, function() complete(op) end)
    end,
  })
end

--- Starts the update of a stack.
---@param world table
---@param stack table
---@param target table the stack's fields as they are to be: template, plan, tags, ...
---@param options { token: string?, disable_rollback: boolean?, policy: table?, express: boolean?,
---  imports: table<string, table>?, drift_aware: boolean? } policy: in place of the stack's; imports: logical
-- id -> the thing that is taken over instead of made; drift_aware: from what resources really are
function update.start(world, stack, target, options)
  local op = operation.begin(world, stack, "UPDATE_STACK", options.token)
  op.failed, op.touched, op.created, op.imports = {}, {}, {}, options.imports or {}
  stack.express = options.express
  op.drift_aware = options.drift_aware
  op.disable_rollback, op.policy = options.disable_rollback, options.policy or stack.policy
  local previous = apply_target(stack, target)
  local earlier = stack.unfinished -- an update that failed and stayed: the way back is the one to before it
  if earlier then op.touched, op.created = earlier.touched, earlier.created end
  op.retags = target.tags ~= nil and not same(previous.tags, target.tags)
  op.previous, stack.unfinished = earlier and earlier.previous or previous, nil
  stack.updated = op:now()
  op:stack_event("UPDATE_IN_PROGRESS", "User Initiated")
  triggers.watch(op, function(why) fail(op, why) end)
  op:soon(1, 4, function()
    local why = target.failure or outputs.early_failure(stack)
    if why then return fail(op, why) end
    change_resources(op)
  end)
  return op
end

--- Gives an update up on its caller's wish: what is in progress is cancelled, and the stack goes back.
---@param op table the stack's operation, an update before its clean-up
---@param token string? of the call
function update.cancel(op, token)
  op.disable_rollback, op.token = false, token
  fail(op, "User Initiated")
end

return update
