--- Shows that this installation works, offline: a template's whole life in the sandbox, and what goes wrong in one.
-- Every scene is a command as a user would give it, and the exit code that it must end with.

local tap = require "tap"

local SPEED = 600 -- times real time: this process's clock, and the server's
local LIMIT = 120 -- seconds of real time for a scene

-- Each: what it shows, the command, the exit code, and words that its output must have. In one sandbox, in this order.
local LIFE = {
  { "the template is well-formed, and its references resolve", { "validate", "--offline" }, 0, "is valid" },
  { "ValidateTemplate accepts it", { "validate" }, 0, "is valid" },
  { "a wrong parameter is refused before anything is touched",
    { "create", "--parameter", "EnvironmentSuffix=Bad!" }, 3, "nothing was touched" },
  { "the stack is created, and verified", { "create", "--yes" }, 0, "CREATE_COMPLETE" },
  { "a stack that exists takes the update path; nothing to update is no failure", { "create", "--yes" }, 0,
    "no changes" },
  { "a change is shown before it is made", { "update", "--dry-run", "--tags", "Changed=yes" }, 20 },
  { "the stack is updated through a change set", { "update", "--yes", "--tags", "Changed=yes" }, 0,
    "UPDATE_COMPLETE" },
  { "what was made is as it should be", { "verify" }, 0 },
  { "nothing has drifted", { "drift" }, 0 },
  { "a delete asks first", { "delete" }, 4, "--yes" },
  { "the stack is deleted", { "delete", "--yes" }, 0, "DELETE_COMPLETE" },
  { "a stack that is gone is no failure", { "delete", "--yes" }, 0, "nothing to delete" },
}

-- In a sandbox of their own, where something goes wrong: scenario, exit code, words.
local TROUBLE = {
  { "throttling is waited out", "throttled", 0, "CREATE_COMPLETE" },
  { "network trouble is outlived", "flaky-network", 0, "CREATE_COMPLETE" },
  { "a creation that fails is rolled back, and the cause is told", "create-fails", 6, "ROLLBACK_COMPLETE" },
}

local function run_scene(scene, words, env)
  words.env = env
  local result = tap.timeout(LIMIT * SPEED, tap.proc.run, words)
  local output = result.out .. result.err
  local passed = result.code == scene.exit and (not scene.says or output:find(scene.says, 1, true) ~= nil)
  return { scene = scene.name, passed = passed, exit = result.code, expected = scene.exit,
    output = not passed and output:sub(-2000) or nil }
end

-- The words of a command: those that look at a stack take its name, the others all that a deployment takes.
local function words_for(command, template, stack)
  local name = table.remove(command, 1)
  local words = { tap.sys.executable(), name }
  if name == "drift" then
    table.move({ "--stack-name", stack }, 1, 2, 3, words)
  else
    table.move({ "--stack-name", stack, "--template", template }, 1, 4, 3, words)
  end
  return table.move(command, 1, #command, #words + 1, words)
end

local function environment(folder, url)
  return { AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_REGION = "us-west-2", AWS_PROFILE = "",
    AWS_ENDPOINT_URL = url or "", XDG_STATE_HOME = folder, TAP_OUTPUT = "", ENVIRONMENT_SUFFIX = "",
    TAP_SNS_TOPIC_ARN = "", TAP_NOTIFY_EMAIL = "", TAP_WEBHOOK_URL = "", TAP_SLACK_WEBHOOK_URL = "" }
end

local function run_all(ctx, template, folder)
  local results = tap.list {}
  local function add(result)
    results[#results + 1] = result
    ctx.out:note(("%s  %s"):format(result.passed and "passed" or "FAILED", result.scene))
    if result.output then ctx.out:note(result.output) end
  end
  local capabilities = { "--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND" }
  local changes = { create = true, update = true }
  local server = require("sandbox").start {}
  for _, row in ipairs(LIFE) do
    local command = { table.unpack(row[2]) }
    if changes[command[1]] then table.move(capabilities, 1, #capabilities, #command + 1, command) end
    add(run_scene({ name = row[1], exit = row[3], says = row[4] }, words_for(command, template, "selftest"),
      environment(folder, server.url)))
  end
  server:stop()
  for _, row in ipairs(TROUBLE) do
    local command = { "create", "--sandbox=" .. row[2], table.unpack(capabilities) }
    add(run_scene({ name = row[1], exit = row[3], says = row[4] }, words_for(command, template, "selftest"),
      environment(folder)))
  end
  return results
end

return tap.workflow {
  name = "self-test",
  summary = "show that everything works, offline: a template's whole life, and its troubles, in the sandbox",
  params = {
    { "template", "file", default = "templates/TapStack.yml", positional = true, help = "the template to try" },
  },
  usage = "tapengine self-test",

  run = function(ctx, p)
    local util = require "tap.util"
    tap.template.read(p.template)
    ctx.out:to_stdout()
    local folder = tap.sys.temp_folder()
    local clean <close> = setmetatable({}, { __close = function() -- luacheck: ignore
      tap.proc.run { "rm", "-rf", folder }
    end })
    require("tap.task").clock("scaled", SPEED)
    local results = run_all(ctx, p.template, folder)
    require("tap.task").clock "real"
    local failed = 0
    for _, result in ipairs(results) do failed = failed + (result.passed and 0 or 1) end
    return { exit = failed > 0 and "failed" or nil, passed = #results - failed, failed = failed, results = results },
      ("%s passed, %d failed"):format(util.count(#results - failed, "scene"), failed)
  end,
}
