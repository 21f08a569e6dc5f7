-- docs/recovery.md is a session as it was: this spec runs it, and the page is what came of it.
-- TAP_WRITE_DOCS=1 build/tapengine spec/run.lua spec/recovery_page_spec.lua writes it anew.

local helpers = require "spec.helpers"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"

local PAGE = "docs/recovery.md"

local SCENARIO = [[
return { teaches = "A topic does not go back.", seed = 3, resources = {
  { resource = "Queue", on = "update", fail = "The service refused the change." },
  { resource = "Topic", on = "rollback", fail = "The topic refused its old name.", times = 9 } } }
]]

local HEAD = [[
# Out of UPDATE_ROLLBACK_FAILED: a rehearsal

Made by spec/recovery_page_spec.lua from what it runs: do not edit.

A session as it was, in the sandbox: no account, no waiting. web.json has a topic and a queue behind it; web2.json
changes both. The scenario stuck.lua lets the queue's update fail, and then the topic's way back. What the sandbox holds
is kept in web.state between the commands.

```lua
]]

local FOOT = [[

The same commands without the sandbox's options do it to the real stack. What the decision table has for each status
stands in scripts/tap/decisions.lua; `tapengine recover STACK --dry-run` shows it without acting.
]]

local COMMANDS = {
  "tapengine deploy web --template web.json --yes --sandbox-state web.state --sandbox=./stuck.lua",
  "tapengine update web --template web2.json --yes --sandbox-state web.state --sandbox=./stuck.lua",
  "tapengine recover web --plan 2 --yes --sandbox-state web.state",
  "tapengine update web --template web2.json --yes --sandbox-state web.state",
  "tapengine drift web --sandbox-state web.state",
  "tapengine status web --sandbox-state web.state",
}

local function template(label, seconds)
  return json.encode { Resources = {
    Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = label } },
    Queue = { Type = "AWS::SQS::Queue", DependsOn = "Topic", Properties = { VisibilityTimeout = seconds } } } }
end

-- What a command writes, to stdout and stderr as they come.
local function output_of(command, folder)
  local words = command:gsub("^tapengine", '"$0"', 1)
  local result = proc.run { cwd = folder, env = { AWS_REGION = "us-east-1", AWS_ENDPOINT_URL = "", TAP_JOURNAL = "off",
    TERM = "dumb", XDG_STATE_HOME = folder }, "sh", "-c", words .. " 2>&1", sys.executable() }
  return (result.out:gsub("%s+\n", "\n"))
end

describe("the page about recovery", function()
  teardown(helpers.clean)

  it("shows what the commands of today do", function()
    local folder = helpers.folder()
    helpers.file("stuck.lua", SCENARIO, folder)
    helpers.file("web.json", template("a", 30), folder)
    helpers.file("web2.json", template("b", 60), folder)
    local parts = { HEAD, SCENARIO, "```\n\n```\n" }
    for _, command in ipairs(COMMANDS) do
      parts[#parts + 1] = ("$ %s\n%s"):format(command, output_of(command, folder))
    end
    parts[#parts + 1] = "```\n" .. FOOT
    local page = table.concat(parts)
    if sys.getenv "TAP_WRITE_DOCS" then sys.write_file(PAGE, page) end
    assert.equal(page, sys.read_file(PAGE))
  end)
end)
