--- AWS STS: who a caller is.

local operations = {}

function operations.GetCallerIdentity(context)
  return { Account = context.world.store.account, Arn = context.caller.arn, UserId = context.caller.id }
end

return { operations = operations }
