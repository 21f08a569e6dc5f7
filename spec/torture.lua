--- Torture: every request that a workflow makes fails in turn, in each way that the sandbox knows; then the
-- process is killed at every request, right before and right after it took effect. After each case nothing
-- may hang, nothing may exist twice, the exit code must be the contract's, and `resume` (or, after trouble, the
-- same command again) must bring the stack where an undisturbed run does. The workflows: spec/torture_workflows.lua.
--
--     make torture            or: build/tapengine spec/torture.lua [KIND [NUMBER [WORKFLOW]]]     to replay one case
--
-- Prints each failing case with what the run said, and the number of cases at the end.

local cli = require "tap.cli"
local journal = require "tap.journal"
local proc = require "tap.core.proc"
local sandbox = require "sandbox"
local sys = require "tap.core.sys"
local task = require "tap.task"
local trouble = require "sandbox.trouble"

local REGION = "us-east-1"

-- What an undisturbed client outlives by itself; the rest must end in its own exit code.
local EXPECTED = { expired = 10 }
local ATTEMPTS = 3 -- of the same command after a failure that time does not heal

local only_kind, only_number, only_workflow = arg[1], math.tointeger(tonumber(arg[2])), arg[3]
local cases, failed = 0, 0
local said -- what the run under way has written

sys.setenv("AWS_ACCESS_KEY_ID", "test")
sys.setenv("AWS_SECRET_ACCESS_KEY", "test")
sys.setenv("AWS_REGION", REGION)
local scratch = proc.run({ "mktemp", "-d" }).out:gsub("%s+$", "")
sys.setenv("XDG_STATE_HOME", scratch)

local write = sys.write
local function quietly(fn, ...)
  said = {}
  sys.write = function(_, text) said[#said + 1] = text end -- luacheck: ignore
  local results = table.pack(pcall(fn, ...))
  sys.write = write -- luacheck: ignore
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

local function with_endpoint(words, url)
  if words[1] == "resume" then return words end -- it goes on where the run began
  local argv = table.move(words, 1, #words, 1, {})
  return table.move({ "--endpoint-url", url }, 1, 2, #argv + 1, argv)
end

-- Runs a command in this process. Its exit code.
local function command(words, url)
  return quietly(task.timeout, 4 * 3600, cli.main, with_endpoint(words, url))
end

local function expect(condition, message, ...)
  if not condition then error(message:format(...), 0) end
end

-- Reports a case; an error of `body` is its failure.
local function case(name, replay, body)
  cases = cases + 1
  local ok, problem = pcall(body)
  if ok then return end
  failed = failed + 1
  write(1, ("FAILED %s: %s\n  replay: build/tapengine spec/torture.lua %s\n  %s\n"):format(name,
    tostring(problem), replay, (table.concat(said or {}):gsub("\n", "\n  "))))
end

local world = { region = REGION, scratch = scratch, command = command, expect = expect }
local workflows = require "spec.torture_workflows"(world)

-- What a person would do, until the stack is where an undisturbed run leaves it: resume, else the same command again.
local function converge(workflow, emulator)
  for _ = 1, ATTEMPTS do
    if pcall(workflow.check, emulator) then return end
    command({ "resume" }, emulator.url)
    if not pcall(workflow.check, emulator) then command(workflow.words, emulator.url) end
    task.sleep(300) -- what goes on in AWS behind the run comes to its end
  end
  workflow.check(emulator)
end

-- One run with the n-th of its requests disturbed. False when the run makes fewer.
local function disturbed_run(workflow, kind, n)
  local from, reached
  local emulator <close> = sandbox.start {
    scenario = workflow.scenario,
    disturb = function(number)
      if not from or number ~= from + n then return nil end
      reached = true
      return kind
    end,
  }
  workflow.prepare(emulator)
  from = emulator.requests
  local code = command(workflow.words, emulator.url)
  local undisturbed = workflow.code or 0
  if not reached then
    expect(code == undisturbed, "an undisturbed run exits with %d", code)
    workflow.check(emulator)
    return false
  end
  -- What is done on the side (a notification, what a failure's report looks up) may fail and change nothing.
  local on_the_side = code == undisturbed and pcall(workflow.check, emulator)
  expect(code == (EXPECTED[kind] or undisturbed) or on_the_side, "exit code %d", code)
  converge(workflow, emulator)
  return true
end

local function all_requests_in_turn(workflow, kind)
  local n, goes_on = 0, true
  while goes_on do
    n = n + 1
    if not only_number or only_number == n then
      case(("%s: request %d is %s"):format(workflow.name, n, kind), ("%s %d '%s'"):format(kind, n, workflow.name),
        function()
        goes_on = false
        goes_on = disturbed_run(workflow, kind, n)
      end)
    end
    if only_number and n >= only_number then return end
  end
end

---------------------------------------------------------------------------------------------------------
-- Killed: the workflow is a process of its own, and the clock is fast: a virtual one waits for children.

local SPEED = 2000

-- The journal knows of every run how it ended.
local function check_journal()
  local book <close> = journal.open() -- luacheck: ignore
  local open = book:run "SELECT id FROM runs WHERE ended IS NULL"
  expect(#open == 0, "%d runs have no end in the journal", #open)
  local steps = book:run "SELECT name FROM steps WHERE status = 'running'"
  expect(#steps == 0, "%d steps have no end in the journal", #steps)
end

-- Runs the workflow as a child that is killed when its n-th request has arrived: "before" it takes effect, or
-- "after", when it does and nobody is left to hear of it. False when the child makes fewer requests.
local function killed_run(workflow, when, n)
  local from, reached
  local pid_file = scratch .. "/pid"
  local emulator <close> = sandbox.start {
    scenario = workflow.scenario,
    disturb = function(number)
      if not from or number ~= from + n then return nil end
      reached = true
      proc.run { "sh", "-c", "kill -KILL $0", (sys.read_file(pid_file):gsub("%s", "")) }
      return when == "before" and "cut_before" or "cut_after"
    end,
  }
  workflow.prepare(emulator)
  from = emulator.requests
  local child = proc.run { "sh", "-c", 'echo $$ >"$0"; exec "$@"', pid_file, sys.executable(),
    table.unpack(with_endpoint(workflow.words, emulator.url)) }
  if not reached then
    expect(child.code == (workflow.code or 0), "an undisturbed run exits with %d: %s", child.code, child.err)
    return false
  end
  expect(child.signal == 9, "the run was not killed")
  local code = command({ "resume" }, emulator.url)
  expect(code == (workflow.code or 0), "resume exits with %d", code)
  workflow.check(emulator)
  check_journal()
  return true
end

local function killed_at_every_request(workflow, when)
  local n, goes_on = 0, true
  while goes_on do
    n = n + 1
    if not only_number or only_number == n then
      local replay = ("killed-%s %d '%s'"):format(when, n, workflow.name)
      case(("%s: killed %s request %d"):format(workflow.name, when, n), replay, function()
        goes_on = false
        goes_on = killed_run(workflow, when, n)
      end)
    end
    if only_number and n >= only_number then return end
  end
end

---------------------------------------------------------------------------------------------------------

local function is_wanted(workflow, kind)
  return (not only_workflow or workflow.name == only_workflow) and (not only_kind or only_kind == kind)
end

task.clock "virtual"
for _, workflow in ipairs(workflows) do
  for _, kind in ipairs(trouble.names()) do
    local for_every_request = not trouble.kinds[kind].of
    if is_wanted(workflow, kind) and for_every_request then all_requests_in_turn(workflow, kind) end
  end
end
task.clock("scaled", SPEED)
for _, workflow in ipairs(workflows) do
  for _, when in ipairs { "before", "after" } do
    if is_wanted(workflow, "killed-" .. when) then killed_at_every_request(workflow, when) end
  end
end

proc.run { "rm", "-rf", scratch }
print(("%d passed, %d failed"):format(cases - failed, failed))
os.exit(failed == 0 and 0 or 1)
