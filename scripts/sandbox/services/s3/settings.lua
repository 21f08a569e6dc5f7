--- S3's settings of buckets. Each is a property of the bucket in a template's spelling; the table says how
-- the API spells it, so that what a stack made can be read back, and what a call changes is drift.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local store = require "sandbox.services.s3.store"

local settings = {}

local truth, number = things.truth, things.integer

local function mapped(list, fn)
  local out = json.list {}
  for i, element in ipairs(list or {}) do out[i] = fn(element) end
  return out
end

local BLOCKS = { "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets" }

local function block_of(value)
  local out = {}
  for _, name in ipairs(BLOCKS) do out[name] = truth(value[name]) end
  return out
end

local function encryption_of(property)
  return { Rules = mapped(property.ServerSideEncryptionConfiguration, function(rule)
    return { ApplyServerSideEncryptionByDefault = rule.ServerSideEncryptionByDefault,
      BucketKeyEnabled = truth(rule.BucketKeyEnabled) }
  end) }
end

local function encryption_to(value)
  return { ServerSideEncryptionConfiguration = mapped(value.Rules, function(rule)
    return { ServerSideEncryptionByDefault = rule.ApplyServerSideEncryptionByDefault,
      BucketKeyEnabled = rule.BucketKeyEnabled }
  end) }
end

local function transition_of(transition)
  return { Days = number(transition.TransitionInDays), StorageClass = transition.StorageClass }
end

local function transition_to(transition)
  return { TransitionInDays = transition.Days, StorageClass = transition.StorageClass }
end

local function rule_of(rule)
  local noncurrent = rule.NoncurrentVersionExpirationInDays
    or (rule.NoncurrentVersionExpiration or {}).NoncurrentDays
  local abort = rule.AbortIncompleteMultipartUpload
  return {
    ID = rule.Id, Status = rule.Status, Filter = { Prefix = rule.Prefix or "" },
    Expiration = rule.ExpirationInDays and { Days = number(rule.ExpirationInDays) } or nil,
    Transitions = rule.Transitions and mapped(rule.Transitions, transition_of) or nil,
    NoncurrentVersionExpiration = noncurrent and { NoncurrentDays = number(noncurrent) } or nil,
    AbortIncompleteMultipartUpload = abort and { DaysAfterInitiation = number(abort.DaysAfterInitiation) }
      or nil,
  }
end

local function rule_to(rule)
  return {
    Id = rule.ID, Status = rule.Status, Prefix = (rule.Filter or {}).Prefix or rule.Prefix,
    ExpirationInDays = (rule.Expiration or {}).Days,
    Transitions = rule.Transitions and mapped(rule.Transitions, transition_to) or nil,
    NoncurrentVersionExpiration = rule.NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload = rule.AbortIncompleteMultipartUpload,
  }
end

local function lifecycle_of(property) return { Rules = mapped(property.Rules, rule_of) } end
local function lifecycle_to(value) return { Rules = mapped(value.Rules, rule_to) } end
local function same_of(value) return value end

-- name     of the operations: Get..., Put..., Delete...      property  of AWS::S3::Bucket
-- member   of the answer and of the request; nil: the answer itself
-- of, to   from the property to the API and back              missing   code and text when it is not set
local SETTINGS = {
  { name = "BucketVersioning", property = "VersioningConfiguration", request = "VersioningConfiguration",
    of = function(value) return { Status = value.Status } end, to = same_of },
  { name = "BucketEncryption", delete = "BucketEncryption", property = "BucketEncryption",
    member = "ServerSideEncryptionConfiguration", of = encryption_of, to = encryption_to,
    default = { ServerSideEncryptionConfiguration = {
      { ServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" } } } } },
  { name = "PublicAccessBlock", delete = "PublicAccessBlock", property = "PublicAccessBlockConfiguration",
    member = "PublicAccessBlockConfiguration", of = block_of, to = same_of,
    missing = { "NoSuchPublicAccessBlockConfiguration",
      "The public access block configuration was not found" } },
  { name = "BucketLifecycleConfiguration", delete = "BucketLifecycle", property = "LifecycleConfiguration",
    request = "LifecycleConfiguration", of = lifecycle_of, to = lifecycle_to,
    missing = { "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist" } },
  { name = "BucketTagging", delete = "BucketTagging", property = "Tags", request = "Tagging",
    of = function(tags) return { TagSet = tags } end, to = function(value) return value.TagSet end,
    missing = { "NoSuchTagSet", "The TagSet does not exist" } },
}

local function get(context, input, setting)
  local bucket = store.bucket(context, input.Bucket)
  local value = bucket.properties[setting.property] or setting.default
  if value == nil then
    if not setting.missing then return {} end
    fault.raise(setting.missing[1], setting.missing[2], 404)
  end
  local out = setting.of(value)
  return setting.member and { [setting.member] = out } or out
end

local function change(context, name, property, value)
  things.change(store.bucket(context, name), { [property] = value }, value == nil and { property } or nil)
  return {}
end

for _, setting in ipairs(SETTINGS) do
  settings["Get" .. setting.name] = function(context, input) return get(context, input, setting) end
  settings["Put" .. setting.name] = function(context, input)
    local value = input[setting.request or setting.member]
    return change(context, input.Bucket, setting.property, setting.to(value))
  end
  if setting.delete then
    settings["Delete" .. setting.delete] = function(context, input)
      return change(context, input.Bucket, setting.property, nil)
    end
  end
end

-- A policy is a thing of its own in templates.
local POLICY = "AWS::S3::BucketPolicy"

function settings.GetBucketPolicy(context, input)
  store.bucket(context, input.Bucket)
  local policy = context.region:thing(POLICY, input.Bucket)
    or fault.raise("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
  local document = policy.properties.PolicyDocument
  return { Policy = type(document) == "string" and document or json.encode(document) }
end

function settings.PutBucketPolicy(context, input)
  store.bucket(context, input.Bucket)
  local ok, document = pcall(json.decode, input.Policy)
  if not ok then
    fault.raise("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
  end
  local properties = { Bucket = input.Bucket, PolicyDocument = document }
  local policy = context.region:thing(POLICY, input.Bucket)
  if policy then
    things.change(policy, properties)
  else
    things.make(context, POLICY, input.Bucket, properties)
  end
  return {}
end

function settings.DeleteBucketPolicy(context, input)
  store.bucket(context, input.Bucket)
  local policy = context.region:thing(POLICY, input.Bucket)
  if policy then context.region:remove_thing(policy) end
  return {}
end

return settings
