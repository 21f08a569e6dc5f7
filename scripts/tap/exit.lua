--- The exit code contract: what a shell script or a CI job may rely on.
--
-- A run that raises nothing exits 0, or what its result says (`exit = "changes"`). A run that raises exits by
-- the error's class; a service's error is classed by its code. Nothing else in the program chooses a number.

local exit = {}

--- Outcome -> exit code. Adding one is a change of the contract.
exit.CODES = {
  ok = 0,
  failed = 1, -- in another way than the ones below
  usage = 2, -- wrong usage, or the script is broken
  invalid = 3, -- template or parameters invalid; nothing touched
  refused = 4, -- a gate, or the answer was no
  busy = 5, -- another operation or lock
  rolled_back = 6, -- failed and rolled back cleanly
  stuck = 7, -- a person or `recover` is needed
  timeout = 8, -- the operation goes on in AWS
  unverified = 9, -- deployed, but verification failed
  credentials = 10, -- or permission
  unreachable = 11, -- AWS or the network, retries spent
  changes = 20, -- pending (--dry-run, diff)
  interrupted = 130,
  terminated = 143,
}

-- Error class -> outcome, where the two names differ.
local CLASSES = {
  parse = "invalid", -- a file of the user's
  network = "unreachable",
  unsupported = "usage",
}

-- Service error codes that mean "who are you, and may you do this".
local CREDENTIAL_CODES = {}
for code in ([[
  AccessDenied AccessDeniedException AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature
  InvalidAccessKeyId InvalidClientTokenId InvalidSignatureException MissingAuthenticationToken OptInRequired
  RequestExpired SignatureDoesNotMatch UnauthorizedOperation UnrecognizedClientException
]]):gmatch("%S+") do CREDENTIAL_CODES[code] = true end

-- What Lua itself says of a script that is wrong, as opposed to a script's own error("...").
local BROKEN_SCRIPT = { ": attempt to ", ": bad argument #", "stack overflow", "module '.-' not found" }

local function outcome_of_service(e)
  if CREDENTIAL_CODES[e.code] then return "credentials" end
  if e.retryable or (e.status or 0) >= 500 then return "unreachable" end
  return "failed"
end

local function outcome_of_script(e)
  for _, pattern in ipairs(BROKEN_SCRIPT) do
    if e.message:find(pattern) then return "usage" end
  end
  return "failed"
end

--- The outcome's name for an error.
---@param e table a structured error
---@return string outcome a key of exit.CODES
function exit.outcome(e)
  local class = e.class
  if class == "service" then return outcome_of_service(e) end
  if class == "script" then return outcome_of_script(e) end
  if class == "timeout" and e.service then return "unreachable" end -- one call's deadline, not a stack's
  if class == "canceled" then return "interrupted" end
  local outcome = CLASSES[class] or class
  return exit.CODES[outcome] and outcome or "failed"
end

---@param e table a structured error
---@return integer code
function exit.code(e)
  return exit.CODES[exit.outcome(e)]
end

return exit
