--- What a bucket holds: versions of objects by key. A version is { key, version, body, etag, modified,
-- marker } and the headers that came with it; a delete marker has no body. A bucket that never had
-- versioning keeps one version a key, called "null".

local crypto = require "tap.core.crypto"
local fault = require "sandbox.fault"
local ids = require "sandbox.ids"

local store = {}

local TYPE = "AWS::S3::Bucket"

--- The bucket of a request. Raises NoSuchBucket.
---@return table thing
function store.bucket(context, name)
  return context.region:home(true):thing(TYPE, name)
    or fault.raise("NoSuchBucket", "The specified bucket does not exist", 404)
end

--- Is a bucket of that name there, of any owner?
function store.find(context, name)
  return context.region:home(true):thing(TYPE, name)
end

--- key -> list of versions, newest first.
---@return table<string, table[]>
function store.objects(bucket)
  bucket.state = bucket.state or { objects = {}, uploads = {} }
  return bucket.state.objects
end

function store.is_versioned(bucket)
  return (bucket.properties.VersioningConfiguration or {}).Status == "Enabled"
end

--- Does anything keep the bucket from being deleted?
function store.is_empty(bucket)
  return next(store.objects(bucket)) == nil
end

--- The keys, in the order of a listing.
---@return string[]
function store.keys(bucket)
  local keys = {}
  for key in pairs(store.objects(bucket)) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function add(context, bucket, version)
  local objects = store.objects(bucket)
  version.modified = math.floor(context.world.clock.now())
  if store.is_versioned(bucket) then
    bucket.state.stream = bucket.state.stream or context.world.store:stream("s3/" .. bucket.key)
    version.version = bucket.state.stream:text(32, ids.alphabets.mixed)
    objects[version.key] = objects[version.key] or {}
  else
    version.version = "null"
    objects[version.key] = {}
  end
  table.insert(objects[version.key], 1, version)
  return version
end

--- Puts an object in.
---@param headers table ContentType, Metadata, ... kept with it
---@param etag string? nil: that of the body
function store.put(context, bucket, key, body, headers, etag)
  local version = { key = key, body = body, etag = etag or '"' .. crypto.md5(body) .. '"' }
  for name, value in pairs(headers) do version[name] = value end
  return add(context, bucket, version)
end

--- The version that a request means. Raises NoSuchKey and NoSuchVersion.
---@param version_id string? nil: the newest
function store.get(bucket, key, version_id)
  local versions = store.objects(bucket)[key] or {}
  for _, version in ipairs(versions) do
    if not version_id or version.version == version_id then
      if not version.marker then return version end
      break
    end
  end
  if version_id and #versions > 0 then
    fault.raise("NoSuchVersion", "The specified version does not exist.", 404)
  end
  fault.raise("NoSuchKey", "The specified key does not exist.", 404)
end

local function delete_version(bucket, key, version_id)
  local versions = store.objects(bucket)[key] or {}
  for i, version in ipairs(versions) do
    if version.version == version_id then
      table.remove(versions, i)
      if #versions == 0 then store.objects(bucket)[key] = nil end
      return version
    end
  end
end

--- Deletes an object, or one version of it. What is not there is deleted already.
---@return string? version_id of what was deleted or of the marker
---@return boolean? marker
function store.delete(context, bucket, key, version_id)
  if version_id then
    local gone = delete_version(bucket, key, version_id)
    return version_id, gone and gone.marker or nil
  elseif store.is_versioned(bucket) then
    return add(context, bucket, { key = key, marker = true }).version, true
  end
  store.objects(bucket)[key] = nil
end

return store
