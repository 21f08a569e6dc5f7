--- Nested stacks: a resource that is a stack of its own. What happens to the child is an operation like any
-- other; its end is the resource's.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local create = require "sandbox.engine.create"
local delete = require "sandbox.engine.delete"
local provision = require "sandbox.engine.provision"
local requests = require "sandbox.engine.requests"
local update = require "sandbox.engine.update"
local update_rollback = require "sandbox.engine.update_rollback"

local nested = {}

local NOT_CREATED = "Embedded stack %s was not successfully created: %s"
local NOT_UPDATED = "Embedded stack %s was not successfully updated. Currently in %s with reason: %s"
local NOT_DELETED = "Embedded stack %s was not successfully deleted: %s"

-- The Parameters property as a request has it; lists are joined.
local function parameters_of(properties)
  local out = {}
  for _, name in ipairs(json.keys(properties.Parameters or {})) do
    local value = properties.Parameters[name]
    out[#out + 1] = { ParameterKey = name,
      ParameterValue = type(value) == "table" and table.concat(value, ",") or value }
  end
  return out
end

--- A child's request, as if a caller had made it.
---@param parent table stack
---@param properties table of its resource, as far as they are known
---@param name string the child's
function nested.input(parent, properties, name)
  return {
    StackName = name, TemplateURL = properties.TemplateURL, Parameters = parameters_of(properties),
    Tags = properties.Tags or parent.tags, NotificationARNs = properties.NotificationARNs,
    Capabilities = { "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND" }, RoleARN = parent.role_arn,
  }
end

-- A refusal becomes the reason of a failure.
local function attempt(course, fn)
  local ok, result = pcall(fn)
  if ok then return result end
  if not fault.is(result) then error(result, 0) end
  course.failed(result.message)
end

-- Tells the parent's operation how the child's ended.
local function follow(op, child, tell)
  child.operation.ended = op:guard(function(status, why) tell(status, why or "") end)
end

--- The attributes of a nested stack: its outputs.
local function attribute_of(child)
  return function(name)
    local key = name:match("^Outputs%.(.+)$")
    for _, output in ipairs(key and child.outputs or {}) do
      if output.key == key then return output.value end
    end
    if name == "StackId" or name == "StackStatus" then
      return name == "StackId" and child.id or child.status
    end
    fault.validation("Output '%s' not found in stack %s", key or name, child.id)
  end
end

-- A new child: the stack that a change set has shown, or one that nobody has seen yet.
local function new_child(context, parent, resource, name)
  local shell = (parent.shells or {})[resource.logical]
  if not shell or shell.status ~= "REVIEW_IN_PROGRESS" then
    return requests.new_stack(context, nested.input(parent, resource.properties, name), parent)
  end
  local target = requests.target(context, shell, nested.input(parent, resource.properties, shell.name))
  for field, value in pairs(target) do shell[field] = value end
  parent.shells[resource.logical] = nil
  return shell
end

function nested.create(op, resource, course)
  local facts, parent = provision.facts(op, resource), op.stack
  local context = { world = op.world, region = parent.region }
  local child = attempt(course, function() return new_child(context, parent, resource, facts.name) end)
  if not child then return end
  facts.id, facts.attribute = child.id, attribute_of(child)
  provision.adopt(op, resource, facts, child.id, parent.region)
  resource.child = child
  course.initiated()
  create.start(op.world, child, op.token)
  follow(op, child, function(status, why)
    if status == "CREATE_COMPLETE" then return op:after(1, course.done) end
    course.failed(NOT_CREATED:format(child.id, why))
  end)
end

-- Follows an update of the child: it is over when the child is stable, it has failed when the child goes
-- back.
local function follow_update(op, child, course)
  follow(op, child, function(status, why)
    if status == "UPDATE_COMPLETE" then return op:after(1, course.done) end
    course.failed(NOT_UPDATED:format(child.id, "UPDATE_ROLLBACK_IN_PROGRESS", why))
  end)
end

function nested.update(op, resource, properties, course)
  local child = resource.child
  local context = { world = op.world, region = op.stack.region }
  local target = attempt(course, function()
    return requests.target(context, child, nested.input(op.stack, properties, child.name))
  end)
  if not target then return end
  local function done()
    provision.set_properties(op, resource, properties)
    course.done()
  end
  if not requests.changes_anything(child, target) and not requests.keeps_children(child, target) then
    return op:after(1, done)
  end
  update.start(op.world, child, target, { token = op.token })
  follow_update(op, child, { done = done, failed = course.failed })
end

-- Waits until the child's own way back is over.
local function wait_for_rollback(op, child, course)
  follow(op, child, function(status, why)
    if status == "UPDATE_ROLLBACK_COMPLETE" then return op:after(1, course.done) end
    course.failed(NOT_UPDATED:format(child.id, status, why))
  end)
end

function nested.revert(op, resource, properties, course)
  local child = resource.child
  if child.status == "UPDATE_ROLLBACK_COMPLETE" then return op:after(1, course.done) end
  if child.status == "UPDATE_ROLLBACK_FAILED" then
    update_rollback.start(op.world, child, child.unfinished, "User Initiated", op.token,
      op.skip and op.skip[child.name] or {})
  end
  if child.operation and child.status:match("^UPDATE_ROLLBACK") then
    return wait_for_rollback(op, child, course)
  end
  nested.update(op, resource, properties, course)
end

function nested.delete(op, resource, course)
  local child = resource.child
  if child.status == "DELETE_COMPLETE" then return course.done() end
  delete.start(op.world, child, { token = op.token })
  follow(op, child, function(status, why)
    if status == "DELETE_COMPLETE" then return op:after(1, course.done) end
    course.failed(NOT_DELETED:format(child.id, why))
  end)
end

return nested
