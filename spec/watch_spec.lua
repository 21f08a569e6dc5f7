-- Following, stopping and explaining operations; looking at stacks from outside.
local helpers = require "spec.helpers"
local causes = require "tap.causes"
local json = require "tap.core.json"
local live = require "tap.live"
local task = require "tap.task"

teardown(helpers.clean)

-- Runs body(run, url) against a sandbox that is `times` as fast as real time.
local function in_sandbox(body, times)
  helpers.with_sandbox(times or 100, function(url)
    body(function(...)
      return helpers.tapengine { env = helpers.client_env { AWS_ENDPOINT_URL = url }, ... }
    end, url)
  end)
end

local QUEUE = { Type = "AWS::SQS::Queue" }

local function template(resources, folder)
  return helpers.file("web.json", json.encode { Resources = resources }, folder)
end

local function topic(name)
  return { Type = "AWS::SNS::Topic", Properties = { DisplayName = name } }
end

-- A queue takes half a minute to be made and to be changed: long enough to be caught at work.
local function queue(seconds)
  return { Type = "AWS::SQS::Queue", Properties = { VisibilityTimeout = seconds } }
end

describe("watch", function()
  it("attaches to what is at work, shows it from its beginning, and ends as it ends", function()
    in_sandbox(function(run)
      local path = template { Queue = queue(30) }
      local started = run("create", "web", "--template", path, "--timeout", "300ms")
      assert.equal(8, started.code, started.err)
      assert.matches("CloudFormation goes on with the create of web", started.err, 1, true)
      local busy = run("deploy", "web", "--template", path, "--yes")
      assert.equal(5, busy.code)
      local watched = run("watch", "web")
      assert.equal(0, watched.code, watched.err)
      assert.matches("User Initiated.*CREATE_COMPLETE +AWS::SQS::Queue.*web CREATE_COMPLETE in", watched.out)
      local _, n = watched.out:gsub("User Initiated", "")
      assert.equal(1, n)
    end, 20)
  end)

  it("tells the failure of an operation that is over", function()
    in_sandbox(function(run)
      local path = template { A = { Type = "AWS::SNS::Topic", Properties = { TopicName = "same" } },
        B = { Type = "AWS::SNS::Topic", DependsOn = "A", Properties = { TopicName = "same" } } }
      run("create", "web", "--template", path)
      local told = run("watch", "web", "--template", path)
      assert.equal(6, told.code)
      assert.matches("B  AWS::SNS::Topic  CREATE_FAILED  [^\n]*web.json:%d+", told.err)
      assert.matches("likely: the name belongs to a resource of another stack", told.err, 1, true)
    end)
  end)
end)

describe("an operation at work", function()
  it("can be waited for, or followed instead", function()
    in_sandbox(function(run)
      local path = template { Queue = queue(30) }
      run("create", "web", "--template", path, "--timeout", "300ms")
      local followed = run("deploy", "web", "--template", path, "--if-busy", "attach", "--yes")
      assert.equal(0, followed.code, followed.err)
      assert.matches("CREATE_COMPLETE", followed.out)
      run("delete", "web", "--timeout", "300ms", "--yes")
      local waited = run("deploy", "web", "--template", path, "--if-busy", "wait", "--yes")
      assert.equal(0, waited.code, waited.err)
    end, 20)
  end)

  it("is cancelled when that is what the limit leads to", function()
    in_sandbox(function(run)
      local folder = helpers.folder()
      local path = template({ Queue = queue(30) }, folder)
      assert.equal(0, run("create", "web", "--template", path).code)
      helpers.file("web.stack.lua", [[return { stack_name = "web", on_timeout = "cancel",
        timeouts = { resources = { ["AWS::SQS::Queue"] = "300ms" } } }]], folder)
      template({ Queue = queue(60) }, folder)
      local result = run("update", "--template", path, "--yes")
      assert.equal(6, result.code, result.err)
      assert.matches("Queue (AWS::SQS::Queue) did not end within 300ms: cancel the update", result.err, 1, true)
      assert.matches("UPDATE_ROLLBACK_COMPLETE", result.out, 1, true)
    end, 20)
  end)

  it("is an update to be cancelled by `cancel`, and nothing else", function()
    in_sandbox(function(run)
      local folder = helpers.folder()
      local path = template({ Queue = queue(30) }, folder)
      assert.equal(0, run("create", "web", "--template", path).code)
      assert.equal(4, run("cancel", "web", "--yes").code)
      template({ Queue = queue(60) }, folder)
      assert.equal(8, run("update", "web", "--template", path, "--yes", "--timeout", "300ms").code)
      local result = run("cancel", "web", "--yes")
      assert.equal(0, result.code, result.err)
      assert.matches("web UPDATE_ROLLBACK_COMPLETE in", result.out, 1, true)
    end, 20)
  end)

  it("shows the events of nested stacks, indented, each once", function()
    in_sandbox(function(run, url)
      local child = json.encode { Resources = { Inner = topic "x" } }
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      helpers.tapengine { env = env, "aws", "s3", "create-bucket", "--bucket", "templates" }
      helpers.tapengine { env = env, "aws", "s3", "put-object", "--bucket", "templates", "--key", "child.json",
        "--body", "@" .. helpers.file("child.json", child) }
      local path = template { Child = { Type = "AWS::CloudFormation::Stack", Properties = {
        TemplateURL = "https://templates.s3.us-east-1.amazonaws.com/child.json" } }, Queue = QUEUE }
      local result = run("create", "web", "--template", path, "--output", "jsonl")
      assert.equal(0, result.code, result.out)
      local seen, inner = {}, 0
      for _, line in ipairs(helpers.json_lines(result.out)) do
        if line.type == "event" then
          assert.is_nil(seen[line.event_id])
          seen[line.event_id] = true
          if line.logical_id == "Inner" then
            inner = inner + 1
            assert.equal(1, line.depth)
          end
        end
      end
      assert.equal(3, inner)
    end)
  end)
end)

describe("diff, drift, stacks and cat", function()
  it("look at a stack and change nothing", function()
    in_sandbox(function(run, url)
      local folder = helpers.folder()
      local path = template({ Topic = topic "a", Queue = QUEUE }, folder)
      assert.equal(0, run("create", "web", "--template", path, "--tags", "Team=blue").code)
      assert.equal(0, run("diff", "web", "--template", path, "--tags", "Team=blue").code)
      local changed = template { Topic = topic "b" }
      local diff = run("diff", "web", "--template", changed, "--tags", "Team=blue", "--output", "json")
      assert.equal(20, diff.code, diff.err)
      local found = json.decode(diff.out)
      assert.equal("/Resources/Queue", found.template[1].path)
      assert.same({ path = "/Resources/Topic/Properties/DisplayName", before = "a", after = "b" }, found.template[2])
      assert.same({ "Remove", "Modify" }, { found.changes[2].action, found.changes[1].action })

      assert.equal(0, run("drift", "web").code)
      local sns = helpers.tapengine { env = helpers.client_env { AWS_ENDPOINT_URL = url }, "aws", "sns",
        "list-topics", "--query", "Topics[0].TopicArn" }
      run("aws", "sns", "set-topic-attributes", "--topic-arn", json.decode(sns.out), "--attribute-name",
        "DisplayName", "--attribute-value", "changed")
      local drifted = run("drift", "web")
      assert.equal(20, drifted.code, drifted.err)
      assert.matches("Topic  AWS::SNS::Topic  MODIFIED\n  NOT_EQUAL /DisplayName: a -> changed", drifted.out, 1, true)

      assert.matches("web  CREATE_COMPLETE", run("stacks").out, 1, true)
      assert.same({ Team = "blue" }, json.decode(run("cat", "web", "--what", "tags").out))
      assert.matches("AWS::SNS::Topic", run("cat", "web").out, 1, true)
    end)
  end)
end)

describe("the causes of failures", function()
  it("are known for what people meet most, with the missing permission or name in the words", function()
    assert.is_true(causes.count() >= 40)
    for reason, cause in pairs {
      ["User: arn:aws:iam::1:user/x is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::b"] =
        "the permission s3:CreateBucket on arn:aws:s3:::b is missing",
      ["The bucket you tried to delete is not empty (Service: S3)"] =
        "the bucket holds objects (or old versions, or uploads in parts)",
      ["Properties validation failed for resource X with message:\n#: extraneous key [Foo] is not permitted"] =
        "the type has no property Foo",
      ["web-logs already exists in stack arn:aws:cloudformation:us-east-1:1:stack/Other/9"] =
        "the name belongs to a resource of another stack (arn:aws:cloudformation:us-east-1:1:stack/Other/9)",
    } do
      assert.equal(cause, causes.of({ reason = reason }).cause)
    end
    assert.is_nil(causes.of { reason = "???" })
  end)
end)

describe("the live view", function()
  local function event(id, status)
    return { StackId = "arn", LogicalResourceId = id, PhysicalResourceId = id, ResourceType = "AWS::X::Y",
      ResourceStatus = status }
  end

  it("has a line for each resource at work and a bar, cut to the terminal's width", function()
    local before = task.clock "virtual"
    local written = {}
    local view = live.new { total = 4, verb = "create", usual = function() return 90 end,
      write = function(text) written[#written + 1] = text end }
    for _, id in ipairs { "A", "B" } do view:event(event(id, "CREATE_IN_PROGRESS")) end
    task.sleep(30)
    view:event(event("A", "CREATE_COMPLETE"))
    local lines = view:lines(200, 24)
    task.clock(before)
    assert.equal("  CREATE_IN_PROGRESS  AWS::X::Y  B  30s (usually 1m30s)", lines[1])
    assert.equal("[######------------------] 1 of 4 done, 1 at work, 0 failed  30s, about 1m00s more", lines[2])
    for _, line in ipairs(view:lines(40, 24)) do assert.is_true(#line < 40) end
    view:draw()
    view:clear()
    assert.equal("\27[2A\27[J", written[2])
  end)
end)
