--- An approval that a runbook waits for: a yes at the terminal, or a file that a person or a CI job puts there; with
-- a deadline. Nobody's answer is a no.

local errors = require "tap.error"
local sys = require "tap.core.sys"
local task = require "tap.task"
local util = require "tap.util"

local approval = {}

local INTERVAL = 2 -- seconds between two looks for the file

local function answer_in(path)
  local words = errors.try(sys.read_file, path)
  if not words then return nil end
  local word = words:lower():match("%a+") or ""
  return word == "yes" or word == "approve" or word == "approved", words:match("^[^\n]*")
end

local function refuse(message)
  errors.raise { class = "refused", code = "NotApproved", message = message }
end

--- Waits for an approval. Passes when it is given (or --yes was), raises class "refused" otherwise.
---@param ctx tap.Context
---@param question string
---@param options { file: string?, timeout: number|string? }? file: whose first word is the answer, "approve" or
---  anything else; without one the terminal is asked; timeout: the deadline for the file, 1h
function approval.wait(ctx, question, options)
  options = options or {}
  if not options.file then return ctx:confirm(question) end
  if ctx.options.yes then return end
  local limit = util.duration(options.timeout or "1h")
  local deadline = task.monotonic() + limit
  ctx.out:note(("%s Waiting for %s (\"approve\" in it), until %s have passed"):format(question, options.file,
    util.show_duration(limit)))
  while true do
    local approved, words = answer_in(options.file)
    if approved then return ctx.out:note("approved: " .. words) end
    if words then refuse("the answer was no: " .. words) end
    if task.monotonic() >= deadline then
      refuse(("nobody has answered within %s"):format(util.show_duration(limit)))
    end
    task.sleep(INTERVAL)
  end
end

return approval
