--- The sandbox over HTTP: takes requests, verifies who sends them, calls the service's operation, writes its
-- answer or its error as the service's protocol does. Every request is answered: what the sandbox itself does
-- wrong is InternalFailure, with the reason in its log.

local json = require "tap.core.json"
local log = require "tap.core.log"
local protocol = require "tap.core.protocol"
local sigv4 = require "tap.core.sigv4"
local task = require "tap.core.task"
local text = require "tap.core.text"
local answers = require "sandbox.answers"
local constraints = require "sandbox.constraints"
local fault = require "sandbox.fault"
local services = require "sandbox.services"
local trouble = require "sandbox.trouble"

local http = {}

local UNSIGNED_SERVICE = "cloudformation" -- whose envelope an error has when the service is not known

-- The service and the operation that a request names in its headers or its form, before anything else of it is read.
local function names_of(exchange)
  local service = (exchange:header("Authorization") or ""):match("/([%w-]+)/aws4_request")
  local operation = (exchange:header("X-Amz-Target") or ""):match("%.(%w+)$")
    or (exchange.body or ""):match("^Action=(%w+)") or (exchange.body or ""):match("&Action=(%w+)")
  return service or "", operation or ""
end

-- The service whose form an error has: the one that the signature names, else the host's
-- ("sts.eu-west-1.amazonaws.com").
local function service_named_by(exchange)
  local service = services.of((names_of(exchange)))
  if not service then
    local name = (exchange.host or ""):match("^([%w-]+)%..*amazonaws%.com")
    service = name and services.of(name)
  end
  return service and service.model or UNSIGNED_SERVICE
end

--- The time to judge a signature by. Clients in this process sign by the sandbox's clock, others by the
-- machine's, which differs from a virtual or scaled one: the nearer of the two counts. A scenario may put the
-- service's clock forward.
local function time_of_signing(sandbox, claim)
  local ahead = sandbox.scenario.clock_ahead
  local here, outside = task.now() + ahead, os.time() + ahead
  local signed = text.parse_time(claim.amz_date or "") or here
  return math.abs(signed - here) <= math.abs(signed - outside) and here or outside
end

local function authenticate(sandbox, exchange, claim)
  local caller = sandbox.callers[claim.access_key]
  if not caller then
    fault.raise("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
  end
  sigv4.verify(exchange, claim, caller.secret, time_of_signing(sandbox, claim))
  return caller
end

local function perform(sandbox, exchange, request)
  local claim = sigv4.claim(exchange)
  local service = services.of(claim.service)
  if service then request.service = service.model end
  local caller = authenticate(sandbox, exchange, claim)
  if not service then
    fault.not_emulated(("%s %s"):format(claim.service, exchange:header("X-Amz-Target") or exchange.target))
  end
  local operation, input = protocol.read(service.model, exchange)
  local run = service.operations[operation] or fault.not_emulated(service.model .. " " .. operation)
  constraints.check(service.model, operation, input, service.constraints and service.constraints(operation))
  local output = run({
    world = sandbox.world, region = sandbox.world.store:region(claim.region), caller = caller,
    request_id = request.id,
  }, input)
  if sandbox.state then
    sandbox.state:record { region = claim.region, service = service.model, operation = operation, input =
      input,
      caller = claim.access_key }
  end
  return answers.write(service.model, operation, output, request.id, exchange)
end

local function to_error(sandbox, err)
  if fault.is(err) then return { code = err.code, message = err.message, status = err.status or 400 } end
  sandbox.world.report(tostring(err))
  return { code = "InternalFailure", message = "The sandbox failed; its log says why.", status = 500 }
end

local function keep_traceback(err)
  return fault.is(err) and err or debug.traceback(tostring(err), 2)
end

-- A service that is not emulated has no protocol here; one whose clients send this header reads JSON.
local function write_error(exchange, request, err)
  if exchange:header("X-Amz-Target") then
    return err.status, { ["Content-Type"] = "application/x-amz-json-1.0" },
      json.encode { __type = err.code, message = err.message }
  end
  return protocol.write_error(request.service, err, request.id, exchange)
end

-- What the service answers when nothing disturbs it.
local function respond_to(sandbox, exchange, request)
  local ok, status, headers, body = xpcall(perform, keep_traceback, sandbox, exchange, request)
  if not ok then
    status, headers, body = write_error(exchange, request, to_error(sandbox, status))
  end
  return status, headers, body
end

-- An answer to HEAD says how long the body would be; the listener takes that from a body, and does not send
-- it.
local function length_for_head(exchange, headers, body)
  local length = exchange.method == "HEAD" and math.tointeger(tonumber(headers["Content-Length"]))
  return length and ("\0"):rep(length) or body
end

-- The error that a trouble answers; some say what was asked for, and by whom.
local function error_of(sandbox, kind, exchange, request)
  if type(kind.error) ~= "function" then return kind.error end
  local operation, input = protocol.read(request.service, exchange)
  local claim = sigv4.claim(exchange)
  local region, caller = sandbox.world.store:region(claim.region), sandbox.callers[claim.access_key]
  return kind.error(input, { service = claim.service, operation = operation, region = region,
    caller = caller and caller.arn or claim.access_key })
end

-- Does to a request what its trouble says. True when the connection is gone.
local function disturb(sandbox, exchange, request, kind)
  if kind.error then return false, write_error(exchange, request, error_of(sandbox, kind, exchange, request)) end
  if not kind.effect then
    exchange:abort()
    return true
  end
  if kind.delay then
    task.sleep(kind.delay)
    return false, respond_to(sandbox, exchange, request)
  end
  local status, headers, body = respond_to(sandbox, exchange, request)
  local partial = kind.keep and { status = status, headers = headers, body = body,
    cut_after = math.floor(#body * kind.keep) }
  exchange:abort(partial or nil)
  return true
end

-- The operation that method and path stand for, as REST services have it; "" when they stand for none.
local function routed_operation(name, exchange)
  local service = services.of(name)
  local ok, operation = pcall(protocol.read, service and service.model, exchange)
  return ok and operation or ""
end

-- Seconds since the stack was made that a request names; nil when it names none.
local function age_of_stack(sandbox, exchange)
  local ok, claim = pcall(sigv4.claim, exchange)
  local read, _, input = pcall(protocol.read, "cloudformation", exchange)
  local name = ok and read and input.StackName
  local stack = name and sandbox.world.store:region(claim.region):stack(name)
  return stack and task.now() - stack.created
end

-- The trouble that a request meets, by the caller of sandbox.start or by the scenario; nil for none.
local function trouble_of(sandbox, exchange)
  local name = sandbox.disturb and sandbox.disturb(sandbox.requests, exchange)
  if name then return trouble.find(name) end
  if #sandbox.scenario.requests == 0 then return nil end
  local service, operation = names_of(exchange)
  if operation == "" then operation = routed_operation(service, exchange) end
  local rule = sandbox.scenario:disturb(service, operation, sandbox.chance, function()
    return age_of_stack(sandbox, exchange)
  end)
  if rule and rule.delay then task.sleep(rule.delay) end
  return trouble.find(rule and rule.trouble)
end

local function answer(sandbox, exchange)
  local request = { id = sandbox.request_ids:uuid(), service = service_named_by(exchange) }
  sandbox.requests = sandbox.requests + 1
  local kind = trouble_of(sandbox, exchange)
  local gone, status, headers, body
  if kind then
    gone, status, headers, body = disturb(sandbox, exchange, request, kind)
  else
    status, headers, body = respond_to(sandbox, exchange, request)
  end
  if gone then return end
  headers["x-amzn-RequestId"] = request.id
  local ahead = sandbox.scenario.clock_ahead
  if ahead ~= 0 then headers.Date = os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(task.now() + ahead)) end
  exchange:respond(status, headers, length_for_head(exchange, headers, body))
end

--- Answers one exchange. An answer that cannot be written is cut off, and the sandbox goes on.
local function handle(sandbox, exchange)
  local ok, err = pcall(answer, sandbox, exchange)
  if ok then return end
  sandbox.world.report(tostring(err))
  exchange:abort()
end

--- Takes requests until the task is cancelled; each is answered in a task of its own below `root`.
---@param sandbox table { world, callers, request_ids, requests, disturb }
---@param server table of tap.core.server
---@param root table a task
function http.serve(sandbox, server, root)
  while true do
    local exchange = server:accept()
    root:spawn(handle, sandbox, exchange)
  end
end

--- Where the sandbox says what went wrong inside it.
---@param message string
function http.report(message)
  log.write("error", "sandbox: " .. message)
end

return http
