-- What a script can rely on of names, times and encodings.
local text = require "tap.core.text"

describe("text", function()
  it("finds the name that was meant, or none", function()
    local names = { "DescribeStacks", "DescribeStackEvents", "CreateStack", "DeleteStack" }
    assert.equal("DescribeStacks", text.nearest("DescribeStack", names))
    assert.equal("CreateStack", text.nearest("create-stack", names))
    assert.equal("DeleteStack", text.nearest("DelteStack", names))
    assert.is_nil(text.nearest("ListBuckets", names))
    assert.is_nil(text.nearest("x", {}))
    assert.has_error(function() text.nearest("x", { 1 }) end)
  end)

  it("writes operations in snake case as boto3 does", function()
    for name, snake in pairs {
      DescribeStacks = "describe_stacks", GetRESTApis = "get_rest_apis",
      CreateDBInstance = "create_db_instance", GetCallerIdentity = "get_caller_identity",
      ListTagsForResource = "list_tags_for_resource", a = "a",
    } do
      assert.equal(snake, text.snake_case(name))
    end
    assert.has_error(function() text.snake_case(("A"):rep(10000)) end)
  end)

  it("takes names that differ in case, '-' and '_' for the same", function()
    assert.is_true(text.same_name("DescribeStacks", "describe-stacks"))
    assert.is_true(text.same_name("DescribeStacks", "describe_stacks"))
    assert.is_false(text.same_name("DescribeStacks", "describe-stack"))
    assert.is_true(text.same_name("", ""))
  end)

  it("reads times in every form that AWS writes", function()
    for written, seconds in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["2026-01-01T00:00:00Z"] = 1767225600,
      ["2026-01-01T00:00:00.125Z"] = 1767225600.125,
      ["2026-01-01T02:00:00+02:00"] = 1767225600, ["20260101T000000Z"] = 1767225600,
      ["Thu, 01 Jan 2026 00:00:00 GMT"] = 1767225600, ["1969-12-31T23:59:59Z"] = -1,
    } do
      assert.equal(seconds, text.parse_time(written))
    end
    for _, wrong in ipairs { "", "now", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00Zx",
      "2026-01-01T00:00:00Z\0x" } do
      assert.is_nil(text.parse_time(wrong))
    end
  end)

  it("writes times in ISO form, with milliseconds on demand", function()
    assert.equal("2026-01-01T00:00:00Z", text.iso_time(1767225600.9))
    assert.equal("2026-01-01T00:00:00.125Z", text.iso_time(1767225600.125, true))
    assert.equal("2026-01-01T00:00:00.000Z", text.iso_time(1767225600, true))
    assert.equal(1767225600.25, text.parse_time(text.iso_time(1767225600.25, true)))
    for _, wrong in ipairs { 0 / 0, 1 / 0, 1e15, -1e15 } do
      assert.has_error(function() text.iso_time(wrong) end)
    end
  end)

  it("tells well-formed UTF-8", function()
    for _, good in ipairs { "", "abc", "ä€😀", "\0", "\u{10FFFF}" } do
      assert.is_true(text.utf8_valid(good))
    end
    for _, bad in ipairs { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ä\xe2\x82", "\x80" } do
      assert.is_false(text.utf8_valid(bad))
    end
  end)
end)
