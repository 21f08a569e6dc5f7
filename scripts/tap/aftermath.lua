--- What comes after a change: verification, the way back when it fails and the stack file wants that, and the
-- notification of how it all went.

local capacity = require "tap.capacity"
local changeset = require "tap.changeset"
local deployment = require "tap.deployment"
local errors = require "tap.error"
local exit = require "tap.exit"
local json = require "tap.core.json"
local notify = require "tap.notify"
local task = require "tap.task"
local upload = require "tap.upload"
local verify = require "tap.verify"

local aftermath = {}

-- Outcomes in which AWS has done something, so that people are told.
local TOLD = { ok = true, rolled_back = true, stuck = true, timeout = true, unverified = true, failed = true,
  unreachable = true }

---------------------------------------------------------------------------------------------------------
-- The way back

-- The parameters that a stack had. What is secret is masked there, so that the value that the stack has stays.
local function previous_parameters(existing)
  local list = json.list {}
  for index, parameter in ipairs(existing.Parameters or {}) do
    local masked = parameter.ParameterValue == "****"
    list[index] = { ParameterKey = parameter.ParameterKey, UsePreviousValue = masked or nil,
      ParameterValue = not masked and parameter.ParameterValue or nil }
  end
  return list
end

--- Remembers what is deployed, while it still is.
---@param job tap.Rollout
---@return table? input of UpdateStack that brings it back; nil for a stack that is new
function aftermath.remember(job)
  local existing = job.existing
  if not existing or existing.StackStatus == "REVIEW_IN_PROGRESS" then return nil end
  local body = job.cfn:get_template({ StackName = existing.StackId, TemplateStage = "Original" }).TemplateBody
  return { StackName = existing.StackId, TemplateBody = type(body) == "table" and json.encode(body) or body,
    Parameters = previous_parameters(existing), Capabilities = existing.Capabilities, Tags = existing.Tags,
    RoleARN = job.target.role_arn, NotificationARNs = existing.NotificationARNs }
end

-- The stack file's choice after a verification that failed.
local function goes_back(job)
  local choice = job.target.file.on_verify_failure or "stay"
  if choice == "rollback" then return true end
  return choice == "ask" and errors.try(job.ctx.confirm, job.ctx,
    ("%s did not pass its verification. Bring back what was deployed before?"):format(job.target.name)) ~= nil
end

local function go_back(job, before)
  local ctx = job.ctx
  ctx.out:note(("bringing back what was deployed before on %s"):format(job.target.name))
  job.stack:skip_events()
  local input = upload.template(ctx, before.TemplateBody, job.p.s3_bucket or job.target.file.bucket)
  for name, value in pairs(before) do
    if name ~= "TemplateBody" then input[name] = value end
  end
  local _, e = errors.try(deployment.ask, ctx, "back", job.stack, "update", "update_stack", input)
  if e and changeset.says_no_changes(e.message) then return end -- what failed was a change that changed nothing
  if e then error(e, 0) end
  deployment.wait(ctx, job.stack, job.target:limits "update")
end

local BROUGHT_BACK = "what was deployed before has been brought back"

--- Raises how a run ends that had already brought back what was deployed before when it died.
---@param job tap.Rollout
function aftermath.raise_went_back(job)
  errors.raise { class = "unverified", code = "NotVerified",
    message = ("%s did not pass its verification\n%s"):format(job.target.name, BROUGHT_BACK) }
end

local function check(job, before, value, words)
  local ctx = job.ctx
  local description = job.stack:must_describe()
  local results = ctx:step("verify", function()
    return verify.run(ctx, job.cfn, description, { settings = job.target.file.verify,
      ignore_drift = job.target.file.ignore_drift })
  end, { idempotent = true })
  for _, result in ipairs(capacity.after(job)) do results[#results + 1] = result end
  value.verified = results
  local _, e = errors.try(verify.demand, job.target.name, results)
  if not e then return value, ("%s\n%d checks passed"):format(words, #results) end
  if before and goes_back(job) then
    go_back(job, before)
    e.message = ("%s\n%s"):format(e.message, BROUGHT_BACK)
  end
  return error(e, 0)
end

---------------------------------------------------------------------------------------------------------
-- The notification

-- What the stack's outputs were, or are: the topic is among them.
local function outputs_of(job)
  local description = errors.try(job.stack.describe, job.stack)
  local now = description and deployment.output_map(description) or {}
  if next(now) == nil and job.existing then now = deployment.output_map(job.existing) end
  return now, description
end

local function tell(job, verb, value, e)
  local outcome = e and exit.outcome(e) or "ok"
  if not TOLD[outcome] then return end
  local outputs, description = outputs_of(job)
  if description and description.StackStatus == "DELETE_COMPLETE" then outputs = {} end -- its topic is gone, too
  notify.send(job.ctx, { stack_name = job.target.name, stack_id = job.stack.id, region = job.cfn:region(), verb = verb,
    status = value and value.status or description and description.StackStatus, outcome = outcome,
    seconds = task.now() - job.began, cause = e and e.message, run = job.ctx.run_id, outputs = outputs },
    job.target.file.notify)
end

-- What a verification that fails brings back, when the stack file wants that. A resumed run has it from the journal.
local function way_back(job)
  if not job.target.file.on_verify_failure or not job.p.verify or job.attached then return nil end
  local before, e = errors.try(job.ctx.step, job.ctx, "remember", function() return aftermath.remember(job) end)
  if e and e.code ~= "ResultWithheld" then error(e, 0) end
  if e then job.ctx.out:warn("what was deployed before is not known any more, and cannot be brought back") end
  return before
end

-- True when the body has changed nothing: there is nothing to verify, and nothing to tell.
local function changed_nothing(value)
  return type(value) ~= "table" or value.exit ~= nil or value.fingerprint ~= nil
    or value.changes ~= nil and #value.changes == 0
end

-- Writes what is deployed now into the journal: the way back to it.
local function record_version(job)
  local description = job.stack:describe()
  if not description or not description.StackStatus:find("^%u+_COMPLETE$") then return end
  local text = job.target.template and job.target.template.text
  if not text then
    local body = job.cfn:get_template({ StackName = description.StackId, TemplateStage = "Original" }).TemplateBody
    text = type(body) == "table" and json.encode(body) or body
  end
  job.ctx.run.recorder:version(description, text)
end

--- Runs a change with all that comes after it.
---@param job tap.Rollout
---@param verb string "deploy", for people
---@param body fun(): table, string
---@return table result
---@return string words
function aftermath.run(job, verb, body)
  local before = way_back(job)
  local value, words
  local _, e = errors.try(function()
    value, words = body()
    if not changed_nothing(value) and verb ~= "delete" then record_version(job) end
    if changed_nothing(value) then return end
    if job.p.verify then
      value, words = check(job, before, value, words)
    else
      capacity.after(job)
    end
  end)
  if e or not changed_nothing(value) then tell(job, verb, value, e) end
  if e then error(e, 0) end
  return value, words
end

return aftermath
