--- A healthy stack whose resources somebody has changed, for a while or for good: known from now on, with a note that
-- says why. It stands in the stack file, where the whole team sees it, and counts only while nothing changes again.

local tap = require "tap"

return tap.runbook {
  name = "ignore-drift", summary = "say what the stack file has to say, so that the difference is known and stays",

  explain = function()
    return { does = "nothing to the stack: prints the lines for `ignore_drift` of the stack file", destroys = "nothing",
      leaves = "the drift, with a note; `drift`, the drift check and the no-drift gate pass over it" }
  end,

  run = function(ctx, s)
    ctx.out:note "  ignore_drift = {"
    for _, one in ipairs(s.drifted) do
      for _, line in ipairs(require("tap.drift").ignore_lines(one)) do ctx.out:note("    " .. line) end
    end
    ctx.out:note "  },"
    return ("write this into %s, with the reasons"):format(s.target.file.path or "the stack file (X.stack.lua)")
  end,
}
