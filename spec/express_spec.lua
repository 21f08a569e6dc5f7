-- Express mode in the workflows.
local helpers = require "spec.helpers"
local json = require "tap.core.json"

describe("express mode", function()
  teardown(helpers.clean)

  local folder

  local function run(code, ...)
    local result = helpers.tapengine { cwd = folder, env = { TAP_JOURNAL = folder .. "/journal.db" }, ... }
    assert.equal(code, result.code, result.err)
    return result
  end

  local function template(label)
    return helpers.file("web.json", json.encode { Resources = {
      T = { Type = "AWS::SNS::Topic", Properties = { DisplayName = label } },
      D = { Type = "AWS::DynamoDB::Table", Properties = { BillingMode = "PAY_PER_REQUEST",
        AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
        KeySchema = { { AttributeName = "id", KeyType = "HASH" } } } } } }, folder)
  end

  local function seconds(...)
    return json.decode(run(0, "create", "web", "--template", template "a", "--output", "json", ...).out).seconds
  end

  before_each(function() folder = helpers.folder() end)

  it("ends sooner", function()
    assert.is_true(seconds("--sandbox", "--express") < seconds "--sandbox")
  end)

  it("goes back by itself, unless told to keep what failed; then a version of the journal is the way back", function()
    local STATE = { "--sandbox-state", "state" }
    seconds("--express", table.unpack(STATE))
    local function update(code, ...)
      local words = table.move({ ... }, 1, select("#", ...), 5, { "update", "web", "--template", template "b" })
      local more = { "--yes", "--express", "--sandbox=update-fails", table.unpack(STATE) }
      return run(code, table.unpack(table.move(more, 1, #more, #words + 1, words)))
    end
    update(6)
    update(7, "--on-failure", "DO_NOTHING")
    local shown = run(20, "recover", "web", "--dry-run", table.unpack(STATE)).out
    assert.matches("not now: CloudFormation refuses RollbackStack after an express deployment", shown, 1, true)
    assert.matches("2. redeploy-version: deploy the last version that worked again  (recommended", shown, 1, true)
    run(0, "recover", "web", "--plan", "2", "--yes", table.unpack(STATE))
    local topic = run(0, "cat", "web", table.unpack(STATE)).out
    assert.matches('"DisplayName": *"a"', topic)
  end)
end)
