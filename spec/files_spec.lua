-- What can be relied on when the body of a call is a file: what is sent and kept, that memory stays small, and that
-- what goes wrong leaves nothing behind. The service is a small S3 of this file that can be told to misbehave.
local client = require "tap.client"
local crypto = require "tap.core.crypto"
local helpers = require "spec.helpers"
local proc = require "tap.core.proc"
local server = require "tap.core.server"
local sigv4 = require "tap.core.sigv4"
local sys = require "tap.core.sys"
local task = require "tap.task"

local KEYS = { access_key = "AKIDEXAMPLE", secret_key = "a-secret-key" }
local MAX_BODY = 256 * 1024 * 1024
local BYTES = ("\0\1\xff\xfe\r\n0123456789"):rep(100000) -- 1.6 MB
local CRC = "MQXkUg==" -- of these

-- Runs body(s3, seen, port) beside a service that answers each request with what answer(x, number) says.
local function with_service(answer, body)
  local seen = {}
  task.scope(function(scope)
    local s <close> = server.listen("127.0.0.1", 0, { max_body = MAX_BODY })
    local serving = scope:spawn(function()
      while true do
        local x = s:accept()
        sigv4.verify(x, sigv4.claim(x), KEYS.secret_key, task.now())
        seen[#seen + 1] = { method = x.method, body = x.body, headers = x:headers() }
        answer(x, #seen)
      end
    end)
    body(client.new("s3", { region = "eu-west-1", endpoint_url = "http://localhost:" .. s:port(),
      credentials = KEYS }), seen, s:port())
    serving:cancel()
  end)
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

local function fine(x) x:respond(200, { ETag = '"1"' }, "") end

local function object(more)
  local input = { Bucket = "b-b", Key = "k" }
  for name, value in pairs(more or {}) do input[name] = value end
  return input
end

local function files_in(folder)
  local names = sys.list_dir(folder)
  table.sort(names)
  return names
end

local before
before_each(function() before = task.clock "virtual" end) -- pauses between attempts take no time
after_each(function() task.clock(before) end)
teardown(helpers.clean)

describe("a file that is sent", function()
  it("arrives as it is, with its checksum, and signed", function()
    local path = helpers.file("from", BYTES)
    with_service(fine, function(s3, seen)
      local answer = s3:put_object(object { Metadata = { owner = "me" } }, { from = path })
      assert.equal('"1"', answer.ETag)
      assert.is_true(seen[1].body == BYTES)
      assert.equal(tostring(#BYTES), seen[1].headers["Content-Length"])
      assert.equal("me", seen[1].headers["x-amz-meta-owner"])
      assert.equal(CRC, seen[1].headers["x-amz-checksum-crc32"])
      assert.equal(crypto.sha256(BYTES), seen[1].headers["x-amz-content-sha256"])
    end)
  end)

  it("may be a part of one, and have the checksum that one wants", function()
    local path = helpers.file("from", BYTES)
    with_service(fine, function(s3, seen)
      s3:upload_part(object { UploadId = "u", PartNumber = 2, ChecksumAlgorithm = "SHA256" },
        { from = path, offset = 16, size = 32 })
      s3:put_object(object(), { from = path, offset = #BYTES })
      assert.equal(BYTES:sub(17, 48), seen[1].body)
      assert.truthy(seen[1].headers["x-amz-checksum-sha256"])
      assert.equal("", seen[2].body)
    end)
  end)

  it("is sent from its start again when the service has trouble", function()
    local path = helpers.file("from", BYTES)
    with_service(function(x, number)
      if number == 1 then x:abort() elseif number == 2 then x:respond(503, {}, "") else fine(x) end
    end, function(s3, seen)
      local _, details = s3:put_object(object(), { from = path })
      assert.equal(3, details.attempts)
      assert.is_true(seen[3].body == BYTES)
    end)
  end)

  it("is not sent on when it becomes shorter meanwhile", function()
    local path = helpers.file("from", BYTES)
    with_service(function(x)
      sys.write_file(path, "short")
      x:respond(503, {}, "")
    end, function(s3, seen)
      local err = failure(s3.put_object, s3, object(), { from = path })
      assert.same({ "io", "FileChanged" }, { err.class, err.code })
      assert.equal(1, #seen)
    end)
  end)

  it("that is not there, is no file, or is too short is told before anything is sent", function()
    local path = helpers.file("short", "0123")
    with_service(fine, function(s3, seen)
      local put = s3.put_object
      assert.equal("there is no file /no/such", failure(put, s3, object(), { from = "/no/such" }).message)
      assert.matches("not a regular file", failure(put, s3, object(), { from = helpers.folder() }).message)
      local err = failure(put, s3, object(), { from = path, offset = 2, size = 3 })
      assert.same({ "usage", "BeyondTheEnd" }, { err.class, err.code })
      assert.equal(0, #seen)
    end)
  end)

  it("is refused where an operation has no place for one, or has a body already", function()
    local path = helpers.file("from", "x")
    with_service(fine, function(s3)
      assert.equal("HeadObject sends no file", failure(s3.head_object, s3, object(), { from = path }).message)
      assert.equal("PutObject gives no file", failure(s3.put_object, s3, object(), { to = path }).message)
      assert.matches("given as a value and as a file",
        failure(s3.put_object, s3, object { Body = "y" }, { from = path }).message)
      assert.matches("did you mean 'from'", tostring(failure(s3.put_object, s3, object(), { form = path })))
    end)
  end)
end)

describe("an answer that becomes a file", function()
  local function answers(body, headers)
    return function(x) x:respond(200, headers or {}, body) end
  end

  it("is there when all of it is; the rest of the answer is the output", function()
    local folder = helpers.folder()
    with_service(answers(BYTES, { ETag = '"7"', ["x-amz-checksum-crc32"] = CRC }), function(s3, seen)
      local output = s3:get_object(object(), { to = folder .. "/to" })
      assert.same({ ETag = '"7"', ContentLength = #BYTES },
        { ETag = output.ETag, ContentLength = output.ContentLength, Body = output.Body })
      assert.equal("ENABLED", seen[1].headers["x-amz-checksum-mode"])
    end)
    assert.is_true(sys.read_file(folder .. "/to") == BYTES)
    assert.same({ "to" }, files_in(folder))
  end)

  it("begins anew when the service has trouble, or the body is cut", function()
    local folder = helpers.folder()
    with_service(function(x, number)
      if number == 1 then
        x:respond(500, {}, "<Error><Code>InternalError</Code></Error>")
      elseif number == 2 then
        x:abort { status = 200, headers = {}, body = BYTES, cut_after = 700000 }
      else
        x:respond(200, {}, "short")
      end
    end, function(s3)
      local _, details = s3:get_object(object(), { to = folder .. "/to" })
      assert.equal(3, details.attempts)
    end)
    assert.equal("short", sys.read_file(folder .. "/to"))
  end)

  it("leaves what was there when the call fails, and nothing beside it", function()
    local path = helpers.file("to", "as it was")
    local folder = path:match "^(.*)/"
    with_service(function(x) x:respond(404, {}, "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>") end,
      function(s3)
        assert.equal("NoSuchKey", failure(s3.get_object, s3, object(), { to = path }).code)
      end)
    assert.equal("as it was", sys.read_file(path))
    for _, name in ipairs(files_in(folder)) do assert.is_nil(name:find "%.part$") end
  end)

  it("that is not what the service says it sent is asked for again, and then refused", function()
    local folder = helpers.folder()
    with_service(answers("something else", { ["x-amz-checksum-crc32"] = CRC }), function(s3, seen)
      local err = failure(s3.get_object, s3, object(), { to = folder .. "/to" })
      assert.equal("ChecksumMismatch", err.code)
      assert.equal("ChecksumMismatch", failure(s3.get_object, s3, object()).code) -- the same in memory
      assert.equal(6, #seen)
    end)
    assert.same({}, files_in(folder))
  end)

  it("has no sum to compare when it is that of an object's parts", function()
    local folder = helpers.folder()
    with_service(answers("parts", { ["x-amz-checksum-crc32"] = CRC .. "-3" }), function(s3)
      s3:get_object(object(), { to = folder .. "/to" })
      assert.equal("parts", s3:get_object(object()).Body)
    end)
    assert.equal("parts", sys.read_file(folder .. "/to"))
  end)

  it("follows a link, and goes into what is no regular file directly", function()
    local folder = helpers.folder()
    sys.write_file(folder .. "/real", "as it was")
    proc.run { "ln", "-s", "real", folder .. "/link" }
    with_service(answers "new", function(s3)
      s3:get_object(object(), { to = folder .. "/link" })
      s3:get_object(object(), { to = "/dev/null" })
      assert.matches("No space left", failure(s3.get_object, s3, object(), { to = "/dev/full" }).message)
      assert.equal("io", failure(s3.get_object, s3, object(), { to = folder .. "/no/to" }).class)
      assert.equal("io", failure(s3.get_object, s3, object(), { to = folder }).class)
    end)
    assert.equal("new", sys.read_file(folder .. "/real"))
    assert.same({ "link", "real" }, files_in(folder))
  end)
end)

describe("what is written directly", function()
  it("is not written twice", function()
    with_service(function(x) x:abort { status = 200, headers = {}, body = BYTES, cut_after = 700000 } end,
      function(s3, seen)
        assert.matches("cannot be written from its start again",
          failure(s3.get_object, s3, object(), { to = "/dev/null" }).message)
        assert.equal(1, #seen)
      end)
  end)
end)

describe("memory", function()
  it("stays small, however large the file is", function()
    local folder, bytes = helpers.folder(), ("0123456789abcdef"):rep(4 * 1024 * 1024) -- 64 MiB
    sys.write_file(folder .. "/from", bytes)
    local code = [[
      local tap = require "tap"
      local folder, port = ...
      local s3 = require("tap.client").new("s3", { region = "eu-west-1", endpoint_url = "http://localhost:" .. port,
        credentials = { access_key = "AKIDEXAMPLE", secret_key = "a-secret-key" } })
      s3:put_object({ Bucket = "b-b", Key = "k" }, { from = folder .. "/from" })
      s3:get_object({ Bucket = "b-b", Key = "k" }, { to = folder .. "/to" })
      for line in io.lines "/proc/self/status" do
        local kb = line:match "^VmHWM:%s*(%d+)"
        if kb then print(kb) end
      end]]
    local said
    task.clock "real"
    with_service(function(x) if x.method == "PUT" then fine(x) else x:respond(200, {}, bytes) end end,
      function(_, seen, port)
        said = proc.run { sys.executable(), "-e", code, folder, tostring(port) }
        assert.equal("", said.err)
        assert.is_true(seen[1].body == bytes)
      end)
    assert.is_true(tonumber(said.out) < 40 * 1024, said.out)
    assert.is_true(sys.read_file(folder .. "/to") == bytes)
  end)
end)
