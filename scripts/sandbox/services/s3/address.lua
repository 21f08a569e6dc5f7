--- Addresses of objects, as TemplateURL and the like have them: the bucket in the host or in the path.

local crypto = require "tap.core.crypto"

local address = {}

-- Hosts of a bucket and of S3 itself.
local SUFFIX = "amazonaws%.com%.?c?n?"
local OF_BUCKET = { "^(.+)%.s3%.[%w-]+%." .. SUFFIX .. "$", "^(.+)%.s3%." .. SUFFIX .. "$",
  "^(.+)%.s3%-[%w-]+%." .. SUFFIX .. "$" }
local OF_S3 = { "^s3%." .. SUFFIX .. "$", "^s3%.[%w-]+%." .. SUFFIX .. "$", "^s3%-[%w-]+%." .. SUFFIX .. "$" }

local function first_match(text, patterns)
  for _, pattern in ipairs(patterns) do
    local found = text:match(pattern)
    if found then return found end
  end
end

--- The bucket and the key of an https address; nil and the host when it is not one of S3's.
---@param url string
---@return string? bucket
---@return string key_or_host
---@return string? version_id
function address.parse(url)
  local host, path, query = url:match("^https://([^/?]+)/?([^?]*)%??(.*)$")
  if not host then return nil, url end
  path = crypto.uri_decode(path)
  local version = query:match("versionId=([^&]+)")
  if first_match(host, OF_S3) then
    local bucket, key = path:match("^([^/]+)/(.+)$")
    if bucket then return bucket, key, version end
    return nil, host
  end
  local bucket = first_match(host, OF_BUCKET)
  if bucket then return bucket, path, version end
  return nil, host
end

--- The bucket and the key of an object at the sandbox's own address, as clients with another endpoint write
-- it; nil when it is not one.
---@param base string the sandbox's address
function address.own(url, base)
  if url:sub(1, #base + 1) ~= base .. "/" then return nil end
  local path = crypto.uri_decode(url:sub(#base + 2):match("^[^?]*"))
  return path:match("^([^/]+)/(.+)$")
end

return address
