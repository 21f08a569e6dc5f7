--- ctx:step: a journaled unit of a workflow. Its result is stored; a resumed run takes the stored one and does not
-- repeat it. A step that may be repeated (it reads, or its request has a token) says `idempotent` and is always done.
-- `--from STEP` goes to a step at once: those before it are skipped, it and those after it are done, whatever was done
-- before.

local errors = require "tap.error"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local task = require "tap.task"
local util = require "tap.util"

local step = {}

local OPTIONS = { retry = { "number", "table" }, timeout = { "number", "string" }, idempotent = { "boolean" },
  on_failure = { "string", "function" } }
local FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 1, 2, 60 -- seconds between two tries

local function refuse(problem, hints)
  errors.raise { class = "usage", code = "BadStep", message = problem, hints = hints and json.list(hints) }
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

-- The row of the step in the run that is resumed, when it was done there.
local function row_of(run, name)
  local occurrence = (run.occurrences[name] or 0) + 1
  run.occurrences[name] = occurrence
  local n = 0
  for _, row in ipairs(run.resumed and run.resumed.steps or {}) do
    if row.name == name and (row.status == "done" or row.status == "withheld") then
      n = n + 1
      if n == occurrence then return row end
    end
  end
  return nil
end

local function result_of(row)
  if row.status == "withheld" then
    errors.raise { class = "failed", code = "ResultWithheld", message = ("step '%s' was done before; its result has a "
      .. "secret in it, so that it was not kept, and the run cannot go on with it"):format(row.name),
      hints = json.list { ("let the step give nothing secret, or mark it idempotent; "
        .. "`--from '%s'` does it again"):format(row.name) } }
  end
  local result = row.result and json.decode(row.result)
  if result == json.null then return nil end
  return result
end

-- --from: true while the step that it names has not come.
local function is_before_start(run, name)
  local from = run.options.from
  if not from or run.reached then return false end
  run.reached = from == name
  if not run.reached then run.passed[#run.passed + 1] = name end
  return not run.reached
end

local SKIP = { "s", "skip it" }

-- --step: asks whoever is at the terminal. True: not this one. A step that others stand on cannot be left out.
local function is_declined(run, name, needed)
  if not run.options.step then return false end
  if not sys.isatty(0) then
    errors.raise { class = "refused", code = "NotConfirmed",
      message = ("--step: nobody is there to ask about step '%s'"):format(name) }
  end
  local quit = { "q", "quit" }
  local chosen = run.report.choose(("step '%s'"):format(name), { { "d", "do it" }, quit, not needed and SKIP or nil })
  if chosen == "q" then
    errors.raise { class = "refused", code = "Stopped", message = ("stopped before step '%s'"):format(name) }
  end
  return chosen == "s"
end

--- Raises when the step that --from names, which it has to, never came.
---@param run table
function step.check_reached(run)
  local from = run.options.from
  if run.reached then return end
  refuse(("there is no step '%s'%s"):format(from, util.suggest(from, run.passed)),
    { #run.passed > 0 and "the steps that came: " .. table.concat(run.passed, ", ") or "the workflow has no steps" })
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

-- What is stored of a result: what JSON can hold, since a resumed run is given it back.
local function stored_form(name, result, options)
  if options.idempotent or result == nil then return nil end
  local ok, encoded = pcall(json.encode, result)
  if ok then return encoded end
  return refuse(("step '%s' gives a %s that cannot be stored: %s"):format(name, type(result), tostring(encoded)),
    { "let it give what JSON can hold, or mark it idempotent: then a resumed run does it again" })
end

-- Does it, and writes down how it went.
local function carry_out(ctx, name, fn, options)
  local recorder, began = ctx.run.recorder, task.monotonic()
  local seq = recorder:step_began(name)
  ctx.log.info("step begins", { step = name })
  local ok, result = pcall(perform, ctx, name, fn, options)
  local seconds = task.monotonic() - began
  if ok then
    ctx.log.info("step ended", { step = name, seconds = seconds })
    recorder:step_done(seq, stored_form(name, result, options))
    return result
  end
  ctx.log.warn("step failed", { step = name, seconds = seconds, reason = tostring(result) })
  recorder:step_failed(seq, errors.from(result))
  if errors.is_cancel(result) then error(result, 0) end
  return fail(ctx, name, options, errors.from(result))
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
  local early, row = is_before_start(run, name), row_of(run, name)
  if row and not options.idempotent and (early or not run.options.from) then
    ctx.log.info("step was done before", { step = name })
    return result_of(row)
  end
  if early and not options.idempotent or is_declined(run, name, options.idempotent) then
    ctx.out:note(("step '%s' is skipped"):format(name))
    return nil
  end
  return carry_out(ctx, name, fn, options)
end

return step
