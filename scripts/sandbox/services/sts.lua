--- AWS STS: who a caller is, and roles that it takes on.

local fault = require "sandbox.fault"
local ids = require "sandbox.ids"

local operations = {}

function operations.GetCallerIdentity(context)
  return { Account = context.world.store.account, Arn = context.caller.arn, UserId = context.caller.id }
end

local ROLE = "AWS::IAM::Role"
local LIFETIME = 3600 -- seconds, unless the caller says otherwise

-- The role of an ARN, which may have a path; nil when it is not there.
local function find_role(context, arn)
  local account, name = arn:match("^arn:[^:]+:iam::(%d+):role/(.+)$")
  if account ~= context.world.store.account then return nil end
  return context.region:home(true):thing(ROLE, name:match("[^/]+$"))
end

function operations.AssumeRole(context, input)
  local role = find_role(context, input.RoleArn)
  if not role then
    fault.raise("AccessDenied",
      ("User: %s is not authorized to perform: sts:AssumeRole on resource: %s"):format(
      context.caller.arn, input.RoleArn), 403)
  end
  local world, name = context.world, role.key
  local stream = world.store:stream(("session/%s/%d"):format(name, world.sessions))
  world.sessions = world.sessions + 1
  local key, secret = "ASIA" .. stream:text(16, ids.alphabets.upper), stream:text(40, ids.alphabets.mixed)
  local caller = {
    secret = secret, id = ("AROA%s:%s"):format(stream:text(17, ids.alphabets.upper), input.RoleSessionName),
    arn = ("arn:%s:sts::%s:assumed-role/%s/%s"):format(context.region.partition, world.store.account, name,
      input.RoleSessionName),
  }
  world.callers[key] = caller
  return {
    Credentials = { AccessKeyId = key, SecretAccessKey = secret,
      SessionToken = stream:text(100,
      ids.alphabets.mixed),
      Expiration = world.clock.now() + (input.DurationSeconds or LIFETIME) },
    AssumedRoleUser = { AssumedRoleId = caller.id, Arn = caller.arn },
  }
end

return { operations = operations }
