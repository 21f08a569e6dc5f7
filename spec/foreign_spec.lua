--- Foreign clients against the sandbox: the AWS CLI, boto3 and curl from the distribution. They share no code
-- with us, so what they accept is right and not merely consistent.

local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local foreign = require "spec.foreign.server"

local TEMPLATE = "templates/TapStack.json"

local server, url

local function run(argv, secret)
  argv.env = server:environment { AWS_SECRET_ACCESS_KEY = secret }
  return proc.run(argv)
end

-- The AWS CLI's answer as a table; fails with its message when it does not exit with 0.
local function aws(...)
  local result = run { "/usr/bin/aws", "--endpoint-url", url, "--output", "json", ... }
  assert.are.equal(0, result.code, result.err)
  return result.out:match("^%s*[{%[]") and json.decode(result.out) or nil
end

local function aws_fails(secret, ...)
  local result = run({ "/usr/bin/aws", "--endpoint-url", url, "--output", "json", ... }, secret)
  assert.are_not.equal(0, result.code)
  return result.err
end

describe("the AWS CLI", function()
  setup(function()
    server = foreign.start()
    url = server.url
  end)
  teardown(function() server:stop() end)

  it("asks who it is", function()
    assert.are.equal("123456789012", aws("sts", "get-caller-identity").Account)
  end)

  it("validates a template", function()
    local answer = aws("cloudformation", "validate-template", "--template-body", "file://" .. TEMPLATE)
    assert.are.equal(5, #answer.Parameters)
  end)

  it("deploys a stack, and finds nothing to deploy the second time", function()
    local function deploy()
      local result = run { "/usr/bin/aws", "--endpoint-url", url, "cloudformation", "deploy", "--stack-name",
        "deployed", "--template-file", TEMPLATE }
      assert.are.equal(0, result.code, result.err)
      return result.out
    end
    assert.truthy(deploy():find("Successfully created/updated stack - deployed", 1, true))
    assert.truthy(deploy():find("No changes to deploy. Stack deployed is up to date", 1, true))
    aws("cloudformation", "delete-stack", "--stack-name", "deployed")
  end)

  it("deploys a SAM template, and finds nothing to deploy the second time", function()
    local function deploy()
      local result = run { "/usr/bin/aws", "--endpoint-url", url, "cloudformation", "deploy", "--stack-name",
        "sockets", "--template-file", "spec/serverless/sockets.yml", "--capabilities", "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND" }
      assert.are.equal(0, result.code, result.err)
      return result.out
    end
    assert.truthy(deploy():find("Successfully created/updated stack - sockets", 1, true))
    local types = {}
    local made = aws("cloudformation", "describe-stack-resources", "--stack-name", "sockets").StackResources
    for _, each in ipairs(made) do
      assert.are.equal("CREATE_COMPLETE", each.ResourceStatus)
      types[each.ResourceType] = (types[each.ResourceType] or 0) + 1
    end
    assert.are.equal(5, types["AWS::ApiGatewayV2::Route"])
    assert.are.equal(2, types["AWS::Lambda::CapacityProvider"])
    assert.truthy(deploy():find("is up to date", 1, true))
    aws("cloudformation", "delete-stack", "--stack-name", "sockets")
  end)

  it("copies files to S3 and back, and creates a stack from a template there", function()
    local bytes = ("0123456789abcdef"):rep(600000) -- more than one part
    sys.write_file(server.scratch .. "/big", bytes)
    aws("s3", "mb", "s3://foreign-bucket")
    aws("s3", "cp", "--only-show-errors", server.scratch .. "/big", "s3://foreign-bucket/a/big")
    aws("s3", "cp", "--only-show-errors", "s3://foreign-bucket/a/big", server.scratch .. "/back")
    assert.is_true(sys.read_file(server.scratch .. "/back") == bytes)
    aws("s3", "cp", "--only-show-errors", TEMPLATE, "s3://foreign-bucket/t.json")
    local answer = aws("cloudformation", "validate-template", "--template-url",
      "https://foreign-bucket.s3.amazonaws.com/t.json")
    assert.are.equal(5, #answer.Parameters)
  end)

  it("creates a stack, waits for it, reads it, and deletes it", function()
    local id = aws("cloudformation", "create-stack", "--stack-name", "TapStackdev", "--template-body",
      "file://" .. TEMPLATE, "--parameters", "ParameterKey=EnvironmentSuffix,ParameterValue=dev",
      "--tags", "Key=team,Value=tap").StackId
    assert.truthy(id:match("^arn:aws:cloudformation:us%-east%-1:123456789012:stack/TapStackdev/"))
    aws("cloudformation", "wait", "stack-create-complete", "--stack-name", "TapStackdev")

    local stack = aws("cloudformation", "describe-stacks", "--stack-name", "TapStackdev").Stacks[1]
    assert.are.equal("CREATE_COMPLETE", stack.StackStatus)
    assert.are.equal(id, stack.StackId)
    assert.are.same({ { Key = "team", Value = "tap" } }, stack.Tags)
    local outputs = {}
    for _, output in ipairs(stack.Outputs) do outputs[output.OutputKey] = output.OutputValue end
    assert.are.equal("TurnAroundPromptTabledev", outputs.TurnAroundPromptTableName)

    local events = aws("cloudformation", "describe-stack-events", "--stack-name", "TapStackdev").StackEvents
    assert.are.equal("CREATE_COMPLETE", events[1].ResourceStatus)
    assert.are.equal("TapStackdev", events[1].LogicalResourceId)
    assert.are.equal("User Initiated", events[#events].ResourceStatusReason)

    local resources = aws("cloudformation", "describe-stack-resources", "--stack-name", "TapStackdev")
    assert.are.equal(9, #resources.StackResources)
    local summaries = aws("cloudformation", "list-stack-resources", "--stack-name", "TapStackdev")
    assert.are.equal(9, #summaries.StackResourceSummaries)
    assert.truthy(#aws("cloudformation", "list-exports").Exports >= 7)
    local template = aws("cloudformation", "get-template", "--stack-name", "TapStackdev").TemplateBody
    assert.are.equal("AWS::DynamoDB::Table", template.Resources.TurnAroundPromptTable.Type)

    aws("cloudformation", "delete-stack", "--stack-name", "TapStackdev")
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "TapStackdev")
    assert.truthy(aws_fails(nil, "cloudformation", "describe-stacks", "--stack-name", "TapStackdev")
      :find("Stack with id TapStackdev does not exist", 1, true))
    local deleted = aws("cloudformation", "describe-stacks", "--stack-name", id).Stacks[1]
    assert.are.equal("DELETE_COMPLETE", deleted.StackStatus)
  end)

  it("is told what is wrong with a parameter", function()
    local message = aws_fails(nil, "cloudformation", "create-stack", "--stack-name", "bad", "--template-body",
      "file://" .. TEMPLATE, "--parameters", "ParameterKey=EnvironmentSuffix,ParameterValue=bad-suffix!")
    assert.truthy(message:find("(ValidationError) when calling the CreateStack operation: Parameter " ..
      "EnvironmentSuffix failed to satisfy constraint: Must contain only alphanumeric characters", 1, true),
      message)
  end)

  it("is refused with a wrong secret", function()
    local message = aws_fails("wrong", "cloudformation", "describe-stacks")
    assert.truthy(message:find("(SignatureDoesNotMatch)", 1, true), message)
    assert.truthy(message:find("The request signature we calculated does not match", 1, true))
  end)

  it("is told that an operation is not emulated", function()
    local message = aws_fails(nil, "cloudformation", "list-types")
    assert.truthy(message:find("does not emulate cloudformation ListTypes", 1, true), message)
  end)

  it("is not alone: boto3 creates a stack, pages through its events, and catches its errors", function()
    local result = run { "/usr/bin/python3", "-c", [==[
import boto3, botocore, sys
cfn = boto3.client("cloudformation", endpoint_url=sys.argv[1])
body = open(sys.argv[2]).read()
stack_id = cfn.create_stack(StackName="boto", TemplateBody=body, Parameters=[
    {"ParameterKey": "EnvironmentSuffix", "ParameterValue": "boto"}])["StackId"]
cfn.get_waiter("stack_create_complete").wait(StackName="boto")
stack = cfn.describe_stacks(StackName=stack_id)["Stacks"][0]
assert stack["CreationTime"].year >= 2026, stack["CreationTime"]
assert stack["Tags"] == [] and stack["NotificationARNs"] == [], stack
assert stack["RollbackConfiguration"] == {}, stack
pages = cfn.get_paginator("describe_stack_events").paginate(StackName="boto")
events = [event for page in pages for event in page["StackEvents"]]
assert events[-1]["ResourceStatus"] == "CREATE_IN_PROGRESS"
assert events[0]["ResourceStatus"] == "CREATE_COMPLETE"
times = [event["Timestamp"] for event in events]
assert times == sorted(times, reverse=True)
try:
    cfn.create_stack(StackName="boto", TemplateBody=body)
    raise SystemExit("a second stack of the same name was accepted")
except cfn.exceptions.AlreadyExistsException as e:
    assert str(e).endswith("Stack [boto] already exists"), e
try:
    cfn.create_stack(StackName="a_b", TemplateBody=body)
    raise SystemExit("a bad name was accepted")
except botocore.exceptions.ClientError as e:
    assert "1 validation error detected: Value 'a_b' at 'stackName'" in str(e), e
cfn.delete_stack(StackName=stack_id)
cfn.get_waiter("stack_delete_complete").wait(StackName=stack_id)
print("done", len(events))
]==], url, TEMPLATE }
    assert.are.equal(0, result.code, result.err)
    assert.truthy(result.out:match("^done %d%d"))
  end)

  it("is not alone: boto3 stores an item in the table of a stack, as in the seeds' example", function()
    local result = run { "/usr/bin/python3", "-c", [==[
import boto3, sys, uuid
from datetime import datetime, timedelta
endpoint = {"endpoint_url": sys.argv[1], "region_name": "us-east-1"}
cfn = boto3.client("cloudformation", **endpoint)
cfn.create_stack(StackName="TapStackitems", TemplateBody=open(sys.argv[2]).read(), Parameters=[
    {"ParameterKey": "EnvironmentSuffix", "ParameterValue": "items"}])
cfn.get_waiter("stack_create_complete").wait(StackName="TapStackitems")
response = cfn.describe_stacks(StackName="TapStackitems")
outputs = {o["OutputKey"]: o["OutputValue"] for o in response["Stacks"][0]["Outputs"]}
table = boto3.resource("dynamodb", **endpoint).Table(outputs["TurnAroundPromptTableName"])
item = {"id": str(uuid.uuid4()), "prompt_text": "Review the code", "task_type": "code_review",
        "priority": "high", "status": "pending", "created_at": datetime.now().isoformat(),
        "ttl": int((datetime.now() + timedelta(days=30)).timestamp())}
table.put_item(Item=item)
assert table.get_item(Key={"id": item["id"]})["Item"] == item
assert table.scan()["Count"] == 1
]==], url, TEMPLATE }
    assert.are.equal(0, result.code, result.err)
  end)

  it("is not alone: curl signs by itself and is understood", function()
    local result = run { "curl", "-s", "--aws-sigv4", "aws:amz:us-east-1:sts", "--user", "test:test",
      "-d", "Action=GetCallerIdentity&Version=2011-06-15", url .. "/" }
    assert.truthy(result.out:find("<Account>123456789012</Account>", 1, true), result.out)
  end)
end)
