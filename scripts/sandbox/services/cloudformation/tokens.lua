--- ClientRequestToken: the same call again is the same operation, not a second one.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"

local tokens = {}

--- What a call with this token did before: a stack id, or nil. Raises when the token was used for something
-- else.
---@param region table
---@param operation string
---@param input table
function tokens.seen(region, operation, input)
  local token = input.ClientRequestToken
  local use = token and region.tokens[token]
  if not use then return nil end
  if use.operation == operation and use.digest == crypto.sha256(json.encode(input)) then
    return use.stack_id
  end
  fault.raise("TokenAlreadyExistsException",
    ("A client request token already exists: %s was used for another request."):format(token))
end

--- Remembers what a token was used for.
function tokens.remember(region, operation, input, stack_id)
  if not input.ClientRequestToken then return end
  region.tokens[input.ClientRequestToken] = {
    operation = operation, digest = crypto.sha256(json.encode(input)), stack_id = stack_id,
  }
end

--- An operation that does not happen again when it is asked for again with its token: it gives its first answer.
---@param operation string
---@param run fun(context: table, input: table): table
---@return fun(context: table, input: table): table
function tokens.once(operation, run)
  return function(context, input)
    local answer = tokens.seen(context.region, operation, input)
    if answer then return answer end
    answer = run(context, input)
    tokens.remember(context.region, operation, input, answer)
    return answer
  end
end

return tokens
