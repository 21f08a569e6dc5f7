-- Part 2.8 of the reference, what failures say: a test for each row that is certain, over HTTP.

local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local topic = rows.topic
local row = rows.by(it)

local CHILD = "AWS::CloudFormation::Stack"

-- Creates a stack of these resources; why its resource A failed.
local function why(w, resources, input)
  w:create("demo", resources, input)
  return w:reason("demo", "A", "CREATE_FAILED")
end

describe("2.8 a service's refusal", function()
  row("through a handler has ids and a code", nil, function(w)
    w:create("demo", { A = { Type = "AWS::DynamoDB::Table", Properties = { DeletionProtectionEnabled = true } } })
    w:delete "demo"
    assert.truthy(w:reason("demo", "A", "DELETE_FAILED"):match(
      '^Resource handler returned message: ".+ %(Service: DynamoDb, Status Code: 400, Request ID: '
        .. '%x+%-%x+%-%x+%-%x+%-%x+%) %(SDK Attempt Count: 1%)" %(RequestToken: %x+%-%x+%-%x+%-%x+%-%x+, '
        .. 'HandlerErrorCode: InvalidRequest%)$'))
  end)

  row("of a name says which stack has it", nil, function(w)
    local owner = w:create("owner", { T = world.topic { TopicName = "taken" } })
    assert.are.equal("taken already exists in stack " .. owner, why(w, { A = world.topic { TopicName = "taken" } }))
  end)

  row("of a name that no stack has is short", nil, function(w)
    w:client("s3"):create_bucket { Bucket = "taken" }
    assert.are.equal("taken already exists",
      why(w, { A = { Type = "AWS::S3::Bucket", Properties = { BucketName = "taken" } } }))
  end)

  for message, properties in pairs {
    ["#: extraneous key [Foo] is not permitted"] = { Foo = "x" },
    ["#/DisplayName: expected type: String, found: JSONArray"] = { DisplayName = { "a" } },
    ["#/Subscription/0: required key [Endpoint] not found"] = { Subscription = { { Protocol = "sqs" } } },
  } do
    row("of properties by their schema: " .. message, nil, function(w)
      assert.are.equal("Properties validation failed for resource A with message:\n" .. message,
        why(w, { A = world.topic(properties) }))
    end)
  end

  row("of properties that lack one that is required", nil, function(w)
    w:create("demo", [[{"Resources": {"A": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}}}}]])
    assert.are.equal("Properties validation failed for resource A with message:\n#: required key [GroupDescription] "
      .. "not found", w:reason("demo", "A", "CREATE_FAILED"))
  end)
end)

describe("2.8 a nested stack", function()
  -- A parent whose child has these resources.
  local function parent(w, resources)
    local s3 = w:client "s3"
    pcall(s3.create_bucket, s3, { Bucket = "templates" })
    s3:put_object { Bucket = "templates", Key = "c.json", Body = world.template(resources) }
    return { A = { Type = CHILD, Properties = { TemplateURL = "https://templates.s3.amazonaws.com/c.json" } } }
  end

  local function child_of(w)
    for _, event in ipairs(w:events "demo") do
      if event.LogicalResourceId == "A" and event.PhysicalResourceId ~= "" then return event.PhysicalResourceId end
    end
  end

  row("that fails to be created is embedded in its parent's words", { resources = {
    { resource = "B", on = "create", fail = "no" } } }, function(w)
      local text = why(w, parent(w, { B = topic "b" }))
      assert.are.equal(("Embedded stack %s was not successfully created: The following resource(s) failed to create: "
        .. "[B]. "):format(child_of(w)), text)
    end)

  row("that fails to be updated too, with its status", { resources = {
    { resource = "B", on = "update", fail = "no" } } }, function(w)
      w:create("demo", parent(w, { B = topic "b" }))
      w:update("demo", parent(w, { B = topic "c" }))
      assert.are.equal(("Embedded stack %s was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with "
        .. "reason: The following resource(s) failed to update: [B]. "):format(child_of(w)),
        w:reason("demo", "A", "UPDATE_FAILED"))
    end)
end)

describe("2.8 a wait condition", function()
  local function waiting()
    return { H = { Type = "AWS::CloudFormation::WaitConditionHandle" },
      A = { Type = "AWS::CloudFormation::WaitCondition", Properties = { Handle = { Ref = "H" }, Timeout = "60" } } }
  end

  row("times out", nil, function(w)
    assert.are.equal("WaitCondition timed out. Received 0 conditions when expecting 1", why(w, waiting()))
  end)

  row("fails with a failure signal", nil, function(w)
    w:create("demo", waiting(), nil, 20)
    w.cfn:signal_resource { StackName = "demo", LogicalResourceId = "A", UniqueId = "u", Status = "FAILURE" }
    local text = w:reason("demo", "A", "CREATE_FAILED")
    assert.truthy(text:match "^WaitCondition received failed message: '.*' for uniqueId: u$", text)
  end)
end)

describe("2.8 a creation policy", function()
  local HANGS = { resources = { { resource = "A", on = "create", hang = true } } }

  local function booting(type_name, count)
    return { A = { Type = type_name, CreationPolicy = { ResourceSignal = { Count = count, Timeout = "PT10M" } },
      Properties = type_name:find "Group$" and { MinSize = count, MaxSize = count } or nil } }
  end

  local INSTANCE, GROUP = "AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup"

  for _, case in ipairs { { INSTANCE, "1" }, { GROUP, "2" } } do
    row("is fulfilled when all of them have booted and signalled: " .. case[1], nil, function(w)
      w:create("demo", booting(case[1], case[2]))
      local count = 0
      for _, line in ipairs(w:lines "demo") do
        if line:find "^A CREATE_IN_PROGRESS: Received SUCCESS signal with UniqueId i%-%x+$" then count = count + 1 end
      end
      assert.are.same({ tonumber(case[2]), "CREATE_COMPLETE" }, { count, w:status "demo" })
    end)
  end

  row("of an instance that never signals fails", HANGS, function(w)
    assert.are.equal("Failed to receive 1 resource signal(s) within the specified duration",
      why(w, booting(INSTANCE, "1")))
  end)

  row("of a group whose instances never signal fails", HANGS, function(w)
    assert.are.equal("Received 0 SUCCESS signal(s) out of 2.  Unable to satisfy 100% MinSuccessfulInstancesPercent "
      .. "requirement", why(w, booting(GROUP, "2")))
    assert.truthy(table.concat(w:lines "demo", "\n"):find("A CREATE_IN_PROGRESS: Failed to receive 2 resource "
      .. "signal(s) for the current batch.  Each resource signal timeout is counted as a FAILURE.", 1, true))
  end)

  row("may be content with a share of them", HANGS, function(w)
    local resources = booting(GROUP, "2")
    resources.A.CreationPolicy.AutoScalingCreationPolicy = { MinSuccessfulInstancesPercent = "50" }
    w:create("demo", resources, nil, 60)
    for id, status in pairs { one = "SUCCESS", two = "FAILURE" } do
      w.cfn:signal_resource { StackName = "demo", LogicalResourceId = "A", UniqueId = id, Status = status }
    end
    world.sleep(60)
    assert.are.equal("CREATE_COMPLETE", w:status "demo")
    local lines = table.concat(w:lines "demo", "\n")
    assert.truthy(lines:find("A CREATE_IN_PROGRESS: Received FAILURE signal with UniqueId two", 1, true))
  end)
end)

describe("2.8 a custom resource", function()
  -- What Create is answered; everything else succeeds.
  local function answering(response)
    return { custom = { ["*"] = function(request)
      if request.RequestType ~= "Create" then return { Status = "SUCCESS" } end
      return response
    end } }
  end

  local function custom(more)
    local properties = { ServiceToken = "arn:aws:lambda:us-east-1:123456789012:function:f" }
    for name, value in pairs(more or {}) do properties[name] = value end
    return { A = { Type = "Custom::Thing", Properties = properties } }
  end

  row("that fails says what its provider said", answering { Status = "FAILED", Reason = "no zone" }, function(w)
    assert.truthy(why(w, custom()):match("^Received response status %[FAILED%] from custom resource%. Message "
      .. "returned: no zone %(RequestId: %x+%-%x+%-%x+%-%x+%-%x+%)$"))
  end)

  row("that never answers says where to look", answering(nil), function(w)
    assert.truthy(why(w, custom { ServiceTimeout = "60" }):match("^CloudFormation did not receive a response from your "
      .. "Custom Resource%. Please check your logs for requestId %[%x+%-%x+%-%x+%-%x+%-%x+%]%. If you are using the "
      .. "Python cfn%-response module, you may need to update your Lambda function code so that CloudFormation can "
      .. "attach the updated version%.$"))
  end)

  for text, response in pairs {
    ["Data returned must be an object"] = { Status = "SUCCESS", Data = "text" },
    ["Response is too long."] = { Status = "SUCCESS", Data = { T = ("x"):rep(5000) } },
    ["Invalid PhysicalResourceId"] = { Status = "SUCCESS", PhysicalResourceId = "" },
  } do
    row("that answers wrongly: " .. text, answering(response), function(w)
      assert.are.equal(text, why(w, custom()))
    end)
  end

  row("that lacks data says which key", answering { Status = "SUCCESS", Data = {} }, function(w)
    local resources = custom()
    resources.B = topic { ["Fn::GetAtt"] = { "A", "Url" } }
    w:create("demo", resources)
    assert.truthy(w:reason("demo", "B", "CREATE_FAILED"):match("^Vendor response doesn't contain Url key in object "
      .. "arn:aws:cloudformation:%S+|A|%x+%-%S+ in S3 bucket cloudformation%-custom%-resource%-storage%-us%-east%-1$"))
  end)
end)
