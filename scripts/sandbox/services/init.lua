--- The emulated services, by signing name. Each module gives `operations` (name -> function(context, input)
-- -> output) and, if it has any, `constraints(operation)` beyond those of its model. A context has: world,
-- region (of the store), caller, request_id.

local services = {}

local MODULES = {
  cloudformation = "sandbox.services.cloudformation",
  dynamodb = "sandbox.services.dynamodb",
  s3 = "sandbox.services.s3",
  secretsmanager = "sandbox.services.secretsmanager",
  ssm = "sandbox.services.ssm",
  sts = "sandbox.services.sts",
}

--- The service of a signing name; nil when none of its operations is emulated.
---@param name string
function services.find(name)
  return MODULES[name] and require(MODULES[name])
end

--- The signing names of those that are emulated, sorted.
---@return string[]
function services.names()
  local out = {}
  for name in pairs(MODULES) do out[#out + 1] = name end
  table.sort(out)
  return out
end

return services
