--- What create, delete and every other change of a stack share: follow the operation to its end, show its
-- events, and say how it went; when it failed, what failed first, why, and where that stands in the template.

local errors = require "tap.error"
local json = require "tap.core.json"
local stack = require "tap.stack"
local status = require "tap.status"
local task = require "tap.task"
local util = require "tap.util"

local deployment = {}

--- Lines that say how to come back to a stack.
local function ways_back(ctx, name)
  name = util.shell_quote(name)
  local ways = {}
  for _, way in ipairs {
    { "watch it    ", "events --follow --stack-name " }, { "look at it  ", "status --stack-name " },
    { "remove it   ", "delete --stack-name " },
  } do
    local command = ctx:command(way[2] .. name)
    if command then ways[#ways + 1] = way[1] .. command end
  end
  return ways
end

--- Asks CloudFormation for an operation. Until the answer is there it is open whether it has begun: that is
-- what an interruption, or an answer that never comes, then says.
---@param ctx table
---@param s table a tap.stack
---@param verb string "create"
---@param method string "create_stack"
---@param input table
---@return table answer
function deployment.begin(ctx, s, verb, method, input)
  ctx:going_on(("CloudFormation may have begun the %s of %s"):format(verb, s.name), ways_back(ctx, s.name))
  local answer, e = errors.try(s.cfn[method], s.cfn, input)
  if answer then return answer end
  if e.class == "usage" or e.class == "service" and (e.status or 0) < 500 then ctx:going_on(nil) end
  return error(e, 0)
end

--- A failed resource as the report shows it.
local function describe_failure(event, template) -- template: nil for a resource of a nested stack
  return {
    logical_id = event.LogicalResourceId, type = event.ResourceType, status = event.ResourceStatus,
    physical_id = event.PhysicalResourceId ~= "" and event.PhysicalResourceId or nil,
    reason = event.ResourceStatusReason, stack = event.StackName,
    place = template and template:place_of_resource(event.LogicalResourceId),
  }
end

local function failure_lines(failure)
  local first = ("%s  %s  %s"):format(failure.logical_id, failure.type, failure.status)
  if failure.place then first = first .. "  " .. failure.place end
  return first .. "\n  " .. (failure.reason or "no reason was given")
end

local function raise_failure(ctx, s, options, description, events)
  local name, reached = description.StackName, description.StackStatus
  local failures, lines = json.list {}, {}
  for index, event in ipairs(s:failures(events)) do
    local own = event.StackId == description.StackId
    failures[index] = describe_failure(event, own and options.template or nil)
    lines[index] = failure_lines(failures[index])
  end
  if #lines == 0 then
    lines[1] = stack.own_reason(events) or description.StackStatusReason or "no reason was given"
  end
  table.insert(lines, 1, ("%s: the %s failed: %s, %s"):format(name, options.verb, reached,
    status.meaning(reached)))
  local hints = json.list { status.next(reached) }
  hints[#hints + 1] = ctx:command("events --stack-name " .. util.shell_quote(description.StackId))
  if options.advice then options.advice(failures, hints) end
  errors.raise { class = status.outcome(reached, options.verb), code = "OperationFailed",
    message = table.concat(lines, "\n"), failures = failures, hints = hints, stack_status = reached }
end

--- Waits for the end of an operation that AWS has accepted, and shows its events. Raises class "rolled_back"
-- or "stuck" when it failed, "timeout" when the time is over.
---@param ctx table
---@param s table a tap.stack
---@param options { verb: string, timeout: number?, template: table?, advice: fun(failures: table[],
---  hints: string[])? } verb: "create"; template: for places; advice: adds hints for what failed
---@return table description as DescribeStacks gives it
function deployment.follow(ctx, s, options)
  ctx:going_on(("CloudFormation goes on with the %s of %s (%s)"):format(options.verb, s.name, s:key()),
    ways_back(ctx, s.name))
  local description, events = s:wait {
    verb = options.verb, timeout = options.timeout,
    on_event = function(event) ctx.out:event(event) end,
    on_trouble = function(e) ctx.out:warn(tostring(e) .. "; the operation goes on, trying again") end,
  }
  ctx:going_on(nil)
  if status.outcome(description.StackStatus, options.verb) ~= "ok" then
    raise_failure(ctx, s, options, description, events)
  end
  return description
end

-- What the service says of a template or a parameter that is wrong.
local REJECTIONS = { ValidationError = true, InsufficientCapabilitiesException = true }

--- Raises what the service refused to begin: a template or parameter that it found wrong is class "invalid",
-- since nothing was touched; everything else stays what it is.
---@param e table
---@param path string of the template
function deployment.raise_rejected(e, path)
  if e.class == "service" and REJECTIONS[e.code] then
    errors.raise { class = "invalid", code = e.code, message = ("%s: %s"):format(path, e.message),
      request_id = e.request_id, hints = json.list { "nothing was touched" } }
  end
  error(e, 0)
end

--- The end of an operation that went well, as a result and in words.
---@param job { cfn: table, began: number }
---@param description table as DescribeStacks gives it
---@return table result
---@return string words
function deployment.result(job, description)
  local seconds = util.round(task.now() - job.began)
  local lines = deployment.output_lines(description)
  if #lines > 0 then
    table.insert(lines, 1, "Outputs")
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = ("%s %s in %s"):format(description.StackName, description.StackStatus,
    util.show_duration(seconds))
  return { stack_name = description.StackName, stack_id = description.StackId, status = description.StackStatus,
    region = job.cfn:region(), seconds = seconds, outputs = deployment.output_map(description) },
    "\n" .. table.concat(lines, "\n")
end

--- Tags as a request takes them.
---@param map table<string, string>
---@return { Key: string, Value: string }[]
function deployment.tags(map)
  local tags = json.list {}
  for index, key in ipairs(util.sorted_keys(map)) do tags[index] = { Key = key, Value = map[key] } end
  return tags
end

--- Raises class "busy" when another operation is at work.
---@param ctx table
---@param description table as DescribeStacks gives it
function deployment.refuse_busy(ctx, description)
  local name, reached = description.StackName, description.StackStatus
  if status.settled(reached) then return end
  errors.raise { class = "busy", code = "StackBusy",
    message = ("Stack %s is in %s: another operation is at work on it"):format(name, reached),
    hints = { ctx:command("events --follow --stack-name " .. util.shell_quote(name)) } }
end

--- The outputs of a stack as a map, for results.
---@param description table
---@return table<string, string>
function deployment.output_map(description)
  local map = {}
  for _, output in ipairs(stack.outputs(description)) do map[output.key] = output.value end
  return map
end

--- The outputs of a stack as lines for a person.
---@param description table
---@return string[]
function deployment.output_lines(description)
  local rows = {}
  for index, output in ipairs(stack.outputs(description)) do
    rows[index] = { output.key, output.value }
  end
  return util.columns(rows, "  ")
end

return deployment
