--- From a request to what the engine works with: the record of a stack that is to be made, the target of one
-- that is to be changed. Nested stacks make such requests, too.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local same = require "sandbox.same"
local template = require "sandbox.template"
local capabilities = require "sandbox.template.capabilities"
local environment = require "sandbox.engine.environment"
local mode = require "sandbox.engine.mode"
local policy = require "sandbox.engine.policy"
local triggers = require "sandbox.engine.triggers"
local address = require "sandbox.services.s3.address"
local s3 = require "sandbox.services.s3.store"

local requests = {}

local MAX_BYTES = 1000000
local MORE = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

--- The text of a template in the sandbox's S3. Raises ValidationError, with S3's own reason.
---@param url string
---@return string
function requests.fetch(context, url)
  local bucket, key, version = address.own(url, context.world.url)
  if not bucket then
    if not url:match("^https://") then fault.validation("TemplateURL must be a supported URL.") end
    bucket, key, version = address.parse(url)
  end
  if not bucket then
    fault.validation("S3 error: Domain name specified in %s is not a valid S3 domain", key)
  end
  local ok, object = pcall(function() return s3.get(s3.bucket(context, bucket), key, version) end)
  if not ok then
    if not fault.is(object) then error(object, 0) end
    fault.validation("S3 error: %s%s", object.message, MORE)
  elseif #object.body > MAX_BYTES then
    fault.validation("Template may not exceed %d bytes in size.", MAX_BYTES)
  end
  return object.body
end

--- The template's text of a request that must bring one.
---@param context table
---@param input table
---@return string
function requests.text(context, input)
  if input.TemplateBody and input.TemplateURL then
    fault.validation("You cannot specify both Template Body and Template URL")
  elseif input.TemplateURL then
    return requests.fetch(context, input.TemplateURL)
  end
  return input.TemplateBody or fault.validation("Either Template URL or Template Body must be specified.")
end

local function on_failure(input)
  if input.OnFailure and input.DisableRollback ~= nil then
    fault.validation("Either DisableRollback or OnFailure can be specified, not both.")
  end
  return input.OnFailure or mode.of(input).disable_rollback and "DO_NOTHING" or "ROLLBACK"
end

--- Raises ValidationError for tags that are the service's own.
function requests.check_tags(tags)
  for _, tag in ipairs(tags) do
    if tag.Key:match("^aws:") then
      fault.validation('"aws:" prefixed tag key names are not allowed for external use.')
    end
  end
end

--- Raises ValidationError for a role of this account that is not there. What roles other accounts have is not known
--- here: a rehearsal may name its own.
---@param arn string?
function requests.check_role(context, arn)
  local account, name = (arn or ""):match("^arn:[^:]+:iam::(%d+):role/(.+)$")
  if account ~= context.region.account or context.given then return end
  if not context.region:home(true):thing("AWS::IAM::Role", name:match("[^/]+$")) then
    fault.validation("Role %s is invalid or cannot be assumed", arn)
  end
end

-- "AWS::EC2::*", "AWS::*", "Custom::Name"
local function type_matches(type_name, pattern)
  local start = pattern:match("^(.*)%*$")
  if start then return type_name:sub(1, #start) == start end
  return type_name == pattern
end

--- Raises ValidationError when a template has a type that the ResourceTypes of a request leave out.
function requests.check_types(read, allowed)
  if not allowed then return end
  for _, id in ipairs(json.keys(read.resources)) do
    local type_name, ok = read.resources[id].Type, false
    for _, pattern in ipairs(allowed) do ok = ok or type_matches(type_name, pattern) end
    if not ok then
      fault.validation("Resource type %s is not allowed by parameter ResourceTypes [%s]", type_name,
        table.concat(allowed, ", "))
    end
  end
end

--- The record of a stack that a request wants. It is not in the store yet.
function requests.record(context, input)
  local region, clock = context.region, context.world.clock
  local use = region:use_name(input.StackName)
  local chance = ("%s/%s/%d"):format(region.name, input.StackName, use)
  local stream = context.world.store:stream(chance)
  local now = math.floor(clock.now() * 1000) / 1000
  return {
    name = input.StackName, region = region, chance = chance, stream = stream, created = now,
    id = ("arn:%s:cloudformation:%s:%s:stack/%s/%s"):format(region.partition, region.name, region.account,
      input.StackName, stream:time_uuid(now)),
    on_failure = on_failure(input), express = mode.of(input).express,
    timeout_minutes = input.TimeoutInMinutes, capabilities = input.Capabilities,
    tags = input.Tags or {},
    notification_arns = input.NotificationARNs or {}, role_arn = input.RoleARN,
    termination_protection = input.EnableTerminationProtection or false,
    rollback_configuration = input.RollbackConfiguration or {},
    retain_except_on_create = input.RetainExceptOnCreate,
    resources = {}, events = {}, outputs = {}, last_operations = {},
  }
end

-- A template with nothing in it, and its plan.
local function nothing(text)
  return { text = text, tree = { Resources = {} }, parameters = {}, mappings = {}, conditions = {},
    resources = {}, outputs = {}, transforms = {} },
    { values = {}, texts = {}, resolved = {}, dynamic = {}, masked = {}, conditions = {}, graph = {},
      created = {}, outputs = {}, scope = { pseudo = {}, mappings = {} } }
end

--- The record of a stack that has no template yet: it is there for the change sets that will give it one.
function requests.shell(context, name)
  local stack = requests.record(context, { StackName = name })
  stack.template, stack.plan = nothing ""
  return stack
end

-- A template's plan; nil and why, for what is found out only once the operation has begun.
local function bind(...)
  local ok, plan = pcall(template.bind, ...)
  if ok then return plan end
  if not fault.is_late(plan) then error(plan, 0) end
  return nil, plan.message
end

-- What a request leaves as it is comes from the stack.
local function previous_values(stack, given)
  local out = {}
  for i, parameter in ipairs(given) do
    out[i] = parameter
    if parameter.UsePreviousValue and not parameter.ParameterValue then
      local value = stack.plan.texts[parameter.ParameterKey]
      if not value then
        fault.validation("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a "
          .. "parameter key not in the previous template", parameter.ParameterKey)
      end
      out[i] = { ParameterKey = parameter.ParameterKey, ParameterValue = value }
    end
  end
  return out
end

local function template_of_update(context, stack, input)
  if not input.UsePreviousTemplate then return template.read(requests.text(context, input)) end
  if input.TemplateBody or input.TemplateURL then
    fault.validation("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
  end
  return stack.template.original or stack.template
end

local function check_same_types(stack, read)
  local changed = {}
  for _, id in ipairs(json.keys(read.resources)) do
    local resource = stack.resources[id]
    if resource and resource.type ~= read.resources[id].Type then changed[#changed + 1] = id end
  end
  if #changed > 0 then
    fault.validation("Update of resource type is not permitted. The new template modifies resource type of "
      .. "the following resources: [%s]", table.concat(changed, ", "))
  end
end

--- What a stack is to become by a request to update it. Raises ValidationError; `failure` says why the operation
--- fails once it has begun.
---@param direct boolean? without a change set: then transforms need a capability
---@return table target of sandbox.engine.update
function requests.target(context, stack, input, direct)
  local given = template_of_update(context, stack, input)
  if direct then capabilities.check_expansion(given, input.Capabilities or {}) end
  requests.check_tags(input.Tags or {})
  requests.check_role(context, input.RoleARN)
  triggers.check(input.RollbackConfiguration)
  local plan, failure = bind(given, previous_values(stack, input.Parameters or {}),
    environment.of(context.world, context.region, stack))
  if failure then return { template = stack.template, plan = stack.plan, failure = failure } end
  local read = plan.template
  requests.check_types(read, input.ResourceTypes)
  check_same_types(stack, read)
  local target = {
    template = read, plan = plan, tags = input.Tags, notification_arns = input.NotificationARNs,
    role_arn = input.RoleARN, rollback_configuration = input.RollbackConfiguration,
    capabilities = input.Capabilities,
  }
  capabilities.check(read, input.Capabilities or {})
  return target
end

-- Sections whose change is a change of the stack.
local SECTIONS = { "Resources", "Outputs", "Conditions" }

--- Is there anything to do?
function requests.changes_anything(stack, target)
  if target.failure then return true end
  for _, section in ipairs(SECTIONS) do
    if not same(stack.template.tree[section] or {}, target.template.tree[section] or {}) then return true end
  end
  for _, field in ipairs { "tags", "notification_arns", "role_arn", "rollback_configuration" } do
    if target[field] ~= nil and not same(stack[field], target[field]) then return true end
  end
  for _, field in ipairs { "texts", "resolved", "dynamic", "conditions" } do
    if not same(stack.plan[field], target.plan[field]) then return true end
  end
  return false
end

--- Has a stack nested ones that stay? Only an update of them tells whether they change, so it is made.
---@return boolean
function requests.keeps_children(stack, target)
  for _, id in ipairs(target.plan.created) do
    if (stack.resources[id] or {}).child then return true end
  end
  return false
end

-- The text of a policy of a request: <name>Body, or what <name>URL points to.
local function policy_text(context, input, name)
  local body, url = input[name .. "Body"], input[name .. "URL"]
  if body and url then fault.validation("You cannot specify both %sURL and %sBody", name, name) end
  return url and requests.fetch(context, url) or body
end

--- The policy that a request brings; nil when it brings none. Raises ValidationError.
---@param name string "StackPolicy" or "StackPolicyDuringUpdate"
function requests.policy(context, input, name)
  return policy.parse(policy_text(context, input, name))
end

function requests.has_policy(input)
  return input.StackPolicyBody ~= nil or input.StackPolicyURL ~= nil
end

--- Gives a stack the policy that a request brings; an empty one takes it away.
function requests.set_policy(context, stack, input)
  local text = policy_text(context, input, "StackPolicy")
  stack.policy = policy.parse(text)
  stack.policy_text = stack.policy and text or nil
end

--- The record of a stack that a request wants, with its template bound. Raises what the service refuses.
---@param read table of template.read
---@param id string? nil: a new one
function requests.bound_stack(context, input, read, id)
  requests.check_tags(input.Tags or {})
  requests.check_role(context, input.RoleARN)
  triggers.check(input.RollbackConfiguration)
  local stack = requests.record(context, input)
  stack.principal = context.caller and context.caller.id
  local given = context.given or {} -- of a stack that is imported: what it is called elsewhere
  stack.id, stack.given_ids = id or given.stack_id or stack.id, given.ids
  capabilities.check_expansion(read, input.Capabilities or {})
  local plan, failure = bind(read, input.Parameters or {}, environment.of(context.world, context.region, stack))
  stack.failure = failure
  if failure then
    stack.template, stack.plan = nothing(read.text)
  else
    stack.template, stack.plan = plan.template, plan
  end
  requests.check_types(stack.template, input.ResourceTypes)
  capabilities.check(stack.template, input.Capabilities or {})
  if requests.has_policy(input) then requests.set_policy(context, stack, input) end
  return stack
end

--- A nested stack, in the store. It leaves its failures to its parent.
---@param parent table
function requests.new_stack(context, input, parent)
  local stack = requests.bound_stack(context, input, template.read(requests.text(context, input)))
  stack.parent, stack.root, stack.on_failure = parent, parent.root or parent, "DO_NOTHING"
  context.region:add_stack(stack)
  return stack
end

return requests
