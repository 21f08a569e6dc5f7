--- A run that goes on after its process has died: what it had asked AWS for is looked up by its token, and followed, or
-- taken as it ended. What had not been asked for is done now, with the same tokens, so that nothing happens twice.

local deployment = require "tap.deployment"
local failure = require "tap.failure"
local status = require "tap.status"

local resume = {}

-- The last request of the run that was not refused.
local function last_request(record)
  for index = #record.requests, 1, -1 do
    local request = record.requests[index]
    if not request.refused and request.token then return request end
  end
  return nil
end

local function has_token(events, token)
  for _, event in ipairs(events) do
    if event.ClientRequestToken == token then return true end
  end
  return false
end

--- Looks for the operation that the dead process had begun, and follows it to its end.
---@param ctx tap.Context
---@param s table tap.stack
---@param options table as of deployment.follow, without the verb
---@return table? description when it ended well; nil when nothing had begun. Raises how it failed
function resume.attach(ctx, s, options)
  local record = ctx.run.resumed
  local request = record and last_request(record)
  if not request then return nil end
  s.id = request.stack_id or s.id
  local description = s:describe()
  if not description then return nil end
  s.name = description.StackName
  local past = s:operation_events()
  if not has_token(past, request.token) then return nil end
  ctx.out:note(("resuming: the %s of %s had begun, it is in %s"):format(request.verb, s.name, description.StackStatus))
  options.verb, options.past = request.verb, past
  if status.settled(description.StackStatus) then
    if status.outcome(description.StackStatus, request.verb) ~= "ok" then
      failure.raise(ctx, s, options, description, past)
    end
    return description
  end
  return deployment.follow(ctx, s, options)
end

return resume
