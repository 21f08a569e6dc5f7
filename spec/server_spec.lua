-- What a script can rely on when it serves HTTP: the sandbox's ground.
local client = require "tap.core.client"
local proc = require "tap.core.proc"
local server = require "tap.core.server"
local task = require "tap.task"

local keys = { access_key = "test", secret_key = "test" }
local identity = [[<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult><Account>%s</Account></GetCallerIdentityResult>
</GetCallerIdentityResponse>]]

local function answer(x, account)
  x:respond(200, { ["Content-Type"] = "text/xml" }, identity:format(account or "1"))
end

-- Runs body(call, s) beside a server whose every request is handled by a task of its own.
local function with_server(handler, body, options)
  task.scope(function(scope)
    local s <close> = server.listen("127.0.0.1", 0, options)
    local serving = scope:spawn(function()
      task.scope(function(handlers)
        while true do handlers:spawn(handler, s:accept()) end
      end)
    end)
    local function call(settings)
      local given = { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. s:port(),
        credentials = keys, max_attempts = 1 }
      for name, value in pairs(settings or {}) do given[name] = value end
      return client.new("sts", given):call "GetCallerIdentity"
    end
    body(call, s)
    serving:cancel()
  end)
end

-- Sends bytes as they are and gives all that comes back.
local function raw(s, request)
  return proc.run { "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; cat >&3; cat <&3", tostring(s:port()),
    input = request }.out
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("a server", function()
  it("takes a free port and says which", function()
    local s <close> = server.listen("127.0.0.1", 0)
    assert.is_true(s:port() > 0)
    local other <close> = server.listen("::1", 0)
    assert.is_true(other:port() > 0)
  end)

  it("refuses an address that is none, a port that is taken, and unknown options", function()
    assert.matches("localhost", failure(server.listen, "localhost", 0).message)
    local s <close> = server.listen("127.0.0.1", 0)
    local err = failure(server.listen, "127.0.0.1", s:port())
    assert.equal("io", err.class)
    assert.matches(tostring(s:port()), err.message)
    assert.matches("max_body", failure(server.listen, "127.0.0.1", 0, { maxbody = 1 }))
    assert.matches("port", failure(server.listen, "127.0.0.1", 70000))
  end)

  it("hands over the request as it stood on the wire", function()
    with_server(function(x)
      assert.equal("POST", x.method)
      assert.equal("/", x.target)
      assert.equal("/", x.path)
      assert.equal("", x.query)
      assert.equal(x:header "Host", x.host)
      assert.matches("^127%.0%.0%.1:%d+$", x.host)
      assert.equal("Action=GetCallerIdentity&Version=2011-06-15", x.body)
      assert.matches("x%-www%-form%-urlencoded", x:header "content-type")
      assert.is_nil(x:header "X-None")
      assert.matches("^AWS4%-HMAC%-SHA256 ", x:headers().Authorization)
      assert.is_nil(x.nothing)
      answer(x, x.host)
      assert.equal("POST", x.method) -- still known
      assert.matches("answered", failure(function() return x.body end))
      assert.matches("answered", failure(x.header, x, "Host"))
    end, function(call, s)
      assert.equal("127.0.0.1:" .. s:port(), call().Account)
    end)
  end)

  it("answers several requests at a time, in any order", function()
    local order, open = {}, {}
    with_server(function(x)
      open[#open + 1] = x
      if #open < 3 then return end
      for i = 3, 1, -1 do answer(open[i], tostring(i)) end
    end, function(call)
      local calls = {}
      for i = 1, 3 do
        calls[i] = function()
          local account = call().Account
          order[#order + 1] = account
        end
      end
      task.all(calls)
      table.sort(order)
      assert.same({ "1", "2", "3" }, order)
    end)
  end)

  it("carries large bodies whole, both ways", function()
    local text = ("0123456789abcdef"):rep(256 * 1024) -- 4 MiB
    with_server(function(x)
      assert.equal(text, x.body:match "TemplateBody=(%w+)")
      x:respond(200, {}, "<ValidateTemplateResponse><ValidateTemplateResult><Description>" .. text ..
        "</Description></ValidateTemplateResult></ValidateTemplateResponse>")
    end, function(_, s)
      local cfn = client.new("cloudformation",
        { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. s:port(), credentials = keys })
      assert.equal(text, cfn:call("ValidateTemplate", { TemplateBody = text }).Description)
    end)
  end)

  it("refuses a body over its limit with 413", function()
    with_server(function(x) answer(x) end, function(call)
      assert.equal(413, failure(call).status)
    end, { max_body = 10 })
  end)

  it("cuts the connection before any byte, or inside the body", function()
    with_server(function(x) x:abort() end, function(call)
      assert.equal("network", failure(call).class)
    end)
    local body = identity:format "1"
    for _, cut_after in ipairs { 0, 10, #body - 1 } do
      with_server(function(x)
        x:abort {
          status = 200, headers = { ["Content-Type"] = "text/xml" }, body = body, cut_after = cut_after,
        }
      end, function(call)
        assert.equal("network", failure(call).class)
      end)
    end
  end)

  it("cuts the connection of an exchange that nobody answered", function()
    with_server(function(x)
      assert.equal("POST", x.method)
      x = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end, function(call)
      assert.equal("network", failure(call).class)
    end)
    with_server(function(x) local _ <close> = x end, function(call)
      assert.equal("network", failure(call).class)
    end)
  end)

  it("is answered once", function()
    with_server(function(x)
      answer(x)
      assert.matches("answered", failure(x.respond, x, 200))
      assert.matches("answered", failure(x.abort, x))
      x:close()
    end, function(call) assert.equal("1", call().Account) end)
  end)

  it("leaves an exchange open when an answer is wrong", function()
    with_server(function(x)
      for _, wrong in ipairs {
        { 99 }, { 600 }, { "200x" }, { 200, 7 }, { 200, { ["a b"] = "c" } }, { 200, { a = "b\r\nc: d" } },
        { 200, { a = {} , b = true } }, { 200, { [1] = "x" } }, { 200, {}, {} }, { 200, { a = 1.5 } },
      } do
        assert.equal("usage", failure(x.respond, x, table.unpack(wrong, 1, 3)).class)
      end
      assert.matches("cut_after", failure(x.abort, x, { status = 200, cut_after = -1 }))
      answer(x)
    end, function(call) assert.equal("1", call().Account) end)
  end)

  it("sends a header's list of values one by one, and reads headers that stand twice as one", function()
    with_server(function(x)
      assert.same({ "1", "2", "3" }, x:headers().A)
      assert.equal("1", x:header "a")
      assert.equal("one", x:headers().B)
      x:respond(418, { ["Set-Cookie"] = { "a=1", "b=2" }, ["Retry-After"] = 3 }, "short")
    end, function(_, s)
      local answer_text = raw(s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" ..
        "A: 1\r\nA: 2\r\nB: one\r\nA: 3\r\n\r\n")
      assert.matches("^HTTP/1.1 418 ", answer_text)
      assert.matches("\r\nSet%-Cookie: a=1\r\n", answer_text)
      assert.matches("\r\nSet%-Cookie: b=2\r\n", answer_text)
      assert.matches("\r\nRetry%-After: 3\r\n", answer_text)
      assert.matches("\r\n\r\nshort$", answer_text)
    end)
  end)

  it("leaves a path and a query encoded", function()
    with_server(function(x)
      assert.same({ "GET", "/p%20q?x=1?&y=%2F", "/p%20q", "x=1?&y=%2F", "h" },
        { x.method, x.target, x.path, x.query, x.host })
      assert.equal("", x.body)
      x:respond(204)
    end, function(_, s)
      assert.matches("^HTTP/1.1 204 ",
        raw(s, "GET /p%20q?x=1?&y=%2F HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    end)
  end)

  it("does not bother its handlers with what is not a whole request", function()
    with_server(function() error "called" end, function(_, s)
      for _, request in ipairs {
        "", "\r\n", "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n",
      } do
        proc.run { "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; cat >&3", tostring(s:port()),
          input = request }
      end
      task.sleep(0.02)
    end)
  end)

  it("survives a peer that goes away while the answer is being made", function()
    local answered = 0
    with_server(function(x)
      task.sleep(0.05)
      answer(x)
      answered = answered + 1
    end, function(call)
      assert.equal("Timeout", failure(task.timeout, 0.01, call).code)
      assert.equal("1", call().Account)
      assert.equal(2, answered)
    end)
  end)

  it("has its accept waited for by one task at a time", function()
    task.scope(function(scope)
      local s <close> = server.listen("127.0.0.1", 0)
      local first = scope:spawn(function() s:accept() end)
      task.sleep(0)
      assert.matches("another task", failure(s.accept, s))
      first:cancel()
      task.sleep(0)
      local second = scope:spawn(function() s:accept() end)
      task.sleep(0)
      second:cancel()
    end)
  end)

  it("ends the accept that waits when it is closed", function()
    task.scope(function(scope)
      local s = server.listen("127.0.0.1", 0)
      local err
      scope:spawn(function() err = failure(s.accept, s) end)
      task.sleep(0)
      s:close()
      s:close()
      task.sleep(0)
      assert.equal("ServerClosed", err.code)
      assert.matches("closed", failure(s.accept, s))
    end)
  end)

  it("may be closed before its exchanges are answered", function()
    task.scope(function(scope)
      local s = server.listen("127.0.0.1", 0)
      local sts = client.new("sts", { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. s:port(),
        credentials = keys, max_attempts = 1 })
      local err
      scope:spawn(function() err = failure(sts.call, sts, "GetCallerIdentity") end)
      local x = s:accept()
      s:close()
      answer(x)
      task.sleep(0.05)
      assert.equal("network", err.class)
    end)
  end)

  it("answers at once what takes an hour on the virtual clock", function()
    task.clock "virtual"
    finally(function() task.clock "real" end)
    with_server(function(x)
      local began = task.now()
      task.sleep(3600)
      assert.is_true(task.now() - began >= 3600)
      answer(x)
    end, function(call)
      local began = task.now()
      local got = { total_timeout = 7200, read_timeout = 7200 }
      assert.equal("1", call(got).Account)
      assert.is_true(task.now() - began >= 3600)
      assert.equal("timeout", failure(call, { total_timeout = 60 }).class)
    end)
  end)
end)
