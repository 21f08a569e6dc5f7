--- UPDATE_IN_PROGRESS: the update is stopped, and what it has changed is put back.

local tap = require "tap"

return tap.runbook {
  name = "cancel-update", summary = "cancel the update, which rolls it back",

  explain = function()
    return { does = "CancelUpdateStack", destroys = "what the update has made new", leaves = "nothing" }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    deployment.ask(ctx, "cancel", s.stack, "cancel", "cancel_update_stack", { StackName = s.id })
    deployment.wait(ctx, s.stack, { verb = "cancel", timeout = s.p.timeout, template = s.template, past = s.events })
    return "the update is cancelled and rolled back"
  end,
}
