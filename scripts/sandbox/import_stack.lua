--- `tapengine sandbox --import-stack NAME --state FILE`: reads a stack, from AWS or from another sandbox,
-- with calls that change nothing, and writes it into a state file: its template, parameters, tags, policy and
-- the physical ids of its resources. A change can then be rehearsed on it.

local client = require "tap.client"
local errors = require "tap.core.error"
local json = require "tap.core.json"
local task = require "tap.core.task"

local import_stack = {}

local MASK = "****"

local function refuse(message, ...)
  error(errors.new { class = "usage", code = "CannotImport", message = message:format(...) }, 0)
end

-- Parameters as a request has them. What is secret cannot be read: it stays masked, and the caller is told.
local function parameters_of(stack, secrets)
  local out = json.list {}
  for i, parameter in ipairs(stack.Parameters or {}) do
    if parameter.ParameterValue == MASK then secrets[#secrets + 1] = parameter.ParameterKey end
    out[i] = { ParameterKey = parameter.ParameterKey, ParameterValue = parameter.ParameterValue }
  end
  return out
end

local function physical_ids(cfn, name)
  local out = {}
  for resource in cfn:each("list_stack_resources", { StackName = name }) do
    out[resource.LogicalResourceId] = resource.PhysicalResourceId
  end
  return out
end

--- Reads a stack and keeps it as a request of a state file.
---@param kept table of sandbox.state
---@param name string
---@param options table of tap.client: region, endpoint_url, profile
---@return { resources: integer, secrets: string[], region: string }
function import_stack.into(kept, name, options)
  local cfn = client.new("cloudformation", options)
  local stack = cfn:describe_stacks({ StackName = name }).Stacks[1]
  if not stack.StackStatus:match("_COMPLETE$") then
    refuse("stack %s is in %s: only a stack that is complete can be imported", name, stack.StackStatus)
  end
  local secrets, ids, count = {}, physical_ids(cfn, name), 0
  for _ in pairs(ids) do count = count + 1 end
  local policy = cfn:get_stack_policy({ StackName = name }).StackPolicyBody
  local region = stack.StackId:match("^arn:[^:]+:cloudformation:([^:]+)")
  kept:write {
    at = math.max(task.now() - kept.header.began, 0), region = region, service = "cloudformation",
    operation = "CreateStack", caller = "test", given = { stack_id = stack.StackId, ids = ids },
    input = { StackName = stack.StackName, TemplateBody = cfn:get_template({ StackName = name }).TemplateBody,
      Parameters = parameters_of(stack, secrets), Tags = stack.Tags,
      Capabilities = json.list { "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND" },
      StackPolicyBody = policy, EnableTerminationProtection = stack.EnableTerminationProtection,
      NotificationARNs = stack.NotificationARNs },
  }
  return { resources = count, secrets = secrets, region = region }
end

return import_stack
