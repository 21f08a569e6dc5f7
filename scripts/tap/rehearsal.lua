--- A rehearsal for the specs of a team's workflows and runbooks: a sandbox on the virtual clock, commands run against
-- it in this process, clients that look at what came of it.
--
--     local rehearsal = require "tap.rehearsal"
--     local r = rehearsal.open { scenario = "update-rollback-stuck" }
--     local result = r:run("deploy", "web", "--template", "web.yml", "--yes")
--     assert.equal(0, result.code, result.out)
--     assert.equal("CREATE_COMPLETE", r:status "web")
--     r:close()

local errors = require "tap.error"
local sys = require "tap.core.sys"
local task = require "tap.task"

local rehearsal = {}
rehearsal.__index = rehearsal

local LIMIT = 24 * 3600 -- seconds of the sandbox's time for one command
local REGION = "us-east-1"
local ENVIRONMENT = { AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_PROFILE = "", TAP_JOURNAL = "off",
  AWS_SESSION_TOKEN = "", TAP_SNS_TOPIC_ARN = "", TAP_NOTIFY_EMAIL = "", TAP_WEBHOOK_URL = "",
  TAP_SLACK_WEBHOOK_URL = "" }

--- Opens one; from here on this process's clock is the sandbox's.
---@param options { scenario: string?, region: string? }? scenario: a name or a file; region: us-east-1
---@return table rehearsal
function rehearsal.open(options)
  options = options or {}
  for name, value in pairs(ENVIRONMENT) do sys.setenv(name, value) end
  local region = options.region or REGION
  sys.setenv("AWS_REGION", region)
  local emulator = require "sandbox"
  task.clock("virtual", emulator.starts_at(options.scenario))
  local self = setmetatable({ region = region, sandbox = emulator.start { scenario = options.scenario } }, rehearsal)
  return self
end

--- Ends it: the sandbox is gone, and the clock is the real one.
function rehearsal:close()
  self.sandbox:stop()
  task.clock "real"
end

--- Runs a command as a user would give it.
---@param ... string its words: "deploy", "web", "--yes"
---@return { code: integer, out: string } out: what it wrote, to stdout and stderr alike
function rehearsal:run(...)
  local argv, said = { ... }, {}
  argv[#argv + 1], argv[#argv + 2] = "--endpoint-url", self.sandbox.url
  local write = sys.write
  sys.write = function(_, text) said[#said + 1] = text end -- luacheck: ignore
  local ok, code = pcall(task.timeout, LIMIT, require("tap.cli").main, argv)
  sys.write = write -- luacheck: ignore
  if not ok then error(code, 0) end
  return { code = code, out = table.concat(said) }
end

--- A client of a service in the sandbox.
---@param service string
---@return tap.Client
function rehearsal:client(service)
  return require("tap.client").new(service, { region = self.region, endpoint_url = self.sandbox.url,
    credentials = { access_key = "test", secret_key = "test" } })
end

--- The status of a stack; nil when there is none.
---@param stack string
---@return string?
function rehearsal:status(stack)
  local cfn = self:client "cloudformation"
  local answer = errors.try(cfn.describe_stacks, cfn, { StackName = stack })
  return answer and answer.Stacks[1].StackStatus
end

return rehearsal
