-- AllowedPattern's language, as far as it is checked before anything is sent.
local regex = require "tap.regex"

local MATCHING = {
  { "^[a-zA-Z0-9]+$", "dev" }, { "[a-z0-9-]{2,20}", "abc-d" }, { "(a|b)*c", "ababc" }, { "(a*)*", "aaa" },
  { [[\d{1,3}(\.\d{1,3}){3}/\d+]], "10.0.0.0/16" }, { [[(?=.*\d)[a-z\d]{3,}]], "ab1" }, { "a??b", "ab" },
  { "^$|^x$", "" }, { [[[^@]+@[^@]+\.[^@]+]], "a@b.c" }, { "(?i)ABC[d-f]", "abcE" },
  { [[\p{Alpha}+]], "abc" },
  { "(?<n>a|b)+", "ab" }, { [[[\w.-]+]], "a-b.c" }, { "[a-]+", "a-" }, { ".*", "" }, { "é+", "éé" },
  { "^(?:a|b){2}$", "ab" }, { ".{3}", "日本語" }, { [[\x41B]], "AB" }, { [[a\.b]], "a.b" },
  { "([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])", "255" },
}
local FAILING = {
  { "^[a-zA-Z0-9]+$", "bad-suffix!" }, { "hello", "hello!" }, { "[a-z]{2,3}", "a" }, { "[a-z]{2,3}", "abcd" },
  { "(a*)*b", "aaa" }, { [[(?=.*\d)[a-z\d]{3,}]], "abc" }, { "(?!aws)[a-z]+", "awsx" }, { [[\S+]], "a b" },
  { "a.c", "a\nc" }, { "25[0-5]", "256" },
}
local UNSUPPORTED = {
  [[(a)\1]], "a++", "(?<=a)b", "[a-z&&[^x]]", "(?>a)", "a{5000}", "(", "[a", "a{2", [[\p{Greek}]],
}

describe("a pattern", function()
  it("matches the whole value or not at all", function()
    for _, case in ipairs(MATCHING) do assert.is_true(regex.matches(case[1], case[2]), case[1]) end
    for _, case in ipairs(FAILING) do assert.is_false(regex.matches(case[1], case[2]), case[1]) end
  end)

  it("with what this module does not know is neither right nor wrong", function()
    for _, pattern in ipairs(UNSUPPORTED) do
      local result, why = regex.matches(pattern, "a")
      assert.is_nil(result, pattern)
      assert.is_string(why)
    end
  end)

  it("that explodes is given up, not waited for", function()
    local result, why = regex.matches("(x+x+)+y", ("x"):rep(200))
    assert.is_nil(result)
    assert.matches("too many steps", why, 1, true)
  end)

  it("is one of several that have a budget together", function()
    local matcher, budget = regex.compile "[a-z]+", { left = 25 }
    assert.is_true(matcher:match_whole("abcdef", budget))
    assert.is_true(budget.left < 19)
    while budget.left > 6 do assert.is_true(matcher:match_whole("ab", budget)) end
    assert.is_nil((matcher:match_whole("abcdef", budget)))
    assert.is_false(matcher:match_whole "ABCDEF")
  end)

  it("works on values as long as a parameter can be", function()
    assert.is_true(regex.matches("(a|b)+", ("ab"):rep(2048)))
  end)
end)
