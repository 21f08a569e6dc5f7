-- Files to S3 and back: whole or not at all, and in little memory.
local helpers = require "spec.helpers"
local proc = require "tap.core.proc"
local rehearsal = require "tap.rehearsal"
local s3 = require "tap.s3"
local sys = require "tap.core.sys"

teardown(helpers.clean)

local MIB = 1024 * 1024

describe("copy", function()
  local r, client, folder

  before_each(function()
    r = rehearsal.open {}
    client, folder = r:client "s3", helpers.folder()
    client:create_bucket { Bucket = "store" }
  end)
  after_each(function() r:close() end)

  -- A file of so many MiB, each of another letter, and some bytes more.
  local function file(mib, more)
    local parts = {}
    for index = 1, mib do parts[index] = string.char(65 + index % 26):rep(MIB) end
    return helpers.file("file", table.concat(parts) .. ("x"):rep(more or 0), folder)
  end

  local function files()
    return table.concat(sys.list_dir(folder), " ")
  end

  it("brings a file there and back, small, empty, or in many parts", function()
    for _, path in ipairs { file(0, 7), file(0), file(40, 3) } do
      local there = r:run("copy", path, "s3://store/in/", "--content-type", "text/x")
      assert.equal(0, there.code, there.out)
      assert.equal("text/x", client:head_object({ Bucket = "store", Key = "in/file" }).ContentType)
      local back = r:run("copy", "s3://store/in/file", folder .. "/back")
      assert.equal(0, back.code, back.out)
      assert.equal(sys.read_file(path), sys.read_file(folder .. "/back"))
      assert.equal("back file", files())
    end
    assert.matches('%-6"$', client:head_object({ Bucket = "store", Key = "in/file" }).ETag) -- of six parts
  end)

  it("leaves no half of a file, and no half of an upload, when it fails", function()
    assert.equal(1, r:run("copy", "s3://store/none", folder .. "/back").code)
    assert.equal("", files())
    sys.write_file(folder .. "/back", "before")
    local path = file(40)
    s3.upload(client, path, { Bucket = "store", Key = "k" })
    local get, calls = client.get_object, 0
    local changing = setmetatable({ get_object = function(_, input)
      calls = calls + 1
      if calls == 3 then client:put_object { Bucket = "store", Key = "k", Body = "other" } end
      return get(client, input)
    end }, { __index = function(_, name) return function(_, ...) return client[name](client, ...) end end })
    local ok, e = pcall(s3.download, changing, { Bucket = "store", Key = "k" }, folder .. "/back")
    assert.is_false(ok)
    assert.equal("PreconditionFailed", e.code)
    assert.equal("before", sys.read_file(folder .. "/back"))
    assert.equal("back file", files())

    local broken = setmetatable({ upload_part = function() error "no" end }, getmetatable(changing))
    assert.is_false(pcall(s3.upload, broken, path, { Bucket = "store", Key = "k" }))
    local left = client:list_multipart_uploads { Bucket = "store" }
    assert.equal(0, #(left.Uploads or {}))
  end)

  it("refuses what is no copy between a file and S3", function()
    for _, words in ipairs { { "a", "b" }, { "s3://a/b", "s3://c/d" }, { "s3://store/", "x" } } do
      assert.equal(2, r:run("copy", table.unpack(words)).code)
    end
    assert.equal(1, r:run("copy", folder .. "/none", "s3://store/x").code)
  end)
end)

describe("a copy of a large file", function()
  -- The most memory that a copy takes, in KB. (A checked build would keep what is freed.)
  local function peak(url, mib)
    local path = helpers.file("large", ("0123456789abcdef"):rep(mib * MIB // 16))
    local env = helpers.client_env { AWS_ENDPOINT_URL = url, ASAN_OPTIONS = "quarantine_size_mb=1" }
    local measured = proc.run { env = env, "/usr/bin/python3", "-c", [[
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)]], sys.executable(), "copy", path, "s3://store/large" }
    assert.equal(0, measured.code, measured.err)
    return tonumber(measured.out)
  end

  it("takes as much memory as that of one a third as large", function()
    helpers.with_sandbox(1, function(url)
      helpers.tapengine { "aws", "s3", "create-bucket", "--bucket", "store",
        env = helpers.client_env { AWS_ENDPOINT_URL = url } }
      local small, large = peak(url, 40), peak(url, 120)
      assert.is_true(large < 1.5 * small, ("%d KB, %d KB"):format(small, large))
    end)
  end)
end)
