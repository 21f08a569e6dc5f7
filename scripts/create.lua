--- Creates a stack and follows it to its end. Whatever can be found wrong beforehand is found beforehand. A stack that
-- exists already is updated, through a change set.

local tap = require "tap"

-- Sends the request. The stack's id is known when the answer is there.
local function create(job, input)
  local deployment = require "tap.deployment"
  local ctx, p = job.ctx, job.p
  input.DeploymentConfig = require("tap.express").config("create_stack", { wanted = p.express,
    keep_failed = p.on_failure == "DO_NOTHING" })
  input.OnFailure = not p.express and p.on_failure or nil -- an express one says it in its mode
  input.EnableTerminationProtection = job.target.protection or false
  input.StackPolicyBody = job.target.policy
  local answer, e = tap.try(deployment.ask, ctx, "create", job.stack, "create", "create_stack", input)
  if e then deployment.raise_rejected(e, job.target.template.path) end
  job.stack.id = answer.StackId
end

return tap.workflow {
  name = "create",
  summary = "create a stack, show its events as they come, end with its outputs",
  effects = { "cloudformation" },
  params = require("tap.target_params").rollout(),
  usage = "tapengine create --stack-name TapStackdev --template templates/TapStack.json "
    .. "--parameter EnvironmentSuffix=dev",

  run = function(ctx, p)
    local deployment, rollout, util = require "tap.deployment", require "tap.rollout", require "tap.util"
    local job = rollout.begin(ctx, p, "create")
    if job.attached or job.begun then return rollout.run(job) end
    if job.existing and job.existing.StackStatus ~= "REVIEW_IN_PROGRESS" then
      ctx.out:note(("%s exists already, in %s: updating it through a change set"):format(job.target.name,
        job.existing.StackStatus))
      return rollout.run(job)
    end

    local input = ctx:step("check", function() return rollout.check(job) end, { idempotent = true })
    local resources = job.target.template:resources()
    local plan = ("%s: %s from %s in %s"):format(job.target.name, util.count(#resources, "resource"),
      job.target.template.path, ctx:where())
    if p.dry_run then
      return { exit = "changes", stack_name = job.target.name, resources = tap.list(resources) },
        "would create " .. plan
    end
    return require("tap.aftermath").run(job, "create", function()
      ctx.out:expect(resources)
      ctx.out:note("creating " .. plan)
      create(job, input)
      return deployment.result(job, deployment.wait(ctx, job.stack, job.target:limits "create"))
    end)
  end,
}
