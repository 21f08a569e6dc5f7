--- Errors as the library raises them: structured tables over tap.core.error.
--
-- A failed call, a broken template, an expired deadline: each is a table with `class`, `code`, `message` and
-- what else is known. `class` says what kind of trouble it is and decides the exit code (tap.exit); `hints`
-- is a list of lines that say what to do next; `cause` is the error underneath.

local core = require "tap.core.error"

local errors = { new = core.new, is = core.is, mt = core.mt }

--- Raises a structured error.
---@param fields table class, code, message and anything else worth telling
function errors.raise(fields)
  error(core.new(fields), 0)
end

--- Any raised value as a structured error: a string (a Lua error, a script's error("...")) gets class
--- "script".
---@param e any
---@return table
function errors.from(e)
  if core.is(e) then return e end
  return core.new { class = "script", code = "ScriptError", message = tostring(e) }
end

--- A message handler for xpcall: a plain Lua error keeps where it was raised in `traceback`.
---@param e any
---@return table
function errors.with_traceback(e)
  if core.is(e) then return e end
  e = errors.from(e)
  e.traceback = debug.traceback(e.message, 2)
  return e
end

--- True for the error that ends a cancelled task; it is never to be kept from its task.
---@param e any
---@return boolean
function errors.is_cancel(e)
  return core.is(e) and e.code == "Canceled"
end

--- fn(...)'s first result, or nil and the error where a script wants to go on. (The first only: a call's
-- second result would stand where the error is looked for.) Cancellation passes through.
---@param fn function
---@return any result nil when it failed
---@return table? err
function errors.try(fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then return result, nil end
  if errors.is_cancel(result) then error(result, 0) end
  return nil, errors.from(result)
end

return errors
