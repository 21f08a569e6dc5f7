-- What several specs need: the program as a child process, a scratch folder, a sandbox server, templates.
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.task"

local helpers = {}

local LIMIT = 120 -- seconds, so that a run that hangs fails its test
local speed = 1 -- of this process's clock

local scratch = ("/tmp/tapengine-spec.%d"):format(sys.pid())
local folders = 0

--- A fresh empty folder. Its path.
function helpers.folder()
  folders = folders + 1
  local path = ("%s/%d"):format(scratch, folders)
  sys.mkdir_p(path)
  return path
end

--- Removes every folder that this process made.
function helpers.clean()
  proc.run { "rm", "-rf", scratch }
end

--- Writes a file into a fresh folder (or the one given). Its path.
function helpers.file(name, text, folder)
  local path = ("%s/%s"):format(folder or helpers.folder(), name)
  sys.write_file(path, text)
  return path
end

-- The caller's own settings must not leak into a test.
local NEUTRAL = { AWS_REGION = "", AWS_DEFAULT_REGION = "", AWS_PROFILE = "", AWS_ENDPOINT_URL = "",
  ENVIRONMENT_SUFFIX = "", TERM = "dumb", TAP_OUTPUT = "" }

--- Runs `tapengine WORDS...`. Options among the words: env, cwd, input.
-- Gives { code, out, err, log }: log is what the run wrote to its default log file.
function helpers.tapengine(words)
  local state = helpers.folder()
  local env = { XDG_STATE_HOME = state }
  for name, value in pairs(NEUTRAL) do env[name] = value end
  for name, value in pairs(words.env or {}) do env[name] = value end
  local result = task.timeout(LIMIT * speed, proc.run, { env = env, cwd = words.cwd, input = words.input,
    sys.executable(), table.unpack(words) })
  local log = state .. "/tapengine/tapengine.log"
  result.log = sys.exists(log) and sys.read_file(log) or ""
  return result
end

--- Each line of JSON as a value.
function helpers.json_lines(text)
  local values = {}
  for line in text:gmatch("[^\n]+") do values[#values + 1] = json.decode(line) end
  return values
end

--- Runs body(url) beside a sandbox server that runs `times` as fast as real time; options are sandbox.start's.
function helpers.with_sandbox(times, body, options)
  speed = times
  task.clock("scaled", speed)
  local sandbox = require("sandbox").start(options or {})
  local ok, problem = pcall(body, sandbox.url)
  sandbox:stop()
  task.clock "real"
  speed = 1
  if not ok then error(problem, 0) end
end

--- Environment for a child that talks to such a server.
function helpers.client_env(more)
  local env = { AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_REGION = "us-east-1" }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

--- A template of a topic and a parameter, as JSON text; `changes` are merged into the top level.
function helpers.template(changes)
  local template = {
    AWSTemplateFormatVersion = "2010-09-09",
    Parameters = {
      EnvironmentSuffix = { Type = "String", Default = "dev", AllowedPattern = "^[a-z0-9]+$" },
    },
    Resources = {
      Topic = { Type = "AWS::SNS::Topic",
        Properties = { TopicName = { ["Fn::Sub"] = "topic-${EnvironmentSuffix}" } } },
    },
    Outputs = { TopicName = { Value = { ["Fn::GetAtt"] = { "Topic", "TopicName" } } } },
  }
  for name, value in pairs(changes or {}) do template[name] = value end
  return json.encode(template, { indent = 2 })
end

return helpers
