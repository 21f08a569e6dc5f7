-- The example runbooks, rehearsed: `tapengine test examples/runbooks/spec/runbooks_spec.lua`. A team's own specs look
-- like this.
local json = require "tap.core.json"
local rehearsal = require "tap.rehearsal"
local sys = require "tap.core.sys"

local FOLDER = "examples/runbooks/"

local function write(name, text)
  local path = ("/tmp/runbooks-spec.%d.%s"):format(sys.pid(), name)
  sys.write_file(path, text)
  return path
end

local function template(value)
  return write("template.json", json.encode(value))
end

describe("restore-table", function()
  it("switches a stack over to the restored table, once somebody approves", function()
    local r = rehearsal.open()
    local path = template { Parameters = { Table = { Type = "String", Default = "orders" } },
      Resources = { Topic = { Type = "AWS::SNS::Topic", Properties = { DisplayName = { Ref = "Table" } } } } }
    local dynamodb = r:client "dynamodb"
    dynamodb:create_table { TableName = "orders", BillingMode = "PAY_PER_REQUEST",
      AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
      KeySchema = { { AttributeName = "id", KeyType = "HASH" } } }
    require("tap.task").sleep(60)
    dynamodb:update_continuous_backups { TableName = "orders",
      PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = true } }
    dynamodb:put_item { TableName = "orders", Item = { id = { S = "1" } } }
    assert.equal(0, r:run("create", "web", "--template", path).code)

    local answer = write("answer", "no, not today\n")
    local words = { FOLDER .. "restore-table.lua", "--stack-name", "web", "--table", "orders", "--parameter-name",
      "Table", "--approval-file", answer }
    local refused = r:run(table.unpack(words))
    assert.equal(4, refused.code, refused.out)
    assert.matches("orders has 1 items, orders-restored has 1", refused.out, 1, true)
    sys.write_file(answer, "approve\n")
    local done = r:run(table.unpack(words))
    assert.equal(0, done.code, done.out)
    local stack = r:client("cloudformation"):describe_stacks({ StackName = "web" }).Stacks[1]
    assert.equal("orders-restored", stack.Parameters[1].ParameterValue)
    r:close()
  end)
end)

describe("rotate-key", function()
  it("hands the new key over without showing it, and deletes the old one", function()
    local r = rehearsal.open()
    local iam, secrets = r:client "iam", r:client "secretsmanager"
    iam:create_user { UserName = "deployer" }
    local old = iam:create_access_key({ UserName = "deployer" }).AccessKey.AccessKeyId
    secrets:create_secret { Name = "ci/deployer", SecretString = "{}" }
    local result = r:run(FOLDER .. "rotate-key.lua", "--user", "deployer", "--secret", "ci/deployer", "--yes")
    assert.equal(0, result.code, result.out)
    local keys = iam:list_access_keys({ UserName = "deployer" }).AccessKeyMetadata
    assert.equal(1, #keys)
    assert.is_not.equal(old, keys[1].AccessKeyId)
    local handed = json.decode(secrets:get_secret_value({ SecretId = "ci/deployer" }).SecretString)
    assert.equal(keys[1].AccessKeyId, handed.id)
    assert.is_nil(result.out:find(handed.secret, 1, true))
    r:close()
  end)
end)

describe("replace-instances", function()
  it("replaces one after the other, and leaves as many in service as before", function()
    local r = rehearsal.open()
    local path = template { Resources = {
      Template = { Type = "AWS::EC2::LaunchTemplate", Properties = { LaunchTemplateData = {
        ImageId = "ami-01234567", InstanceType = "t3.micro" } } },
      Group = { Type = "AWS::AutoScaling::AutoScalingGroup", Properties = { AutoScalingGroupName = "web", MinSize = "2",
        MaxSize = "4", DesiredCapacity = "2", AvailabilityZones = { "us-east-1a" }, LaunchTemplate = {
          LaunchTemplateId = { Ref = "Template" }, Version = "1" } } } } }
    local created = r:run("create", "web", "--template", path)
    assert.equal(0, created.code, created.out)
    local result = r:run(FOLDER .. "replace-instances.lua", "--group", "web")
    assert.equal(0, result.code, result.out)
    assert.matches("2 instances of web are replaced", result.out, 1, true)
    r:close()
  end)
end)
