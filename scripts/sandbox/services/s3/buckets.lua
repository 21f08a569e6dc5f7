--- S3's operations on buckets as a whole.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
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
  local home = region:home(true)
  home:add_thing {
    type = TYPE, key = name, id = name, properties = { BucketName = name }, home = home,
    facts = { type = TYPE, name = name, id = name, region = region.name, account = region.account,
      partition = region.partition, properties = {}, parts = {} },
    created = context.world.clock.now(),
  }
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
  for name, bucket in pairs(context.region:home(true).things[TYPE] or {}) do
    out[#out + 1] = { Name = name, CreationDate = bucket.created or context.world.clock.now() }
  end
  table.sort(out, function(a, b) return a.Name < b.Name end)
  return { Buckets = out, Owner = { ID = context.world.store.account } }
end

function buckets.GetBucketLocation(context, input)
  local region = store.bucket(context, input.Bucket).facts.region
  return { LocationConstraint = region ~= "us-east-1" and region or nil }
end

return buckets
