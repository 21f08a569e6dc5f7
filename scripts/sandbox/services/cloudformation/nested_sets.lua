--- Change sets of nested stacks (IncludeNestedStacks; reference part 3.2): each child whose stack stays or is new
-- gets a set of its own, which lives and ends with its root's. A child that is new is a stack in
-- REVIEW_IN_PROGRESS, which the execution then fills.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local delete = require "sandbox.engine.delete"
local diff_values = require "sandbox.engine.diff_values"
local nested = require "sandbox.engine.nested"
local operation = require "sandbox.engine.operation"
local requests = require "sandbox.engine.requests"
local catalog = require "sandbox.resources.catalog"
local names = require "sandbox.resources.names"

local nested_sets = {}

local STACK = "AWS::CloudFormation::Stack"
local NOT_CREATED = "Nested change set %s was not successfully created: Currently in FAILED."
local MAX_NAME, TAIL = 128, 12

-- The stack that a new child will be; every set of its parent means the same one.
local function shell_of(context, parent, id)
  parent.shells = parent.shells or {}
  local shell = parent.shells[id]
  if shell and shell.status == "REVIEW_IN_PROGRESS" then return shell end
  local facts = { stack = parent.name, logical = id, stream = parent.stream, properties = {} }
  shell = requests.shell(context, (names.of(catalog.of(STACK).name, facts)))
  shell.parent, shell.root, shell.on_failure = parent, parent.root or parent, "DO_NOTHING"
  parent.shells[id] = shell
  nested_sets.review(context, shell)
  return shell
end

--- Puts a stack into the store that has nothing but a change set.
function nested_sets.review(context, stack)
  context.region:add_stack(stack)
  local op = operation.begin(context.world, stack, "CREATE_CHANGESET")
  op:stack_event("REVIEW_IN_PROGRESS", "User Initiated")
  op:finish()
end

local function name_of(set, id)
  local tail = "-" .. crypto.sha256(set.id .. id):sub(1, TAIL)
  return (set.name .. "-" .. id):sub(1, MAX_NAME - #tail) .. tail
end

-- What a child becomes; when that cannot be told, what it is, and why.
local function target_of(context, stack, input)
  local ok, target = pcall(requests.target, context, stack, input)
  if ok then return target end
  if not fault.is(target) then error(target, 0) end
  return { template = stack.template, plan = stack.plan }, target.message
end

local function child_set(context, set, change, properties, compute)
  local id, resource = change.LogicalResourceId, set.stack.resources[change.LogicalResourceId]
  local stack = change.Action == "Modify" and resource.child or shell_of(context, set.stack, id)
  local input = nested.input(set.stack, properties, stack.name)
  input.ChangeSetName, input.IncludeNestedStacks = name_of(set, id), true
  input.ChangeSetType = stack.status == "REVIEW_IN_PROGRESS" and "CREATE" or "UPDATE"
  input.DisableValidation = not set.validated
  local target, why = target_of(context, stack, input)
  return compute(context, input, stack, target, { parent = set, root = set.root or set, refused = why })
end

--- Makes the sets of a set's children, and theirs. Their changes are named in the parent's; a child's own set
-- that has none is none.
---@param context table
---@param set table whose children
---@param changes table[] of the set; what only a child could have told is taken out when it has nothing to tell
---@param compute fun(context: table, input: table, stack: table, target: table, kin: table): table makes a set
---@return table[] changes
---@return string? why one of them, and so the set, has failed
function nested_sets.make(context, set, changes, compute)
  local after, out = diff_values.after(changes, set.stack, set.target, set.target.plan.values), json.list {}
  set.children = {}
  for _, change in ipairs(changes) do
    local stays = true
    if change.ResourceType == STACK and (change.Action == "Add" or change.Action == "Modify") then
      local child = child_set(context, set, change, after(change.LogicalResourceId), compute)
      set.children[#set.children + 1] = child
      if child.status == "FAILED" and not child.unchanged then return out, NOT_CREATED:format(child.id) end
      stays = not child.unchanged or change.Details[1] and change.Details[1].ChangeSource ~= "Automatic"
      change.ChangeSetId = not child.unchanged and child.id or nil
    end
    if stays then out[#out + 1] = change end
  end
  return out
end

--- Raises ValidationError for a set that only its root's caller may touch.
function nested_sets.check_root(set)
  if not set.parent then return end
  fault.validation("ChangeSet [%s] is the change set of a nested stack: use its root change set [%s]", set.id,
    set.root.id)
end

--- Calls `fn` for every set below a set.
function nested_sets.each(set, fn)
  for _, child in ipairs(set.children or {}) do
    fn(child)
    nested_sets.each(child, fn)
  end
end

--- Removes a set from its stack's list.
function nested_sets.unlist(set)
  for index, other in ipairs(set.stack.change_sets or {}) do
    if other == set then return table.remove(set.stack.change_sets, index) end
  end
end

--- Removes the sets below a set that is removed, and the stacks that only they had a use for.
function nested_sets.remove(context, set)
  nested_sets.each(set, function(child)
    local stack = child.stack
    child.status = "DELETE_COMPLETE"
    context.region.change_sets[child.id] = nil
    nested_sets.unlist(child)
    if stack.status == "REVIEW_IN_PROGRESS" and #stack.change_sets == 0 then
      delete.start(context.world, stack, {})
    end
  end)
end

return nested_sets
