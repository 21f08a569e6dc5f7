-- What a script can rely on when it works with S3. The service is a small one of this file: it verifies each
-- signature and keeps objects in memory.
local client = require "tap.client"
local crypto = require "tap.core.crypto"
local helpers = require "spec.helpers"
local log = require "tap.core.log"
local proc = require "tap.core.proc"
local protocol = require "tap.core.protocol"
local server = require "tap.core.server"
local sigv4 = require "tap.core.sigv4"
local sys = require "tap.core.sys"
local task = require "tap.task"

local KEYS = { access_key = "AKIDEXAMPLE", secret_key = "a-secret-key" }

local function refuse(code, status)
  error({ class = "service", code = code, status = status, message = "it is so" }, 0)
end

local operations = {}

function operations.PutObject(objects, input)
  objects[input.Key] = input
  return { ETag = '"1"' }
end

function operations.GetObject(objects, input)
  local object = objects[input.Key] or refuse("NoSuchKey", 404)
  local first, last = (input.Range or "bytes=0-"):match "(%d+)-(%d*)"
  local body = (object.Body or ""):sub(first + 1, tonumber(last) and last + 1 or -1)
  return { Body = body, ContentType = object.ContentType, Metadata = object.Metadata }
end

operations.HeadObject = function(objects, input)
  local object = objects[input.Key] or refuse("NoSuchKey", 404)
  return { ContentLength = #(object.Body or ""), Metadata = object.Metadata }
end

-- As S3 does it when EncodingType is url.
local function encoded(key)
  return (crypto.uri_encode(key):gsub("%%20", "+"))
end

function operations.ListObjectsV2(objects, input)
  local keys, page = {}, { Contents = {}, EncodingType = input.EncodingType }
  for key in pairs(objects) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    if key > (input.ContinuationToken or "") then
      if #page.Contents == input.MaxKeys then
        page.IsTruncated, page.NextContinuationToken = true, page.Contents[input.MaxKeys].Key
        break
      end
      page.Contents[#page.Contents + 1] = { Key = input.EncodingType and encoded(key) or key }
    end
  end
  return page
end

local function answer(objects, seen, x)
  seen[#seen + 1] = { host = x:header "Host", target = x.target }
  local ok, problem = pcall(function()
    sigv4.verify(x, sigv4.claim(x), KEYS.secret_key, task.now())
    local name, input = protocol.read("s3", x)
    local act = operations[name] or refuse("NotImplemented", 501)
    x:respond(protocol.write("s3", name, act(objects, input), "request-1"))
  end)
  if not ok then x:respond(protocol.write_error("s3", problem, "request-2")) end
end

-- Runs body(new, seen) beside the service; new(options) makes a client of it.
local function with_s3(body)
  local objects, seen = {}, {}
  task.scope(function(scope)
    local s <close> = server.listen("127.0.0.1", 0)
    local serving = scope:spawn(function()
      while true do answer(objects, seen, s:accept()) end
    end)
    body(function(options)
      local given = { region = "eu-west-1", endpoint_url = "http://localhost:" .. s:port(), max_attempts = 1,
        credentials = KEYS }
      for name, value in pairs(options or {}) do given[name] = value end
      return client.new("s3", given)
    end, seen)
    serving:cancel()
  end)
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("an object", function()
  it("comes from a file and goes into one, whatever bytes it has", function()
    local bytes = ("\0\1\xff\xfe\r\n"):rep(50000)
    local from, to = helpers.file("from", bytes), helpers.folder() .. "/to"
    with_s3(function(new)
      local s3 = new()
      s3:put_object { Bucket = "b-b", Key = "dir/a b+c", Body = sys.read_file(from),
        Metadata = { owner = "me" } }
      assert.equal("me", s3:head_object { Bucket = "b-b", Key = "dir/a b+c" }.Metadata.owner)
      sys.write_file(to, s3:get_object { Bucket = "b-b", Key = "dir/a b+c" }.Body)
    end)
    assert.is_true(sys.read_file(to) == bytes)
  end)

  it("is got in parts that take no more memory than one", function()
    with_s3(function(new)
      local s3 = new()
      s3:put_object { Bucket = "b-b", Key = "k", Body = ("0123456789"):rep(10) }
      local parts = {}
      for first = 0, 99, 30 do
        parts[#parts + 1] = s3:get_object { Bucket = "b-b", Key = "k",
          Range = ("bytes=%d-%d"):format(first, first + 29) }.Body
      end
      assert.equal(4, #parts)
      assert.equal(("0123456789"):rep(10), table.concat(parts))
    end)
  end)

  it("larger than what the client takes is an error that says so", function()
    with_s3(function(new)
      new():put_object { Bucket = "b-b", Key = "k", Body = ("x"):rep(2000) }
      local s3 = new { max_response = 1999 }
      local err = failure(s3.get_object, s3, { Bucket = "b-b", Key = "k" })
      assert.equal("limit", err.class)
      assert.truthy(err.message:find("larger than 1999 bytes", 1, true))
      assert.equal(2000, #new({ max_response = 2000 }):get_object({ Bucket = "b-b", Key = "k" }).Body)
    end)
  end)

  it("that is not there raises its code, and its status where there is no body", function()
    with_s3(function(new)
      local s3 = new()
      local err = failure(s3.get_object, s3, { Bucket = "b-b", Key = "k" })
      assert.equal("NoSuchKey", err.code)
      assert.equal(404, err.status)
      assert.equal(404, failure(s3.head_object, s3, { Bucket = "b-b", Key = "k" }).status)
    end)
  end)
end)

describe("a listing", function()
  it("is walked page by page", function()
    with_s3(function(new, seen)
      local s3, found = new(), {}
      for i = 1, 5 do s3:put_object { Bucket = "b-b", Key = ("k%d +&"):format(i) } end
      for object in s3:each("list_objects_v2", { Bucket = "b-b", MaxKeys = 2 }) do
        found[#found + 1] = object.Key
      end
      assert.same({ "k1 +&", "k2 +&", "k3 +&", "k4 +&", "k5 +&" }, found)
      assert.equal(5 + 3, #seen)
    end)
  end)
end)

describe("the names in a listing", function()
  local KEY = "a b+c%20\1<ü>"

  it("are as they are, also where XML cannot carry them", function()
    with_s3(function(new, seen)
      local s3 = new()
      s3:put_object { Bucket = "b-b", Key = KEY, Body = "x" }
      assert.equal(KEY, s3:list_objects_v2({ Bucket = "b-b" }).Contents[1].Key)
      assert.matches("encoding%-type=url", seen[#seen].target)
    end)
  end)

  it("are as the service writes them for who says how", function()
    with_s3(function(new)
      local s3 = new()
      s3:put_object { Bucket = "b-b", Key = KEY, Body = "x" }
      assert.equal("a+b%2Bc%2520%01%3C%C3%BC%3E",
        s3:list_objects_v2({ Bucket = "b-b", EncodingType = "url" }).Contents[1].Key)
    end)
  end)
end)

describe("a customer's key", function()
  local RAW, BASE64 = ("k"):rep(32), "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
  local MD5 = "mT2HRsMGJ5IX5C+0rreZ8Q=="

  local function sent(input)
    local s3 = client.new("s3", { region = "eu-west-1", credentials = KEYS })
    input.Bucket, input.Key = "b-b", "k"
    local headers = s3:prepare("GetObject", input).headers
    return headers["x-amz-server-side-encryption-customer-key"],
      headers["x-amz-server-side-encryption-customer-key-MD5"]
  end

  it("is sent in base64 with its MD5, however it is given", function()
    for _, key in ipairs { RAW, BASE64, BASE64 .. "\n" } do
      assert.same({ BASE64, MD5 }, { sent { SSECustomerAlgorithm = "AES256", SSECustomerKey = key } })
    end
    assert.same({ "mine", "its" }, { sent { SSECustomerKey = "mine", SSECustomerKeyMD5 = "its" } })
  end)

  it("that is none is refused, and is not shown", function()
    local err = failure(sent, { SSECustomerKey = "much-too-short" })
    assert.equal("InvalidKey", err.code)
    assert.is_nil(err.message:find("much-too-short", 1, true))
    assert.equal("****", log.redact "much-too-short")
  end)
end)

describe("checksums", function()
  local function headers_of(name, input, settings)
    for variable, value in pairs(settings) do sys.setenv(variable, value) end
    local ok, s3 = pcall(client.new, "s3", { region = "eu-west-1", credentials = KEYS })
    for variable in pairs(settings) do sys.setenv(variable, nil) end
    if not ok then error(s3, 0) end
    input.Bucket = "b-b"
    return s3:prepare(name, input).headers
  end

  it("are made and asked for wherever S3 knows them, or only where it demands them", function()
    local put, get = { Key = "k", Body = "x" }, { Key = "k" }
    local chosen = { Key = "k", Body = "x", ChecksumAlgorithm = "SHA1" }
    local delete = { Delete = { Objects = { { Key = "k" } } } }
    local less = { AWS_REQUEST_CHECKSUM_CALCULATION = "when_required",
      AWS_RESPONSE_CHECKSUM_VALIDATION = "WHEN_REQUIRED" }
    assert.truthy(headers_of("PutObject", put, {})["x-amz-checksum-crc32"])
    assert.is_nil(headers_of("PutObject", put, less)["x-amz-checksum-crc32"])
    assert.truthy(headers_of("PutObject", chosen, less)["x-amz-checksum-sha1"])
    assert.truthy(headers_of("DeleteObjects", delete, less)["x-amz-checksum-crc32"])
    assert.equal("ENABLED", headers_of("GetObject", get, {})["x-amz-checksum-mode"])
    assert.is_nil(headers_of("GetObject", get, less)["x-amz-checksum-mode"])
  end)

  it("have two settings; another one is refused by name", function()
    local err = failure(headers_of, "GetObject", {}, { AWS_REQUEST_CHECKSUM_CALCULATION = "never" })
    assert.equal("AWS_REQUEST_CHECKSUM_CALCULATION (in the profile: request_checksum_calculation) is 'never'; "
      .. "when_supported or when_required is needed", err.message)
  end)
end)

describe("a bucket", function()
  it("stands in the path of an address of one's own, or before its host when that is asked for", function()
    with_s3(function(new, seen)
      new():put_object { Bucket = "b-b", Key = "k" }
      assert.equal("/b-b/k", seen[1].target)
      local s3 = new { context = { ForcePathStyle = false } }
      pcall(s3.put_object, s3, { Bucket = "b-b", Key = "k" }) -- this service knows no such hosts
      assert.equal("/k", seen[2].target)
      assert.truthy(seen[2].host:find("^b%-b%.localhost:"))
    end)
  end)

  it("is placed by settings that exist", function()
    local err = failure(client.new, "s3", { region = "eu-west-1", context = { ForcePathStile = true } })
    assert.equal("usage", err.class)
    assert.truthy(err.message:find('did you mean "ForcePathStyle"', 1, true))
    assert.is_false((pcall(client.new, "s3", { region = "eu-west-1", context = "ForcePathStyle" })))
  end)
end)

describe("a presigned URL", function()
  local function curl(...)
    local said = proc.run { "curl", "-q", "-sS", "--noproxy", "*", "--path-as-is", ... }
    return said.out
  end

  it("puts and gets an object without any keys", function()
    with_s3(function(new)
      local s3 = new()
      local object = { Bucket = "b-b", Key = "a/../ü +", ContentType = "text/x-mine" }
      local put, request = s3:presign("put_object", object, { expires = "10m" })
      assert.same({ method = "PUT", headers = { ["Content-Type"] = "text/x-mine" } }, request)
      curl("-X", request.method, "-H", "Content-Type: text/x-mine", "--data-binary", "hello", put)
      local get = s3:presign("get_object", { Bucket = "b-b", Key = object.Key })
      assert.truthy(get:find("X-Amz-Expires=3600", 1, true))
      assert.equal("hello", curl(get))
      local longer = get:gsub("X%-Amz%-Expires=3600", "X-Amz-Expires=7200")
      assert.truthy(curl(longer):find "SignatureDoesNotMatch")
    end)
  end)

  it("is refused for what does not fit into one", function()
    local s3 = client.new("s3", { region = "eu-west-1", credentials = KEYS })
    local object = { Bucket = "b-b", Key = "k" }
    assert.truthy(failure(s3.presign, s3, "get_object", object, { expires = 0 }).message:find "604800")
    local err = failure(s3.presign, s3, "get_object", object, { expire = 9 })
    assert.truthy(err.message:find("did you mean 'expires'", 1, true))
    err = failure(s3.presign, s3, "put_object", { Bucket = "b-b", Key = "k", Body = "x" })
    assert.truthy(err.message:find("Body: whoever has the presigned URL sends it", 1, true))
    assert.equal("PutObject", err.operation)
  end)
end)

describe("a presigned URL that a service hands out", function()
  local url = "https://example.com/code.zip?X-Amz-Expires=600&X-Amz-Signature=" .. ("0123456789abcdef"):rep(4)

  it("is whole for who asks for it, and masked in the log", function()
    task.scope(function(scope)
      local s <close> = server.listen("127.0.0.1", 0)
      local serving = scope:spawn(function()
        local x = s:accept()
        local name = protocol.read("lambda", x)
        x:respond(protocol.write("lambda", name, { Code = { Location = url } }, "r-1"))
      end)
      local result = helpers.tapengine { "aws", "lambda", "get-function", "--function-name", "f", "--query",
        "Code.Location", "--output", "text", env = { AWS_ENDPOINT_URL = "http://127.0.0.1:" .. s:port(),
          AWS_REGION = "eu-west-1", AWS_ACCESS_KEY_ID = KEYS.access_key,
          AWS_SECRET_ACCESS_KEY = KEYS.secret_key } }
      assert.equal(0, result.code, result.err)
      assert.equal(url .. "\n", result.out)
      assert.is_nil(result.log:find("0123456789abcdef", 1, true))
      serving:cancel()
    end)
    local shown = log.redact("see " .. url)
    assert.truthy(shown:find("X-Amz-Expires=600&X-Amz-Signature=****", 1, true))
    assert.is_nil(shown:find("0123456789abcdef", 1, true))
  end)
end)

teardown(helpers.clean)
