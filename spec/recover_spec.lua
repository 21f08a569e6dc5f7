-- The ways out of every status, as somebody at 3 a.m. goes them. Every test runs the program against a sandbox server
-- with a scenario.
local base64 = require("tap.core.crypto").base64
local decisions = require "tap.decisions"
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local sys = require "tap.core.sys"

teardown(helpers.clean)

-- Runs body(run, aws): run { words } is the program; aws(service, operation, input) a call that must succeed.
local function in_sandbox(scenario, body, times)
  helpers.with_sandbox(times or 200, function(url)
    local function run(words)
      local env = helpers.client_env { AWS_ENDPOINT_URL = url }
      for name, value in pairs(words.env or {}) do env[name] = value end
      words.env = env
      return helpers.tapengine(words)
    end
    body(run, function(service, operation, input)
      local result = run { "aws", service, operation, "--input", json.encode(input) }
      assert.equal(0, result.code, result.err)
    end)
  end, { scenario = scenario and helpers.file("scenario.lua", scenario) })
end

local function template(resources)
  return helpers.file("web.json", json.encode { Resources = resources })
end

local function topic(label) return { Type = "AWS::SNS::Topic", Properties = { DisplayName = label } } end
local function queue(seconds) return { Type = "AWS::SQS::Queue", Properties = { VisibilityTimeout = seconds } } end

--- The diagnosis: the status, and the ways' names with the recommended one.
local function diagnose(run, name)
  local result = run { "recover", name or "web", "--dry-run", "--output", "json" }
  local found = json.decode(result.out)
  local recommended
  for _, way in ipairs(found.ways) do
    if way.recommended then recommended = way.name end
  end
  return found.status, recommended, result.code, found
end

local function status_of(run, name)
  local result = run { "status", name or "web", "--output", "json" }
  return result.code == 0 and json.decode(result.out).status or "gone"
end

describe("the decision table", function()
  it("has every status of the service, and ways that are there", function()
    local shape = require("tap.core.model").load("cloudformation"):shape "StackStatus"
    local books = require("tap.runbook").all()
    local n = 0
    for _, name in ipairs(shape.enum) do
      assert.is_not_nil(decisions[name], name)
      n = n + 1
      for _, way in ipairs(decisions[name].ways or {}) do assert.is_not_nil(books[way], name .. ": " .. way) end
      if decisions[name].ways then assert.is_not_nil(decisions[name].why, name) end
    end
    assert.equal(23, n)
  end)
end)

describe("recover", function()
  local STUCK = [[return { teaches = "t", seed = 3, resources = {
    { resource = "Queue", on = "update", fail = "The service refused the change." },
    { resource = "Topic", on = "rollback", fail = "The topic refused its old name.", times = %d } } }]]

  -- The topic is changed, the queue then fails, and the topic does not go back.
  local function make_stuck(run)
    local function of(label, seconds)
      local resources = { Topic = topic(label), Queue = queue(seconds) }
      resources.Queue.DependsOn = "Topic"
      return template(resources)
    end
    assert.equal(0, run({ "create", "web", "--template", of("a", 30) }).code)
    local failed = run { "update", "web", "--template", of("b", 60), "--yes" }
    assert.equal(7, failed.code, failed.err)
    assert.matches("recover", failed.err, 1, true)
  end

  it("continues a rollback whose cause is mended", function()
    in_sandbox(STUCK:format(1), function(run)
      make_stuck(run)
      local status, way, code = diagnose(run)
      assert.same({ "UPDATE_ROLLBACK_FAILED", "continue-rollback", 20 }, { status, way, code })
      local result = run { "recover", "web", "--plan", "1", "--yes" }
      assert.equal(0, result.code, result.err)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", status_of(run))
    end)
  end)

  it("finds the smallest list to skip, and shows what differs afterwards", function()
    in_sandbox(STUCK:format(9), function(run)
      make_stuck(run)
      local shown = run { "recover", "web", "--dry-run" }
      assert.matches("skipping the smallest list: Topic\n", shown.out, 1, true)
      assert.matches("destroys: ", shown.out, 1, true)
      assert.equal(4, run({ "recover", "web" }).code) -- nobody is there to choose
      local again = run { "recover", "web", "--plan", "1", "--yes" }
      assert.equal(7, again.code) -- it fails once more, for the same reason
      local result = run { "recover", "web", "--plan", "2", "--yes" }
      assert.equal(0, result.code, result.err)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", status_of(run))
      assert.matches("/DisplayName: the template says a, it is b", result.out, 1, true)
    end)
  end)

  it("names a nested stack's resource by its form", function()
    in_sandbox([[return { teaches = "t", seed = 3, resources = {
      { resource = "Inner", on = "update", fail = "refused" },
      { resource = "Inner", on = "rollback", fail = "no", times = 9 } } }]],
      function(run, aws)
        local function child(label)
          return json.encode { Resources = { Inner = topic(label) } }
        end
        aws("s3", "create-bucket", { Bucket = "templates" })
        for _, label in ipairs { "a", "b" } do
          aws("s3", "put-object", { Bucket = "templates", Key = label .. ".json", Body = base64(child(label)) })
        end
        local function root(label, seconds)
          local resources = { Child = { Type = "AWS::CloudFormation::Stack", Properties = {
            TemplateURL = ("https://templates.s3.us-east-1.amazonaws.com/%s.json"):format(label) } },
            Queue = queue(seconds) }
          resources.Queue.DependsOn = "Child"
          return template(resources)
        end
        assert.equal(0, run({ "create", "web", "--template", root("a", 30) }).code)
        assert.equal(7, run({ "update", "web", "--template", root("b", 60), "--yes" }).code)
        local shown = run { "recover", "web", "--dry-run" }
        assert.matches("skipping the smallest list: web%-Child%-%w+%.Inner", shown.out)
        local result = run { "recover", "web", "--plan", "2", "--yes" }
        assert.equal(0, result.code, result.err)
        assert.equal("UPDATE_ROLLBACK_COMPLETE", status_of(run))
      end)
  end)

  it("empties a full bucket, after asking, and deletes again; keeps the evidence", function()
    in_sandbox(nil, function(run, aws)
      local path = template { Bucket = { Type = "AWS::S3::Bucket", Properties = { BucketName = "full-one",
        VersioningConfiguration = { Status = "Enabled" } } } }
      assert.equal(0, run({ "create", "web", "--template", path }).code)
      for _, body in ipairs { "one", "two" } do
        aws("s3", "put-object", { Bucket = "full-one", Key = "x", Body = base64(body) })
      end
      assert.equal(7, run({ "delete", "web", "--yes" }).code)
      local status, way = diagnose(run)
      assert.same({ "DELETE_FAILED", "retry-delete" }, { status, way })
      local state = helpers.folder()
      local result = run { "recover", "web", "--plan", "1", "--yes", env = { XDG_STATE_HOME = state } }
      assert.equal(0, result.code, result.err)
      assert.matches("2 objects deleted", result.out, 1, true)
      assert.equal("gone", status_of(run))
      local archive = result.out:match("evidence: (%S+)")
      assert.matches("%.tar%.gz$", archive)
      local listed = require("tap.core.proc").run { "tar", "-tzf", archive }
      assert.matches("events.jsonl", listed.out, 1, true)
    end)
  end)

  it("leaves behind what cannot be deleted, or forces it, and lists it with commands", function()
    for plan, name in ipairs { false, "retain-resources", "force-delete" } do
      if name then
        in_sandbox([[return { teaches = "t", seed = 4, resources = {
          { resource = "Topic", on = "delete", fail = "It is in use.", times = 9 } } }]], function(run)
          local path = template { Topic = topic "a", Queue = queue(30) }
          assert.equal(0, run({ "create", "web", "--template", path }).code)
          assert.equal(7, run({ "delete", "web", "--yes" }).code)
          local result = run { "recover", "web", "--plan", tostring(plan), "--yes" }
          assert.equal(0, result.code, result.err)
          assert.matches("Topic  AWS::SNS::Topic", result.out, 1, true)
          assert.matches("delete-resource --type-name AWS::SNS::Topic --identifier arn:aws:sns", result.out, 1, true)
          assert.equal("gone", status_of(run))
        end)
      end
    end
  end)

  it("deletes what was never created well, and creates it again, respecting protection", function()
    in_sandbox([[return { teaches = "t", seed = 5, resources = {
      { resource = "Queue", on = "create", fail = "No.", times = 1 } } }]], function(run, aws)
      local path = template { Queue = queue(30) }
      assert.equal(6, run({ "create", "web", "--template", path }).code)
      local status, way = diagnose(run)
      assert.same({ "ROLLBACK_COMPLETE", "delete-stack" }, { status, way })
      aws("cloudformation", "update-termination-protection", { StackName = "web", EnableTerminationProtection = true })
      assert.matches("not now: termination protection is on", run({ "recover", "web", "--dry-run" }).out, 1, true)
      assert.equal(4, run({ "recover", "web", "--plan", "1", "--yes" }).code)
      aws("cloudformation", "update-termination-protection", { StackName = "web", EnableTerminationProtection = false })
      local result = run { "recover", "web", "--plan", "1", "--yes", "--template", path }
      assert.equal(0, result.code, result.err)
      assert.matches("deleted and created again", result.out, 1, true)
      assert.equal("CREATE_COMPLETE", status_of(run))
    end)
  end)

  it("rolls back, or tries again, where rollback was off", function()
    for plan, expected in pairs { [1] = "UPDATE_ROLLBACK_COMPLETE", [3] = "UPDATE_COMPLETE" } do
      in_sandbox([[return { teaches = "t", seed = 6, resources = {
        { resource = "Queue", on = "update", fail = "No.", times = 1 } } }]], function(run)
        assert.equal(0, run({ "create", "web", "--template", template { Queue = queue(30) } }).code)
        local changed = template { Queue = queue(60) }
        assert.equal(7, run({ "update", "web", "--template", changed, "--yes", "--on-failure", "DO_NOTHING" }).code)
        local status, way = diagnose(run)
        assert.same({ "UPDATE_FAILED", "roll-back" }, { status, way })
        local result = run { "recover", "web", "--plan", tostring(plan), "--yes", "--template", changed }
        assert.equal(0, result.code, result.err)
        assert.equal(expected, status_of(run))
      end)
    end
  end)

  it("clears a shell that only holds change sets", function()
    in_sandbox(nil, function(run)
      assert.equal(0, run({ "deploy", "web", "--template", template { Queue = queue(30) }, "--no-execute" }).code)
      local status, way = diagnose(run)
      assert.same({ "REVIEW_IN_PROGRESS", "delete-shell" }, { status, way })
      assert.equal(0, run({ "recover", "web", "--plan", "1", "--yes" }).code)
      assert.equal("gone", status_of(run))
    end)
  end)

  it("waits for what is at work, or cancels an update, and says what it waits for", function()
    in_sandbox(nil, function(run)
      assert.equal(0, run({ "create", "web", "--template", template { Queue = queue(30) } }).code)
      local changed = template { Queue = queue(60) }
      assert.equal(8, run({ "update", "web", "--template", changed, "--yes", "--timeout", "100ms" }).code)
      local shown = run { "recover", "web", "--dry-run" }
      assert.matches("wait: follow the operation to its end", shown.out, 1, true)
      local result = run { "recover", "web", "--plan", "2", "--yes" }
      assert.equal(0, result.code, result.err)
      assert.equal("UPDATE_ROLLBACK_COMPLETE", status_of(run))
      assert.equal(0, run({ "recover", "web" }).code)
      assert.matches("nothing has to be done", run({ "recover", "web" }).out, 1, true)
    end, 20)
  end)
end)

describe("evidence", function()
  it("is one archive for its owner, without secrets", function()
    in_sandbox(nil, function(run)
      assert.equal(0, run({ "create", "web", "--template", template { Queue = queue(30) } }).code)
      local state = helpers.folder()
      local result = run { "evidence", "web", env = { XDG_STATE_HOME = state } }
      assert.equal(0, result.code, result.err)
      local path = result.out:match("%S+")
      assert.is_true(sys.exists(path))
      assert.equal("600\n", require("tap.core.proc").run({ "stat", "-c", "%a", path }).out)
    end)
  end)
end)

describe("rollback --to", function()
  it("deploys what was deployed before, with its parameters, and nothing that the journal does not have", function()
    in_sandbox(nil, function(run)
      local state = { XDG_STATE_HOME = helpers.folder() }
      for _, seconds in ipairs { 30, 60 } do
        assert.equal(0, run({ "deploy", "web", "--template", template { Queue = queue(seconds) }, "--yes", env = state,
          "--tags", "Round=" .. seconds }).code)
      end
      assert.equal(20, run({ "rollback", "web", "--to", "1", "--dry-run", env = state }).code)
      local result = run { "rollback", "web", "--to", "1", "--yes", env = state }
      assert.equal(0, result.code, result.err)
      assert.matches("VisibilityTimeout: 60 -> 30", result.out, 1, true)
      assert.matches('"Round": "30"', run({ "cat", "web", "--what", "tags" }).out, 1, true)
      local missing = run { "rollback", "web", "--to", "9", "--yes", env = state }
      assert.equal(1, missing.code)
      assert.matches("the journal has no version 9 of web, it has 3, 2, 1", missing.err, 1, true)
    end)
  end)
end)

describe("drift of a healthy stack", function()
  -- A stack with a queue that somebody changed, and one that somebody deleted.
  local function drifted(body)
    in_sandbox('return { teaches = "Hands.", drifts = { { resource = "A", set = { VisibilityTimeout = 60 } }, '
      .. '{ resource = "B", delete = true } } }', function(run)
      local path = template { A = queue(30), B = queue(30) }
      assert.equal(0, run({ "create", "web", "--template", path, "--no-verify" }).code)
      body(run, path)
    end)
  end

  it("is what `drift` shows, with the way to what can be done", function()
    drifted(function(run)
      local result = run { "drift", "web" }
      assert.equal(20, result.code)
      assert.matches("tapengine recover web --drift", result.out, 1, true)
    end)
  end)

  it("has a way back to the template, shown before it is gone", function()
    drifted(function(run)
      local dry = run { "recover", "web", "--drift", "--dry-run" }
      assert.equal(20, dry.code, dry.err)
      assert.matches("/VisibilityTimeout: the template says 30, it is 60", dry.out, 1, true)
      assert.matches("1. revert-drift", dry.out, 1, true)
      local result = run { "recover", "web", "--drift", "--plan", "1", "--yes" }
      assert.equal(0, result.code, result.err .. result.out)
      assert.matches("updates the queue in place: VisibilityTimeout (drifted)", result.out, 1, true)
      assert.matches("VisibilityTimeout: 60 -> 30", result.out, 1, true)
      assert.matches("creates the queue again: it was deleted by hand", result.out, 1, true)
      assert.equal("UPDATE_COMPLETE", status_of(run))
    end)
  end)

  it("can be kept: the values for the template are told with their places", function()
    drifted(function(run, path)
      local result = run { "recover", "web", "--drift", "--plan", "2", "--yes", "--template", path }
      assert.equal(0, result.code, result.err)
      assert.matches(path .. ":1:", result.out, 1, true)
      assert.matches("/Resources/A/Properties/VisibilityTimeout: 60", result.out, 1, true)
      assert.matches("/Resources/B: was deleted; take it out of the template", result.out, 1, true)
    end)
  end)

  it("can be known, with a note in the stack file, until it changes again", function()
    drifted(function(run, path)
      local printed = run { "recover", "web", "--drift", "--plan", "3", "--yes", "--template", path }
      assert.equal(0, printed.code, printed.err)
      local lines = printed.out:match "ignore_drift = (%b{})"
      assert.matches('["A/VisibilityTimeout"] = { actual = "60", note = "why, and until when" }', lines, 1, true)
      local file = path:gsub("%.json$", ".stack.lua")
      sys.write_file(file, ("return { ignore_drift = %s, gates = { ['no-drift'] = true } }"):format(lines))
      local known = run { "drift", "web", "--template", path }
      assert.equal(0, known.code, known.err)
      assert.matches("known: B is DELETED: why, and until when", known.out, 1, true)
      local changed = template { A = queue(40), B = queue(30) }
      sys.write_file(path, sys.read_file(changed))
      local allowed = run { "deploy", "web", "--template", path, "--yes", "--dry-run" }
      assert.equal(20, allowed.code, allowed.err)
      sys.write_file(file, sys.read_file(file):gsub('"60"', '"61"'))
      local again = run { "drift", "web", "--template", path }
      assert.equal(20, again.code)
      assert.matches("VisibilityTimeout: 30 -> 60", again.out, 1, true)
      assert.equal(4, run({ "deploy", "web", "--template", path, "--yes" }).code)
      sys.write_file(file, "return { ignore_drift = { A = 5 } }")
      assert.matches("'ignore_drift' is of the form", run({ "drift", "web", "--template", path }).err, 1, true)
    end)
  end)

  it("is not looked for unless it is asked for", function()
    drifted(function(run)
      local result = run { "recover", "web" }
      assert.equal(0, result.code, result.err)
      assert.matches("nothing has to be done", result.out, 1, true)
    end)
  end)

  it("goes with a deployment that says so", function()
    drifted(function(run, path)
      local same = run { "deploy", "web", "--template", path, "--yes", "--no-verify" }
      assert.matches("no changes", same.out, 1, true)
      local result = run { "deploy", "web", "--template", path, "--revert-drift", "--yes", "--no-verify" }
      assert.equal(0, result.code, result.err)
      assert.matches("VisibilityTimeout: 60 -> 30", result.out, 1, true)
    end)
  end)
end)
