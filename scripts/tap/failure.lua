--- A failure told in one screen: what failed first and by itself, why, where it stands in the template, what was
-- likely wrong, and what to do. Nested stacks are followed to their own cause.

local causes = require "tap.causes"
local errors = require "tap.error"
local json = require "tap.core.json"
local stack = require "tap.stack"
local status = require "tap.status"
local util = require "tap.util"

local failure = {}

--- A failed resource as reports show it.
---@param event table as DescribeStackEvents gives it
---@param template table? of the resource's own stack, for its place
---@return table
function failure.describe(event, template)
  local found = {
    logical_id = event.LogicalResourceId, type = event.ResourceType, status = event.ResourceStatus,
    physical_id = event.PhysicalResourceId ~= "" and event.PhysicalResourceId or nil,
    reason = event.ResourceStatusReason, stack = event.StackName,
    place = template and template:place_of_resource(event.LogicalResourceId),
  }
  local known = causes.of(found)
  if known then found.cause, found.advice = known.cause, known.advice end
  return found
end

--- The same for a person.
---@param found table as describe gives it
---@param root string the name of the stack that was worked on
---@return string lines
function failure.lines(found, root)
  local lines = { table.concat({ found.logical_id, found.type, found.status, found.place }, "  ") }
  if found.stack ~= root then lines[1] = ("%s  in nested stack %s"):format(lines[1], found.stack) end
  lines[2] = found.reason or "no reason was given"
  if found.cause then
    lines[3] = "likely: " .. found.cause
    lines[4] = "to do:  " .. found.advice
  end
  return table.concat(lines, "\n  ")
end

--- What failed in an operation, first things first.
---@param s table tap.stack
---@param events table[] of the operation, oldest first
---@param template table?
---@return table[] failures as describe gives them
function failure.of(s, events, template)
  local failures = json.list {}
  for index, event in ipairs(s:failures(events)) do
    failures[index] = failure.describe(event, event.StackId == s.id and template or nil)
  end
  return failures
end

--- Raises an operation's failure: class "rolled_back" or "stuck".
---@param ctx tap.Context
---@param s table tap.stack
---@param options { verb: string, template: table? }
---@param description table as DescribeStacks gives it
---@param events table[] of the operation
function failure.raise(ctx, s, options, description, events)
  local name, reached = description.StackName, description.StackStatus
  local failures, lines = failure.of(s, events, options.template), {}
  for index, found in ipairs(failures) do lines[index] = failure.lines(found, name) end
  if #lines == 0 then
    lines[1] = stack.own_reason(events) or description.StackStatusReason or "no reason was given"
  end
  table.insert(lines, 1, ("%s: the %s failed: %s, %s"):format(name, options.verb, reached,
    status.meaning(reached)))
  local hints = json.list { status.next(reached) }
  local outcome = status.outcome(reached, options.verb)
  if outcome == "stuck" then hints[#hints + 1] = ctx:command("recover " .. util.shell_quote(name)) end
  hints[#hints + 1] = ctx:command("events --stack-name " .. util.shell_quote(description.StackId))
  errors.raise { class = outcome, code = "OperationFailed",
    message = table.concat(lines, "\n"), failures = failures, hints = hints, stack_status = reached }
end

return failure
