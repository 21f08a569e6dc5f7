--- Deletes a stack.

local json = require "tap.core.json"
local operation = require "sandbox.engine.operation"
local provision = require "sandbox.engine.provision"
local teardown = require "sandbox.engine.teardown"
local exports = require "sandbox.engine.exports"

local delete = {}

-- What a creation was making when the deletion came.
local function abandon_creation(op)
  local stack = op.stack
  for _, id in ipairs(stack.plan.created) do
    local resource = stack.resources[id]
    if resource and resource.status == "CREATE_IN_PROGRESS" then provision.cancel(op, resource) end
  end
end

local function gone(op)
  local stack = op.stack
  exports.withdraw(stack)
  op:stack_event("DELETE_COMPLETE")
  stack.region:free_name(stack)
  op:finish()
end

local function finished(op, failed)
  op:soon(1, 2, function()
    if #failed == 0 then return gone(op) end
    op:stack_event("DELETE_FAILED", teardown.failure(failed))
    op:finish()
  end)
end

--- Starts it.
---@param options table { token, retain = set of logical ids, force = boolean, reason = text in place of "User
-- Initiated", of_creation = true when a failed creation deletes its stack }
function delete.start(world, stack, options)
  local before = stack.status
  local op = operation.begin(world, stack, "DELETE_STACK", options.token)
  op:stack_event("DELETE_IN_PROGRESS", options.reason or "User Initiated")
  local in_use = exports.in_use(stack)
  if in_use then
    return op:soon(1, 2, function()
      op:stack_event(before, in_use)
      op:finish()
    end)
  end
  stack.deleted_at = op:now()
  for _, id in ipairs(json.keys(stack.shells or {})) do delete.start(world, stack.shells[id], {}) end
  abandon_creation(op)
  options.retain_except_on_create = stack.retain_except_on_create
  op:soon(1, 2, function()
    teardown.start(op, options, function(failed) finished(op, failed) end)
  end)
end

return delete
