--- Foreign clients from npm against the sandbox: the AWS SDK for JavaScript and the CDK, as they come. `make check`
-- installs them under build/npm; without Node 20 or npm these tests are pending, and say so.

local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local foreign = require "spec.foreign.server"

local MODULES = sys.cwd() .. "/build/npm/node_modules"
local CDK = MODULES .. "/aws-cdk/bin/cdk"

local server

local function node(argv, more)
  local env = { NODE_PATH = MODULES, AWS_ENDPOINT_URL = server.url, CI = "1", CDK_DISABLE_CLI_TELEMETRY = "1",
    NODE_NO_WARNINGS = "1", WORD = "a" }
  for name, value in pairs(more or {}) do env[name] = value end
  argv.env = server:environment(env)
  table.insert(argv, 1, "/usr/bin/node")
  return proc.run(argv)
end

-- What a command of the CDK says; fails with that when it does not exit with 0.
local function cdk(word, words)
  local argv = { CDK, "--no-notices", "--app", "node spec/foreign/app.js", "--output", server.scratch .. "/cdk.out" }
  table.move(words, 1, #words, #argv + 1, argv)
  local result = node(argv, { WORD = word })
  assert.are.equal(0, result.code, result.err .. result.out)
  return result.out .. result.err
end

-- This program as one more client of the server.
local function tapengine(...)
  local argv = { sys.executable(), ... }
  argv.env = server:environment { AWS_ENDPOINT_URL = server.url, AWS_REGION = "us-east-1" }
  local result = proc.run(argv)
  assert.are.equal(0, result.code, result.err)
  return result.out
end

local function queue_of_small()
  return json.decode(tapengine("outputs", "Small", "--output", "json")).QueueUrl
end

local function status_of(name)
  return json.decode(tapengine("status", name, "--output", "json")).status
end

local there = sys.exists(CDK)

describe("from npm", function()
  if not there then
    pending("build/npm is not there: make check installs it where Node 20 and npm are")
    return
  end
  setup(function() server = foreign.start() end)
  teardown(function() server:stop() end)

  it("the SDK does the Node example of the order", function()
    tapengine("create", "TapStackdev", "--template", "templates/TapStack.json", "--no-verify")
    local result = node { "spec/foreign/prompt.js" }
    assert.are.equal(0, result.code, result.err)
    assert.truthy(result.out:find("^Created prompt: %x+%-"))
  end)

  it("the CDK bootstraps, and deploys an app with an asset and a nested stack", function()
    cdk("a", { "bootstrap", "aws://123456789012/us-east-1" })
    assert.truthy(cdk("a", { "deploy", "--require-approval", "never" }):find("Small.QueueUrl = ", 1, true))
    assert.are.equal("CREATE_COMPLETE", status_of "Small")
  end)

  it("the CDK finds no changes, and shows those of a nested stack", function()
    assert.truthy(cdk("a", { "deploy", "--require-approval", "never" }):find("(no changes)", 1, true))
    assert.truthy(cdk("b", { "diff" }):find("AWS::SNS::Topic Child/Inner", 1, true))
    cdk("b", { "deploy", "--require-approval", "never" })
    assert.are.equal("UPDATE_COMPLETE", status_of "Small")
  end)

  it("the CDK sees drift, and reverts it", function()
    local url = queue_of_small()
    tapengine("aws", "sqs", "set-queue-attributes", "--queue-url", url, "--attributes", "VisibilityTimeout=77")
    assert.truthy(cdk("b", { "drift" }):find("1 resource has drifted", 1, true))
    cdk("b", { "deploy", "--revert-drift", "--require-approval", "never" })
    local answer = tapengine("aws", "sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")
    assert.are.equal("30", json.decode(answer).Attributes.VisibilityTimeout)
  end)

  it("the CDK destroys what it deployed", function()
    cdk("b", { "destroy", "--force" })
    assert.is_nil(tapengine("stacks"):find("Small", 1, true))
  end)
end)
