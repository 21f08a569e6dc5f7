--- UPDATE_FAILED, with rollback switched off: the mended template, from where the update stopped.

local tap = require "tap"

return tap.runbook {
  name = "retry-update", summary = "update again with the mended template, from where it stopped",

  applies = function(s)
    if s.p.template then return true end
    return false, "it needs the mended template: --template FILE"
  end,

  explain = function(s)
    return { does = ("deploys %s through a change set, with its gates; rollback stays off"):format(s.p.template),
      destroys = "what the new template replaces or removes: shown before it is done", leaves = "nothing" }
  end,

  run = function(ctx, s)
    local rollout = require "tap.rollout"
    local values = require("tap.target_params").values { stack_name = s.name, template = s.p.template,
      stack_file = s.p.stack_file, on_failure = "DO_NOTHING", timeout = s.p.timeout }
    rollout.run(rollout.begin(ctx, values, "update"))
    return "the update is done"
  end,
}
