--- The policies of a function's or a state machine's role: names, ARNs, statements and SAM's policy templates.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local managed_policies = require "sandbox.template.serverless.managed_policies"
local resources = require "sandbox.template.serverless.resources"
local templates = require "sandbox.template.serverless.policy_templates"

local policies = {}

---------------------------------------------------------------------------------------------------------
-- Policy templates

local OURS = "^@([%w-]+):"

--- A text with ARNs of the account's things in place of their short form, @service:.
function policies.arns(text)
  return (text:gsub(OURS, "arn:${AWS::Partition}:%1:${AWS::Region}:${AWS::AccountId}:"))
end

-- A resource of a template as Fn::Sub with what the caller gave, or a text.
local function resource_of(text, given)
  local variables = {}
  local plain = policies.arns(text)
  text = plain
  text = text:gsub("([^$]?){(%w+)}", function(before, name)
    for key, value in pairs(given) do
      if key:lower() == name:lower() then values.put(variables, name, value) end
    end
    return before .. "${" .. name .. "}"
  end)
  if next(variables) then return values.sub(text, variables) end
  return plain:find("${", 1, true) and values.sub(plain) or plain
end

local function actions_of(text)
  local out, service = values.list(), nil
  for word in text:gsub("^= ", ""):gmatch "%S+" do
    service = word:match "^([^:]+):" or service
    out[#out + 1] = word:find(":", 1, true) and word or service .. ":" .. word
  end
  return text:sub(1, 2) == "= " and out[1] or out
end

local function resources_of(text, fill)
  local out = values.list()
  for word in text:gsub("[%[%]]", ""):gmatch "%S+" do out[#out + 1] = fill(word) end
  return (#out > 1 or text:sub(1, 1) == "[") and out or out[1]
end

--- A statement of its text (sandbox.template.serverless.policy_templates says how it is written).
---@param text string
---@param fill fun(text: string): any what a resource or a condition's value is
---@return table
function policies.statement(text, fill)
  local before, resource_text = text:match "^(.-) > (.+)$"
  local action_text, test, key, wanted = before:match "^(.-) %? (%S+) (%S+) (%S+)$"
  return values.map("Action", actions_of(action_text or before),
    "Condition", test and values.map(test, values.map(key, fill(wanted))),
    "Effect", "Allow", "Resource", resources_of(resource_text, fill))
end

local function used(given, names)
  local out = {}
  for _, name in ipairs(names) do out[name] = given[name] end
  return out
end

local function from_template(id, name, given)
  local template = templates[name]
  if not values.is_map(given) then
    failure.resource(id, "Must specify valid parameter values for policy template '%s'", name)
  end
  local names, missing = {}, {}
  for parameter in template[1]:gmatch "%S+" do
    names[#names + 1] = parameter
    if given[parameter] == nil then missing[#missing + 1] = "'" .. parameter .. "'" end
  end
  if #missing > 0 then
    failure.resource(id, "Following required parameters of template '%s' don't have values: [%s]", name,
      table.concat(missing, ", "))
  end
  local statements = values.list()
  local known = used(given, names)
  for i = 2, #template do
    statements[i - 1] = policies.statement(template[i], function(text) return resource_of(text, known) end)
  end
  return values.map("Statement", statements)
end

---------------------------------------------------------------------------------------------------------
-- What an entry is

local kind_of -- forward

local function kind_of_if(branches)
  if not values.is_list(branches) or #branches ~= 3 then failure.template "Fn::If requires 3 arguments" end
  local yes, no = kind_of(branches[2]), kind_of(branches[3])
  if yes == no then return yes end
  if values.is_no_value(branches[2]) then return no end
  if values.is_no_value(branches[3]) then return yes end
  failure.template("Different policy types within the same Fn::If statement is unsupported. Separate different policy "
    .. "types into different Fn::If statements")
end

kind_of = function(entry)
  if type(entry) == "string" then return "managed" end
  if values.is_if(entry) then return kind_of_if(entry["Fn::If"]) end
  if values.intrinsic(entry) then return "managed" end
  if not values.is_map(entry) then return "unknown" end
  if entry.Statement ~= nil then return "statement" end
  local name = next(entry)
  return templates[name] and next(entry, name) == nil and "template" or "unknown"
end

-- An entry, or each branch of its condition, changed.
local function each_branch(entry, change)
  if not values.is_if(entry) then return change(entry) end
  local branches = entry["Fn::If"]
  local function changed(branch) return values.is_no_value(branch) and branch or change(branch) end
  return values.map("Fn::If", values.list(branches[1], changed(branches[2]), changed(branches[3])))
end

-- A document in a policy's place under a name; names inside of conditions, too.
local function named(name, entry)
  return each_branch(entry, function(document)
    return values.map("PolicyName", name, "PolicyDocument", document)
  end)
end

local function arn_of(name, partition)
  return type(name) == "string" and managed_policies.arn(name, partition) or name
end

--- The role of a serverless resource.
---@param use table id, attributes, assume (a policy document), policies (as the template has them), managed (ARNs that
-- it has anyway), inline (policies that it has anyway), path, boundary, tags, partition
---@return table resource
function policies.role(use)
  local role = resources.new("AWS::IAM::Role", use.id .. "Role", use.attributes)
  local managed, inline = values.joined(use.managed or {}), values.joined(use.inline or {})
  local entries = values.given(use.policies) and values.as_list(use.policies) or {}
  for i, entry in ipairs(entries) do
    local kind = kind_of(entry)
    if kind == "template" then
      entry = each_branch(entry, function(call) return from_template(use.id, next(call)) end)
      kind = "statement"
    end
    if kind == "statement" then
      inline[#inline + 1] = named(("%sPolicy%d"):format(role.id, i - 1), entry)
    elseif kind == "managed" then
      local arn = each_branch(entry, function(name) return arn_of(name, use.partition) end)
      if not values.has(managed, arn) then managed[#managed + 1] = arn end
    else
      failure.resource(use.id, "Policy at index %d in the 'Policies' property is not valid", i - 1)
    end
  end
  return resources.set(role, "AssumeRolePolicyDocument", use.assume, "ManagedPolicyArns", managed,
    "Path", use.path, "Policies", #inline > 0 and inline or nil, "PermissionsBoundary", use.boundary, "Tags", use.tags)
end

---------------------------------------------------------------------------------------------------------
-- Documents that SAM writes

--- Lets a service take a role.
function policies.assume(service)
  return values.map("Version", "2012-10-17", "Statement", values.list(values.map("Action",
    values.list "sts:AssumeRole", "Effect", "Allow", "Principal", values.map("Service", values.list(service)))))
end

--- A policy of one statement.
function policies.allow(name, action, resource)
  return values.map("PolicyName", name, "PolicyDocument", values.map("Statement",
    values.list(values.map("Action", action, "Effect", "Allow", "Resource", resource))))
end

-- Where something sends to -> the policy that lets it: what the policy's name ends in, and the action.
local SENDS = {
  SQS = { "SQSPolicy", "sqs:SendMessage" }, SNS = { "SNSPolicy", "sns:publish" },
  EventBridge = { "EventBridgePolicy", "events:PutEvents" }, Lambda = { "LambdaPolicy", "lambda:InvokeFunction" },
  StateMachine = { "StartExecutionPolicy", "states:StartExecution" },
}

--- The policy that lets something be sent.
---@param kind string SQS, SNS, EventBridge, Lambda, StateMachine or S3
---@param id string of the resource that sends
---@param arn any
function policies.send(kind, id, arn)
  if SENDS[kind] then return policies.allow(id .. SENDS[kind][1], SENDS[kind][2], arn) end
  local objects = values.map("Fn::Join", values.list("/", values.list(arn, "*")))
  return values.map("PolicyName", id .. "S3Policy", "PolicyDocument", values.map("Statement", values.list(
    values.map("Action", "s3:PutObject", "Effect", "Allow", "Resource", objects),
    values.map("Action", "s3:ListBucket", "Effect", "Allow", "Resource", arn))))
end

--- The ARN of a managed policy of AWS, by its path and name.
function policies.managed(partition, path)
  return ("arn:%s:iam::aws:policy/%s"):format(partition, path)
end

--- The name of the policy that lets traces be written.
function policies.tracing(partition)
  return partition == "aws" and "AWSXrayWriteOnlyAccess" or "AWSXRayDaemonWriteAccess"
end

return policies
