-- Stack policies: reference parts 2.5 and 4.3.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

describe("a stack policy", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  local function topic(name, display) return world.topic { TopicName = name, DisplayName = display } end

  local function document(...)
    local statements = { { Effect = "Allow", Principal = "*", Action = "Update:*", Resource = "*" }, ... }
    return json.encode { Statement = statements }
  end

  local function deny(action, resource)
    return { Effect = "Deny", Principal = "*", Action = action, Resource = resource }
  end

  local function update(resources, input)
    local request = { StackName = "demo", TemplateBody = world.template(resources) }
    for member, value in pairs(input or {}) do request[member] = value end
    w.cfn:update_stack(request)
    world.sleep(3600)
    return w:status "demo"
  end

  it("2.5: denies a replacement, and the update goes back", function()
    w:create("demo", { A = topic "a", B = topic "b" },
      { StackPolicyBody = document(deny("Update:Replace", "LogicalResourceId/A")) })
    assert.equal("UPDATE_ROLLBACK_COMPLETE", update { A = topic "a2", B = topic "b" })
    assert.equal("Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for resource "
      .. "[LogicalResourceId/A];", w:reason("demo", "A", "UPDATE_FAILED"))
    assert.equal("UPDATE_COMPLETE", update { A = topic("a", "new"), B = topic "b" })
  end)

  it("denies a removal, by type, unless another one counts for this update", function()
    w:create("demo", { A = topic "a", B = topic "b" })
    local by_type = deny("Update:Delete", "*")
    by_type.Condition = { StringEquals = { ResourceType = { "AWS::SNS::Topic" } } }
    w.cfn:set_stack_policy { StackName = "demo", StackPolicyBody = document(by_type) }
    assert.equal("UPDATE_ROLLBACK_COMPLETE", update { A = topic "a" })
    assert.equal(2, #w.cfn:describe_stack_resources({ StackName = "demo" }).StackResources)
    assert.equal("UPDATE_COMPLETE", update({ A = topic "a" }, { StackPolicyDuringUpdateBody = document() }))
    assert.equal(document(by_type), w.cfn:get_stack_policy({ StackName = "demo" }).StackPolicyBody)
  end)

  it("that allows nothing denies everything; an empty one is none", function()
    w:create("demo", { A = topic("a", "old") }, { StackPolicyBody = json.encode { Statement = {
      { Effect = "Allow", Principal = "*", Action = "Update:Modify", Resource = "LogicalResourceId/B" } } } })
    assert.equal("UPDATE_ROLLBACK_COMPLETE", update { A = topic("a", "new") })
    w.cfn:set_stack_policy { StackName = "demo", StackPolicyBody = "{}" }
    assert.is_nil(w.cfn:get_stack_policy({ StackName = "demo" }).StackPolicyBody)
    assert.equal("UPDATE_COMPLETE", update { A = topic("a", "new") })
  end)

  it("4.3: is refused when it is no policy", function()
    w:create("demo", { A = topic "a" })
    for _, text in ipairs { "{", '{"Statement": [{"Effect": "Maybe"}]}',
      '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Do:It", "Resource": "*"}]}' } do
      assert.equal("ValidationError: Error validating stack policy: Invalid stack policy",
        world.refusal(w.cfn.set_stack_policy, w.cfn, { StackName = "demo", StackPolicyBody = text }))
    end
    assert.equal("ValidationError: Stack: nobody does not exist",
      world.refusal(w.cfn.get_stack_policy, w.cfn, { StackName = "nobody" }))
  end)

  it("1.11: without a way back nothing is replaced", function()
    w:create("demo", { A = topic "a" })
    assert.equal("UPDATE_FAILED", update({ A = topic "a2" }, { DisableRollback = true }))
    assert.equal("Replacement type updates not supported on stack with disable-rollback.",
      w:reason("demo", "A", "UPDATE_FAILED"))
  end)
end)
