--- What create, delete and every other change of a stack share: follow the operation to its end, show its events, and
-- say how it went.

local errors = require "tap.error"
local express = require "tap.express"
local failure = require "tap.failure"
local json = require "tap.core.json"
local live = require "tap.live"
local resume = require "tap.resume"
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
    { "watch it    ", "watch " }, { "look at it  ", "status " }, { "remove it   ", "delete " },
  } do
    local command = ctx:command(way[2] .. name)
    if command then ways[#ways + 1] = way[1] .. command end
  end
  return ways
end

-- Sends it.
local function send(ctx, s, verb, method, input)
  ctx:going_on(("CloudFormation may have begun the %s of %s"):format(verb, s.name), ways_back(ctx, s.name))
  local recorder = ctx.run.recorder
  local seq = recorder:asks { operation = method, verb = verb, stack = s.name, stack_id = s.id,
    token = input.ClientRequestToken }
  local answer, e = errors.try(s.cfn[method], s.cfn, input)
  if answer then
    recorder:answered(seq, answer.StackId)
    return answer
  end
  if e.class == "usage" or e.class == "service" and (e.status or 0) < 500 then
    ctx:going_on(nil)
    recorder:answered(seq, nil, e.message)
  end
  return error(e, 0)
end

--- A step that asks CloudFormation for an operation. What is asked is written down before it is sent, with the token
-- that makes it happen once, however often it is sent. Until the answer is there it is open whether it has begun: that
-- is what an interruption, or an answer that never comes, then says.
---@param ctx tap.Context
---@param step string its name
---@param s table a tap.stack
---@param verb string "create"
---@param method string "create_stack"
---@param input table without the token
---@return table answer
function deployment.ask(ctx, step, s, verb, method, input)
  local token = ctx:token(step, s.name)
  input.ClientRequestToken = token
  return ctx:step(step, function()
    s.begun = resume.begun(ctx, s, verb, token) -- before the run died: wait takes it up
    if s.begun then return { StackId = s.id } end
    input.DeploymentConfig = input.DeploymentConfig or express.config(method, { stack = s.last })
    return send(ctx, s, verb, method, input)
  end, { idempotent = true })
end

-- A view for a person at a terminal, kept up to date by the report, which knows when something else is written.
local function open_view(ctx, options)
  if ctx.options.output ~= "human" or not live.possible() then return nil end
  local view = live.new { total = options.template and #options.template:resources() or 0, verb = options.verb,
    usual = function(...) return ctx.run.recorder:usual(...) end }
  for _, event in ipairs(options.past or {}) do view:event(event) end
  ctx.out:show_below(view)
  return setmetatable({}, { __close = function() ctx.out:show_below(nil) end })
end

-- How an operation is stopped that takes too long, or that somebody at the terminal wants stopped: an update is
-- cancelled and rolls back; a creation is ended by the stack's deletion. A delete cannot be stopped.
local STOPS = {
  update = { words = "cancel the update, which rolls it back", call = function(s)
    s.cfn:cancel_update_stack { StackName = s:key() }
  end },
  create = { words = "delete the new stack", call = function(s) s.cfn:delete_stack { StackName = s:key() } end },
}

local function stop_of(ctx, s, verb)
  local stop = STOPS[verb]
  return stop and { words = stop.words, call = function()
    local _, e = errors.try(stop.call, s)
    if not e then return true end
    ctx.out:warn(("could not %s: %s"):format(stop.words, tostring(e)))
    return false
  end }
end

-- What a limit leads to: nothing more than the end of the wait, or the end of the operation.
local function limit_handler(ctx, s, options, stop)
  if options.on_timeout ~= "cancel" or not stop then return nil end
  return function(what, limit)
    ctx.out:warn(("%s: %s did not end within %s: %s"):format(s.name, what, util.show_duration(limit), stop.words))
    return stop.call()
  end
end

--- Waits for the end of an operation that AWS has accepted, and shows its events. Raises class "rolled_back"
-- or "stuck" when it failed, "timeout" when the time is over.
---@param ctx tap.Context
---@param s table a tap.stack
---@param options { verb: string, timeout: number?, resource_limits: table<string, number>?, on_timeout: string?,
---  template: table?, past: table[]? } verb: "create"; on_timeout: "leave" (the default) or
---  "cancel"; template: for places; past: events of the operation that were shown already
---@return table description as DescribeStacks gives it
function deployment.follow(ctx, s, options)
  local stop = stop_of(ctx, s, options.verb)
  ctx:going_on(("CloudFormation goes on with the %s of %s (%s)"):format(options.verb, s.name, s:key()),
    ways_back(ctx, s.name), stop)
  local view <close> = open_view(ctx, options) -- luacheck: ignore
  local description, events = s:wait {
    verb = options.verb, timeout = options.timeout, resource_limits = options.resource_limits,
    past = options.past,
    on_limit = limit_handler(ctx, s, options, stop),
    on_event = function(event, depth)
      ctx.run.recorder:event(event)
      ctx.out:event(event, nil, depth)
    end,
    on_trouble = function(e) ctx.out:warn(tostring(e) .. "; the operation goes on, trying again") end,
    on_tick = function()
      ctx.run.recorder:flush()
      ctx.out:refresh()
    end,
  }
  ctx.out:show_below(nil)
  ctx:going_on(nil)
  if status.outcome(description.StackStatus, options.verb) ~= "ok" then
    failure.raise(ctx, s, options, description, events)
  end
  return description
end

-- Follows what had begun before the run died; what has ended meanwhile is taken as it ended.
local function go_on(ctx, s, options, past)
  for _, event in ipairs(past) do ctx.run.recorder:event(event) end
  options.past = past
  local description = s:must_describe()
  if not status.settled(description.StackStatus) then return deployment.follow(ctx, s, options) end
  if status.outcome(description.StackStatus, options.verb) ~= "ok" then
    failure.raise(ctx, s, options, description, past)
  end
  return description
end

--- A step that follows the operation that deployment.ask has asked for, or that the run had begun before it died.
---@param ctx tap.Context
---@param s table tap.stack
---@param options table as of deployment.follow
---@param begun tap.Begun?
---@return table description
function deployment.wait(ctx, s, options, begun)
  begun = begun or s.begun
  s.begun = nil
  return ctx:step("wait", function()
    if begun then return go_on(ctx, s, options, begun.past) end
    return deployment.follow(ctx, s, options)
  end, { idempotent = true })
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
    hints = { ctx:command("watch " .. util.shell_quote(name)) } }
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
