-- Topics, queues and keys as views of the sandbox's store.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

describe("messages in the sandbox", function()
  local w, sns, sqs
  before_each(function()
    w = world.open()
    sns, sqs = w:client "sns", w:client "sqs"
    w:create("demo", {
      T = world.topic { TopicName = "t", DisplayName = "name",
        Subscription = { { Protocol = "email", Endpoint = "ops@example.com" } } },
      Q = { Type = "AWS::SQS::Queue", Properties = { QueueName = "q", VisibilityTimeout = "40" } },
      S = { Type = "AWS::SNS::Subscription", Properties = { TopicArn = { Ref = "T" }, Protocol = "sqs",
        Endpoint = { ["Fn::GetAtt"] = { "Q", "Arn" } } } },
    })
  end)
  after_each(function() w:close() end)

  local ARN = "arn:aws:sns:us-east-1:123456789012:t"

  it("go from a topic to the queues that subscribe", function()
    sns:publish { TopicArn = ARN, Message = "hello", Subject = "s" }
    local url = sqs:get_queue_url({ QueueName = "q" }).QueueUrl
    assert.equal("https://sqs.us-east-1.amazonaws.com/123456789012/q", url)
    local message = sqs:receive_message({ QueueUrl = url }).Messages[1]
    local envelope = json.decode(message.Body)
    assert.same({ "hello", "s", ARN }, { envelope.Message, envelope.Subject, envelope.TopicArn })
    assert.is_nil(sqs:receive_message({ QueueUrl = url }).Messages)
    world.sleep(41)
    local again = sqs:receive_message({ QueueUrl = url }).Messages[1]
    assert.equal("2", again.Attributes.ApproximateReceiveCount)
    sqs:delete_message { QueueUrl = url, ReceiptHandle = again.ReceiptHandle }
    world.sleep(41)
    assert.equal("0", sqs:get_queue_attributes({ QueueUrl = url, AttributeNames = { "All" } })
      .Attributes.ApproximateNumberOfMessages)
  end)

  it("have topics with subscriptions, confirmed or not", function()
    local attributes = sns:get_topic_attributes({ TopicArn = ARN }).Attributes
    assert.same({ "1", "1", "name" },
      { attributes.SubscriptionsConfirmed, attributes.SubscriptionsPending, attributes.DisplayName })
    assert.equal(2, #sns:list_subscriptions_by_topic({ TopicArn = ARN }).Subscriptions)
    assert.equal("NotFound: Topic does not exist",
      (world.refusal(sns.publish, sns, { TopicArn = ARN .. "x", Message = "m" })))
    assert.truthy(world.refusal(sqs.send_message, sqs, { QueueUrl = "http://x/none", MessageBody = "m" })
      :find("The specified queue does not exist.", 1, true))
  end)
end)

describe("keys in the sandbox", function()
  local w, kms
  before_each(function()
    w = world.open()
    kms = w:client "kms"
    w:create("demo", { K = { Type = "AWS::KMS::Key", Properties = { EnableKeyRotation = "true",
      KeyPolicy = { Version = "2012-10-17" } } },
      A = { Type = "AWS::KMS::Alias", Properties = { AliasName = "alias/mine", TargetKeyId = { Ref =
        "K" } } } })
  end)
  after_each(function() w:close() end)

  it("encrypt and decrypt, by id and by alias", function()
    local sealed = kms:encrypt { KeyId = "alias/mine", Plaintext = "secret\0" }
    assert.equal("secret\0", kms:decrypt({ CiphertextBlob = sealed.CiphertextBlob }).Plaintext)
    assert.truthy(world.refusal(kms.decrypt, kms, { CiphertextBlob =
      "x" }):find "^InvalidCiphertextException")
    local data = kms:generate_data_key { KeyId = "alias/mine", KeySpec = "AES_256" }
    assert.equal(data.Plaintext, kms:decrypt({ CiphertextBlob = data.CiphertextBlob }).Plaintext)
    assert.equal(32, #data.Plaintext)
  end)

  it("say how they are", function()
    local key = kms:describe_key({ KeyId = "alias/mine" }).KeyMetadata
    assert.same({ "Enabled", "CUSTOMER" }, { key.KeyState, key.KeyManager })
    assert.is_true(kms:get_key_rotation_status({ KeyId = key.KeyId }).KeyRotationEnabled)
    assert.equal("alias/mine", kms:list_aliases({ KeyId = key.KeyId }).Aliases[1].AliasName)
    assert.truthy(world.refusal(kms.describe_key, kms, { KeyId = "none" }):find "^NotFoundException: Key '")
    kms:schedule_key_deletion { KeyId = key.KeyId, PendingWindowInDays = 7 }
    assert.truthy(world.refusal(kms.encrypt, kms, { KeyId = key.KeyId, Plaintext = "x" })
      :find "^KMSInvalidStateException")
  end)
end)
