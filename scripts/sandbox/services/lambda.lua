--- AWS Lambda: functions as they are configured. No code runs: what a function answers the scenario says, by
-- its `invoke`; without one the answer is null.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local typed = require "sandbox.services.typed"
local view = require "sandbox.services.view"

local TYPE = "AWS::Lambda::Function"

local function arn_of(thing)
  return pattern.attribute(thing.facts, "Arn")
end

local function configuration(thing)
  local settings = thing.properties
  local vpc = settings.VpcConfig
  return { FunctionName = thing.key, FunctionArn = arn_of(thing), Runtime = settings.Runtime, Role =
    settings.Role,
    Handler = settings.Handler, Timeout = settings.Timeout or "3", MemorySize = settings.MemorySize or "128",
    Description = settings.Description or "", State = "Active", LastUpdateStatus = "Successful", Version =
      "$LATEST",
    PackageType = settings.PackageType or "Zip", Architectures = settings.Architectures or { "x86_64" },
    CodeSize = "1024", CodeSha256 = crypto.base64(crypto.sha256(json.encode(settings.Code or {})):sub(1, 32)),
    LastModified = os.date("!%Y-%m-%dT%H:%M:%S.000+0000", math.floor(thing.created)),
    Environment = settings.Environment, KMSKeyArn = settings.KmsKeyArn, TracingConfig =
      settings.TracingConfig,
    DeadLetterConfig = settings.DeadLetterConfig, LoggingConfig = settings.LoggingConfig or {
      LogFormat = "Text", LogGroup = "/aws/lambda/" .. thing.key },
    VpcConfig = vpc and { SubnetIds = vpc.SubnetIds, SecurityGroupIds = vpc.SecurityGroupIds } or nil }
end

local function find(context, name)
  local short = name:match("function:([^:]+)") or name:match("^([^:]+)")
  local thing = context.region:thing(TYPE, short)
  if thing then return thing end
  local region = context.region
  fault.raise("ResourceNotFoundException", ("Function not found: arn:%s:lambda:%s:%s:function:%s"):format(
    region.partition, region.name, region.account, short), 404)
end

local operations = view.operations("lambda", {
  ListFunctions = { type = TYPE, list = "Functions", key = "FunctionName", show = configuration },
})

function operations.GetFunctionConfiguration(context, input)
  return typed.output("lambda", "GetFunctionConfiguration", configuration(find(context, input.FunctionName)))
end

function operations.GetFunction(context, input)
  local thing = find(context, input.FunctionName)
  local tags = {}
  for _, tag in ipairs(thing.properties.Tags or {}) do tags[tag.Key] = tag.Value end
  return typed.output("lambda", "GetFunction", { Configuration = configuration(thing), Tags = tags,
    Code = { RepositoryType = "S3" } })
end

function operations.GetPolicy(context, input)
  local thing, statements = find(context, input.FunctionName), json.list {}
  for _, each in pairs(context.region.things["AWS::Lambda::Permission"] or {}) do
    local settings = each.properties
    if settings.FunctionName == thing.key or settings.FunctionName == arn_of(thing) then
      statements[#statements + 1] = { Sid = each.id, Effect = "Allow", Action = settings.Action,
        Principal = { Service = settings.Principal }, Resource = arn_of(thing) }
    end
  end
  if #statements == 0 then
    fault.raise("ResourceNotFoundException", "The resource you requested does not exist.", 404)
  end
  table.sort(statements, function(a, b) return a.Sid < b.Sid end)
  return { Policy = json.encode { Version = "2012-10-17", Id = "default", Statement = statements } }
end

--- Invokes a function: the scenario's `invoke` answers { payload = value } or { error = text }.
function operations.Invoke(context, input)
  local thing = find(context, input.FunctionName)
  if input.InvocationType == "DryRun" then return { StatusCode = 204 } end
  if input.InvocationType == "Event" then return { StatusCode = 202 } end
  local answer = context.world.scenario:invoke(thing.key, input.Payload)
  if answer and answer.error then
    return { StatusCode = 200, FunctionError = "Unhandled", ExecutedVersion = "$LATEST",
      Payload = json.encode { errorMessage = answer.error, errorType = "Error" } }
  end
  return { StatusCode = 200, ExecutedVersion = "$LATEST",
    Payload = answer and json.encode(answer.payload) or "null" }
end

return { operations = operations }
