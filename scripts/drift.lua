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
    { "stack-name", "string", positional = true, help = "name or id of the stack; else the stack file's" },
    { "stack-file", "file", help = "its `ignore_drift`; else the only X.stack.lua here" },
    { "template", "file", help = "the stack file stands beside it" },
  },
  usage = "tapengine drift web",

  run = function(ctx, p)
    local drift, util = require "tap.drift", require "tap.util"
    local t = require("tap.target").open(ctx, p, { name = true })
    local cfn = tap.client "cloudformation"
    local drifted, about = drift.detect(cfn, tap.stack(cfn, t.name):must_describe().StackId, t.file.ignore_drift)
    local lines = lines_of(drifted)
    if #drifted == 0 then
      lines[1] = ("%s has not drifted: %s checked"):format(t.name, util.count(about.checked, "resource"))
    else
      lines[#lines + 1] = ("ways out: tapengine recover %s --drift"):format(util.shell_quote(t.name))
    end
    for _, one in ipairs(about.ignored) do
      lines[#lines + 1] = ("known: %s is %s: %s"):format(one.path, one.actual or "-", one.note)
    end
    if about.reason then lines[#lines + 1] = "not all could be checked: " .. about.reason end
    return { exit = #drifted > 0 and "changes" or nil, stack_name = t.name, status = about.status,
      checked = about.checked, drifted = drifted, ignored = about.ignored }, table.concat(lines, "\n")
  end,
}
