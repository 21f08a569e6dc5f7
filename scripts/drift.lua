--- Shows where a stack's resources are no longer what its template says.

local tap = require "tap"

local function lines_of(drifted)
  local lines = {}
  for _, found in ipairs(drifted) do
    lines[#lines + 1] = ("%s  %s  %s"):format(found.logical_id, found.type, found.status)
    for _, difference in ipairs(found.differences) do
      lines[#lines + 1] = ("  %s %s: %s -> %s"):format(difference.kind, difference.path, difference.expected or "-",
        difference.actual or "-")
    end
  end
  return lines
end

return tap.workflow {
  name = "drift",
  summary = "show what has been changed or deleted behind CloudFormation's back; exit 20 when something was",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
  },
  usage = "tapengine drift web",

  run = function(_, p)
    local drift, util = require "tap.drift", require "tap.util"
    local cfn = tap.client "cloudformation"
    local drifted, about = drift.detect(cfn, tap.stack(cfn, p.stack_name):must_describe().StackId)
    local words = table.concat(lines_of(drifted), "\n")
    if #drifted == 0 then
      words = ("%s has not drifted: %s checked"):format(p.stack_name, util.count(about.checked, "resource"))
    end
    if #drifted > 0 then
      words = words .. ("\nways out: tapengine recover %s --drift"):format(util.shell_quote(p.stack_name))
    end
    if about.reason then words = words .. "\nnot all could be checked: " .. about.reason end
    return { exit = #drifted > 0 and "changes" or nil, stack_name = p.stack_name, status = about.status,
      checked = about.checked, drifted = drifted }, words
  end,
}
