--- Creates or updates a stack, whichever fits, through a change set.

local tap = require "tap"

return tap.workflow {
  name = "deploy",
  summary = "create or update a stack: shows the changes, asks, makes them, ends with the outputs",
  effects = { "cloudformation" },
  params = require("tap.target_params").rollout(),
  usage = "tapengine deploy web --template web.yml --parameter EnvironmentSuffix=dev",

  run = function(ctx, p)
    local rollout = require "tap.rollout"
    local job = rollout.begin(ctx, p, "deploy")
    return rollout.run(job)
  end,
}
