--- The errors that the emulated services answer with. Everything below a service's operation refuses a
-- request by raising one of these; sandbox.http writes them as the service's protocol does. Any other error
-- is a bug of the sandbox and becomes InternalFailure.

local errors = require "tap.core.error"

local fault = {}

--- Raises a service error.
---@param code string as on the wire, for example "AlreadyExistsException"
---@param message string clients match on it: keep the service's exact text
---@param status integer? HTTP status, 400 if nil
function fault.raise(code, message, status)
  error(errors.new { class = "service", code = code, message = message, status = status or 400 }, 0)
end

--- Raises a ValidationError. The message is a format only when there is something to put into it.
---@param message string
function fault.validation(message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  fault.raise("ValidationError", message)
end

local LATE = "TransformFailure" -- never on the wire

--- Raises what the service finds out only once an operation has begun: transforms and what they make.
---@param message string a format only when there is something to put into it
function fault.late(message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  fault.raise(LATE, message)
end

--- Was `err` raised by fault.late?
function fault.is_late(err)
  return fault.is(err) and err.code == LATE
end

--- Raises the answer for what this version does not emulate. 501 is not retried by clients, and no client
-- takes it for an answer of the real service.
---@param what string for example "cloudformation UpdateStack"
function fault.not_emulated(what)
  fault.raise("NotImplemented", ("The sandbox does not emulate %s."):format(what), 501)
end

--- Was `err` raised by this module (or by the core on a service's behalf)?
function fault.is(err)
  return errors.is(err) and err.class == "service"
end

return fault
