-- What a script can rely on when it points into a user's file.
local document = require "tap.core.document"
local json = require "tap.core.json"

local function parse_error(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("parse", err.class)
  return err
end

local function mark(doc, ...)
  return { doc:mark { ... } }
end

local template_json = [[
{
  "Parameters": {},
  "Resources": {
    "Table": {
      "Type": "AWS::DynamoDB::Table",
      "List": [1, {"a": "ä", "b": 2}]
    }
  }
}]]

local template_yaml = [[
# a comment
Parameters: {}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Name: !Ref Suffix
    Arn: !GetAtt Other.Arn
    List:
      - 80
      - a: ä
        b: "2"
]]

describe("a JSON document", function()
  local doc = document.json(template_json, "t.json")

  it("gives its value, the same tables each time, with its keys in order", function()
    local root = doc:root()
    assert.equal(root, doc:root())
    assert.same({ "Parameters", "Resources" }, json.keys(root))
    assert.same({ "Type", "List" }, json.keys(root.Resources.Table))
    assert.equal("ä", root.Resources.Table.List[2].a)
    assert.is_true(json.is_list(root.Resources.Table.List))
  end)

  it("knows the place of every value and of its key", function()
    assert.same({ 1, 1, 1, 1, true }, mark(doc))
    assert.same({ 2, 17, 2, 3, true }, mark(doc, "Parameters"))
    assert.same({ 5, 15, 5, 7, true }, mark(doc, "Resources", "Table", "Type"))
    assert.same({ 6, 16, 6, 16, true }, mark(doc, "Resources", "Table", "List", 1))
    assert.same({ 6, 25, 6, 20, true }, mark(doc, "Resources", "Table", "List", 2, "a"))
    assert.same({ 6, 35, 6, 30, true }, mark(doc, "Resources", "Table", "List", 2, "b"))
  end)

  it("answers with the deepest node on the way when there is none", function()
    assert.same({ 4, 14, 4, 5, false }, mark(doc, "Resources", "Table", "Properties", "X"))
    assert.same({ 6, 15, 6, 7, false }, mark(doc, "Resources", "Table", "List", 3))
    assert.same({ 6, 15, 6, 7, false }, mark(doc, "Resources", "Table", "List", 0))
    assert.same({ 1, 1, 1, 1, false }, mark(doc, "Nothing"))
    assert.has_error(function() doc:mark { a = 1 } end)
    assert.has_error(function() doc:mark { print } end)
  end)

  it("reports keys that stand twice, and the last one wins", function()
    local twice = document.json('{"a": 1,\n "l": [{"x": 1, "x": 2}],\n "a": 3}')
    assert.equal(3, twice:root().a)
    assert.same({
      { path = { "l", 1, "x" }, line = 2, column = 17, first_line = 2 },
      { path = { "a" }, line = 3, column = 2, first_line = 1 },
    }, twice:duplicates())
    assert.same({}, doc:duplicates())
    assert.is_true(json.is_list(doc:duplicates()))
  end)

  it("takes any value as its root", function()
    assert.equal(json.null, document.json "null":root())
    assert.same({}, document.json "[]":root())
    assert.equal(7, document.json " 7":root())
    assert.same({ 1, 2, 1, 2, true }, mark(document.json " 7"))
  end)

  it("says file, line and column of a mistake", function()
    local err = parse_error(document.json, '{\n  "a": [1, 2,\n}', "web.json")
    assert.same({ "web.json", 2, 13 }, { err.file, err.line, err.column })
    assert.matches("^web%.json:2:13: ", tostring(err))
    assert.is_nil(parse_error(document.json, "{").file)
  end)

  it("closes, and says so when it is used again", function()
    local closed = document.json "{}"
    closed:close()
    closed:close()
    local ok, message = pcall(closed.root, closed)
    assert.is_false(ok)
    assert.matches("closed", tostring(message))
    assert.matches("closed", tostring(closed))
  end)
end)

describe("a YAML document", function()
  it("gives the short forms as the functions that they stand for", function()
    local root = document.yaml(template_yaml):root()
    assert.same({ "Parameters", "Resources" }, json.keys(root))
    assert.same({ Ref = "Suffix" }, root.Resources.Table.Name)
    assert.same({ ["Fn::GetAtt"] = { "Other", "Arn" } }, root.Resources.Table.Arn)
    assert.same({ 80, { a = "ä", b = "2" } }, root.Resources.Table.List)
  end)

  it("knows the place of every value and of its key", function()
    local doc = document.yaml(template_yaml)
    assert.same({ 2, 13, 2, 1, true }, mark(doc, "Parameters"))
    assert.same({ 5, 11, 5, 5, true }, mark(doc, "Resources", "Table", "Type"))
    assert.same({ 9, 9, 9, 9, true }, mark(doc, "Resources", "Table", "List", 1))
    assert.same({ 11, 12, 11, 9, true }, mark(doc, "Resources", "Table", "List", 2, "b"))
  end)

  it("places a short form's node at its tag", function()
    local doc = document.yaml(template_yaml)
    assert.same({ 6, 11, 6, 5, true }, mark(doc, "Resources", "Table", "Name"))
    local line, _, key_line, key_column, found = doc:mark { "Resources", "Table", "Name", "Ref" }
    assert.same({ 6, 6, 11, true }, { line, key_line, key_column, found })
  end)

  it("says file, line and column of a mistake, and the nearest tag", function()
    local err = parse_error(document.yaml, "A:\n  b: [1, 2\nC: 1\n", "web.yaml")
    assert.matches("^web%.yaml:%d+:%d+: ", tostring(err))
    err = parse_error(document.yaml, "A: !Reff X\n", "web.yaml")
    assert.same({ "web.yaml", 1, 4 }, { err.file, err.line, err.column })
    assert.matches("!Ref", err.message)
  end)

  it("reports keys that stand twice", function()
    local doc = document.yaml "a: 1\nb:\n  - {x: 1, x: 2}\na: 3\n"
    assert.equal(3, doc:root().a)
    assert.same({
      { path = { "b", 1, "x" }, line = 3, column = 12, first_line = 3 },
      { path = { "a" }, line = 4, column = 1, first_line = 1 },
    }, doc:duplicates())
  end)
end)

describe("a document of either kind", function()
  it("is told by its first character", function()
    assert.same({ a = 1 }, document.any ' \n{"a": 1}':root())
    assert.same({ 1 }, document.any "[1]":root())
    assert.same({ a = 1 }, document.any "a: 1":root())
    assert.matches("^x%.json:1:", tostring(parse_error(document.any, "{a b", "x.json")))
  end)
end)
