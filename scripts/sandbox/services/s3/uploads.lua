--- S3's uploads in parts.

local json = require "tap.core.json"
local crypto = require "tap.core.crypto"
local fault = require "sandbox.fault"
local body = require "sandbox.services.s3.body"
local store = require "sandbox.services.s3.store"

local uploads = {}

local function find(context, input)
  local bucket = store.bucket(context, input.Bucket)
  store.objects(bucket)
  local upload = bucket.state.uploads[input.UploadId]
  if not upload or upload.key ~= input.Key then
    fault.raise("NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the "
      .. "upload may have been aborted or completed.", 404)
  end
  return bucket, upload
end

function uploads.CreateMultipartUpload(context, input)
  local bucket = store.bucket(context, input.Bucket)
  store.objects(bucket)
  bucket.state.upload_count = (bucket.state.upload_count or 0) + 1
  local id = crypto.sha256(("%s/%s/%d"):format(input.Bucket, input.Key, bucket.state.upload_count))
  bucket.state.uploads[id] = { key = input.Key, parts = {}, headers = { ContentType = input.ContentType,
    Metadata = input.Metadata, ServerSideEncryption = input.ServerSideEncryption } }
  return { Bucket = input.Bucket, Key = input.Key, UploadId = id }
end

function uploads.UploadPart(context, input)
  local _, upload = find(context, input)
  local bytes = body.of(input)
  local etag = '"' .. crypto.md5(bytes) .. '"'
  upload.parts[input.PartNumber] = { body = bytes, etag = etag }
  return { ETag = etag }
end

-- The bytes of the parts that the caller names, which must be there and in order.
local function joined(upload, parts)
  local out, last = {}, 0
  for i, part in ipairs(parts) do
    local uploaded = upload.parts[part.PartNumber]
    if not uploaded or uploaded.etag:gsub('"', "") ~= (part.ETag or ""):gsub('"', "") then
      fault.raise("InvalidPart", "One or more of the specified parts could not be found. The part may not "
        .. "have been uploaded, or the specified entity tag may not match the part's entity tag.")
    elseif part.PartNumber <= last then
      fault.raise("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered "
        .. "by part number.")
    end
    out[i], last = uploaded.body, part.PartNumber
  end
  return table.concat(out)
end

-- The hash of the parts' hashes, and how many they are.
local function etag_of(parts)
  local hashes = {}
  for i, part in ipairs(parts) do
    hashes[i] = part.ETag:gsub('"', ""):gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  return ('"%s-%d"'):format(crypto.md5(table.concat(hashes)), #parts)
end

function uploads.CompleteMultipartUpload(context, input)
  local bucket, upload = find(context, input)
  local parts = (input.MultipartUpload or {}).Parts or {}
  local version = store.put(context, bucket, input.Key, joined(upload, parts), upload.headers, etag_of(parts))
  bucket.state.uploads[input.UploadId] = nil
  return { Bucket = input.Bucket, Key = input.Key, ETag = version.etag,
    Location = ("/%s/%s"):format(input.Bucket, input.Key) }
end

function uploads.AbortMultipartUpload(context, input)
  local bucket = find(context, input)
  bucket.state.uploads[input.UploadId] = nil
  return {}
end

function uploads.ListParts(context, input)
  local _, upload = find(context, input)
  local out = json.list {}
  for number, part in pairs(upload.parts) do
    out[#out + 1] = { PartNumber = number, ETag = part.etag, Size = #part.body }
  end
  table.sort(out, function(a, b) return a.PartNumber < b.PartNumber end)
  return { Bucket = input.Bucket, Key = input.Key, UploadId = input.UploadId, Parts = out,
    IsTruncated = false }
end

function uploads.ListMultipartUploads(context, input)
  local bucket = store.bucket(context, input.Bucket)
  store.objects(bucket)
  local out = json.list {}
  for id, upload in pairs(bucket.state.uploads) do
    if upload.key:sub(1, #(input.Prefix or "")) == (input.Prefix or "") then
      out[#out + 1] = { Key = upload.key, UploadId = id, StorageClass = "STANDARD" }
    end
  end
  table.sort(out, function(a, b) return a.Key < b.Key or a.Key == b.Key and a.UploadId < b.UploadId end)
  return { Bucket = input.Bucket, Prefix = input.Prefix, IsTruncated = false, Uploads = out }
end

return uploads
