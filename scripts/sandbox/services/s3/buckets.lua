--- S3's operations on buckets as a whole.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local store = require "sandbox.services.s3.store"

local buckets = {}

local TYPE = "AWS::S3::Bucket"
local NAME = "^[a-z0-9][a-z0-9.-]+[a-z0-9]$"

local function check_name(name)
  if #name < 3 or #name > 63 or not name:match(NAME) then
    fault.raise("InvalidBucketName", "The specified bucket is not valid.")
  end
end

function buckets.CreateBucket(context, input)
  local name, region = input.Bucket, context.region
  check_name(name)
  local other = store.find(context, name)
  if other then
    if region.name == "us-east-1" then return { Location = "/" .. name } end
    fault.raise("BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.", 409)
  end
  things.make(context, TYPE, name, { BucketName = name }, name, region:home(true))
  return { Location = "/" .. name }
end

function buckets.DeleteBucket(context, input)
  local bucket = store.bucket(context, input.Bucket)
  if not store.is_empty(bucket) then
    fault.raise("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
  end
  bucket.home:remove_thing(bucket)
  return {}
end

function buckets.HeadBucket(context, input)
  local bucket = store.find(context, input.Bucket) or fault.raise("404", "Not Found", 404)
  return { BucketRegion = bucket.facts.region }
end

function buckets.ListBuckets(context)
  local out = json.list {}
  for i, bucket in ipairs(things.all(context.region:home(true), TYPE)) do
    out[i] = { Name = bucket.key, CreationDate = bucket.created }
  end
  return { Buckets = out, Owner = { ID = context.world.store.account } }
end

function buckets.GetBucketLocation(context, input)
  local region = store.bucket(context, input.Bucket).facts.region
  return { LocationConstraint = region ~= "us-east-1" and region or nil }
end

return buckets
