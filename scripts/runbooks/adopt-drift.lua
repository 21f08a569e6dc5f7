--- A healthy stack whose resources somebody has changed, for good reasons: says what the template has to say, so that
-- a drift-aware deployment takes it over and touches nothing.

local tap = require "tap"

-- "web.yml:12:5: Resources/Queue/Properties/VisibilityTimeout: 60", with the place when the template is at hand.
local function line_of(s, one, difference)
  local path = ("/Resources/%s/Properties%s"):format(one.logical_id, difference.path)
  local place = s.template and s.template:place_of_resource(one.logical_id, difference.path)
  return ("  %s%s: %s"):format(place and place .. ": " or "", path, difference.actual or "(nothing)")
end

return tap.runbook {
  name = "adopt-drift", summary = "say what the template has to say, so that what was changed stays",

  explain = function()
    return { does = "nothing to the stack: prints the values for the template", destroys = "nothing",
      leaves = "the drift, until the mended template is deployed with --revert-drift" }
  end,

  run = function(ctx, s)
    for _, one in ipairs(s.drifted) do
      if one.status == "DELETED" then
        ctx.out:note(("  /Resources/%s: was deleted; take it out of the template"):format(one.logical_id))
      end
      for _, difference in ipairs(one.differences) do ctx.out:note(line_of(s, one, difference)) end
    end
    return "write these into the template, then: tapengine deploy " .. s.name .. " --template FILE --revert-drift"
  end,
}
