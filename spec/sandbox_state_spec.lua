-- State that is kept in a file.

local helpers = require "spec.helpers"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local client = require "tap.client"
local sandbox = require "sandbox"
local state = require "sandbox.state"
local world = require "spec.sandbox_world"

local EPOCH = 1767225600

describe("a sandbox with a state file", function()
  teardown(helpers.clean)

  local function open(path)
    task.clock("virtual", EPOCH)
    local kept = state.open(path, { seed = 5, began = EPOCH })
    return sandbox.start { state = kept }
  end

  local function of(emulator, service)
    return client.new(service, { region = "us-east-1", endpoint_url = emulator.url, max_attempts = 1,
      credentials = { access_key = "test", secret_key = "test" } })
  end

  local function close(emulator)
    emulator:stop()
    task.clock("virtual", os.time())
    task.clock "real"
  end

  it("has again what it had: stacks with their ids and events, items, objects", function()
    local path = helpers.folder() .. "/state"
    local emulator = open(path)
    local cfn = of(emulator, "cloudformation")
    cfn:create_stack { StackName = "demo", TemplateBody = world.template {
      T = { Type = "AWS::DynamoDB::Table", Properties = { TableName = "t", BillingMode = "PAY_PER_REQUEST",
        KeySchema = { { AttributeName = "x", KeyType = "HASH" } },
        AttributeDefinitions = { { AttributeName = "x", AttributeType = "S" } } } } } }
    task.sleep(600)
    of(emulator, "dynamodb"):put_item { TableName = "t", Item = { x = { S = "kept" } } }
    of(emulator, "s3"):create_bucket { Bucket = "kept" }
    of(emulator, "s3"):put_object { Bucket = "kept", Key = "k", Body = "\0\255bytes" }
    local before = cfn:describe_stacks({ StackName = "demo" }).Stacks[1]
    local events = cfn:describe_stack_events({ StackName = "demo" }).StackEvents
    close(emulator)

    emulator = open(path)
    cfn = of(emulator, "cloudformation")
    local after = cfn:describe_stacks({ StackName = "demo" }).Stacks[1]
    assert.same({ before.StackId, before.StackStatus, before.CreationTime },
      { after.StackId, after.StackStatus, after.CreationTime })
    local again = cfn:describe_stack_events({ StackName = "demo" }).StackEvents
    for i, event in ipairs(events) do assert.equal(event.EventId, again[i].EventId) end
    assert.equal("kept", of(emulator, "dynamodb"):scan({ TableName = "t" }).Items[1].x.S)
    assert.equal("\0\255bytes", of(emulator, "s3"):get_object({ Bucket = "kept", Key = "k" }).Body)
    close(emulator)
  end)

  it("has again what went wrong, in the scenarios of then, and goes on in its own", function()
    local path = helpers.folder() .. "/state"
    local function session(scenario, body)
      task.clock("virtual", EPOCH)
      local kept = state.open(path, { seed = 5, began = EPOCH })
      task.clock("virtual", EPOCH)
      local emulator = sandbox.start { state = kept, scenario = scenario }
      local cfn = of(emulator, "cloudformation")
      body(cfn)
      close(emulator)
    end
    local function status(cfn)
      return cfn:describe_stacks({ StackName = "demo" }).Stacks[1].StackStatus
    end
    local function update(cfn, label)
      cfn:update_stack { StackName = "demo", TemplateBody = world.template { T = world.topic { DisplayName = label } } }
      task.sleep(3600)
    end
    session(nil, function(cfn)
      cfn:create_stack { StackName = "demo", TemplateBody = world.template { T = world.topic { DisplayName = "a" } } }
      task.sleep(600)
    end)
    session("update-rollback-stuck", function(cfn)
      update(cfn, "b")
      assert.equal("UPDATE_ROLLBACK_FAILED", status(cfn))
    end)
    session("update-fails", function(cfn) -- its rules have not struck yet
      assert.equal("UPDATE_ROLLBACK_FAILED", status(cfn))
      cfn:continue_update_rollback { StackName = "demo" }
      task.sleep(600)
      update(cfn, "c")
      assert.equal("UPDATE_ROLLBACK_COMPLETE", status(cfn))
    end)
    session(nil, function(cfn)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", status(cfn))
      update(cfn, "d")
    end)
    session(nil, function(cfn) assert.equal("UPDATE_COMPLETE", status(cfn)) end)
  end)

  it("outlives a line that was not finished, and refuses what is no state", function()
    local path = helpers.folder() .. "/state"
    local emulator = open(path)
    of(emulator, "s3"):create_bucket { Bucket = "one" }
    close(emulator)
    sys.write_file(path, sys.read_file(path) .. '{"at": 5, "serv')
    emulator = open(path)
    assert.equal(1, #of(emulator, "s3"):list_buckets({}).Buckets)
    of(emulator, "s3"):create_bucket { Bucket = "two" }
    close(emulator)
    emulator = open(path)
    assert.equal(2, #of(emulator, "s3"):list_buckets({}).Buckets)
    close(emulator)
    for _, text in ipairs { "nonsense", '{"format": "other"}' } do
      local ok, err = pcall(state.open, helpers.file("bad", text), { seed = 1, began = EPOCH })
      assert.is_false(ok)
      assert.truthy(err.message:find("is no state of a sandbox", 1, true))
    end
    local newer = helpers.file("new", '{"format": "tapengine sandbox state", "version": 9}')
    local ok, err = pcall(state.open, newer, { seed = 1, began = EPOCH })
    assert.is_false(ok)
    assert.truthy(err.message:find("is of version 9; this program reads version 1", 1, true))
  end)

  it("is the caller's alone, and of one sandbox at a time", function()
    local path = helpers.folder() .. "/state"
    local emulator = open(path)
    local second = helpers.tapengine { "stacks", "--sandbox-state", path }
    assert.equal(2, second.code)
    assert.matches("another sandbox is at work with it", second.err, 1, true)
    close(emulator)
    assert.equal("-rw-------", proc.run({ "ls", "-l", path }).out:match "^%S+")
  end)

  it("lets commands, one after the other, rehearse an update that gets stuck, and the way out", function()
    local folder = helpers.folder()
    local function run(code, ...)
      local result = helpers.tapengine { cwd = folder, ... }
      assert.equal(code, result.code, result.err)
      return result
    end
    local function file(label)
      return helpers.file("web.json", world.template { T = world.topic { DisplayName = label } }, folder)
    end
    local STATE = { "--sandbox-state", "web.state" }
    run(0, "create", "web", "--template", file "a", table.unpack(STATE))
    local stuck = run(7, "update", "web", "--template", file "b", "--yes", "--sandbox=update-rollback-stuck",
      table.unpack(STATE))
    assert.matches("tapengine recover web --region us-east-1 --sandbox-state web.state", stuck.err, 1, true)
    run(0, "recover", "web", "--plan", "1", "--yes", table.unpack(STATE))
    assert.matches("UPDATE_ROLLBACK_COMPLETE", run(0, "status", "web", table.unpack(STATE)).out, 1, true)
    run(0, "update", "web", "--template", file "c", "--yes", table.unpack(STATE))
  end)

  it("takes a stack from elsewhere, with its ids, to rehearse a change on it", function()
    local source = world.open()
    source:create("web", world.template({ B = { Type = "AWS::S3::Bucket" }, V = { Type = "AWS::EC2::VPC",
      Properties = { CidrBlock = "10.0.0.0/16" } }, T = world.topic { DisplayName = { Ref = "P" } } },
      { Parameters = { P = { Type = "String", Default = "x" } } }),
      { Parameters = { { ParameterKey = "P", ParameterValue = "given" } }, Tags = { { Key = "k", Value =
        "v" } } })
    local function ids(cfn)
      local out = {}
      for _, resource in ipairs(cfn:describe_stack_resources({ StackName = "web" }).StackResources) do
        out[resource.LogicalResourceId] = resource.PhysicalResourceId
      end
      return out
    end
    local wanted, path = ids(source.cfn), helpers.folder() .. "/state"
    local kept = state.open(path, { seed = 9, began = EPOCH })
    local found = require("sandbox.import_stack").into(kept, "web", { region = "us-east-1",
      endpoint_url = source.sandbox.url, credentials = { access_key = "test", secret_key = "test" } })
    kept:close()
    source:close()
    assert.same({ 3, "us-east-1" }, { found.resources, found.region })

    local emulator = open(path)
    local cfn = of(emulator, "cloudformation")
    assert.same(wanted, ids(cfn))
    assert.equal("given", cfn:describe_stacks({ StackName = "web" }).Stacks[1].Parameters[1].ParameterValue)
    cfn:update_stack { StackName = "web", UsePreviousTemplate = true,
      Parameters = { { ParameterKey = "P", ParameterValue = "tonight" } } }
    task.sleep(600)
    assert.equal("UPDATE_COMPLETE", cfn:describe_stacks({ StackName = "web" }).Stacks[1].StackStatus)
    assert.same(wanted, ids(cfn))
    close(emulator)
  end)
end)
