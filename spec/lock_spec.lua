-- One run at a time on a stack, on one machine and between machines; and a team's own deploy around the shipped one.
local helpers = require "spec.helpers"
local journal = require "tap.journal"
local json = require "tap.core.json"
local sys = require "tap.core.sys"

teardown(helpers.clean)

local function template(resources)
  return helpers.file("web.json", json.encode { Resources = resources or { Topic = { Type = "AWS::SNS::Topic" } } })
end

local function in_sandbox(body)
  helpers.with_sandbox(100, function(url)
    body(function(words)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      for name, value in pairs(words.env or {}) do env[name] = value end
      words.env = env
      return helpers.tapengine(words)
    end, url)
  end)
end

describe("a stack's lock", function()
  it("is held by one living run of the machine, with its owner shown, and broken only knowingly", function()
    in_sandbox(function(run)
      local state = helpers.folder()
      local path = state .. "/tapengine/journal.db"
      local book = journal.open(path)
      book:run("INSERT INTO locks VALUES ('us-east-1 web', 'other-run', ?, ?, 'somebody', 0)", sys.pid(),
        journal.host())
      local function deploy(...)
        return run { "deploy", "web", "--template", template(), "--yes", env = { XDG_STATE_HOME = state }, ... }
      end
      local refused = deploy()
      assert.equal(5, refused.code, refused.err)
      assert.matches("is locked by run other-run of somebody", refused.err, 1, true)
      local broken = deploy "--break-lock"
      assert.equal(0, broken.code, broken.err)
      assert.same({}, book:run "SELECT * FROM locks")
      -- A run that died leaves no lock behind.
      book:run("INSERT INTO locks VALUES ('us-east-1 web', 'dead-run', 999999999, ?, 'x', 0)", journal.host())
      assert.equal(0, deploy().code)
      book:close()
    end)
  end)

  it("is an item of a DynamoDB table between machines, whose lease ends by itself", function()
    in_sandbox(function(run)
      local path = template()
      helpers.file("web.stack.lua", 'return { stack_name = "web", lock_table = "locks" }', path:match("^(.*)/"))
      local function aws(operation, input)
        local result = run { "aws", "dynamodb", operation, "--input", json.encode(input) }
        assert.equal(0, result.code, result.err)
        return result.out ~= "" and json.decode(result.out) or nil
      end
      aws("create-table", { TableName = "locks", BillingMode = "PAY_PER_REQUEST",
        AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
        KeySchema = { { AttributeName = "id", KeyType = "HASH" } } })
      local function hold(expires)
        aws("put-item", { TableName = "locks", Item = { id = { S = "us-east-1 web" }, run = { S = "other-run" },
          host = { S = "ci-7" }, who = { S = "ci" }, at = { N = "1" }, expires = { N = tostring(expires) } } })
      end
      hold(os.time() + 1000000)
      local refused = run { "deploy", "--template", path, "--yes" }
      assert.equal(5, refused.code, refused.err)
      assert.matches("is locked by run other-run of ci on ci-7", refused.err, 1, true)
      hold(1)
      local taken = run { "deploy", "--template", path, "--yes" }
      assert.equal(0, taken.code, taken.err)
      assert.same({}, aws("scan", { TableName = "locks" }).Items)
    end)
  end)
end)

describe("a team's own deploy", function()
  it("has a step before and a check after the shipped one, without touching it", function()
    local folder = helpers.folder()
    require("tap.core.sys").mkdir_p(folder .. "/tap")
    helpers.file("deploy.lua", [[
      local tap = require "tap"
      local deploy = tap.shipped "deploy"
      return tap.workflow {
        name = "deploy", summary = "ours", effects = deploy.effects, params = deploy.params,
        run = function(ctx, p)
          ctx:step("announce", function() ctx.out:note("deploying, hands off") end)
          local value, words = deploy.run(ctx, p)
          ctx:step("smoke test", function() assert(value.status == "CREATE_COMPLETE") end)
          return value, words .. "\nsmoke test passed"
        end,
      }]], folder .. "/tap")
    local result = helpers.tapengine { "deploy", "web", "--sandbox", "--yes", "--template", template(), cwd = folder }
    assert.equal(0, result.code, result.err)
    assert.matches("deploying, hands off.*CREATE_COMPLETE.*smoke test passed", result.out)
    local help = helpers.tapengine { "help", "deploy", cwd = folder }
    assert.matches("deploy: ours.*%-%-if%-busy", help.out)
  end)

  it("is the shipped one, copied out and changed", function()
    local folder = helpers.folder()
    assert.equal(0, helpers.tapengine({ "eject", "verify", cwd = folder }).code)
    local path = folder .. "/tap/verify.lua"
    sys.write_file(path, (sys.read_file(path):gsub("read back what a stack made", "read it back our way")))
    assert.matches("read it back our way", helpers.tapengine({ "help", "verify", cwd = folder }).out, 1, true)
  end)
end)
