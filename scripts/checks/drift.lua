--- Nothing has drifted. Detection takes a while and counts against a quota, so that a stack file switches it on.

local tap = require "tap"

return tap.check {
  name = "drift", summary = "no resource has drifted; on with `drift = { on = true }`",
  stack = true, settings = { on = { "boolean", "detects drift" } },

  run = function(ctx, it)
    if not it.settings.on then return it:skip() end
    local drifted, about = require("tap.drift").detect(ctx:client "cloudformation", it.stack.StackId, it.ignore_drift)
    it:expect(not about.reason, "not all of it could be looked at: " .. tostring(about.reason))
    for _, one in ipairs(drifted) do
      it:expect(false, ("%s is %s"):format(one.logical_id, one.status))
    end
  end,
}
