--- Creates a stack: resources in parallel as their dependencies allow, then outputs and exports, and what
-- happens when one of them fails.

local catalog = require "sandbox.resources.catalog"
local delete = require "sandbox.engine.delete"
local import = require "sandbox.engine.import"
local operation = require "sandbox.engine.operation"
local outputs = require "sandbox.engine.outputs"
local provision = require "sandbox.engine.provision"
local rollback = require "sandbox.engine.rollback"
local triggers = require "sandbox.engine.triggers"
local walk = require "sandbox.engine.walk"

local create = {}

local TIMED_OUT = "Stack creation time exceeded the specified timeout"

-- What follows a failure, by OnFailure. Each is told why, without a final period.
local AFTER_FAILURE = {
  ROLLBACK = function(op, why)
    op:after(2, function()
      rollback.start(op.world, op.stack, why .. ". Rollback requested by user.", op.token)
    end)
  end,
  DELETE = function(op, why)
    op:after(2, function()
      delete.start(op.world, op.stack,
        { token = op.token, of_creation = true, reason = why .. ". Delete requested by user." })
    end)
  end,
  DO_NOTHING = function(op, why)
    op:stack_event("CREATE_FAILED", why .. ". ")
    op:finish()
  end,
}

local function failed_resources(op)
  return ("The following resource(s) failed to create: %s"):format(operation.name_list(op.failed))
end

--- Ends the creation: what is still in progress is given up and counts as failed, too.
---@param why string? nil: because of the resources that failed
local function fail(op, why)
  op:cancel_timers()
  for _, id in ipairs(op.walk and op.walk:stop() or {}) do
    local resource = op.stack.resources[id]
    provision.cancel(op, resource)
    op.failed[#op.failed + 1] = resource
  end
  AFTER_FAILURE[op.stack.on_failure](op, why or failed_resources(op))
end

local function complete(op)
  local stack = op.stack
  local why = outputs.publish(stack)
  if why then return fail(op, why) end
  op:stack_event("CREATE_COMPLETE")
  op:finish()
end

local function resources_finished(op)
  if #op.failed > 0 then return fail(op) end
  local monitoring = (op.stack.rollback_configuration.MonitoringTimeInMinutes or 0) * 60
  op:soon(monitoring + 1, monitoring + 2, function() complete(op) end)
end

--- Does any resource tell when its configuration is complete? Then the stack tells it too.
local function settles(stack)
  for _, id in ipairs(stack.plan.created) do
    if catalog.of(stack.template.resources[id].Type).settle then return true end
  end
  return false
end

-- One failed resource ends the creation at once, unless everything is to be left as it is: then what does not
-- depend on it goes on.
local function resource_done(op, resource, turn, ok)
  if not ok then op.failed[#op.failed + 1] = resource end
  turn.done(ok)
  if not ok and op.stack.on_failure ~= "DO_NOTHING" and not op.walk.stopped then fail(op) end
end

local function create_resources(op)
  local stack = op.stack
  local function visit(id, turn)
    local resource = provision.resource(op, id)
    stack.resources[id] = resource
    local ending = { ready = turn.ready, done = function(ok) resource_done(op, resource, turn, ok) end }
    if op.imports[id] then return import.resource(op, resource, op.imports[id], ending) end
    provision.create(op, resource, ending)
  end
  op.walk = walk.start(stack.plan.created, stack.plan.graph, visit, {
    finished = function() resources_finished(op) end,
    all_ready = function()
      if settles(stack) then
        op:stack_event("CREATE_IN_PROGRESS", "Eventual consistency check initiated", "CONFIGURATION_COMPLETE")
      end
    end,
  })
end

--- Starts the creation of a stack that is in the store.
---@param world table
---@param stack table
---@param token string? ClientRequestToken
---@param imports table<string, table>? logical id -> the thing that is taken over instead of made
function create.start(world, stack, token, imports)
  local op = operation.begin(world, stack, "CREATE_STACK", token)
  op.failed, op.imports = {}, imports or {}
  op:stack_event("CREATE_IN_PROGRESS", "User Initiated")
  if stack.timeout_minutes then
    op:after(stack.timeout_minutes * 60, function() fail(op, TIMED_OUT) end)
  end
  triggers.watch(op, function(why) fail(op, why) end)
  op:soon(1, 4, function()
    local why = stack.failure or outputs.early_failure(stack)
    if stack.plan.late then op:stack_event("CREATE_IN_PROGRESS", stack.plan.late) end
    if why then return fail(op, why) end
    create_resources(op)
  end)
end

return create
