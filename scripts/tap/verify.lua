--- Verification: reads the real things back after a deployment. All checks that apply run side by side; what may take
-- time is tried again until its deadline. What cannot be read is unknown, which is not passed.

local asked = require "tap.asked"
local check = require "tap.check"
local core_log = require "tap.core.log"
local errors = require "tap.error"
local exit = require "tap.exit"
local json = require "tap.core.json"
local task = require "tap.task"
local text = require "tap.core.text"
local util = require "tap.util"

local verify = {}

local SIDE_BY_SIDE = 12
local FIRST_INTERVAL, LAST_INTERVAL, GROWTH = 2, 15, 1.5 -- seconds between two attempts
local TROUBLE = 120 -- seconds for which trouble on the way to AWS is outlived, whatever the check's own patience
local ENDINGS = { waiting = "failed", troubled = "unknown" }
local NESTED, MAX_NESTING = "AWS::CloudFormation::Stack", 5
local DENIED = { AccessDenied = true, AccessDeniedException = true, UnauthorizedOperation = true,
  AuthorizationError = true }

---------------------------------------------------------------------------------------------------------
-- What there is to check

-- Without credentials that count nothing can be verified, which is not the stack's fault.
local function raise_without_credentials(e)
  if not DENIED[e.code] and exit.outcome(e) == "credentials" then error(e, 0) end
end

-- What the template asks of each resource. Without permission to read it that is unknown, and so is every check's
-- verdict on it: the problem is kept.
local function ask(cfn, description, items, problems)
  local ids = {}
  for _, item in ipairs(items) do ids[item.LogicalResourceId] = item.PhysicalResourceId end
  local properties, e = errors.try(function()
    local answer = cfn:get_template { StackName = description.StackId, TemplateStage = "Processed" }
    return asked.properties(answer.TemplateBody, description, ids)
  end)
  if e then
    raise_without_credentials(e)
    problems[#problems + 1] = { name = description.StackName, message = tostring(e) }
  end
  return properties or {}
end

-- Adds a stack's resources, and those of the stacks in it.
local function add_resources(cfn, description, depth, into)
  local items = {}
  for item in cfn:each("list_stack_resources", { StackName = description.StackId }) do
    if item.ResourceStatus ~= "DELETE_COMPLETE" then items[#items + 1] = item end
  end
  local properties = ask(cfn, description, items, into.problems)
  for _, item in ipairs(items) do
    into.resources[#into.resources + 1] = { stack = description, type = item.ResourceType,
      logical_id = item.LogicalResourceId, physical_id = item.PhysicalResourceId,
      properties = properties[item.LogicalResourceId] or {}, status = item.ResourceStatus,
      reason = item.ResourceStatusReason }
    if item.ResourceType == NESTED and item.PhysicalResourceId and depth < MAX_NESTING then
      local nested = cfn:describe_stacks({ StackName = item.PhysicalResourceId }).Stacks[1]
      add_resources(cfn, nested, depth + 1, into)
    end
  end
end

local SUBJECTS = {
  type = function(one, _, resources, found)
    for _, resource in ipairs(resources) do
      local is_there = resource.physical_id and resource.physical_id ~= "" -- else it was never made
      if resource.type == one.type and is_there then
        found[#found + 1] = { name = resource.logical_id, fields = resource }
      end
    end
  end,
  output = function(one, description, _, found)
    for _, output in ipairs(description.Outputs or {}) do
      if output.OutputKey:find(one.output) then
        found[#found + 1] = { name = output.OutputKey, fields = { stack = description, key = output.OutputKey,
          value = output.OutputValue } }
      end
    end
  end,
  stack = function(_, description, resources, found)
    found[#found + 1] = { name = description.StackName, fields = { stack = description, resources = resources } }
  end,
}

-- What the stack file says for a check: its own settings over those of all.
local function settings_of(one, settings)
  local own = { strict = settings.strict }
  if type(settings[one.name]) == "table" then
    for name, value in pairs(settings[one.name]) do own[name] = value end
  end
  return own
end

local function jobs_for(checks, description, resources, options)
  local jobs, settings, ignore_drift = {}, options.settings or {}, options.ignore_drift
  for _, entry in ipairs(checks) do
    local one, found = entry.check, {}
    for field, find in pairs(SUBJECTS) do
      if one[field] and settings[one.name] ~= false then find(one, description, resources, found) end
    end
    for _, subject in ipairs(found) do
      local fields = { settings = settings_of(one, settings), ignore_drift = ignore_drift }
      for name, value in pairs(subject.fields) do fields[name] = value end
      jobs[#jobs + 1] = { check = one, subject = subject.name, fields = fields }
    end
  end
  return jobs
end

---------------------------------------------------------------------------------------------------------
-- Running them

-- Once: "passed", "failed", "waiting", "troubled" (the way to AWS is), "unknown" or "skipped", and why.
local function attempt(ctx, job)
  local it = check.subject(job.fields)
  local _, e = errors.try(job.check.run, ctx, it)
  if e then
    raise_without_credentials(e)
    if DENIED[e.code] or e.status == 403 then return "unknown", "it cannot be read: " .. tostring(e) end
    local passing = e.class == "network" or e.class == "timeout" or e.retryable or (e.status or 0) >= 500
    return passing and "troubled" or "failed", tostring(e)
  end
  if it.skipped then return "skipped", "" end
  if #it.problems > 0 then return "failed", table.concat(it.problems, "; ") end
  if #it.waiting > 0 then return "waiting", table.concat(it.waiting, "; ") end
  return "passed", table.concat(it.notes, "; ")
end

-- Only what is at work counts for the gate, so that what waits holds up nothing.
local function run_job(ctx, job, limit, gate)
  local began, interval = task.monotonic(), FIRST_INTERVAL
  local patience = { waiting = math.min(job.check.retry_seconds, limit) }
  patience.troubled = math.max(patience.waiting, TROUBLE)
  while true do
    local status, message = gate:with(attempt, ctx, job)
    local now = task.monotonic()
    local left = patience[status] and began + patience[status] - now or 0
    message = core_log.redact(message)
    if left <= 0 then
      return { check = job.check.name, subject = job.subject, seconds = util.round(now - began), message = message,
        status = ENDINGS[status] or status }
    end
    if interval == FIRST_INTERVAL then
      ctx.out:note(("%s %s is not there yet, for at most %s: %s"):format(job.check.name, job.subject,
        util.show_duration(left), message))
    end
    task.sleep(math.min(interval, left + 0.001))
    interval = math.min(interval * GROWTH, LAST_INTERVAL)
  end
end

local function chosen(only)
  local all = check.all()
  if not only or #only == 0 then return all end
  local by_name, list, names = {}, {}, {}
  for index, entry in ipairs(all) do by_name[entry.check.name], names[index] = entry, entry.check.name end
  for index, name in ipairs(only) do
    if not by_name[name] then
      errors.raise { class = "usage", code = "BadArguments",
        message = ("there is no check '%s'%s"):format(name, util.suggest(name, names)) }
    end
    list[index] = by_name[name]
  end
  return list
end

--- Runs all checks that apply to a stack.
---@param ctx tap.Context
---@param cfn table client of CloudFormation
---@param description table the stack as DescribeStacks gives it
---@param options { only: string[]?, timeout: number?, settings: table?, ignore_drift: table? } only: names of checks;
---  timeout: seconds for what takes time; settings: of a stack file, check name -> false (off) or a table, and
---  strict: demand good practice, too; ignore_drift: a stack file's
---@return { check: string, subject: string, status: "passed"|"failed"|"unknown", message: string,
---  seconds: number }[] results in the checks' and the resources' order
function verify.run(ctx, cfn, description, options)
  local all = { resources = {}, problems = {} }
  add_resources(cfn, description, 0, all)
  local jobs = jobs_for(chosen(options.only), description, all.resources, options)
  local gate, functions = task.semaphore(SIDE_BY_SIDE), {}
  for index, job in ipairs(jobs) do
    functions[index] = function() return run_job(ctx, job, options.timeout or math.huge, gate) end
  end
  local results = json.list {}
  for _, result in ipairs(task.all(functions)) do
    if result.status ~= "skipped" then results[#results + 1] = result end
  end
  for _, problem in ipairs(all.problems) do
    results[#results + 1] = { check = "template", subject = problem.name, status = "unknown", seconds = 0,
      message = "what was asked for is not known: " .. problem.message }
  end
  return results
end

--- Those that have not passed.
---@param results table[]
---@return table[]
function verify.problems(results)
  local problems = json.list {}
  for _, result in ipairs(results) do
    if result.status ~= "passed" then problems[#problems + 1] = result end
  end
  return problems
end

--- Results for a person.
---@param results table[]
---@return string[] lines
function verify.lines(results)
  local rows = {}
  for index, result in ipairs(results) do
    rows[index] = { result.status, result.check, result.subject, result.message }
  end
  return util.columns(rows)
end

--- Raises class "unverified" when something has not passed.
---@param name string of the stack
---@param results table[]
function verify.demand(name, results)
  local problems = verify.problems(results)
  if #problems == 0 then return end
  local lines = verify.lines(problems)
  table.insert(lines, 1, ("%s: %d of %s did not pass"):format(name, #problems, util.count(#results, "check")))
  errors.raise { class = "unverified", code = "NotVerified", message = table.concat(lines, "\n  "),
    failures = problems }
end

---------------------------------------------------------------------------------------------------------
-- JUnit

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function xml(words)
  if not text.utf8_valid(words) then words = words:gsub("[\128-\255]", "?") end
  return (words:gsub('[&<>"]', ENTITIES):gsub("[%z\1-\8\11\12\14-\31]", "?"))
end

--- The results as a JUnit report.
---@param name string of the stack
---@param results table[]
---@return string xml
function verify.junit(name, results)
  local failures, unknown, lines = 0, 0, {}
  for index, result in ipairs(results) do
    local inner = ""
    if result.status == "failed" then
      failures = failures + 1
      inner = ('<failure message="%s"/>'):format(xml(result.message))
    elseif result.status == "unknown" then
      unknown = unknown + 1
      inner = ('<error message="%s"/>'):format(xml(result.message))
    end
    lines[index] = ('  <testcase classname="%s" name="%s" time="%.3f">%s</testcase>'):format(xml(result.check),
      xml(result.subject), result.seconds, inner)
  end
  return ('<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="%s" tests="%d" failures="%d" errors="%d">\n%s\n'
    .. "</testsuite>\n"):format(xml(name), #results, failures, unknown, table.concat(lines, "\n"))
end

return verify
