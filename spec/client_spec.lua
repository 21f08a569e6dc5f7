-- What a script can rely on when it calls a service. The service is a small one of this file.
local client = require "tap.core.client"
local json = require "tap.core.json"
local model = require "tap.core.model"
local protocol = require "tap.core.protocol"
local server = require "tap.core.server"
local sigv4 = require "tap.core.sigv4"
local task = require "tap.task"

local bytes = "\0\1\xff\xfe" .. ("blob"):rep(1000)

-- Runs body(new) beside a service: handlers[operation](input, exchange) gives the output, raises an
-- error that is answered as the service's, or returns nil when it has answered by itself.
local function with_service(service, handlers, body)
  local function handle(x)
    local name, input = protocol.read(service, x)
    local ok, output = pcall(handlers[name], input, x)
    if not ok then
      x:respond(protocol.write_error(service, output, "request-2"))
    elseif output then
      x:respond(protocol.write(service, name, output, "request-1"))
    end
  end
  task.scope(function(scope)
    local s <close> = server.listen("127.0.0.1", 0)
    local serving = scope:spawn(function()
      task.scope(function(requests)
        while true do requests:spawn(handle, s:accept()) end
      end)
    end)
    body(function(settings)
      local given = { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. s:port(), max_attempts = 1,
        credentials = { access_key = "test", secret_key = "test-secret" } }
      for option, value in pairs(settings or {}) do given[option] = value end
      return client.new(service, given)
    end)
    serving:cancel()
  end)
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

local function ms(seconds) return math.floor(seconds * 1000 + 0.5) end

describe("a call", function()
  it("gives the output and what belongs to it", function()
    local seen
    with_service("cloudformation", {
      DescribeStacks = function(input)
        seen = input
        return { Stacks = { {
          StackName = "web", StackStatus = "CREATE_COMPLETE", CreationTime = 1767225600.5,
          DisableRollback = false, Tags = json.list {},
          Outputs = { { OutputKey = "Url", OutputValue = "a<b>&\"c\" ä" } },
        } } }
      end,
    }, function(new)
      local output, meta = new():call("DescribeStacks", { StackName = "web" })
      assert.same({ StackName = "web" }, seen)
      local stack = output.Stacks[1]
      assert.equal("web", stack.StackName)
      assert.equal(false, stack.DisableRollback)
      assert.equal(1767225600.5, stack.CreationTime)
      assert.equal("a<b>&\"c\" ä", stack.Outputs[1].OutputValue)
      assert.is_true(json.is_list(stack.Tags))
      assert.same({ request_id = "request-1", attempts = 1, answer = 1 }, meta)
    end)
  end)

  it("takes any spelling of an operation, and no input at all", function()
    with_service("sts", { GetCallerIdentity = function() return { Account = "1" } end }, function(new)
      local sts = new()
      for _, name in ipairs { "GetCallerIdentity", "get_caller_identity", "get-caller-identity" } do
        assert.equal("1", sts:call(name).Account)
      end
      assert.equal("1", sts:call("GetCallerIdentity", {}).Account)
    end)
  end)

  it("raises the service's error with all that is known of it", function()
    with_service("cloudformation", {
      DescribeStacks = function()
        error { code = "ValidationError", message = "Stack with id x does not exist" }
      end,
    }, function(new)
      local cfn = new()
      local err = failure(cfn.call, cfn, "DescribeStacks", { StackName = "x" })
      assert.equal("ValidationError", err.code)
      assert.equal("service", err.class)
      assert.equal("Stack with id x does not exist", err.message)
      assert.equal("cloudformation", err.service)
      assert.equal("DescribeStacks", err.operation)
      assert.equal(400, err.status)
      assert.equal("request-2", err.request_id)
      assert.equal(false, err.retryable)
      local text = tostring(err)
      assert.matches("DescribeStacks: ValidationError: Stack with id x does not exist", text, 1, true)
      assert.matches("(request id request-2)", text, 1, true)
    end)
  end)

  it("is sent again when the service has trouble, and counts its attempts", function()
    local n = 0
    with_service("sts", {
      GetCallerIdentity = function()
        n = n + 1
        if n < 3 then error { code = "Throttling", message = "Rate exceeded" } end
        return { Account = "1" }
      end,
    }, function(new)
      task.clock "virtual"
      finally(function() task.clock "real" end)
      local _, meta = new { max_attempts = 3 }:call "GetCallerIdentity"
      assert.equal(3, meta.attempts)
      n = 0
      local sts = new { max_attempts = 2 }
      local err = failure(sts.call, sts, "GetCallerIdentity")
      assert.equal("Throttling", err.code)
      assert.equal(true, err.retryable)
    end)
  end)

  it("ends by its own deadline, however many attempts are left", function()
    with_service("sts", {
      GetCallerIdentity = function() error { code = "Throttling", message = "Rate exceeded" } end,
    }, function(new)
      task.clock "virtual"
      finally(function() task.clock "real" end)
      local began = task.monotonic()
      local sts = new { max_attempts = 50, call_timeout = 30, random_seed = 1 }
      local err = failure(sts.call, sts, "GetCallerIdentity")
      assert.equal("timeout", err.class)
      assert.equal("CallTimeout", err.code)
      assert.matches("within 30 s; requests sent: %d+; last error: Throttling", err.message)
      assert.equal(30000, ms(task.monotonic() - began))
    end)
  end)

  it("pauses between attempts as the seed says", function()
    local function paused(seed)
      local times = {}
      with_service("sts", {
        GetCallerIdentity = function()
          times[#times + 1] = task.monotonic()
          error { code = "Throttling", message = "Rate exceeded" }
        end,
      }, function(new)
        task.clock "virtual"
        finally(function() task.clock "real" end)
        local sts = new { max_attempts = 4, random_seed = seed }
        failure(sts.call, sts, "GetCallerIdentity")
      end)
      for i = #times, 1, -1 do times[i] = ms(times[i] - times[1]) end
      return times
    end
    assert.same(paused(7), paused(7))
    assert.are_not.same(paused(7), paused(8))
  end)

  it("names the nearest operation and the nearest member, and sends nothing", function()
    with_service("cloudformation", {}, function(new)
      local cfn = new()
      local err = failure(cfn.call, cfn, "DescribeStack", { StackName = "x" })
      assert.equal("usage", err.class)
      assert.matches("DescribeStacks", err.message)
      err = failure(cfn.call, cfn, "CreateStack", { StackNam = "x" })
      assert.equal("usage", err.class)
      assert.matches("StackName", err.message)
      assert.equal("cloudformation", err.service)
      assert.equal("CreateStack", err.operation)
    end)
  end)

  it("names the path of a value that cannot be sent", function()
    with_service("cloudformation", {}, function(new)
      local cfn = new()
      local err = failure(cfn.call, cfn, "CreateStack", { StackName = "x", Tags = { { Key = print } } })
      assert.matches("^Tags%[1%]%.Key: a function", err.message)
      assert.equal("cloudformation", err.service)
      assert.equal("CreateStack", err.operation)
      err = failure(cfn.call, cfn, "CreateStack", { StackName = "\xff" })
      assert.matches("^StackName: .*UTF%-8", err.message)
      assert.matches("table expected", failure(cfn.call, cfn, "CreateStack", "x"))
    end)
  end)

  it("takes an empty table for a list where the service wants one", function()
    local seen
    with_service("cloudformation", {
      CreateStack = function(input) seen = input return { StackId = "id" } end,
    }, function(new)
      local input = { StackName = "x", Tags = {}, Capabilities = json.list() }
      assert.equal("id", new():call("CreateStack", input).StackId)
      assert.equal("x", seen.StackName)
    end)
  end)

  it("carries blobs as bytes, in members, in lists and in maps", function()
    local seen
    with_service("ses", {
      SendRawEmail = function(input) seen = input.RawMessage.Data return { MessageId = "m" } end,
    }, function(new)
      new():call("SendRawEmail", { RawMessage = { Data = bytes } })
      assert.equal(bytes, seen)
      new():call("SendRawEmail", { RawMessage = { Data = "" } })
      assert.equal("", seen)
    end)
    with_service("sns", {
      Publish = function(input) seen = input return { MessageId = "m" } end,
    }, function(new)
      local attribute = { DataType = "Binary", BinaryValue = bytes }
      new():call("Publish", { Message = "text", MessageAttributes = { a = attribute } })
      assert.equal(bytes, seen.MessageAttributes.a.BinaryValue)
      assert.equal("text", seen.Message)
    end)
    with_service("iam", {
      GetCredentialReport = function()
        return { Content = bytes, ReportFormat = "text/csv", GeneratedTime = 1 }
      end,
    }, function(new)
      local output = new():call "GetCredentialReport"
      assert.equal(bytes, output.Content)
      assert.equal("text/csv", output.ReportFormat)
    end)
  end)

  it("is over when its task is cancelled", function()
    local answered = false
    with_service("sts", {
      GetCallerIdentity = function() task.sleep(30) answered = true return { Account = "1" } end,
    }, function(new)
      local sts = new()
      local err = failure(task.timeout, 0.02, function() sts:call "GetCallerIdentity" end)
      assert.equal("Timeout", err.code)
      assert.is_false(answered)
    end)
  end)

  it("ends in a timeout when the service is silent", function()
    task.clock "virtual"
    finally(function() task.clock "real" end)
    with_service("sts", { GetCallerIdentity = function() task.sleep(500) end }, function(new)
      local sts = new { read_timeout = 2 }
      local err = failure(sts.call, sts, "GetCallerIdentity")
      assert.equal("timeout", err.class)
      assert.equal("sts", err.service)
      assert.equal("GetCallerIdentity", err.operation)
    end)
  end)

  it("says that the network failed when nobody listens", function()
    local s = server.listen("127.0.0.1", 0)
    local port = s:port()
    s:close()
    local sts = client.new("sts", { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. port,
      max_attempts = 1, credentials = { access_key = "a", secret_key = "b" } })
    local err = failure(sts.call, sts, "GetCallerIdentity")
    assert.equal("network", err.class)
    assert.is_nil(err.status)
  end)

  it("ends well when the client is closed or collected under it", function()
    with_service("sts", {
      GetCallerIdentity = function() task.sleep(0.02) return { Account = "1" } end,
    }, function(new)
      task.scope(function(scope)
        local sts = new()
        local waiting = scope:spawn(function() return sts:call "GetCallerIdentity" end)
        task.sleep(0)
        sts:close()
        assert.equal("1", waiting:wait().Account)
        assert.matches("closed", failure(sts.call, sts, "GetCallerIdentity"))
      end)
      collectgarbage()
    end)
  end)

  it("runs beside others", function()
    local open, most = 0, 0
    with_service("sts", {
      GetCallerIdentity = function()
        open = open + 1
        most = math.max(most, open)
        task.sleep(0.02)
        open = open - 1
        return { Account = "1" }
      end,
    }, function(new)
      local sts, calls = new(), {}
      for i = 1, 20 do calls[i] = function() return sts:call "GetCallerIdentity".Account end end
      local accounts = task.all(calls)
      assert.equal(20, #accounts)
      assert.is_true(most > 1)
    end)
  end)

  it("is signed so that the server can tell who sent it", function()
    local claim, refusal
    with_service("sts", {
      GetCallerIdentity = function(_, x)
        claim = sigv4.claim(x)
        sigv4.verify(x, claim, "test-secret", task.now())
        refusal = failure(sigv4.verify, x, claim, "another-secret", task.now())
        return { Account = "1" }
      end,
    }, function(new)
      new():call "GetCallerIdentity"
      assert.equal("test", claim.access_key)
      assert.equal("eu-west-1", claim.region)
      assert.equal("sts", claim.service)
      assert.equal("headers", claim.form)
      assert.is_nil(claim.session_token)
      assert.is_nil(claim.nothing)
      assert.equal("SignatureDoesNotMatch", refusal.code)
      assert.equal(403, refusal.status)
      assert.not_matches("another%-secret", tostring(refusal))
    end)
  end)

  it("carries a session token", function()
    local token
    with_service("sts", {
      GetCallerIdentity = function(_, x) token = sigv4.claim(x).session_token return { Account = "1" } end,
    }, function(new)
      local credentials = { access_key = "a", secret_key = "b", session_token = "the-token" }
      new { credentials = credentials }:call "GetCallerIdentity"
      assert.equal("the-token", token)
    end)
  end)
end)

describe("a client", function()
  local options = { region = "eu-west-1", credentials = { access_key = "a", secret_key = "b" } }

  it("knows its service, its region and its operations", function()
    local cfn = client.new("cloudformation", options)
    assert.equal("cloudformation", cfn:service())
    assert.equal("eu-west-1", cfn:region())
    local names = cfn:operations()
    assert.is_true(json.is_list(names))
    local known = {}
    for _, name in ipairs(names) do known[name] = true end
    assert.is_true(known.DescribeStacks and known.CreateStack)
    local operation = cfn:operation "describe_stacks"
    assert.equal("DescribeStacks", operation.name)
    assert.equal("DescribeStacksInput", operation.input.shape)
    assert.matches("DescribeStacks", failure(cfn.operation, cfn, "DescribStacks").message)
  end)

  it("refuses unknown services and options, with the nearest name", function()
    assert.matches("cloudformation", failure(client.new, "cloudformatio", options).message)
    assert.matches("region", failure(client.new, "sts", { regio = "x" }))
    assert.matches("secret_key", failure(client.new, "sts", { credentials = { access_key = "a" } }))
    assert.matches("access_key", failure(client.new, "sts", { credentials = { acces_key = "a" } }))
    assert.matches("max_attempts", failure(client.new, "sts", { max_attempts = "3" }))
    assert.matches("max_attempts", failure(client.new, "sts", { max_attempts = -1 }))
    assert.matches("read_timeout", failure(client.new, "sts", { read_timeout = -1 }))
  end)

  it("never shows its credentials", function()
    local credentials = { access_key = "a", secret_key = "hidden" }
    local sts = client.new("sts", { region = "eu-west-1", credentials = credentials })
    assert.not_matches("hidden", tostring(sts))
  end)

  it("calls only from where a wait is possible", function()
    local sts = client.new("sts", options)
    local err
    table.sort({ 1, 2 }, function() err = err or failure(sts.call, sts, "GetCallerIdentity") return false end)
    assert.equal("CannotWait", err.code)
  end)
end)

describe("the models", function()
  it("name every service, and describe its operations and shapes", function()
    local services = model.services()
    assert.is_true(#services > 400)
    local m = model.load "cloudformation"
    assert.equal("cloudformation", m:service())
    assert.equal("query", m:metadata().protocol)
    assert.equal("structure", m:shape "Stack".type)
    assert.equal("StackId", json.keys(m:shape "Stack".members)[1])
    assert.is_nil(m:shape "NoSuchShape")
    assert.equal("DescribeStacks", m:part "waiters".StackCreateComplete.operation)
    assert.is_nil(m:part "nothing")
    assert.matches("dynamodb", failure(model.load, "dynamodbb").message)
  end)
end)

describe("the server's side of a protocol", function()
  it("refuses an operation that the service does not have, as the service would", function()
    local err
    task.scope(function(scope)
      local s <close> = server.listen("127.0.0.1", 0)
      scope:spawn(function()
        local sts = client.new("sts", { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. s:port(),
          max_attempts = 1, credentials = { access_key = "a", secret_key = "b" } })
        pcall(sts.call, sts, "GetCallerIdentity")
      end)
      local x = s:accept()
      err = failure(protocol.read, "cloudformation", x)
      x:respond(500)
    end)
    assert.equal("service", err.class)
    assert.equal("InvalidAction", err.code)
  end)

  it("writes outputs and errors as the service does", function()
    local status, headers, body = protocol.write("sts", "GetCallerIdentity", { Account = "1&2" }, "r-1")
    assert.equal(200, status)
    assert.matches("xml", headers["Content-Type"])
    assert.matches("<Account>1&amp;2</Account>", body, 1, true)
    assert.matches("<RequestId>r%-1</RequestId>", body)
    local refusal = { code = "AccessDenied", message = "no <you>", status = 403 }
    status, headers, body = protocol.write_error("sts", refusal, "r-2")
    assert.matches("xml", headers["Content-Type"])
    assert.equal(403, status)
    assert.matches("<Code>AccessDenied</Code>", body, 1, true)
    assert.matches("no &lt;you&gt;", body, 1, true)
    assert.matches("Account: a function", tostring(failure(protocol.write, "sts", "GetCallerIdentity",
      { Account = print }, "r")))
    assert.matches("code", failure(protocol.write_error, "sts", {}, "r"))
  end)
end)
