--- S3's operations on objects.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local body = require "sandbox.services.s3.body"
local store = require "sandbox.services.s3.store"

local objects = {}

-- What comes with an object and is given back with it.
local KEPT = {
  "ContentType", "CacheControl", "ContentDisposition", "ContentLanguage", "Metadata", "ServerSideEncryption",
  "SSEKMSKeyId", "StorageClass", "WebsiteRedirectLocation",
}

local function kept(input)
  local out = {}
  for _, name in ipairs(KEPT) do out[name] = input[name] end
  return out
end

local function version_id(version)
  return version.version ~= "null" and version.version or nil
end

function objects.PutObject(context, input)
  local bucket = store.bucket(context, input.Bucket)
  if input.IfNoneMatch and store.objects(bucket)[input.Key] then
    fault.raise("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
  end
  local bytes, encoding = body.of(input)
  local headers = kept(input)
  headers.ContentEncoding = encoding
  local version = store.put(context, bucket, input.Key, bytes, headers)
  return { ETag = version.etag, VersionId = version_id(version),
    ServerSideEncryption = input.ServerSideEncryption or "AES256", SSEKMSKeyId = input.SSEKMSKeyId }
end

-- "bytes=0-9", "bytes=5-", "bytes=-3": first and last byte, counted from 1; nil when there is no range.
local function range_of(text, size)
  if not text then return nil end
  local from, to = text:match("^bytes=(%d*)-(%d*)$")
  local first, last = tonumber(from), tonumber(to)
  if from == nil or not first and not last then return nil end
  if not first then first, last = math.max(size - last, 0), size - 1 end
  last = math.min(last or size - 1, size - 1)
  if first > last then
    fault.raise("InvalidRange", "The requested range is not satisfiable", 416)
  end
  return first + 1, last + 1
end

local function described(version)
  local out = kept(version)
  out.ETag, out.LastModified, out.VersionId = version.etag, version.modified, version_id(version)
  out.ContentLength, out.AcceptRanges = #version.body, "bytes"
  out.ContentEncoding = version.ContentEncoding
  out.ContentType = out.ContentType or "binary/octet-stream"
  return out
end

local function check_conditions(input, version)
  if input.IfMatch and input.IfMatch ~= version.etag then
    fault.raise("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
  elseif input.IfNoneMatch and input.IfNoneMatch == version.etag then
    fault.raise("NotModified", "Not Modified", 304)
  end
end

function objects.GetObject(context, input)
  local version = store.get(store.bucket(context, input.Bucket), input.Key, input.VersionId)
  check_conditions(input, version)
  local out = described(version)
  local first, last = range_of(input.Range, #version.body)
  out.Body = first and version.body:sub(first, last) or version.body
  if first then
    out.ContentRange = ("bytes %d-%d/%d"):format(first - 1, last - 1, #version.body)
    out.ContentLength = #out.Body
  end
  return out
end

--- As GetObject, without the body; what is not there has no error text either, for want of a body.
function objects.HeadObject(context, input)
  local ok, version = pcall(store.get, store.bucket(context, input.Bucket), input.Key, input.VersionId)
  if not ok then
    if not fault.is(version) then error(version, 0) end
    fault.raise("404", "Not Found", 404)
  end
  check_conditions(input, version)
  return described(version)
end

function objects.DeleteObject(context, input)
  local id, marker = store.delete(context, store.bucket(context, input.Bucket), input.Key, input.VersionId)
  return { VersionId = id, DeleteMarker = marker }
end

function objects.DeleteObjects(context, input)
  local bucket, deleted = store.bucket(context, input.Bucket), json.list {}
  for i, object in ipairs(input.Delete.Objects) do
    local id, marker = store.delete(context, bucket, object.Key, object.VersionId)
    deleted[i] = { Key = object.Key, VersionId = object.VersionId, DeleteMarker = marker,
      DeleteMarkerVersionId = marker and not object.VersionId and id or nil }
  end
  return { Deleted = not input.Delete.Quiet and deleted or nil }
end

-- "bucket/key" or "/bucket/key", with "?versionId=..."; escaped.
local function source_of(text)
  local path, id = text:match("^/?([^?]*)%??(.*)$")
  local bucket, key = crypto.uri_decode(path):match("^([^/]+)/(.+)$")
  if not bucket then fault.raise("InvalidArgument", "Invalid copy source object key") end
  return bucket, key, id:match("^versionId=(.+)$")
end

function objects.CopyObject(context, input)
  local from, key, id = source_of(input.CopySource)
  local source = store.get(store.bucket(context, from), key, id)
  local headers = input.MetadataDirective == "REPLACE" and kept(input) or kept(source)
  local version = store.put(context, store.bucket(context, input.Bucket), input.Key, source.body, headers)
  return { CopyObjectResult = { ETag = version.etag, LastModified = version.modified },
    VersionId = version_id(version) }
end

return objects
