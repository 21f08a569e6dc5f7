--- The workflows that spec/torture.lua disturbs: the state in which each begins (prepare), its command, and the state
-- in which it ends when nothing disturbs it (check). Creation, deletion, deployments that go well, badly and back, and
-- every runbook of recovery.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local sys = require "tap.core.sys"

local STACK = "tortured"

-- A table that a new name replaces, a topic that changes in place, a queue behind them.
local function small(table_name, label, seconds)
  return json.encode { Resources = {
    Table = { Type = "AWS::DynamoDB::Table", Properties = { TableName = table_name, BillingMode = "PAY_PER_REQUEST",
      AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
      KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } },
    Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = label } },
    Queue = { Type = "AWS::SQS::Queue", DependsOn = "Topic", Properties = { VisibilityTimeout = seconds } } } }
end

local function scenario(rules)
  return ("return { teaches = 't', seed = 3, %s }"):format(rules)
end

-- One rule per line of trouble: what fails, when, how often.
local function failing(...)
  local rules = {}
  for index, rule in ipairs { ... } do
    rules[index] = ("{ resource = '%s', on = '%s', fail = 'refused', times = %d }"):format(table.unpack(rule))
  end
  return scenario(("resources = { %s }"):format(table.concat(rules, ", ")))
end

---@param world { region: string, scratch: string, command: fun(words: string[], url: string): integer,
---  expect: fun(condition: boolean, message: string, ...) }
---@return { name: string, words: string[], prepare: fun(emulator: table), check: fun(emulator: table),
---  scenario: string?, code: integer? }[]
return function(world)
  local expect = world.expect

  local function file(name, text)
    local path = world.scratch .. "/" .. name
    sys.write_file(path, text)
    return path
  end

  local function run(emulator, words, code)
    local ended = world.command(words, emulator.url)
    expect(ended == (code or 0), "to prepare: %s exits with %d", table.concat(words, " "), ended)
  end

  local function stacks_of(emulator)
    local live = {}
    for _, stack in pairs(emulator.store:region(world.region).stack_names) do live[#live + 1] = stack end
    return live
  end

  local function things(emulator, type_name)
    local names = {}
    local home = emulator.store:region(world.region):home(type_name == "AWS::S3::Bucket") -- buckets are global
    for name in pairs(home.things[type_name] or {}) do names[#names + 1] = name end
    table.sort(names)
    return names
  end

  -- A check: the one stack is in that status, and these tables are there.
  local function ends_in(status, ...)
    local tables = { ... }
    return function(emulator)
      local live = stacks_of(emulator)
      expect(#live == 1, "%d stacks exist", #live)
      expect(live[1].status == status, "the stack is in %s", live[1].status)
      local found = table.concat(things(emulator, "AWS::DynamoDB::Table"), " ")
      expect(#tables == 0 or found == table.concat(tables, " "), "the tables are: %s", found)
    end
  end

  local function is_gone(emulator)
    expect(#stacks_of(emulator) == 0, "the stack is still there")
  end

  -- A check: no stack, and so many topics that nobody deleted.
  local function leaves_topics(n)
    return function(emulator)
      is_gone(emulator)
      local topics = things(emulator, "AWS::SNS::Topic")
      expect(#topics == n, "%d topics are there", #topics)
      expect(#things(emulator, "AWS::SQS::Queue") == 0, "the queue is there")
    end
  end

  local TEMPLATE = "templates/TapStack.json"
  local OLD, NEW = file("old.json", small("old", "a", 30)), file("new.json", small("new", "b", 60))
  local IN_PLACE = file("in-place.json", small("old", "b", 60))
  local CREATE = { "create", "--stack-name", STACK, "--template", TEMPLATE }
  local CREATE_OLD = { "create", "--stack-name", STACK, "--template", OLD }
  local UPDATE = { "update", STACK, "--template", NEW, "--yes", "--accept", "data-loss" }
  local DELETE = { "delete", "--stack-name", STACK, "--yes" }

  local function recover(plan, ...)
    return { "recover", STACK, "--plan", tostring(plan), "--yes", ... }
  end

  local function nothing() end
  local function make_old(emulator) run(emulator, CREATE_OLD) end

  -- prepare: the old stack, then words that end with a code.
  local function old_then(words, code)
    return function(emulator)
      make_old(emulator)
      run(emulator, words, code)
    end
  end

  local function with(words, ...)
    local all = table.move(words, 1, #words, 1, {})
    return table.move({ ... }, 1, select("#", ...), #all + 1, all)
  end

  local KEEP_FAILED = { "update", STACK, "--template", IN_PLACE, "--yes", "--on-failure", "DO_NOTHING" }

  -- A bucket with an object in it.
  local BUCKET = file("bucket.json", json.encode { Resources = {
    Bucket = { Type = "AWS::S3::Bucket", Properties = { BucketName = "full-one" } } } })
  local function full_bucket(emulator)
    run(emulator, { "create", "--stack-name", STACK, "--template", BUCKET })
    run(emulator, { "aws", "s3", "put-object", "--input", '{"Bucket":"full-one","Key":"x","Body":"eA=="}' })
    run(emulator, DELETE, 7)
  end

  -- A bucket that was there before its stack.
  local NAMED_BUCKET = file("named.json", json.encode { Resources = {
    Bucket = { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain", Properties = { BucketName = "there" } } } })
  local function owns_bucket(emulator)
    ends_in "IMPORT_COMPLETE"(emulator)
    expect(table.concat(things(emulator, "AWS::S3::Bucket")) == "there", "the bucket was made again")
  end

  -- A stack in a stack.
  local PARENT = file("parent.json", json.encode { Resources = { Child = { Type = "AWS::CloudFormation::Stack",
    Properties = { TemplateURL = "https://templates.s3.us-east-1.amazonaws.com/child.json" } } } })
  local function upload_child(emulator)
    run(emulator, { "aws", "s3", "create-bucket", "--bucket", "templates" })
    run(emulator, { "aws", "s3", "put-object", "--input", json.encode { Bucket = "templates", Key = "child.json",
      Body = crypto.base64(sys.read_file(OLD)) } })
  end
  local function has_child(emulator)
    local live = stacks_of(emulator)
    expect(#live == 2, "%d stacks exist", #live)
    for _, stack in ipairs(live) do
      expect(stack.status == "CREATE_COMPLETE", "%s is in %s", stack.name, stack.status)
    end
    expect(table.concat(things(emulator, "AWS::DynamoDB::Table"), " ") == "old", "the table is not there once")
  end

  -- A stack whose verification fails when it is updated, and that then goes back.
  local BACK = file("back.json", small("old", "b", 60))
  local BACK_FILE = file("back.stack.lua", ('return { stack_name = "%s", on_verify_failure = "rollback", '
    .. 'verify = { outputs = { required = { "Missing" } } } }'):format(STACK))
  local function topic_label(label)
    return function(emulator)
      ends_in("UPDATE_COMPLETE", "old")(emulator)
      local _, topic = next(emulator.store:region(world.region).things["AWS::SNS::Topic"])
      expect(topic.properties.DisplayName == label, "the topic is called %s", topic.properties.DisplayName)
    end
  end

  local workflows = {
    { name = "create", words = CREATE, prepare = nothing, check = ends_in "CREATE_COMPLETE" },
    { name = "delete", words = DELETE, prepare = function(emulator) run(emulator, CREATE) end, check = is_gone },
    { name = "deploy", words = { "deploy", STACK, "--template", OLD, "--yes" }, prepare = nothing,
      check = ends_in("CREATE_COMPLETE", "old") },
    { name = "update with replacement", words = UPDATE, prepare = make_old, check = ends_in("UPDATE_COMPLETE", "new") },
    { name = "failing update", words = UPDATE, prepare = make_old, scenario = failing { "Queue", "update", 99 },
      code = 6, check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },
    { name = "replace failed", words = { "deploy", STACK, "--template", OLD, "--yes", "--replace-failed" },
      scenario = failing { "Queue", "create", 1 }, prepare = function(emulator) run(emulator, CREATE_OLD, 6) end,
      check = ends_in("CREATE_COMPLETE", "old") },
    { name = "execute", words = { "execute", "later", "--stack-name", STACK, "--yes" }, prepare = function(emulator)
        make_old(emulator)
        run(emulator, { "aws", "cloudformation", "create-change-set", "--input", json.encode { StackName = STACK,
          ChangeSetName = "later", TemplateBody = sys.read_file(NEW) } })
      end, check = ends_in("UPDATE_COMPLETE", "new") },
    { name = "import", words = { "import", STACK, "--template", NAMED_BUCKET, "--yes" }, check = owns_bucket,
      prepare = function(emulator) run(emulator, { "aws", "s3", "create-bucket", "--bucket", "there" }) end },
    { name = "express", words = with(UPDATE, "--express"), prepare = make_old,
      check = ends_in("UPDATE_COMPLETE", "new") },
    { name = "nested", words = { "deploy", STACK, "--template", PARENT, "--yes" }, check = has_child,
      prepare = upload_child },
    { name = "unverified", words = { "deploy", "--template", BACK, "--stack-file", BACK_FILE, "--yes" }, code = 9,
      prepare = make_old, check = topic_label "a" },
    { name = "cancel", words = { "cancel", STACK, "--yes" },
      scenario = scenario "resources = { { resource = 'Queue', on = 'update', slow = 5000 } }",
      prepare = old_then(with(UPDATE, "--timeout", "60s"), 8), check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },

    { name = "continue-rollback", words = recover(1), prepare = old_then(UPDATE, 7),
      scenario = failing({ "Queue", "update", 99 }, { "Topic", "rollback", 1 }),
      check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },
    { name = "skip-resources", words = recover(2), prepare = old_then(UPDATE, 7),
      scenario = failing({ "Queue", "update", 99 }, { "Topic", "rollback", 99 }),
      check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },
    { name = "roll-back", words = recover(1), prepare = old_then(KEEP_FAILED, 7),
      scenario = failing { "Queue", "update", 1 }, check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },
    { name = "redeploy-version", words = recover(2), prepare = old_then(KEEP_FAILED, 7),
      scenario = failing { "Queue", "update", 1 }, check = ends_in("UPDATE_COMPLETE", "old") },
    { name = "retry-update", words = recover(3, "--template", IN_PLACE), prepare = old_then(KEEP_FAILED, 7),
      scenario = failing { "Queue", "update", 1 }, check = ends_in("UPDATE_COMPLETE", "old") },
    { name = "retry-delete", words = recover(1), prepare = full_bucket, check = is_gone },
    { name = "retain-resources", words = recover(2), prepare = old_then(DELETE, 7),
      scenario = failing { "Topic", "delete", 99 }, check = leaves_topics(1) },
    { name = "force-delete", words = recover(3), prepare = old_then(DELETE, 7),
      scenario = failing { "Topic", "delete", 99 }, check = leaves_topics(1) },
    { name = "delete-stack", words = recover(1, "--template", OLD), scenario = failing { "Queue", "create", 1 },
      prepare = function(emulator) run(emulator, CREATE_OLD, 6) end, check = ends_in("CREATE_COMPLETE", "old") },
    { name = "delete-shell", words = recover(1), check = is_gone, prepare = function(emulator)
        run(emulator, { "deploy", STACK, "--template", OLD, "--no-execute" })
      end },
    { name = "cancel-update", words = recover(2), prepare = old_then(with(UPDATE, "--timeout", "60s"), 8),
      scenario = scenario "resources = { { resource = 'Queue', on = 'update', slow = 5000 } }",
      check = ends_in("UPDATE_ROLLBACK_COMPLETE", "old") },
    { name = "wait", words = recover(1), prepare = old_then(with(UPDATE, "--timeout", "60s"), 8),
      scenario = scenario "resources = { { resource = 'Queue', on = 'update', slow = 10 } }",
      check = ends_in("UPDATE_COMPLETE", "new") },
    { name = "revert-drift", words = recover(1, "--drift"), prepare = make_old,
      scenario = scenario "drifts = { { resource = 'Queue', set = { VisibilityTimeout = 99 } } }",
      check = ends_in("UPDATE_COMPLETE", "old") },
  }
  for index, workflow in ipairs(workflows) do
    workflow.scenario = workflow.scenario and file(("scenario%d.lua"):format(index), workflow.scenario)
  end
  return workflows
end
