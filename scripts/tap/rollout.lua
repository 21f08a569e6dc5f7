--- A deployment through a change set: planned, shown, allowed by the gates, agreed to, executed only if it is still
-- what was shown, and followed to its end. `deploy`, `update` and `create` of a stack that exists are this.

local aftermath = require "tap.aftermath"
local artifacts = require "tap.artifacts"
local capacity = require "tap.capacity"
local change_words = require "tap.change_words"
local changeset = require "tap.changeset"
local deployment = require "tap.deployment"
local errors = require "tap.error"
local express = require "tap.express"
local gates = require "tap.gates"
local imports = require "tap.imports"
local json = require "tap.core.json"
local preflight = require "tap.preflight"
local resume = require "tap.resume"
local stacks = require "tap.stack"
local standing = require "tap.standing"
local target = require "tap.target"
local task = require "tap.task"
local upload = require "tap.upload"
local util = require "tap.util"

local rollout = {}

---@class tap.Rollout
---@field ctx tap.Context
---@field p table the workflow's values
---@field target table tap.target
---@field cfn table client of CloudFormation
---@field stack table tap.stack
---@field existing table? the stack that will be updated, as DescribeStacks gives it; nil: it will be created
---@field began number
---@field attached table? the description after somebody else's operation, which was only followed
---@field begun tap.Begun? what the run had begun before it died: to be followed
---@field capacity table[]? what was healthy before, as tap.capacity reads it
---@field input table? the request, when it is not made of the target's template
---@field identifiers table<string, string>? of an import: logical id -> what is taken over (tap.imports)

-- What the run had begun before it died. The deletion of a wreck is followed: all is still to do then.
local function take_up(job)
  local begun = resume.last(job.ctx, job.stack)
  if begun and begun.verb == "delete" then
    deployment.wait(job.ctx, job.stack, job.target:limits "delete", begun)
    job.stack = stacks.new(job.cfn, job.target.name)
    begun = nil
  end
  job.begun = begun
end

--- Reads what is to be deployed, and where it stands.
---@param ctx tap.Context
---@param p table values of target_params.rollout
---@param verb "create"|"update"|"deploy"|"import"
---@return tap.Rollout
function rollout.begin(ctx, p, verb)
  local t = target.read(ctx, p)
  t:parameters { partial = verb ~= "create" } -- what is wrong without AWS is told without AWS
  local cfn = ctx:client "cloudformation"
  local job = { ctx = ctx, p = p, target = t, cfn = cfn, stack = stacks.new(cfn, t.name), began = task.now(),
    verb = verb }
  ctx:about(t.name)
  if not p.dry_run and p.if_busy ~= "attach" then
    t:lock { wait = p.if_busy == "wait", break_it = p.break_lock }
  end
  take_up(job)
  job.existing = job.begun and job.stack:must_describe() or standing.before_change(job)
  return job
end

local function is_new(job)
  return job.existing == nil or job.existing.StackStatus == "REVIEW_IN_PROGRESS"
end

--- Checks everything, and gives the part of the request that says what is wanted.
---@param job tap.Rollout
---@return table input of CreateStack or CreateChangeSet, the template included
function rollout.check(job)
  local t, ctx = job.target, job.ctx
  local parameters = t:parameters { existing = not is_new(job) and job.existing or nil }
  preflight.run {
    function()
      if t.template:is_large() then return end -- checked when it is in its bucket
      local _, e = errors.try(job.cfn.validate_template, job.cfn, { TemplateBody = t.template.text })
      if e then deployment.raise_rejected(e, t.template.path) end
    end,
    function() t:guard_account() end,
  }
  local input = t:request(parameters)
  t.template.text = artifacts.text(job, t.template)
  for name, value in pairs(upload.template(ctx, t.template.text, job.p.s3_bucket or t.file.bucket)) do
    input[name] = value
  end
  if job.identifiers then
    input.ResourcesToImport = imports.of(job, parameters)
    if not is_new(job) then input.Tags, input.RoleARN = nil, nil end -- their change cannot be part of an import
  end
  return input
end

---------------------------------------------------------------------------------------------------------
-- The plan

-- Removes what is not used, whatever ends the run.
local function unless_kept(job, name)
  return setmetatable({}, { __close = function(guard)
    if guard.kept then return end
    local set = guard.set or changeset.named(job.cfn, name, job.target.name, is_new(job))
    local _, e = errors.try(set.remove, set)
    if e and guard.set then job.ctx.out:warn("the change set could not be removed: " .. tostring(e)) end
  end })
end

local function raise_failed_plan(job, set)
  local d, lines = set.description, set:validation_lines()
  table.insert(lines, 1, ("%s: the change set failed: %s"):format(job.target.name, d.StatusReason or "no reason given"))
  errors.raise { class = "invalid", code = "ChangeSetFailed", message = table.concat(lines, "\n  "),
    hints = json.list { "nothing was touched" } }
end

-- Makes the change set. The guard has it from the first moment on.
local function make(job, input, guard, name)
  local new, reverts = is_new(job), job.p.revert_drift and not is_new(job)
  input.ChangeSetName, input.ChangeSetType = name, job.identifiers and "IMPORT" or new and "CREATE" or "UPDATE"
  input.ClientToken = job.ctx:token("change-set", job.target.name)
  input.DeploymentMode = reverts and "REVERT_DRIFT" or nil
  input.DeploymentConfig = express.config("create_change_set", { wanted = job.p.express, stack = job.existing,
    keep_failed = job.p.on_failure == "DO_NOTHING" })
  -- The service has no drift-aware sets of nested stacks, and imports none.
  input.IncludeNestedStacks = not (reverts or job.identifiers) or nil
  input.ImportExistingResources = job.p.import_existing or nil
  if input.ChangeSetType == "CREATE" then input.OnStackFailure = job.p.on_failure end
  local set, e = errors.try(changeset.make, job.cfn, input, new)
  if e then deployment.raise_rejected(e, job.target.template and job.target.template.path or job.target.name) end
  guard.set = set
  job.stack.id = set.stack_id
  return set
end

local function changes_result(changes)
  local list = json.list {}
  for index, item in ipairs(changes) do
    local change = item.change
    list[index] = { stack = item.stack, logical_id = change.LogicalResourceId, type = change.ResourceType,
      action = change.Action, replacement = change.Replacement, policy_action = change.PolicyAction,
      physical_id = change.PhysicalResourceId, consequence = change_words.consequence(change),
      loses_data = change_words.loses_data(change), values = change_words.values(change) }
  end
  return list
end

--- Shows what a change set will do, line by line.
---@param ctx tap.Context
---@param set table tap.changeset
function rollout.show(ctx, set)
  local changes, resources = set:changes(), {}
  for index, item in ipairs(changes) do
    resources[index] = { id = item.change.LogicalResourceId, type = item.change.ResourceType }
  end
  ctx.out:expect(resources)
  ctx.out:note(("%s in %s: %s"):format(set.description.StackName, ctx:where(), change_words.summary(changes)),
    { changes = changes_result(changes), change_set = set.id })
  if ctx.options.output == "jsonl" then return end
  for _, line in ipairs(change_words.lines(changes)) do ctx.out:note(line) end
end

local function check_gates(job, set)
  local passed = gates.check({ changes = set:changes(), stack = job.stack:must_describe(), cfn = job.cfn,
    now = task.now(), reverts_drift = job.p.revert_drift, ignore_drift = job.target.file.ignore_drift },
    job.target.file.gates, job.p.accept)
  for _, line in ipairs(passed) do job.ctx.out:warn("accepted: " .. line) end
end

---------------------------------------------------------------------------------------------------------
-- The change

--- Executes a change set that has been agreed to, and follows it. Also what `execute` does.
---@param ctx tap.Context
---@param s table tap.stack
---@param set table tap.changeset
---@param options table as of deployment.follow, and on_failure: "DO_NOTHING" leaves a failed update as it is
---@return table description
function rollout.execute(ctx, s, set, options)
  s:skip_events()
  deployment.ask(ctx, "execute", s, options.verb, "execute_change_set", {
    ChangeSetName = set.id,
    DisableRollback = options.verb == "update" and options.on_failure == "DO_NOTHING" or nil,
  })
  return deployment.wait(ctx, s, options)
end

-- What a change set does not carry: the stack policy before, the protection after.
local function apply_policy(job)
  if job.target.policy and not is_new(job) then
    job.cfn:set_stack_policy { StackName = job.stack:key(), StackPolicyBody = job.target.policy }
  end
end

local function apply_settings(job)
  if job.target.policy and (is_new(job) or job.begun) then
    job.cfn:set_stack_policy { StackName = job.stack:key(), StackPolicyBody = job.target.policy }
  end
  local wanted = job.target.protection
  if wanted == nil then return end
  local has = job.existing and job.existing.EnableTerminationProtection or false
  if wanted ~= has then
    job.cfn:update_termination_protection { StackName = job.stack:key(), EnableTerminationProtection = wanted }
  end
end

local function no_changes(job)
  local words = ("%s is up to date: no changes"):format(job.target.name)
  if not job.p.dry_run then apply_settings(job) end
  return { stack_name = job.target.name, stack_id = job.stack.id, changes = json.list {},
    status = job.existing and job.existing.StackStatus,
    outputs = job.existing and deployment.output_map(job.existing) or {} }, words
end

local function left_for_later(job, set, fingerprint)
  local command = job.ctx:command(("execute %s --stack-name %s --fingerprint %s"):format(
    set.description.ChangeSetName, util.shell_quote(job.target.name), fingerprint))
  return { stack_name = job.target.name, stack_id = job.stack.id, change_set = set.id, fingerprint = fingerprint,
    changes = changes_result(set:changes()) },
    ("change set %s is ready\nfingerprint %s%s"):format(set.description.ChangeSetName, fingerprint,
      command and "\nto execute it: " .. command or "")
end

local function run_change(job, set)
  local verb = job.identifiers and "import" or is_new(job) and "create" or "update"
  apply_policy(job)
  local options = job.target:limits(verb)
  options.on_failure = job.p.on_failure
  local description = rollout.execute(job.ctx, job.stack, set, options)
  apply_settings(job)
  local value, words = deployment.result(job, description)
  value.changes = changes_result(set:changes())
  return value, words
end

-- Plans the change, asks, and makes it.
local function change(job)
  local ctx, p = job.ctx, job.p
  local again = { idempotent = true }
  local input = job.input or ctx:step("check", function() return rollout.check(job) end, again)
  local name = changeset.name(ctx.run_id)
  local guard <close> = unless_kept(job, name)
  local set = ctx:step("plan", function() return make(job, input, guard, name) end, again)
  if set:is_empty() then return no_changes(job) end
  if set.description.Status == "FAILED" then raise_failed_plan(job, set) end
  rollout.show(ctx, set)
  local fingerprint = set:fingerprint(job.stack:must_describe())
  if p.dry_run then
    return { exit = "changes", stack_name = job.target.name, changes = changes_result(set:changes()) },
      "nothing was executed"
  end
  check_gates(job, set)
  if not is_new(job) then capacity.before(job) end
  if p.no_execute then
    guard.kept = true
    return left_for_later(job, set, fingerprint)
  end
  ctx:confirm(("Execute these changes on %s in %s?"):format(job.target.name, ctx:where()))
  set:check_unchanged(fingerprint, job.stack:must_describe())
  guard.kept = true
  return run_change(job, set)
end

-- Follows what the run had begun before it died, and does what comes after it.
local function go_on(job)
  local begun = job.begun
  local description = deployment.wait(job.ctx, job.stack, job.target:limits(begun.verb), begun)
  if begun.token == job.ctx:token("back", job.target.name) then aftermath.raise_went_back(job) end
  if begun.verb == "update" then job.capacity = json.list {} end -- what was healthy before is not known any more
  apply_settings(job)
  return deployment.result(job, description)
end

--- Does the whole of it. An operation of somebody else that was only followed is the result, too.
---@param job tap.Rollout
---@return table result
---@return string words
function rollout.run(job)
  return aftermath.run(job, job.verb, function()
    if job.begun then return go_on(job) end
    if job.attached then return deployment.result(job, job.attached) end
    return change(job)
  end)
end

return rollout
