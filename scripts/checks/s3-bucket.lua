--- A bucket is private and encrypted, and versioned where the template asks for it.

local tap = require "tap"

local BLOCKS = { "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets" }
local ALGORITHM = "BucketEncryption.ServerSideEncryptionConfiguration.1.ServerSideEncryptionByDefault.SSEAlgorithm"

-- What the bucket has, or nil when it has none: the service answers that with an error of its own.
local function setting(s3, method, bucket)
  local answer, e = tap.try(s3[method], s3, { Bucket = bucket })
  if e and e.status ~= 404 then error(e, 0) end
  return answer
end

return tap.check {
  name = "s3-bucket", summary = "a bucket blocks public access, is encrypted, and versioned as asked",
  type = "AWS::S3::Bucket",

  run = function(ctx, it)
    local s3 = ctx:client "s3"
    local block = setting(s3, "get_public_access_block", it.physical_id)
    local configuration = block and block.PublicAccessBlockConfiguration or {}
    for _, name in ipairs(BLOCKS) do
      it:expect(configuration[name] or not it:asks("PublicAccessBlockConfiguration." .. name), name .. " is off")
    end
    local encryption = setting(s3, "get_bucket_encryption", it.physical_id)
    if it:expect(encryption, "it is not encrypted") then
      local rule = encryption.ServerSideEncryptionConfiguration.Rules[1].ApplyServerSideEncryptionByDefault
      local wanted = it:asked(ALGORITHM)
      it:expect(not wanted or rule.SSEAlgorithm == wanted, ("it is encrypted by %s, not by %s"):format(
        rule.SSEAlgorithm, wanted))
    end
    local versioning = s3:get_bucket_versioning { Bucket = it.physical_id }
    local asked = it:asked "VersioningConfiguration.Status" == "Enabled" or it.settings.strict
    it:expect(not asked or versioning.Status == "Enabled", "versioning is " .. (versioning.Status or "off"))
  end,
}
