-- Profiles and credentials as a user of the command meets them; the sources are tested in C.
local helpers = require "spec.helpers"
local sys = require "tap.core.sys"

local CONFIG = [[
[profile dev]
region = us-east-1
]]

local CREDENTIALS = [[
[dev]
aws_access_key_id = test
aws_secret_access_key = test
]]

-- Environment with these two files and no keys.
local function files(config, credentials)
  local folder = helpers.folder()
  local env = { AWS_CONFIG_FILE = folder .. "/config", AWS_SHARED_CREDENTIALS_FILE = folder .. "/credentials",
    AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN = "" }
  sys.write_file(env.AWS_CONFIG_FILE, config)
  sys.write_file(env.AWS_SHARED_CREDENTIALS_FILE, credentials or "")
  return env
end

describe("a profile", function()
  teardown(helpers.clean)

  it("gives keys and region, by option and by AWS_PROFILE", function()
    helpers.with_sandbox(30, function(url)
      local env = files(CONFIG, CREDENTIALS)
      local template = helpers.file("t.json", helpers.template())
      local result = helpers.tapengine { "create", "--stack-name", "one", "--template", template,
        "--profile", "dev", "--endpoint-url", url, env = env }
      assert.equal(0, result.code, result.err)
      env.AWS_PROFILE = "dev"
      result = helpers.tapengine { "status", "--stack-name", "one", "--endpoint-url", url, env = env }
      assert.equal(0, result.code, result.err)
      assert.matches("CREATE_COMPLETE", result.out, 1, true)
    end)
  end)

  it("that there is not is told with the nearest one, exit 10", function()
    local result = helpers.tapengine { "status", "--stack-name", "x", "--profile", "dve",
      env = files(CONFIG) }
    assert.equal(10, result.code)
    assert.matches("there is no profile 'dve'", result.err, 1, true)
    assert.matches("did you mean 'dev'?", result.err, 1, true)
    assert.equal("", result.out)
  end)

  it("without credentials is told with its file and what to do, exit 10", function()
    local env = files(CONFIG)
    local result = helpers.tapengine { "status", "--stack-name", "x", "--profile", "dev", env = env }
    assert.equal(10, result.code)
    assert.matches("profile 'dev' of " .. env.AWS_CONFIG_FILE .. " has no credentials", result.err, 1, true)
    assert.matches("aws_access_key_id", result.err, 1, true)
  end)

  it("in a broken file is told with the place, exit 10", function()
    local env = files("[default]\nregion = x\nnonsense\n")
    local result = helpers.tapengine { "status", "--stack-name", "x", env = env }
    assert.equal(10, result.code)
    assert.matches(env.AWS_CONFIG_FILE .. ":3:1: neither a [section]", result.err, 1, true)
  end)

  it("does not matter to a rehearsal", function()
    local result = helpers.tapengine { "create", "--sandbox", "--stack-name", "T", "--profile", "nobody",
      "--template", helpers.file("t.json", helpers.template()), env = files("nonsense") }
    assert.equal(0, result.code, result.err)
  end)
end)
