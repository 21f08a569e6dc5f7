-- Taking existing things into a stack.
local helpers = require "spec.helpers"
local json = require "tap.core.json"

local TOPIC = "arn:aws:sns:us-east-1:123456789012:there"

local function bucket(name)
  return { Type = "AWS::S3::Bucket", DeletionPolicy = "Retain", Properties = { BucketName = name } }
end

describe("import", function()
  teardown(helpers.clean)

  local folder, run

  -- A kept sandbox with a bucket and a topic that no stack has; run(code, words...) is a command in it.
  before_each(function()
    folder = helpers.folder()
    run = function(code, ...)
      local result = helpers.tapengine { cwd = folder, ... }
      assert.equal(code, result.code, result.err)
      return result
    end
    run(0, "aws", "s3", "create-bucket", "--bucket", "logs-dev-123456789012", "--sandbox-state", "state")
    run(0, "aws", "sns", "create-topic", "--name", "there", "--sandbox-state", "state")
  end)

  local function template(resources)
    return helpers.file("web.json", json.encode { Parameters = { Suffix = { Type = "String", Default = "dev" } },
      Resources = resources }, folder)
  end

  local function import(code, resources, ...)
    return run(code, "import", "web", "--template", template(resources), "--sandbox-state", "state", ...)
  end

  local function ids()
    local listed = run(0, "aws", "cloudformation", "list-stack-resources", "--stack-name", "web", "--sandbox-state",
      "state")
    local out = {}
    for _, resource in ipairs(json.decode(listed.out).StackResourceSummaries) do
      out[resource.LogicalResourceId] = resource.PhysicalResourceId
    end
    return out
  end

  local NAMED = bucket { ["Fn::Sub"] = "logs-${Suffix}-${AWS::AccountId}" }
  local UNNAMED = { Type = "AWS::SNS::Topic", DeletionPolicy = "Retain" }

  it("finds what the template names by itself, and the rest by --identifier; a new stack, then an old one", function()
    assert.matches("takes the existing bucket into the stack", import(20, { B = NAMED }, "--dry-run").out, 1, true)
    local first = import(0, { B = NAMED }, "--yes")
    assert.matches("web IMPORT_COMPLETE in", first.out, 1, true)
    import(0, { B = NAMED, T = UNNAMED }, "--yes", "--identifier", "T=" .. TOPIC, "--tags", "a=b")
    assert.same({ B = "logs-dev-123456789012", T = TOPIC }, ids())
  end)

  it("says all that is missing, with its place, before anything is touched", function()
    local net = { Type = "AWS::EC2::VPC", DeletionPolicy = "Retain", Properties = { CidrBlock = "10.0.0.0/16" } }
    local bare = { Type = "AWS::S3::Bucket", Properties = { BucketName = "logs-dev-123456789012" } }
    local refused = import(3, { B = bare, T = UNNAMED, M = net }, "--yes", "--identifier", "X=y", "--identifier",
      "M=vpc-1|x")
    assert.matches("web.json:1:%d+: B: what is imported needs a DeletionPolicy", refused.err)
    assert.matches("T: the template does not say which AWS::SNS::Topic it is: add --identifier T=TopicArn", refused.err,
      1, true)
    assert.matches("--identifier M=vpc-1|x is not of the form --identifier M=VpcId", refused.err, 1, true)
    assert.matches("--identifier X: the template has no such resource", refused.err, 1, true)
    assert.matches("nothing was touched", refused.err, 1, true)
    import(0, { B = NAMED }, "--yes")
    assert.matches("there is nothing to import", import(3, { B = NAMED }, "--yes").err, 1, true)
  end)

  it("that fails is told as other failures are, and leaves what was there", function()
    local scenario = helpers.file("s.lua",
      'return { teaches = "t", resources = { { on = "import", fail = "not yours" } } }', folder)
    local failed = import(6, { B = NAMED }, "--yes", "--sandbox=" .. scenario)
    assert.matches("B  AWS::S3::Bucket  IMPORT_FAILED  ", failed.err, 1, true)
    assert.matches("not yours", failed.err, 1, true)
    run(0, "aws", "s3", "head-bucket", "--bucket", "logs-dev-123456789012", "--sandbox-state", "state")
  end)
end)
