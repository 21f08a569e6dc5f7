-- S3 as a view of the sandbox's store.

local world = require "spec.sandbox_world"

describe("S3 in the sandbox", function()
  local w, s3
  before_each(function()
    w = world.open()
    s3 = w:client "s3"
  end)
  after_each(function() w:close() end)

  local function bucket(properties)
    return { Type = "AWS::S3::Bucket", Properties = properties }
  end

  local function refusal(operation, input)
    local text, status = world.refusal(s3[operation], s3, input)
    return ("%s (%d)"):format(text, status)
  end

  it("keeps objects with what came with them", function()
    s3:create_bucket { Bucket = "one" }
    local put = s3:put_object { Bucket = "one", Key = "a/b c", Body = "hello\0", ContentType = "text/x",
      Metadata = { who = "me" } }
    local got = s3:get_object { Bucket = "one", Key = "a/b c" }
    assert.same({ "hello\0", "text/x", "me", put.ETag },
      { got.Body, got.ContentType, got.Metadata.who, got.ETag })
    local head = s3:head_object { Bucket = "one", Key = "a/b c" }
    assert.same({ 6, put.ETag }, { head.ContentLength, head.ETag })
    assert.equal("ell", s3:get_object({ Bucket = "one", Key = "a/b c", Range = "bytes=1-3" }).Body)
    s3:delete_object { Bucket = "one", Key = "a/b c" }
    assert.equal("NoSuchKey: The specified key does not exist. (404)",
      refusal("get_object", { Bucket = "one", Key = "a/b c" }))
    assert.equal("NoSuchBucket: The specified bucket does not exist (404)",
      refusal("get_object", { Bucket = "two", Key = "x" }))
  end)

  it("lists keys in order, folded at a delimiter, in pages", function()
    s3:create_bucket { Bucket = "one" }
    for _, key in ipairs { "b/2", "a", "b/1", "c" } do
      s3:put_object { Bucket = "one", Key = key, Body = "x" }
    end
    local seen = {}
    for page in s3:pages("list_objects_v2", { Bucket = "one", MaxKeys = 2 }) do
      for _, object in ipairs(page.Contents) do seen[#seen + 1] = object.Key end
    end
    assert.same({ "a", "b/1", "b/2", "c" }, seen)
    local folded = s3:list_objects_v2 { Bucket = "one", Delimiter = "/" }
    assert.same({ "b/" }, { folded.CommonPrefixes[1].Prefix })
    assert.equal(2, #folded.Contents)
  end)

  it("keeps versions when the bucket has versioning", function()
    w:create("demo", { B = bucket { BucketName = "kept", VersioningConfiguration = { Status = "Enabled" } } })
    local first = s3:put_object { Bucket = "kept", Key = "k", Body = "1" }
    s3:put_object { Bucket = "kept", Key = "k", Body = "2" }
    s3:delete_object { Bucket = "kept", Key = "k" }
    assert.equal("1", s3:get_object({ Bucket = "kept", Key = "k", VersionId = first.VersionId }).Body)
    assert.truthy(refusal("get_object", { Bucket = "kept", Key = "k" }):find "^NoSuchKey")
    local versions = s3:list_object_versions { Bucket = "kept" }
    assert.same({ 2, 1 }, { #versions.Versions, #versions.DeleteMarkers })
    assert.equal("Enabled", s3:get_bucket_versioning({ Bucket = "kept" }).Status)
  end)

  it("reads back what a template says of a bucket", function()
    w:create("demo", {
      B = bucket { BucketName = "made",
        PublicAccessBlockConfiguration = { BlockPublicAcls = true, BlockPublicPolicy = "true",
          IgnorePublicAcls = true, RestrictPublicBuckets = true },
        BucketEncryption = { ServerSideEncryptionConfiguration = { {
          ServerSideEncryptionByDefault = { SSEAlgorithm = "aws:kms", KMSMasterKeyID = "k" } } } },
        LifecycleConfiguration = { Rules = { { Id = "old", Status = "Enabled", ExpirationInDays = 9,
          Transitions = { { StorageClass = "GLACIER", TransitionInDays = 3 } } } } } },
      P = { Type = "AWS::S3::BucketPolicy", Properties = { Bucket = { Ref = "B" },
        PolicyDocument = { Version = "2012-10-17", Statement = {} } } },
    })
    local block = s3:get_public_access_block({ Bucket = "made" }).PublicAccessBlockConfiguration
    assert.same({ BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true,
      RestrictPublicBuckets = true }, block)
    local rule = s3:get_bucket_encryption({ Bucket = "made" }).ServerSideEncryptionConfiguration.Rules[1]
    assert.equal("aws:kms", rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
    local lifecycle = s3:get_bucket_lifecycle_configuration({ Bucket = "made" }).Rules[1]
    assert.same({ 9, 3 }, { lifecycle.Expiration.Days, lifecycle.Transitions[1].Days })
    assert.truthy(s3:get_bucket_policy({ Bucket = "made" }).Policy:find("2012-10-17", 1, true))
    assert.equal("NoSuchTagSet: The TagSet does not exist (404)",
      refusal("get_bucket_tagging", { Bucket = "made" }))
  end)

  it("does not let a stack delete a full bucket", function()
    w:create("demo", { B = bucket { BucketName = "full" } })
    s3:put_object { Bucket = "full", Key = "k", Body = "1" }
    w:delete "demo"
    assert.equal("DELETE_FAILED", w:status "demo")
    assert.truthy(w:reason("demo", "B", "DELETE_FAILED"):find("not empty", 1, true))
    assert.equal("BucketNotEmpty: The bucket you tried to delete is not empty (409)",
      refusal("delete_bucket", { Bucket = "full" }))
    s3:delete_objects { Bucket = "full", Delete = { Objects = { { Key = "k" } } } }
    w:delete "demo"
    assert.equal("NoSuchBucket: The specified bucket does not exist (404)",
      refusal("list_objects_v2", { Bucket = "full" }))
  end)

  it("does not let a stack make a bucket whose name is taken", function()
    s3:create_bucket { Bucket = "taken" }
    w:create("demo", { B = bucket { BucketName = "taken" } })
    assert.equal("taken already exists", w:reason("demo", "B", "CREATE_FAILED"))
  end)

  it("puts an upload's parts together", function()
    s3:create_bucket { Bucket = "one" }
    local id = s3:create_multipart_upload({ Bucket = "one", Key = "big" }).UploadId
    local parts = {}
    for i, text in ipairs { "first ", "second" } do
      parts[i] = { PartNumber = i, ETag = s3:upload_part({ Bucket = "one", Key = "big", UploadId = id,
        PartNumber = i, Body = text }).ETag }
    end
    s3:complete_multipart_upload { Bucket = "one", Key = "big", UploadId = id,
      MultipartUpload = { Parts = parts } }
    assert.equal("first second", s3:get_object({ Bucket = "one", Key = "big" }).Body)
    assert.truthy(refusal("upload_part", { Bucket = "one", Key = "big", UploadId = id, PartNumber = 1,
      Body = "x" }):find "^NoSuchUpload")
  end)

  it("4.3: gives templates by their address", function()
    s3:create_bucket { Bucket = "templates" }
    s3:put_object { Bucket = "templates", Key = "web/t.json", Body = world.template { A = world.topic() } }
    local urls = {
      "https://templates.s3.amazonaws.com/web/t.json",
      "https://s3.amazonaws.com/templates/web/t.json",
      "https://templates.s3.us-east-1.amazonaws.com/web/t.json",
      "https://s3.us-east-1.amazonaws.com/templates/web/t.json" }
    for i, url in ipairs(urls) do
      w.cfn:create_stack { StackName = "demo" .. i, TemplateURL = url }
      world.sleep(600)
      assert.equal("CREATE_COMPLETE", w:status("demo" .. i))
    end
    local function validate(url)
      return world.refusal(w.cfn.validate_template, w.cfn, { TemplateURL = url })
    end
    assert.equal("ValidationError: S3 error: The specified key does not exist.\nFor more information check "
      .. "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
      validate "https://s3.amazonaws.com/templates/none")
    assert.equal("ValidationError: S3 error: Domain name specified in example.com is not a valid S3 domain",
      validate "https://example.com/t.json")
    assert.equal("ValidationError: TemplateURL must be a supported URL.", validate "http://x")
  end)
end)
