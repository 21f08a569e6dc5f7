--- What a request cannot carry goes through a bucket: a large template, and the files that a template names. The
-- bucket is the one given, or one of ours, which is made after asking, private, encrypted, TLS only, and forgets what
-- was uploaded after some days.

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local json = require "tap.core.json"
local template = require "tap.template"

local upload = {}

local KEEP_DAYS = 30 -- a rollback long after may still read the template

local function policy_of(bucket)
  local arn = "arn:aws:s3:::" .. bucket
  return json.encode { Version = "2012-10-17", Statement = json.list { {
    Sid = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*", Resource = json.list { arn, arn .. "/*" },
    Condition = { Bool = { ["aws:SecureTransport"] = "false" } } } } }
end

local function make_bucket(s3, bucket, region)
  s3:create_bucket { Bucket = bucket,
    CreateBucketConfiguration = region ~= "us-east-1" and { LocationConstraint = region } or nil }
  s3:put_public_access_block { Bucket = bucket, PublicAccessBlockConfiguration = { BlockPublicAcls = true,
    IgnorePublicAcls = true, BlockPublicPolicy = true, RestrictPublicBuckets = true } }
  s3:put_bucket_encryption { Bucket = bucket, ServerSideEncryptionConfiguration = { Rules = json.list { {
    ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" } } } } }
  s3:put_bucket_lifecycle_configuration { Bucket = bucket, LifecycleConfiguration = { Rules = json.list { {
    ID = "forget", Status = "Enabled", Filter = { Prefix = "" }, Expiration = { Days = KEEP_DAYS } } } } }
  s3:put_bucket_policy { Bucket = bucket, Policy = policy_of(bucket) }
end

-- The bucket that this tool makes when none is given.
local function own_bucket(ctx, s3, region)
  local account = ctx:client("sts"):get_caller_identity({}).Account
  local bucket = ("tapengine-templates-%s-%s"):format(account, region)
  local _, e = errors.try(s3.head_bucket, s3, { Bucket = bucket, ExpectedBucketOwner = account })
  if not e then return bucket end
  if e.status ~= 404 then error(e, 0) end
  ctx:confirm(("The template is over 51,200 bytes, or names local files: that goes through S3. Make the bucket %s "
    .. "(private, encrypted, objects kept for %d days)?"):format(bucket, KEEP_DAYS))
  make_bucket(s3, bucket, region)
  ctx.out:note("made bucket " .. bucket)
  return bucket
end

--- Puts bytes into the bucket, under a name made of them.
---@param ctx tap.Context
---@param bytes string
---@param suffix string of the name: ".template"
---@param bucket string? nil: a bucket of our own
---@return { bucket: string, key: string, url: string }
function upload.store(ctx, bytes, suffix, bucket)
  local s3 = ctx:client "s3"
  local region = s3:region()
  bucket = bucket or own_bucket(ctx, s3, region)
  local key = crypto.sha256(bytes) .. suffix
  s3:put_object { Bucket = bucket, Key = key, Body = bytes }
  ctx.log.info("uploaded", { bucket = bucket, key = key })
  local domain = region:find("^cn%-") and "amazonaws.com.cn" or "amazonaws.com"
  return { bucket = bucket, key = key, url = ("https://%s.s3.%s.%s/%s"):format(bucket, region, domain, key) }
end

--- The part of a request that gives the template: its text, or where it was uploaded to.
---@param ctx tap.Context
---@param body string
---@param bucket string? nil: a bucket of our own
---@return { TemplateBody: string }|{ TemplateURL: string }
function upload.template(ctx, body, bucket)
  if #body <= template.MAX_BODY then return { TemplateBody = body } end
  return { TemplateURL = upload.store(ctx, body, ".template", bucket).url }
end

return upload
