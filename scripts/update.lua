--- Updates a stack through a change set.

local tap = require "tap"

return tap.workflow {
  name = "update",
  summary = "update a stack: shows the changes, asks, makes them, ends with the outputs",
  effects = { "cloudformation" },
  params = require("tap.target_params").rollout(),
  usage = "tapengine update --stack-name tapstack-dev --template TapStack.yml",

  run = function(ctx, p)
    local rollout = require "tap.rollout"
    local job = rollout.begin(ctx, p, "update")
    return rollout.run(job)
  end,
}
