--- How a deployment is watched: calls that a client makes for one stack, and how long after the stack's last event it
-- ends. Each client deploys the same templates to a sandbox of its own, in real time.
-- usage: tapengine spec/bench/watch.lua

local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sandbox = require "sandbox"
local sys = require "tap.core.sys"
local task = require "tap.task"

local CLIENTS = {
  { "tapengine deploy", function(path) return { sys.executable(), "deploy", "web", "--template", path, "--yes",
    "--no-verify", "--no-lint" } end },
  { "aws cloudformation deploy", function(path, url) return { "/usr/bin/aws", "--endpoint-url", url, "cloudformation",
    "deploy", "--stack-name", "web", "--template-file", path } end },
}

-- Parameters are there at once, topics take about ten seconds each and wait for one another.
local function parameters(count)
  local resources = {}
  for i = 1, count do
    resources["P" .. i] = { Type = "AWS::SSM::Parameter", Properties = { Type = "String", Value = tostring(i) } }
  end
  return resources
end

local function with_a_chain(count, length)
  local resources = parameters(count - length)
  for i = 1, length do
    resources["T" .. i] = { Type = "AWS::SNS::Topic", DependsOn = i > 1 and "T" .. i - 1 or nil }
  end
  return resources
end

local STACKS = {
  { "2 resources, over in seconds", parameters(2) },
  { "40 resources, a chain of three", with_a_chain(40, 3) },
}

local function measure(words_for, path, folder)
  local server = sandbox.start {}
  local argv = words_for(path, server.url)
  argv.env = { AWS_ENDPOINT_URL = server.url, AWS_ACCESS_KEY_ID = "test",
    AWS_SECRET_ACCESS_KEY = "test", AWS_REGION = "us-east-1", AWS_DEFAULT_REGION = "us-east-1", HOME = folder,
    XDG_STATE_HOME = folder, PATH = "/usr/bin:/bin" }
  local result = proc.run(argv)
  assert(result.code == 0, result.err)
  local ended, calls = task.now(), server.requests
  local stack = server.world.store:region("us-east-1"):stack "web"
  local last = stack.events[#stack.events].Timestamp
  local took = last - stack.events[1].Timestamp
  server:stop()
  return { calls = calls, events = #stack.events, took = took, late = ended - last }
end

local folder = sys.temp_folder()
for _, stack in ipairs(STACKS) do
  local path = folder .. "/template.json"
  sys.write_file(path, json.encode { Resources = stack[2] })
  print(stack[1])
  for _, client in ipairs(CLIENTS) do
    local m = measure(client[2], path, folder)
    print(("  %-28s %4d calls for %d events (%.2f each); the stack took %.1fs; told %.1fs after"):format(client[1],
      m.calls, m.events, m.calls / m.events, m.took, m.late))
  end
end
proc.run { "rm", "-rf", folder }
