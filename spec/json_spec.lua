-- What a script can rely on when values pass between Lua and JSON.
local json = require "tap.core.json"

local function fails_with(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

local function nested(depth)
  local value = {}
  for _ = 2, depth do value = { x = value } end
  return value
end

describe("json", function()
  it("brings every value back as it was", function()
    for _, text in ipairs {
      "{}", "[]", "null", '""', "0", "0.0", "-1", "true", "false", "9223372036854775807",
      "-9223372036854775808", "9007199254740993",
      "1.5", "0.1", "1e+300", '"\\u0000"', '"ä€😀"', "[[],{},[{}],null,[null]]",
      '{"a":{"b":[]},"":1}', '[0.10000000000000001,1]',
    } do
      local value = json.decode(text)
      local again = json.encode(value)
      assert.same(value, json.decode(again))
      assert.equal(again, json.encode(json.decode(again)))
    end
    assert.equal('[[],{},[{}],null,[null]]', json.encode(json.decode "[[],{},[{}],null,[null]]"))
    assert.equal('{"n":0,"r":0.0,"s":"","t":0.1}', json.encode { n = 0, r = 0.0, s = "", t = 0.1 })
  end)

  it("tells integers from reals", function()
    assert.equal("integer", math.type(json.decode "1"))
    assert.equal("float", math.type(json.decode "1.0"))
    assert.equal(math.mininteger, json.decode "-9223372036854775808")
    assert.equal("9007199254740993", json.encode(9007199254740993))
  end)

  it("has one null, which is true as a condition and stays a member", function()
    local value = json.decode '{"a":null,"b":[null,1]}'
    assert.equal(json.null, value.a)
    assert.equal(json.null, value.b[1])
    assert.equal('{"a":null,"b":[null,1]}', json.encode(value))
    assert.equal(require "cjson".null, json.null)
    assert.equal("null", json.encode(nil))
  end)

  it("keeps an empty list a list, and a list a list when its elements go", function()
    local value = json.decode '{"l":[],"o":{},"one":[1]}'
    assert.is_true(json.is_list(value.l))
    assert.is_false(json.is_list(value.o))
    value.one[1] = nil
    assert.equal('{"l":[],"o":{},"one":[]}', json.encode(value))
  end)

  it("takes what is marked, or has an element 1, for a list", function()
    assert.equal("[]", json.encode(json.list {}))
    assert.equal("[]", json.encode(json.list()))
    assert.equal("{}", json.encode {})
    assert.equal('["a"]', json.encode { "a" })
    local t = {}
    assert.equal(t, json.list(t))
    assert.equal(t, json.list(t))
    assert.is_true(json.is_list(t))
    assert.is_true(json.is_list { 1 })
    assert.is_false(json.is_list { a = 1 })
    assert.is_false(json.is_list "text")
    fails_with("metatable", json.list, setmetatable({}, {}))
  end)

  it("keeps the order of decoded keys and sorts those that came later", function()
    local value = json.decode '{"zeta":1,"alpha":{"y":1,"b":2},"mid":3}'
    value.beta, value.aaa, value.mid = 5, 4, nil
    assert.same({ "zeta", "alpha", "aaa", "beta" }, json.keys(value))
    assert.equal('{"zeta":1,"alpha":{"y":1,"b":2},"aaa":4,"beta":5}', json.encode(value))
    value.mid = 6
    assert.same({ "zeta", "alpha", "mid", "aaa", "beta" }, json.keys(value))
  end)

  it("sorts the keys of tables that scripts make, byte by byte", function()
    assert.equal('{"B":1,"a":2,"a1":3,"b":4,"ä":5}', json.encode { ["ä"] = 5, b = 4, a1 = 3, a = 2, B = 1 })
    assert.same({ "B", "a", "b" }, json.keys { b = 1, a = 1, B = 1 })
    assert.same({}, json.keys {})
    fails_with("list has no keys", json.keys, { 1 })
    fails_with("not text", json.keys, { [true] = 1 })
  end)

  it("takes the order of keys that a script wants", function()
    local t = { a = 1, b = 2, c = 3 }
    local order = { "c", "d", "a", "c" }
    assert.equal(t, json.object(t, order))
    order[1] = "x" -- a copy is kept
    assert.equal('{"c":3,"a":1,"b":2}', json.encode(t))
    t.d = 4
    assert.same({ "c", "d", "a", "b" }, json.keys(t))
    assert.same({ "a", "b", "c", "d" }, json.keys(json.object(t, {})))
    assert.equal("{}", json.encode(json.object({}, { "a" })))
    fails_with("list has no keys", json.object, { 1 }, {})
    fails_with("keys are texts", json.object, {}, { 1 })
    fails_with("key that is not valid UTF%-8", json.encode, json.object({ ["\xff"] = 1 }, { "\xff" }))
  end)

  it("forgets the order of keys with the table", function()
    local text = "[" .. ('{"b":1,"a":{"c":1}},'):rep(1000) .. "{}]"
    local function kilobytes_after_decoding()
      json.decode(text)
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    kilobytes_after_decoding()
    local before, after = kilobytes_after_decoding(), nil
    for _ = 1, 20 do after = kilobytes_after_decoding() end
    assert.is_true(after - before < 100)
  end)

  it("prints over several lines on demand", function()
    assert.equal('{\n  "a": [\n    1\n  ],\n  "b": [],\n  "c": {}\n}',
      json.encode({ a = { 1 }, b = json.list(), c = {} }, { indent = 2 }))
    fails_with("unknown option 'ident' %(did you mean 'indent'%?%)", json.encode, {}, { ident = 2 })
    fails_with("indent", json.encode, {}, { indent = 32 })
  end)

  it("names the path of what has no form in JSON", function()
    fails_with("^Parameters%[2%]%.x: a function", json.encode, { Parameters = { { a = 1 }, { x = print } } })
    fails_with('^a%["b c"%]: a thread', json.encode, { a = { ["b c"] = coroutine.create(print) } })
    fails_with("^%[1%]%[3%]: not a number", json.encode, { { 1, 2, 0 / 0 } })
    fails_with("^a: infinity", json.encode, { a = 1 / 0 })
    fails_with("^a: infinity", json.encode, { a = -math.huge })
    fails_with("^a userdata", json.encode, io.stdout)
    fails_with("^a%.b: the text is not valid UTF%-8", json.encode, { a = { b = "\xff\xfe" } })
    fails_with("^a: .*key that is not valid UTF%-8", json.encode, { a = { ["\xc0\x80"] = 1 } })
    fails_with("^a: .*key that is not valid UTF%-8", json.encode, { a = { ["x\0y"] = 1 } })
    assert.equal("InvalidValue", fails_with("", json.encode, print).code)
    assert.equal("usage", fails_with("", json.encode, print).class)
  end)

  it("refuses tables that are neither list nor object", function()
    fails_with("^p: .*both list elements and named", json.encode, { p = { 1, x = 2 } })
    fails_with("^p: a list with holes", json.encode, { p = { 1, nil, 3 } })
    fails_with("^p: a list with holes", json.encode, { p = { [1] = 1, [1000] = 2 } })
    fails_with("^p: a list with holes", json.encode, { p = { [1] = 1, [0] = 2 } })
    fails_with("^p: a list with holes", json.encode, { p = { 1, nil, 3, [10] = 4 } })
    fails_with("^p: .*first element", json.encode, { p = { [2] = 1 } })
    fails_with("^p: .*number as a key", json.encode, { p = { [1.5] = 1 } })
    fails_with("^p: .*number as a key", json.encode, { p = { a = 1, [-1] = 1 } })
    fails_with("^p: .*key that is not text", json.encode, { p = { [true] = 1 } })
    fails_with("^p: .*both list elements and named", json.encode, { p = json.list { a = 1 } })
  end)

  it("finds a table that contains itself, and lets one stand in two places", function()
    local loop = { a = {} }
    loop.a.b = { loop }
    fails_with("^a%.b%[1%]: a table that contains itself", json.encode, loop)
    local shared = { x = 1 }
    assert.equal('[{"x":1},{"x":1}]', json.encode { shared, shared })
  end)

  it("takes 256 levels and refuses more, in both directions", function()
    assert.has_no.errors(function() json.encode(nested(256)) end)
    fails_with("nests too deeply", json.encode, nested(257))
    local deep = ("["):rep(256) .. "1" .. ("]"):rep(256)
    assert.equal(deep, json.encode(json.decode(deep)))
    fails_with("deeper than 256", json.decode, ("["):rep(257) .. ("]"):rep(257))
    fails_with("deeper than 256", json.decode, ("["):rep(1000000))
  end)

  it("says where a text stops being JSON", function()
    local err = fails_with("^stack%.json:2:", json.decode, '{\n  "a": tru\n}', "stack.json")
    assert.equal("parse", err.class)
    assert.equal("stack.json", err.file)
    assert.equal(2, err.line)
    assert.equal("integer", math.type(err.column))
    for _, text in ipairs { "", " ", "{", "[1,]", '{"a":1,}', "{'a':1}", "nul", "1 2", '"\xff"', "[1]\0" } do
      assert.equal("parse", fails_with("", json.decode, text).class)
    end
  end)

  it("does not recurse through metamethods", function()
    local t = setmetatable({ a = 1 }, { __index = function() error "called" end, __pairs = error })
    assert.equal('{"a":1}', json.encode(t))
  end)
end)
