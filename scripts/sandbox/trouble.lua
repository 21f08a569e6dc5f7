--- What can go wrong between a client and a service, as data. Each kind says whether the operation takes
-- effect, and what the client gets to see in place of its answer. A caller of sandbox.start decides which
-- request meets which kind.

local trouble = {}

---@class sandbox.Trouble
---@field effect boolean the operation is performed, and its answer is lost
---@field error (table|fun(input: table, asked: table): table)? the service's error that is answered instead; asked:
--- service, operation, region, caller
---@field of string? what the kind is about, when it is not a trouble that any request may meet for a moment
---@field delay number? seconds before the operation is performed; its answer comes then
---@field keep number? share of the answer's body that arrives before the connection breaks; nil: not a byte

local function refusal(status, code, message)
  return { effect = false, error = { code = code, message = message, status = status } }
end

local NOT_AUTHORIZED = "User: %s is not authorized to perform: %s%s because no identity-based policy allows "
  .. "the %s action"

-- CloudFormation is asked about a stack, or about nothing; no other service's resources are told apart here.
local function denial(input, asked)
  local action, on = asked.service .. ":" .. asked.operation, ""
  if asked.service == "cloudformation" and input.StackName then
    local region, name = asked.region, input.StackName
    local stack = region:stack(name)
    on = stack and stack.id or name:match("^arn:") and name
      or ("arn:%s:cloudformation:%s:%s:stack/%s/*"):format(region.partition, region.name, region.account, name)
    on = " on resource: " .. on
  end
  return NOT_AUTHORIZED:format(asked.caller, action, on, action)
end

-- Operations with words of their own for a stack that is not there.
local NOT_THERE = { DescribeStackEvents = "Stack [%s] does not exist",
  DescribeStackResource = "Stack '%s' does not exist" }

--- Kind -> what happens. The names are what scripts and messages call them.
---@type table<string, sandbox.Trouble>
trouble.kinds = {
  throttled = refusal(400, "Throttling", "Rate exceeded"),
  unavailable = refusal(503, "ServiceUnavailable", "Service is unavailable"),
  internal = refusal(500, "InternalFailure", "Unknown"),
  expired = refusal(403, "ExpiredToken", "The security token included in the request is expired"),
  -- Nothing passes here by trying again, so that no run outlives it.
  denied = { effect = false, of = "permissions", error = function(input, asked)
    return { code = "AccessDenied", status = 403, message = denial(input, asked) }
  end },
  -- What was just made is not known everywhere yet: the reads of a new stack, for a moment.
  not_known_yet = { effect = false, of = "reads", error = function(input, asked)
    return { code = "ValidationError", status = 400,
      message = (NOT_THERE[asked.operation] or "Stack with id %s does not exist"):format(input.StackName or "") }
  end },
  -- Somebody else was faster.
  busy = { effect = false, of = "changes", error = function(input, asked)
    local stack = asked.region:stack(input.StackName or "")
    return { code = "ValidationError", status = 400,
      message = ("Stack:%s is in UPDATE_IN_PROGRESS state and can not be updated."):format(stack and stack.id
        or input.StackName or "") }
  end },
  cut_before = { effect = false },
  cut_after = { effect = true },
  truncated = { effect = true, keep = 0.5 },
  -- It is done, but only after the client has given up waiting, and perhaps asked again.
  late = { effect = true, delay = 70 },
}

--- The names of all kinds, sorted.
---@return string[]
function trouble.names()
  local names = {}
  for name in pairs(trouble.kinds) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The kind of that name; nil for nil.
---@param name string?
---@return sandbox.Trouble?
function trouble.find(name)
  if not name then return nil end
  return trouble.kinds[name] or error("sandbox: there is no trouble called " .. name, 0)
end

return trouble
