--- Objects to and from files, in parts, of which memory holds a few when they come and none when they go. Parts travel
-- side by side, and each is tried again by itself. A file, or an object, that is there is whole: what is under way has
-- another name, and what fails leaves nothing behind. (An upload whose process dies leaves its parts: a bucket's
-- lifecycle forgets them.)

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local json = require "tap.core.json"
local models = require "tap.core.model"
local task = require "tap.task"
local util = require "tap.util"

local s3 = {}

local PART <const> = 8 * 1024 * 1024 -- bytes
local SIDE_BY_SIDE <const> = 2
local MOST_PARTS <const> = 10000 -- of an upload, which is S3's limit

-- What of an input an operation takes: its other members belong to the operations beside it.
local function input_of(shape_name, input, more)
  local members, out = models.load("s3"):shape(shape_name).members, {}
  for name, value in pairs(input) do out[name] = members[name] and value or nil end
  for name, value in pairs(more) do out[name] = value end
  return out
end

local function raise_io(path, problem)
  errors.raise { class = "io", code = "IO", message = ("%s: %s"):format(path, problem) }
end

-- A file of Lua's; raises class "io".
local function open(path, mode)
  local file, problem = io.open(path, mode)
  if not file then errors.raise { class = "io", code = "IO", message = problem } end
  return file
end

-- Calls f(number) for 1 to n, some of them at once; the first failure ends the others.
local function each_part(n, f)
  local at = 0
  local function worker()
    while at < n do
      at = at + 1
      f(at)
    end
  end
  local workers = {}
  for index = 1, math.min(SIDE_BY_SIDE, n) do workers[index] = worker end
  task.all(workers)
end

---------------------------------------------------------------------------------------------------------
-- From S3

local function read_part(client, input, head, file, path, number)
  local first = (number - 1) * PART
  local last = math.min(first + PART, head.ContentLength) - 1
  local answer = client:get_object(input_of("GetObjectRequest", input, { IfMatch = head.ETag,
    Range = ("bytes=%d-%d"):format(first, last) }))
  if #answer.Body ~= last - first + 1 then
    raise_io(path, ("part %d came with %d bytes, not %d"):format(number, #answer.Body, last - first + 1))
  end
  local ok, problem = file:seek("set", first)
  if ok then ok, problem = file:write(answer.Body) end
  if not ok then raise_io(path, problem) end
end

--- Writes an object into a file, which it replaces when all of it is there. Raises what a call raises, class "io" for
-- the file, and PreconditionFailed when the object changes meanwhile.
---@param client tap.Client of "s3"
---@param input table of GetObject, without Range: Bucket, Key, VersionId, ...
---@param path string
---@return { ContentLength: integer, ETag: string, VersionId: string? } head as HeadObject gives it
function s3.download(client, input, path)
  local head = client:head_object(input_of("HeadObjectRequest", input, {}))
  local under_way = ("%s.%s.part"):format(path, crypto.uuid():sub(1, 8))
  local file = open(under_way, "wb")
  local _, e = errors.try(each_part, math.ceil(head.ContentLength / PART), function(number)
    read_part(client, input, head, file, path, number)
  end)
  local closed, problem = file:close()
  if not e and not closed then e = errors.new { class = "io", code = "IO", message = path .. ": " .. problem } end
  if not e then closed, problem = os.rename(under_way, path) end
  if e or not closed then os.remove(under_way) end
  if e then error(e, 0) end
  if not closed then raise_io(path, problem) end
  return head
end

---------------------------------------------------------------------------------------------------------
-- To S3

local function size_of(path)
  local file <close> = open(path, "rb")
  return file:seek "end"
end

-- So large that the parts are not too many, in whole MiB.
local function part_size(size)
  local mib = 1024 * 1024
  return math.max(PART, math.ceil(size / MOST_PARTS / mib) * mib)
end

local function send_part(client, input, upload, number, part)
  local answer = client:upload_part(input_of("UploadPartRequest", input, { UploadId = upload, PartNumber = number,
    ChecksumAlgorithm = "CRC32" }), part)
  return { PartNumber = number, ETag = answer.ETag, ChecksumCRC32 = answer.ChecksumCRC32 }
end

local function send_parts(client, input, upload, path, size)
  local step, parts = part_size(size), json.list {}
  local n = math.ceil(size / step)
  for number = 1, n do parts[number] = false end
  each_part(n, function(number)
    local first = (number - 1) * step
    parts[number] = send_part(client, input, upload, number, { from = path, offset = first,
      size = math.min(step, size - first) })
  end)
  return client:complete_multipart_upload(input_of("CompleteMultipartUploadRequest", input, { UploadId = upload,
    MultipartUpload = { Parts = parts } }))
end

local function upload_in_parts(client, path, input, size)
  local upload = client:create_multipart_upload(input_of("CreateMultipartUploadRequest", input,
    { ChecksumAlgorithm = "CRC32" })).UploadId
  local answer, e = errors.try(send_parts, client, input, upload, path, size)
  if answer then return answer end
  errors.try(client.abort_multipart_upload, client, input_of("AbortMultipartUploadRequest", input,
    { UploadId = upload })) -- its parts would be paid for; the bucket's lifecycle is the second chance
  return error(e, 0)
end

--- Writes a file into an object: at once when it is small, else in parts. Raises what a call raises, and class "io" for
-- the file; an upload in parts that fails is given up there, too.
---@param client tap.Client of "s3"
---@param path string
---@param input table of PutObject, without Body: Bucket, Key, ContentType, ServerSideEncryption, Metadata, ...
---@return table answer of PutObject or CompleteMultipartUpload: ETag, VersionId
---@return integer size in bytes
function s3.upload(client, path, input)
  local size = size_of(path)
  if size > PART then return upload_in_parts(client, path, input, size), size end
  return client:put_object(input_of("PutObjectRequest", input, {}), { from = path }), size
end

--- "s3://bucket/key" as Bucket and Key; nil when it is not one.
---@param url string
---@return { Bucket: string, Key: string }?
function s3.parse(url)
  local bucket, key = url:match "^s3://([^/]+)/?(.*)$"
  return bucket and { Bucket = bucket, Key = key } or nil
end

--- How large something is, for people.
---@param bytes integer
---@return string
function s3.show_size(bytes)
  local unit = 1
  local units = { "bytes", "KiB", "MiB", "GiB", "TiB" }
  while bytes >= 1024 and units[unit + 1] do bytes, unit = bytes / 1024, unit + 1 end
  return unit == 1 and util.count(bytes, "byte") or ("%.1f %s"):format(bytes, units[unit])
end

return s3
