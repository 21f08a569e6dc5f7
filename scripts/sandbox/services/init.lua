--- The emulated services. Each module gives `operations` (name -> function(context, input) -> output) and, if
-- it has any, `constraints(operation)` beyond those of its model. A context has: world, region (of the
-- store), caller, request_id.

local services = {}

-- Signing name -> the name of its model, where they differ.
local MODELS = {
  monitoring = "cloudwatch",
  ses = "sesv2",
  elasticloadbalancing = "elbv2",
}

-- The models that are emulated, each by the module of its name.
local EMULATED = {}
for name in ([[
  autoscaling cloudformation cloudtrail cloudwatch dynamodb ec2 elbv2 events iam kms lambda logs rds s3
  secretsmanager sesv2 sns sqs ssm sts
]]):gmatch "%S+" do
  EMULATED[name] = true
end

--- The service of a signing name; nil when none of its operations is emulated.
---@param signing_name string
---@return { model: string, operations: table, constraints: function? }?
function services.of(signing_name)
  return services.by_model(MODELS[signing_name] or signing_name)
end

--- The service of a model; nil when it is not emulated.
function services.by_model(model)
  if not EMULATED[model] then return nil end
  local service = require("sandbox.services." .. model)
  service.model = model
  return service
end

--- The names of the models that are emulated, sorted.
---@return string[]
function services.names()
  local out = {}
  for name in pairs(EMULATED) do out[#out + 1] = name end
  table.sort(out)
  return out
end

return services
