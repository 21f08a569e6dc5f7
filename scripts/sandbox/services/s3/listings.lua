--- S3's listings: keys in order, those below a delimiter folded into common prefixes, in pages.

local json = require "tap.core.json"
local crypto = require "tap.core.crypto"
local store = require "sandbox.services.s3.store"

local listings = {}

local PAGE = 1000

-- The common prefix of a key; nil when it stands for itself.
local function folded(key, prefix, delimiter)
  if not delimiter or delimiter == "" then return nil end
  local _, last = key:find(delimiter, #prefix + 1, true)
  return last and key:sub(1, last)
end

-- One page: what comes after `after`, at most `max` keys and common prefixes together.
local function page_of(bucket, input, after, max)
  local prefix, out = input.Prefix or "", { keys = {}, prefixes = {}, count = 0 }
  for _, key in ipairs(store.keys(bucket)) do
    local common = folded(key, prefix, input.Delimiter)
    local name = common or key
    if key:sub(1, #prefix) == prefix and name > after and name ~= out.last then
      if out.count == max then
        out.truncated = true
        return out
      end
      table.insert(common and out.prefixes or out.keys, name)
      out.count, out.last = out.count + 1, name
    end
  end
  return out
end

local function encoder(input)
  return input.EncodingType == "url" and crypto.uri_encode or function(text) return text end
end

local function common_prefixes(page, encode)
  local out = json.list {}
  for i, prefix in ipairs(page.prefixes) do out[i] = { Prefix = encode(prefix) } end
  return #out > 0 and out or nil
end

local function contents(bucket, page, encode)
  local out = json.list {}
  for _, key in ipairs(page.keys) do
    local version = store.objects(bucket)[key][1]
    if not version.marker then
      out[#out + 1] = { Key = encode(key), ETag = version.etag, Size = #version.body,
        LastModified = version.modified, StorageClass = version.StorageClass or "STANDARD" }
    end
  end
  return #out > 0 and out or nil
end

local function answer(input, page, encode)
  return {
    Name = input.Bucket, Prefix = encode(input.Prefix or ""), MaxKeys = input.MaxKeys or PAGE,
    Delimiter = input.Delimiter and encode(input.Delimiter), EncodingType = input.EncodingType,
    IsTruncated = page.truncated or false, CommonPrefixes = common_prefixes(page, encode),
  }
end

function listings.ListObjectsV2(context, input)
  local bucket, encode = store.bucket(context, input.Bucket), encoder(input)
  local token = input.ContinuationToken
  local after = token and crypto.unbase64(token) or input.StartAfter or ""
  local page = page_of(bucket, input, after, math.min(input.MaxKeys or PAGE, PAGE))
  local out = answer(input, page, encode)
  out.Contents, out.KeyCount, out.ContinuationToken = contents(bucket, page, encode), page.count, token
  out.StartAfter = input.StartAfter and encode(input.StartAfter)
  out.NextContinuationToken = page.truncated and crypto.base64(page.last) or nil
  return out
end

function listings.ListObjects(context, input)
  local bucket, encode = store.bucket(context, input.Bucket), encoder(input)
  local page = page_of(bucket, input, input.Marker or "", math.min(input.MaxKeys or PAGE, PAGE))
  local out = answer(input, page, encode)
  out.Contents, out.Marker = contents(bucket, page, encode), encode(input.Marker or "")
  out.NextMarker = page.truncated and encode(page.last) or nil
  return out
end

local function described(version, is_latest, encode)
  return { Key = encode(version.key), VersionId = version.version, IsLatest = is_latest,
    LastModified = version.modified, ETag = version.etag, Size = version.body and #version.body or nil,
    StorageClass = version.body and "STANDARD" or nil }
end

function listings.ListObjectVersions(context, input)
  local bucket, encode = store.bucket(context, input.Bucket), encoder(input)
  local page = page_of(bucket, input, input.KeyMarker or "", math.min(input.MaxKeys or PAGE, PAGE))
  local out = answer(input, page, encode)
  out.Versions, out.DeleteMarkers = json.list {}, json.list {}
  for _, key in ipairs(page.keys) do
    for i, version in ipairs(store.objects(bucket)[key]) do
      local list = version.marker and out.DeleteMarkers or out.Versions
      list[#list + 1] = described(version, i == 1, encode)
    end
  end
  out.KeyMarker = encode(input.KeyMarker or "")
  out.NextKeyMarker = page.truncated and encode(page.last) or nil
  return out
end

return listings
