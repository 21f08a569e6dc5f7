-- The example runbooks' own specs, as a team runs its own: `tapengine test`.
local helpers = require "spec.helpers"

teardown(helpers.clean)

describe("tapengine test", function()
  it("runs specs that rehearse runbooks in the sandbox", function()
    local result = helpers.tapengine { "test", "examples/runbooks/spec/runbooks_spec.lua" }
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches("3 successes / 0 failures", result.out, 1, true)
  end)

  it("fails when a spec fails, and says when there is none", function()
    local path = helpers.file("bad_spec.lua",
      'describe("x", function() it("y", function() assert.equal(1, 2) end) end)')
    assert.is_not.equal(0, helpers.tapengine({ "test", path }).code)
    assert.equal(2, helpers.tapengine({ "test", cwd = helpers.folder() }).code)
  end)
end)

describe("an approval", function()
  local function approve(answer, more)
    local folder = helpers.folder()
    if answer then helpers.file("answer", answer, folder) end
    local path = helpers.file("own.lua", ([[local tap = require "tap"
      return tap.workflow { name = "own", summary = "s", run = function(ctx)
        ctx:approve("Go on?", { file = "%s/answer", timeout = "100ms" })
        return "went on"
      end }]]):format(folder))
    return helpers.tapengine { path, table.unpack(more or {}) }
  end

  it("is a file with a yes in it; a no, or nobody's answer in time, stops the run", function()
    assert.matches("went on", approve("approve, says Ada").out, 1, true)
    for _, answer in ipairs { "no", false } do
      local refused = approve(answer)
      assert.equal(4, refused.code)
      assert.is_nil(refused.out:find("went on", 1, true))
    end
    assert.matches("went on", approve(false, { "--yes" }).out, 1, true)
  end)
end)
