--- Finds out what state a stack is in, says which ways out there are and what each would destroy, and goes the one
-- that is chosen.

local tap = require "tap"

-- The ways that the decision table has for the status, with what they would do; those that do not apply say why.
local function ways_of(s)
  local decisions = require "tap.decisions"
  local entry = decisions[s.status] or {}
  if not entry.ways and #s.drifted > 0 then entry = decisions.DRIFTED end
  local runbooks, ways = require("tap.runbook").all(), tap.list {}
  for _, name in ipairs(entry.ways or {}) do
    local book = runbooks[name]
    local applies, why_not = true, nil
    if book.applies then applies, why_not = book.applies(s) end
    local about = applies and book.explain(s) or {}
    ways[#ways + 1] = { name = name, summary = book.summary, does = about.does, destroys = about.destroys,
      leaves = about.leaves, not_now = why_not }
  end
  for _, way in ipairs(ways) do
    if not way.not_now then
      way.recommended, way.why = true, entry.why
      break
    end
  end
  return ways
end

local function diagnosis(s)
  local status, failure = require "tap.status", require "tap.failure"
  local lines = { ("%s is in %s: %s"):format(s.name, s.status, status.meaning(s.status)) }
  if s.description.StackStatusReason then lines[#lines + 1] = "  reason: " .. s.description.StackStatusReason end
  for index, found in ipairs(s.failures) do
    if index == 1 then lines[#lines + 1] = "what failed, first things first:" end
    lines[#lines + 1] = "  " .. failure.lines(found, s.name):gsub("\n", "\n  ")
  end
  for _, one in ipairs(s.drifted) do
    lines[#lines + 1] = ("  %s  %s  has drifted: %s"):format(one.logical_id, one.type, one.status)
    for _, difference in ipairs(one.differences) do
      lines[#lines + 1] = ("    %s: the template says %s, it is %s"):format(difference.path,
        difference.expected or "-", difference.actual or "-")
    end
  end
  if s.status == "UPDATE_ROLLBACK_FAILED" then
    lines[#lines + 1] = "a stack in this status is not deleted to get out of it: its resources are in use"
  end
  return lines
end

local function add_ways(lines, ways)
  if #ways == 0 then
    lines[#lines + 1] = "nothing has to be done"
    return
  end
  lines[#lines + 1] = "ways out:"
  for index, way in ipairs(ways) do
    lines[#lines + 1] = ("  %d. %s: %s%s"):format(index, way.name, way.summary,
      way.recommended and "  (recommended: " .. way.why .. ")" or "")
    if way.not_now then
      lines[#lines + 1] = "     not now: " .. way.not_now
    else
      lines[#lines + 1] = "     does:     " .. way.does
      lines[#lines + 1] = "     destroys: " .. way.destroys
      lines[#lines + 1] = "     leaves:   " .. way.leaves
    end
  end
end

-- The number of the way to go: the one that is named, or the one that somebody at the terminal chooses.
local function choose(ctx, ways, p)
  local number = p.plan
  if not number then
    local choices = {}
    for index, way in ipairs(ways) do
      if not way.not_now then choices[#choices + 1] = { tostring(index), way.name } end
    end
    choices[#choices + 1] = { "q", "do nothing" }
    if not tap.sys.isatty(0) then
      tap.error.raise { class = "refused", code = "NotChosen", message = "nobody is there to choose a way out",
        hints = { "name one: --plan N --yes" } }
    end
    number = tonumber(ctx.out.choose("which way?", choices))
  end
  local way = number and ways[number]
  if number and not way then
    tap.error.raise { class = "usage", code = "BadArguments", message = ("there is no way %d, there are %d"):format(
      number, #ways) }
  end
  if way and way.not_now then
    tap.error.raise { class = "refused", code = "NotNow", message = ("%s: not now: %s"):format(way.name, way.not_now) }
  end
  return way
end

local function tell(ctx, s, t, began, ending)
  local notify, deployment = require "tap.notify", require "tap.deployment"
  local description = s.stack:describe() or s.description
  notify.send(ctx, { stack_name = s.name, stack_id = s.id, region = s.cfn:region(), status = description.StackStatus,
    outcome = "ok", verb = "recover", seconds = tap.now() - began, cause = ending, run = ctx.run_id,
    outputs = deployment.output_map(description) }, t.file.notify)
  return description
end

-- What the stack is in.
local function look(ctx, p, cfn, t, name)
  local stack = tap.stack(cfn, name)
  local description = stack:must_describe()
  local s = require("tap.situation").read(ctx, p, cfn, stack, description, t.path and tap.template.read(t.path) or nil)
  s.target = t
  s.drifted = p.drift and not s:is_at_work() and require("tap.drift").detect(cfn, s.id, t.file.ignore_drift) or {}
  return s
end

-- The result and its words, and the name of the way that is to be gone; without one that is all.
local function decide(ctx, p, s)
  local ways = ways_of(s)
  local lines = diagnosis(s)
  add_ways(lines, ways)
  local result = { stack_name = s.name, stack_id = s.id, status = s.status, failures = s.failures,
    drifted = tap.list(s.drifted), ways = ways }
  if p.dry_run or #ways == 0 then
    result.exit = #ways > 0 and "changes" or nil
    return result, table.concat(lines, "\n")
  end
  for _, line in ipairs(lines) do ctx.out:note(line) end
  local way = choose(ctx, ways, p)
  if not way then return result, "nothing was done" end
  ctx:confirm(("%s: %s. Do it on %s in %s?"):format(way.name, way.summary, s.name, ctx:where()))
  return result, nil, way.name
end

return tap.workflow {
  name = "recover",
  summary = "say what a stuck stack is in and which ways out it has; go the one that is chosen",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", positional = true, help = "name or id of the stack; else the stack file's" },
    { "plan", "integer", min = 1, help = "go this way out (with --yes: without asking)" },
    { "template", "file", help = "the template: for places, and for ways that deploy it again" },
    { "stack-file", "file", help = "how the stack is deployed; else X.stack.lua beside the template" },
    { "drift", "boolean", default = false, help = "look for drift, too, and say which ways there are out of it" },
    { "role-arn", "string", help = "role that CloudFormation assumes" },
    { "dry-run", "boolean", default = false, help = "only the diagnosis and the ways; exit 20 when there are any" },
    { "timeout", "duration", default = "2h", help = "stop waiting after this long" },
  },
  usage = "tapengine recover web",

  run = function(ctx, p)
    local began = tap.now()
    local t = require("tap.target").open(ctx, p, { name = true })
    local cfn = tap.client "cloudformation"
    ctx:about(t.name)
    local s, value, words
    local chosen = ctx:step("choose", function()
      s = look(ctx, p, cfn, t, t.name)
      local way
      value, words, way = decide(ctx, p, s)
      return way and { way = way, stack_id = s.id }
    end)
    if not chosen then return value, words end
    s = s or look(ctx, p, cfn, t, chosen.stack_id) -- a resumed run goes the way that it went
    local book = require("tap.runbook").all()[chosen.way]
    local ending = book.run(ctx, s) or book.summary
    value = value or { stack_name = s.name, stack_id = s.id }
    value.status, value.way = tell(ctx, s, t, began, ending).StackStatus, chosen.way
    return value, ending
  end,
}
