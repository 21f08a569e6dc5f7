-- All 23 stack statuses are reached, and docs/stack-statuses.md says how. The page is made from what this
-- spec runs: TAP_WRITE_DOCS=1 build/tapengine spec/run.lua spec/sandbox_statuses_spec.lua writes it anew.

local models = require "tap.core.model"
local sys = require "tap.core.sys"
local world = require "spec.sandbox_world"

local PAGE = "docs/stack-statuses.md"

local function topic(display) return world.topic { DisplayName = display } end

local function fails(...)
  local resources = {}
  for _, action in ipairs { ... } do resources[#resources + 1] = { resource = "A", on = action, fail =
    "no" } end
  return { resources = resources }
end

local function create(w, input) w:create("demo", { A = topic "old" }, input) end

local function update(w, input)
  local request = { StackName = "demo", TemplateBody = world.template { A = topic "new" } }
  for member, value in pairs(input or {}) do request[member] = value end
  w.cfn:update_stack(request)
  world.sleep(3600)
end

local function import(w)
  w:client("s3"):create_bucket { Bucket = "there" }
  local id = w.cfn:create_change_set({ StackName = "demo", ChangeSetName = "set", ChangeSetType = "IMPORT",
    TemplateBody = world.template { A = { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain",
      Properties = { BucketName = "there" } } },
    ResourcesToImport = { { ResourceType = "AWS::S3::Bucket", LogicalResourceId = "A",
      ResourceIdentifier = { BucketName = "there" } } } }).Id
  world.sleep(60)
  w.cfn:execute_change_set { ChangeSetName = id }
  world.sleep(3600)
end

-- What reaches statuses: how it reads in the page, the scenario, what is done.
local WAYS = {
  { "create a stack; update it; delete it", nil, function(w)
    create(w)
    update(w)
    w:delete "demo"
  end },
  { "create a stack whose resource fails", fails "create", create },
  { "create a stack with OnFailure=DO_NOTHING whose resource fails", fails "create", function(w) create(w,
    { OnFailure = "DO_NOTHING" }) end },
  { "a resource fails, and cannot be deleted either", fails("create", "delete"), create },
  { "a resource cannot be deleted", fails "delete", function(w)
    create(w)
    w:delete "demo"
  end },
  { "an update fails", fails "update", function(w)
    create(w)
    update(w)
  end },
  { "an update with DisableRollback fails", fails "update", function(w)
    create(w)
    update(w, { DisableRollback = true })
  end },
  { "an update fails, and its way back fails (scenario update-rollback-stuck)", fails("update", "rollback"),
    function(w)
      create(w)
      update(w)
    end },
  { "make a change set for a stack that is not there", nil, function(w)
    w.cfn:create_change_set { StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = world.template { A = topic() } }
  end },
  { "import a resource", nil, import },
  { "import a resource, which fails", fails "import", import },
  { "import a resource, which fails, and cannot be let go again", fails("import", "rollback"), import },
}

-- The statuses that a way goes through, in their order.
local function statuses_of(way)
  local w = world.open { scenario = way[2] }
  way[3](w)
  local id = w.cfn:list_stacks({}).StackSummaries[1].StackId
  local out, seen = {}, {}
  for _, event in ipairs(w:events(id)) do
    local status = event.LogicalResourceId == "demo" and event.ResourceStatus
    if status and not seen[status] then
      seen[status] = true
      out[#out + 1] = status
    end
  end
  w:close()
  return out
end

local function all_statuses()
  return models.load("cloudformation"):shape("StackStatus").enum
end

local function page_of(reached)
  local lines = {
    "# Stack statuses, and how a rehearsal reaches each", "",
    "Made by spec/sandbox_statuses_spec.lua from what it runs in the sandbox: do not edit.", "",
    "| status | reached by |", "| --- | --- |",
  }
  for _, status in ipairs(all_statuses()) do
    lines[#lines + 1] = ("| `%s` | %s |"):format(status, reached[status] or "-")
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("every stack status", function()
  it("is reached in the sandbox, as the page says", function()
    local reached = {}
    for _, way in ipairs(WAYS) do
      for _, status in ipairs(statuses_of(way)) do reached[status] = reached[status] or way[1] end
    end
    for _, status in ipairs(all_statuses()) do assert.is_string(reached[status], status) end
    assert.equal(23, #all_statuses())
    local page = page_of(reached)
    if os.getenv "TAP_WRITE_DOCS" then sys.write_file(PAGE, page) end
    assert.equal(page, sys.read_file(PAGE))
  end)
end)
