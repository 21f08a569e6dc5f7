-- Every one of the 23 stack statuses, brought about in the sandbox: `recover` names it, recommends the way of the
-- decision table, and following the recommendations ends in a healthy stack, or in none.

local decisions = require "tap.decisions"
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local models = require "tap.core.model"
local rehearsal = require "tap.rehearsal"
local task = require "tap.task"

local HEALTHY = { CREATE_COMPLETE = true, UPDATE_COMPLETE = true, UPDATE_ROLLBACK_COMPLETE = true,
  IMPORT_COMPLETE = true, IMPORT_ROLLBACK_COMPLETE = true, DELETE_COMPLETE = true }
local MOST_WAYS = 3 -- recommendations that are followed, one after the other

-- A table that a new name replaces, and a queue behind it.
local function template(name, seconds)
  return json.encode { Resources = {
    Table = { Type = "AWS::DynamoDB::Table", Properties = { TableName = name, BillingMode = "PAY_PER_REQUEST",
      AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
      KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } },
    Queue = { Type = "AWS::SQS::Queue", DependsOn = "Table", Properties = { VisibilityTimeout = seconds } } } }
end

local IMPORTED = json.encode { Resources = { Bucket = { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain",
  Properties = { BucketName = "there" } } } }

local function create(cfn, more)
  local input = { StackName = "web", TemplateBody = template("old", 30) }
  for name, value in pairs(more or {}) do input[name] = value end
  cfn:create_stack(input)
end

local function update(cfn, more)
  create(cfn)
  task.sleep(600)
  local input = { StackName = "web", TemplateBody = template("new", 60) }
  for name, value in pairs(more or {}) do input[name] = value end
  cfn:update_stack(input)
end

local function delete(cfn)
  create(cfn)
  task.sleep(600)
  cfn:delete_stack { StackName = "web" }
end

local function import(cfn, _, r)
  r:client("s3"):create_bucket { Bucket = "there" }
  local set = cfn:create_change_set { StackName = "web", ChangeSetName = "set", ChangeSetType = "IMPORT",
    TemplateBody = IMPORTED, ResourcesToImport = { { ResourceType = "AWS::S3::Bucket", LogicalResourceId = "Bucket",
      ResourceIdentifier = { BucketName = "there" } } } }
  task.sleep(60)
  cfn:execute_change_set { ChangeSetName = set.Id }
end

local function review(cfn)
  cfn:create_change_set { StackName = "web", ChangeSetName = "set", ChangeSetType = "CREATE",
    TemplateBody = template("old", 30) }
  task.sleep(60)
end

local KEEP = { DisableRollback = true }

-- Status -> what fails ({ resource, action, ... }), what brings it about, what is recommended.
local STATUSES = {
  REVIEW_IN_PROGRESS = { {}, review, "delete-shell" },
  CREATE_IN_PROGRESS = { {}, create, "wait" },
  CREATE_FAILED = { { "Queue", "create" }, function(cfn) create(cfn, KEEP) end, "delete-stack" },
  CREATE_COMPLETE = { {}, create },
  ROLLBACK_IN_PROGRESS = { { "Queue", "create" }, create, "wait" },
  ROLLBACK_COMPLETE = { { "Queue", "create" }, create, "delete-stack" },
  ROLLBACK_FAILED = { { "Queue", "create", "Table", "delete" }, create, "delete-stack" },
  DELETE_IN_PROGRESS = { {}, delete, "wait" },
  DELETE_FAILED = { { "Table", "delete" }, delete, "retry-delete" },
  DELETE_COMPLETE = { {}, delete },
  UPDATE_IN_PROGRESS = { {}, update, "wait" },
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = { {}, update, "wait" },
  UPDATE_COMPLETE = { {}, update },
  UPDATE_FAILED = { { "Queue", "update" }, function(cfn)
    update(cfn, { DisableRollback = true, TemplateBody = template("old", 60) })
  end, "roll-back" },
  UPDATE_ROLLBACK_IN_PROGRESS = { { "Queue", "update" }, update, "wait" },
  UPDATE_ROLLBACK_FAILED = { { "Queue", "update", "Queue", "rollback" }, update, "continue-rollback" },
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = { { "Queue", "update" }, update, "wait" },
  UPDATE_ROLLBACK_COMPLETE = { { "Queue", "update" }, update },
  IMPORT_IN_PROGRESS = { {}, import, "wait" },
  IMPORT_COMPLETE = { {}, import },
  IMPORT_ROLLBACK_IN_PROGRESS = { { "Bucket", "import" }, import, "wait" },
  IMPORT_ROLLBACK_FAILED = { { "Bucket", "import", "Bucket", "rollback" }, import, "delete-stack" },
  IMPORT_ROLLBACK_COMPLETE = { { "Bucket", "import" }, import },
}

local function scenario(failing)
  local rules = {}
  for index = 1, #failing, 2 do
    rules[#rules + 1] = ("{ resource = '%s', on = '%s', fail = 'refused' }"):format(failing[index], failing[index + 1])
  end
  return helpers.file("scenario.lua", ("return { teaches = 't', seed = 4, resources = { %s } }"):format(
    table.concat(rules, ", ")))
end

describe("recover", function()
  local r
  after_each(function() r:close() end)
  teardown(helpers.clean)

  local function status(cfn, id)
    return cfn:describe_stacks({ StackName = id }).Stacks[1].StackStatus
  end

  -- The stack's id, when the status has been reached.
  local function reach(wanted, failing, prepare)
    r = rehearsal.open { scenario = scenario(failing) }
    local cfn = r:client "cloudformation"
    prepare(cfn, nil, r)
    local id = cfn:list_stacks({}).StackSummaries[1].StackId
    for _ = 1, 8000 do
      if status(cfn, id) == wanted then return id, cfn end
      task.sleep(0.25)
    end
    error("the stack is in " .. status(cfn, id))
  end

  local function recover(id, ...)
    local result = r:run("recover", id, "--output", "json", ...)
    return json.decode(result.out:match "%b{}"), result.code
  end

  for wanted, case in pairs(STATUSES) do
    it("names " .. wanted .. ", recommends " .. (case[3] or "nothing") .. ", and ends well", function()
      local id, cfn = reach(wanted, case[1], case[2])
      local found = recover(id, "--dry-run")
      assert.equal(wanted, found.status)
      local recommended
      for _, way in ipairs(found.ways) do recommended = way.recommended and way.name or recommended end
      assert.equal(case[3], recommended)
      assert.equal(case[3], (decisions[wanted].ways or {})[1])
      for _ = 1, MOST_WAYS do
        if HEALTHY[status(cfn, id)] then break end
        recover(id, "--plan", "1", "--yes")
      end
      assert.is_true(HEALTHY[status(cfn, id)], "it ends in " .. status(cfn, id))
    end)
  end

  it("has all of them", function()
    r = rehearsal.open {}
    for _, name in ipairs(models.load("cloudformation"):shape("StackStatus").enum) do
      assert.is_not_nil(STATUSES[name], name)
    end
  end)
end)
