--- Rolls a failed creation back: an operation of its own.

local operation = require "sandbox.engine.operation"
local teardown = require "sandbox.engine.teardown"
local exports = require "sandbox.engine.exports"

local rollback = {}

--- Starts it.
---@param reason string the whole text of the stack's event
---@param token string? ClientRequestToken of the failed operation
function rollback.start(world, stack, reason, token)
  local op = operation.begin(world, stack, "ROLLBACK", token)
  op:stack_event("ROLLBACK_IN_PROGRESS", reason)
  stack.deleted_at = op:now()
  local function finished(failed)
    exports.withdraw(stack)
    op:soon(1, 2, function()
      op:stack_event(#failed > 0 and "ROLLBACK_FAILED" or "ROLLBACK_COMPLETE", teardown.failure(failed))
      op:finish()
    end)
  end
  op:after(teardown.is_needed(stack) and 2 or 0, function()
    local options = { of_creation = true, retain_except_on_create = stack.retain_except_on_create }
    teardown.start(op, options, finished)
  end)
end

return rollback
