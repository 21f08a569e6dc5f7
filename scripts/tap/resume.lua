--- What a run had begun before its process died: the operation is found in AWS by its token, not by what the journal
-- hopes. What had not begun is done now, with the same token, so that nothing happens twice.

local errors = require "tap.error"
local json = require "tap.core.json"
local stacks = require "tap.stack"
local util = require "tap.util"

local resume = {}

local function has_token(events, token)
  for _, event in ipairs(events) do
    if event.ClientRequestToken == token then return true end
  end
  return false
end

-- Raises class "refused" when the credentials are of another account than the stack: there the run would find nothing,
-- and begin anew.
local function guard_account(ctx, stack_id)
  local began_in = stack_id:match("^arn:[^:]+:[^:]+:[^:]*:(%d+):")
  local sts = ctx:client "sts"
  local identity = errors.try(sts.get_caller_identity, sts, {}) -- whoever may not ask is told by CloudFormation
  if not began_in or not identity or identity.Account == began_in then return end
  errors.raise { class = "refused", code = "WrongAccount", message = ("the run began in account %s, and these "
    .. "credentials are of account %s"):format(began_in, identity.Account),
    hints = json.list { "choose the credentials that it began with: --profile NAME" } }
end

-- The events of the operation that a token began, oldest first; nil when the service never heard of it. Raises class
-- "refused" when the operation has ended and others have been made since: going on would undo them.
local function events_of(ctx, s, token)
  local past = s:operation_events()
  if has_token(past, token) then return past end
  if not has_token(stacks.new(s.cfn, s:key()):new_events(), token) then return nil end
  local name = util.shell_quote(s.name)
  return errors.raise { class = "refused", code = "Superseded", message = ("what the run had begun on %s has ended, "
    .. "and others have been made since: there is nothing to go on with"):format(s.name),
    hints = json.list { ctx:command("events " .. name), ctx:command("status " .. name) } }
end

---@class tap.Begun what the run had begun before it died
---@field verb string
---@field token string
---@field past table[] the operation's events so far, oldest first

--- Had the run begun this before it died?
---@param ctx tap.Context
---@param s table tap.stack
---@param verb string
---@param token string
---@return tap.Begun?
function resume.begun(ctx, s, verb, token)
  for _, request in ipairs(ctx.run.resumed and ctx.run.resumed.requests or {}) do
    if request.token == token and request.verb and not request.refused then
      local past = s:describe() and events_of(ctx, s, token)
      if not past then return nil end
      ctx.out:note(("resuming: the %s of %s had begun"):format(verb, s.name))
      return { verb = verb, token = token, past = past }
    end
  end
  return nil
end

--- The last operation that the run had begun before it died; nil when this is no resumed run, or when it had begun
-- nothing. One that was written down and never reached AWS does not count. The stack has its id then.
---@param ctx tap.Context
---@param s table tap.stack
---@return tap.Begun?
function resume.last(ctx, s)
  local requests = ctx.run.resumed and ctx.run.resumed.requests or {}
  for index = #requests, 1, -1 do
    local request = requests[index]
    if request.stack_id then
      guard_account(ctx, request.stack_id)
      s.id = request.stack_id
      s:must_describe()
    end
    local begun = request.verb and resume.begun(ctx, s, request.verb, request.token)
    if begun then return begun end
  end
  return nil
end

return resume
