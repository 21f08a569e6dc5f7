--- ctx:step: a journaled unit of a workflow. Its result is stored; a resumed run takes the stored one and does not
-- repeat it. A step that may be repeated (it reads, or its request has a token) says `idempotent` and is always done.

local errors = require "tap.error"
local json = require "tap.core.json"
local task = require "tap.task"
local util = require "tap.util"

local step = {}

local OPTIONS = { retry = { "number", "table" }, timeout = { "number", "string" }, idempotent = { "boolean" },
  on_failure = { "string", "function" } }
local FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 1, 2, 60 -- seconds between two tries

local function refuse(problem)
  errors.raise { class = "usage", code = "BadStep", message = problem }
end

local function check_options(name, options)
  for field, value in pairs(options) do
    local kinds = OPTIONS[field]
    if not kinds then
      refuse(("step '%s' has no option '%s'%s"):format(name, tostring(field), util.suggest(tostring(field),
        util.sorted_keys(OPTIONS))))
    end
    if type(value) ~= kinds[1] and type(value) ~= kinds[2] then
      refuse(("step '%s': option '%s' is a %s, not a %s"):format(name, field, type(value),
        table.concat(kinds, " or a ")))
    end
  end
  if type(options.on_failure) == "string" and options.on_failure ~= "stop" and options.on_failure ~= "continue" then
    refuse(("step '%s': on_failure is \"stop\", \"continue\" or a function"):format(name))
  end
end

-- The result of the step in the run that is resumed; true when there is one.
local function stored(run, name)
  local occurrence = (run.occurrences[name] or 0) + 1
  run.occurrences[name] = occurrence
  local n = 0
  for _, row in ipairs(run.resumed and run.resumed.steps or {}) do
    if row.name == name and row.status == "done" then
      n = n + 1
      if n == occurrence then
        local result = row.result and json.decode(row.result)
        if result == json.null then result = nil end
        return true, result
      end
    end
  end
  return false
end

-- --step asks before each, --from goes to a step at once.
local function is_skipped(run, name)
  local options = run.options
  if options.from and not run.reached then
    if options.from ~= name then return true end
    run.reached = true
  end
  if not options.step then return false end
  local chosen = run.report.choose(("step '%s'"):format(name), { { "d", "do it" }, { "s", "skip it" },
    { "q", "quit" } })
  if chosen == "q" then
    errors.raise { class = "refused", code = "Stopped", message = ("stopped before step '%s'"):format(name) }
  end
  return chosen == "s"
end

local function attempt(fn, options)
  if options.timeout then return task.timeout(util.duration(options.timeout), fn) end
  return fn()
end

-- The tries that are allowed: { times, pause in seconds, classes of errors or nil for all }.
local function retry_of(options)
  local retry = options.retry
  if type(retry) == "table" then return retry.times or 3, util.duration(retry.pause or FIRST_PAUSE), retry.classes end
  return retry or 1, FIRST_PAUSE, nil
end

local function is_among(e, classes)
  for _, class in ipairs(classes or { e.class }) do
    if class == e.class then return true end
  end
  return false
end

local function perform(ctx, name, fn, options)
  local times, pause, classes = retry_of(options)
  for number = 1, times do
    local result, e = errors.try(attempt, fn, options)
    if not e then return result end
    if number == times or not is_among(e, classes) then return error(e, 0) end
    ctx.log.warn("step is tried again", { step = name, try = number, reason = tostring(e) })
    task.sleep(pause)
    pause = math.min(pause * GROWTH, LONGEST_PAUSE)
  end
end

local function fail(ctx, name, options, e)
  if options.on_failure == "continue" then
    ctx.out:warn(("step '%s' failed, going on: %s"):format(name, tostring(e)))
    return nil
  elseif type(options.on_failure) == "function" then
    return options.on_failure(e)
  end
  return error(e, 0)
end

--- Does a step.
---@param ctx tap.Context
---@param name string
---@param fn fun(): any its one result is stored as JSON, unless the step is idempotent
---@param options { retry: integer|{ times: integer, pause: number|string, classes: string[] }?,
---  timeout: number|string?, idempotent: boolean?, on_failure: "stop"|"continue"|fun(e: table): any }? retry: tries in
---  all, with growing pauses; timeout: of each try
---@return any
function step.run(ctx, name, fn, options)
  options = options or {}
  check_options(name, options)
  local run = ctx.run
  if not options.idempotent then
    local done, result = stored(run, name)
    if done then
      ctx.log.info("step was done before", { step = name })
      return result
    end
    if is_skipped(run, name) then
      ctx.out:note(("step '%s' is skipped"):format(name))
      return nil
    end
  end
  local began, seq = task.monotonic(), run.recorder:step_began(name)
  ctx.log.info("step begins", { step = name })
  local ok, result = pcall(perform, ctx, name, fn, options)
  local seconds = task.monotonic() - began
  if ok then
    ctx.log.info("step ended", { step = name, seconds = seconds })
    run.recorder:step_ended(seq, not options.idempotent and result or nil)
    return result
  end
  ctx.log.warn("step failed", { step = name, seconds = seconds, reason = tostring(result) })
  run.recorder:step_ended(seq, nil, errors.from(result))
  if errors.is_cancel(result) then error(result, 0) end
  return fail(ctx, name, options, errors.from(result))
end

return step
