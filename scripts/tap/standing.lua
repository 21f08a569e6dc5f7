--- Where a stack stands before a change: may it be changed at all, is somebody else at work, is it a wreck that has to
-- go first. The answers that users need in each case are in one table.

local deployment = require "tap.deployment"
local errors = require "tap.error"
local json = require "tap.core.json"
local status = require "tap.status"
local util = require "tap.util"

local standing = {}

-- A stack in one of these never had a good state: it can only be deleted and created again.
local WRECKS = { ROLLBACK_COMPLETE = true, ROLLBACK_FAILED = true, CREATE_FAILED = true, DELETE_FAILED = true }

-- A stack in one of these waits for somebody's decision before its next change.
local UNDECIDED = { UPDATE_ROLLBACK_FAILED = true, UPDATE_FAILED = true, IMPORT_ROLLBACK_FAILED = true }

-- Statuses in which an update goes on from where the failed one stopped, when rollback stays off.
local RETRYABLE = { CREATE_FAILED = true, UPDATE_FAILED = true }

local function raise_stuck(ctx, description, more)
  local name, reached = description.StackName, description.StackStatus
  local hints = json.list { status.next(reached) }
  hints[#hints + 1] = ctx:command("recover " .. util.shell_quote(name))
  for _, hint in ipairs(more or {}) do hints[#hints + 1] = hint end
  errors.raise { class = "stuck", code = "StackStuck", stack_status = reached, hints = hints,
    message = ("Stack %s is in %s: %s"):format(name, reached, status.meaning(reached)) }
end

-- Deletes what is left of a stack whose creation failed, after asking; protection is respected.
local function clear_wreck(job, description)
  local ctx, name = job.ctx, description.StackName
  if description.EnableTerminationProtection then
    errors.raise { class = "refused", code = "Protected",
      message = ("Stack [%s] cannot be deleted while TerminationProtection is enabled"):format(name) }
  end
  ctx:confirm(("Stack %s is in %s. Delete it and create it again?"):format(name, description.StackStatus))
  job.stack:skip_events()
  deployment.ask(ctx, "clear", job.stack, "delete", "delete_stack", { StackName = job.stack.id })
  deployment.wait(ctx, job.stack, { verb = "delete", timeout = job.p.timeout })
  job.stack = require("tap.stack").new(job.cfn, job.target.name)
  return nil
end

--- Waits for, or follows, the operation of somebody else, as asked. The description afterwards; followed, it is all
-- that the run does.
local function handle_busy(job, description)
  local mode = job.p.if_busy or "fail"
  if mode == "fail" then deployment.refuse_busy(job.ctx, description) end
  local verb = status.operation(description.StackStatus)
  job.ctx.out:note(("%s is in %s: %s"):format(description.StackName, description.StackStatus,
    mode == "wait" and "waiting for its end" or "following"))
  job.stack:skip_events()
  if mode == "attach" then
    job.attached = deployment.follow(job.ctx, job.stack, { verb = verb, timeout = job.p.timeout })
    return job.attached
  end
  return (job.stack:wait { verb = verb, timeout = job.p.timeout })
end

--- Looks at the stack before a change.
---@param job tap.Rollout
---@return table? description of the stack that can be updated, or of an empty one that only holds change sets; nil
---  when it has to be created. job.attached: another operation was followed, and that was all. Raises class "busy"
---  and "stuck", and "failed" when it is to be updated and is not there
function standing.before_change(job)
  local ctx, name = job.ctx, job.target.name
  local description = job.stack:describe()
  if description and not status.settled(description.StackStatus) then description = handle_busy(job, description) end
  if job.attached then return description end
  local reached = description and description.StackStatus or "DELETE_COMPLETE"
  if reached == "DELETE_COMPLETE" then
    job.stack.id = nil
    if job.verb == "update" then
      errors.raise { class = "failed", code = "NoSuchStack", message = ("Stack %s does not exist in %s"):format(name,
        ctx:where()), hints = { "`deploy` creates or updates, whichever fits" } }
    end
    return nil
  end
  if RETRYABLE[reached] and job.p.on_failure == "DO_NOTHING" then return description end
  if WRECKS[reached] then
    if job.p.replace_failed then return clear_wreck(job, description) end
    raise_stuck(ctx, description, { "or add --replace-failed: it is deleted, after asking, and created again" })
  end
  if UNDECIDED[reached] then raise_stuck(ctx, description) end
  return description
end

return standing
