-- Local files that a template names: nested templates and code go through S3, and back to what they were.
local helpers = require "spec.helpers"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local zip = require "tap.zip"

teardown(helpers.clean)


describe("a zip archive", function()
  it("is one that others read, and the same whenever it is made", function()
    local entries = { { name = "b/c.txt", bytes = "two" }, { name = "a.py", bytes = "one\n" } }
    local path = helpers.file("x.zip", zip.of(entries))
    assert.equal(sys.read_file(path), zip.of { entries[2], entries[1] })
    local listed = proc.run { "/usr/bin/python3", "-c", [[
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist(): print(i.filename, oct(i.external_attr >> 16), z.read(i.filename))]], path }
    assert.equal("a.py 0o100755 b'one\\n'\nb/c.txt 0o100755 b'two'\n", listed.out, listed.err)
    assert.equal("PK\5\6", zip.of {}:sub(1, 4))
  end)
end)

describe("a template that names local files", function()
  local folder, run

  before_each(function()
    folder = helpers.folder()
    sys.mkdir_p(folder .. "/nested")
    sys.mkdir_p(folder .. "/code/lib")
    run = function(code, ...)
      local result = helpers.tapengine { cwd = folder, ... }
      assert.equal(code, result.code, result.err)
      return result
    end
    helpers.file("code/app.py", "def handler(event, context): return 1\n", folder)
    helpers.file("code/lib/more.py", "x = 1\n", folder)
    helpers.file("nested/inner.json", json.encode { Resources = { Topic = { Type = "AWS::SNS::Topic" } } }, folder)
    helpers.file("nested/child.yml", [[
Resources:
  Inner: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: 'inner.json' } }
  Queue: { Type: AWS::SQS::Queue }
]], folder)
    helpers.file("web.yml", [[
# This comment stays.
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./nested/child.yml
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: app.handler
      Role: arn:aws:iam::123456789012:role/r
      Code: "code"
      Description: "ä: code"
]], folder)
  end)

  local STATE = { "--sandbox-state", "state" }

  local function deploy(code, ...)
    return run(code, "deploy", "web", "--template", "web.yml", "--yes", "--output", "json",
      table.unpack(table.move({ ... }, 1, select("#", ...), 3, { table.unpack(STATE) })))
  end

  it("is deployed with them uploaded, and with nothing else changed", function()
    local result = deploy(0)
    assert.matches("nested/child.yml is s3://tapengine-templates-123456789012-us-east-1/", result.err, 1, true)
    local deployed = run(0, "cat", "web", table.unpack(STATE)).out
    assert.matches("# This comment stays.", deployed, 1, true)
    assert.matches('TemplateURL: "https://tapengine%-templates%-[^\n]*%.template"\n', deployed)
    assert.matches('Code: {"S3Bucket":"tapengine%-templates%-[^\n]*","S3Key":"%x+%.zip"}\n      Description: "ä: code"',
      deployed)
    local listed = run(0, "aws", "cloudformation", "describe-stacks", table.unpack(STATE)).out
    assert.equal(3, #json.decode(listed).Stacks)
    assert.matches("no changes", deploy(0).err .. run(0, "deploy", "web", "--template", "web.yml", "--yes",
      table.unpack(STATE)).out, 1, true)
  end)

  it("may be a serverless one", function()
    local LEAVE = { "--capabilities", "CAPABILITY_IAM", "--capabilities", "CAPABILITY_AUTO_EXPAND" }
    helpers.file("web.yml", [[
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.14
    Timeout: 5
    CodeUri: ./code
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      AutoPublishAlias: live
      Events: { Get: { Type: Api, Properties: { Path: /hello, Method: get } } }
  Steps:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: steps.json
Outputs: { Version: { Value: !Ref Hello.Version } }
]], folder)
    helpers.file("steps.json", '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', folder)
    assert.matches("Requires capabilities : [CAPABILITY_IAM]; Hello is an AWS::Serverless::Function", deploy(3).err, 1,
      true)
    deploy(0, table.unpack(LEAVE))
    local function described()
      return json.decode(run(0, "aws", "cloudformation", "describe-stacks", "--stack-name", "web",
        table.unpack(STATE)).out).Stacks[1]
    end
    assert.equal("CREATE_COMPLETE", described().StackStatus)
    assert.matches(":1$", described().Outputs[1].OutputValue)
    helpers.file("code/app.py", "def handler(event, context): return 2\n", folder)
    deploy(0, table.unpack(LEAVE))
    assert.matches(":2$", described().Outputs[1].OutputValue)
  end)

  it("sees that a file has changed", function()
    deploy(0)
    helpers.file("code/app.py", "def handler(event, context): return 2\n", folder)
    assert.matches("updates the function in place: Code", deploy(20, "--dry-run").err, 1, true)
  end)

  it("says which file is not there, with its place, before anything is touched", function()
    local path = folder .. "/web.yml"
    sys.write_file(path, sys.read_file(path):gsub("child.yml", "childs.yml"))
    local refused = deploy(3)
    assert.matches("web.yml:6:7: Child: TemplateURL names ./nested/childs.yml, which is not there", refused.err, 1,
      true)
    sys.write_file(path, sys.read_file(path):gsub("childs.yml", "child.yml"))
    sys.write_file(folder .. "/nested/child.yml", "Resources: { Q: { Type: AWS::SQS::Queues } }\n")
    assert.matches("nested/child.yml:1", deploy(3).err, 1, true)
  end)
end)
