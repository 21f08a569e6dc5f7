-- What a script can rely on when it queries values with JMESPath.
local jmespath = require "tap.core.jmespath"
local json = require "tap.core.json"

local function fails_with(fields, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  for name, value in pairs(fields) do assert.equal(value, err[name]) end
  return err
end

local answer = {
  Stacks = {
    { StackName = "web", StackStatus = "CREATE_COMPLETE",
      Outputs = { { OutputKey = "Url", OutputValue = "u" } } },
    { StackName = "db", StackStatus = "ROLLBACK_COMPLETE", Outputs = json.list() },
  },
}

describe("jmespath", function()
  it("searches any number of values with one compiled query", function()
    local names = jmespath.compile "Stacks[?ends_with(StackStatus, 'COMPLETE')].StackName"
    assert.same({ "web", "db" }, names:search(answer))
    assert.same({}, names:search { Stacks = json.list() })
    assert.same({ "web", "db" }, names:search(answer))
    assert.equal("u", jmespath.search("Stacks[0].Outputs[?OutputKey=='Url'].OutputValue | [0]", answer))
  end)

  it("gives nil when nothing is found, and keeps the nulls inside of what is", function()
    assert.is_nil(jmespath.search("Stacks[0].Missing", answer))
    assert.is_nil(jmespath.search("a", json.null))
    assert.same({ "web", json.null }, jmespath.search("Stacks[0].[StackName, Missing]", answer))
    assert.is_false(jmespath.search("Stacks[0].StackName == 'x'", answer))
  end)

  it("keeps lists, numbers and the order of keys as they are", function()
    assert.equal("[]", json.encode(jmespath.search("Stacks[1].Outputs", answer)))
    assert.equal('{"z":1,"a":2.5}', json.encode(jmespath.search("{z: i, a: f}", { i = 1, f = 2.5 })))
    assert.equal("integer", math.type(jmespath.search("length(Stacks)", answer)))
  end)

  it("tells a mistake in the expression with its column, before any search", function()
    local err = fails_with({ code = "syntax", class = "parse", line = 1, column = 8 },
      jmespath.compile, "Stacks.")
    assert.matches("a name, a function", tostring(err))
    err = fails_with({ code = "unknown-function", class = "parse", column = 10 },
      jmespath.compile, "Stacks | lenght(@)")
    assert.matches("did you mean length%(%)", tostring(err))
    assert.has_error(function() jmespath.compile "a\0b" end)
  end)

  it("tells a function that gets what it is not made for", function()
    local err = fails_with({ code = "invalid-type", class = "usage", column = 10 }, jmespath.search,
      "Stacks | abs(@)", answer)
    assert.matches("argument 1 of abs%(%) is a number; it got array", tostring(err))
  end)

  it("refuses values that have no form in JSON, and a query that is closed", function()
    local query = jmespath.compile "@"
    assert.has_error(function() query:search { f = print } end)
    query:close()
    assert.has_error(function() query:search {} end)
  end)
end)
