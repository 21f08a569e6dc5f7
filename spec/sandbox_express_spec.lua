-- Express deployments: reference part 1.11.

local world = require "spec.sandbox_world"

local EXPRESS = { Mode = "EXPRESS" }

describe("an express deployment", function()
  local w
  after_each(function() w:close() end)

  local function table_of(mode)
    return { Type = "AWS::DynamoDB::Table", Properties = { TableName = "t", BillingMode = mode } }
  end

  local function update(resources, input)
    local request = { StackName = "demo", TemplateBody = world.template(resources), DeploymentConfig =
      EXPRESS }
    for member, value in pairs(input or {}) do request[member] = value or nil end
    w.cfn:update_stack(request)
    world.sleep(600)
  end

  it("is complete when the configuration is applied", function()
    w = world.open()
    w:create("demo", { T = table_of "PAY_PER_REQUEST" }, { DeploymentConfig = EXPRESS }, 15)
    local stack = w:stack "demo"
    assert.same({ "CREATE_COMPLETE", "EXPRESS" }, { stack.StackStatus, stack.DeploymentConfig.Mode })
  end)

  it("rolls nothing back unless it is asked to, and is followed by express ones", function()
    w = world.open { scenario = { resources = { { resource = "T", on = "update", times = 1, fail =
      "no" } } } }
    w:create("demo", { T = table_of "PAY_PER_REQUEST" })
    update { T = table_of "PROVISIONED" }
    assert.equal("UPDATE_FAILED", w:status "demo")
    assert.truthy(world.refusal(update, { T = table_of "PROVISIONED" }, { DeploymentConfig = false,
      DisableRollback = true }):find("Use the EXPRESS deployment mode", 1, true))
    assert.truthy(world.refusal(w.cfn.rollback_stack, w.cfn, { StackName = "demo" }):find("EXPRESS", 1, true))
    update { T = table_of "PROVISIONED" }
    assert.equal("UPDATE_COMPLETE", w:status "demo")
  end)

  it("goes back when rollback is asked for", function()
    w = world.open { scenario = { resources = { { resource = "T", on = "update", fail = "no" } } } }
    w:create("demo", { T = table_of "PAY_PER_REQUEST" })
    update({ T = table_of "PROVISIONED" }, { DeploymentConfig = { Mode = "EXPRESS", DisableRollback =
      false } })
    assert.equal("UPDATE_ROLLBACK_COMPLETE", w:status "demo")
  end)

  it("may come from a change set", function()
    w = world.open()
    local id = w.cfn:create_change_set({ StackName = "demo", ChangeSetName = "set", ChangeSetType = "CREATE",
      TemplateBody = world.template { T = table_of "PAY_PER_REQUEST" }, DeploymentConfig = EXPRESS }).Id
    world.sleep(60)
    w.cfn:execute_change_set { ChangeSetName = id }
    world.sleep(15)
    assert.equal("CREATE_COMPLETE", w:status "demo")
  end)
end)
