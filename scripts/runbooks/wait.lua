--- An operation is at work: it is followed to its end. What it waits for is said, and what may help it on.

local tap = require "tap"

local HELP = {
  ["AWS::CloudFormation::WaitCondition"] = "it waits for a signal: cfn-signal on the instance, or the handle's URL",
  ["AWS::AutoScaling::AutoScalingGroup"] = "it waits for its instances' signals: look at their cloud-init output, or "
    .. "send one: tapengine aws cloudformation signal-resource --status SUCCESS --unique-id INSTANCE ...",
  ["AWS::CloudFormation::CustomResource"] = "it waits for the function's answer: look at its log",
  ["AWS::ECS::Service"] = "it waits until the tasks are steady: look at the service's events",
}

return tap.runbook {
  name = "wait", summary = "follow the operation to its end",

  explain = function(s)
    local lines = {}
    for index, item in ipairs(s:at_work()) do
      if index > 10 then break end
      local help = HELP[item.type] or item.type:find("^Custom::") and HELP["AWS::CloudFormation::CustomResource"]
      lines[index] = ("%s (%s), for %s%s"):format(item.logical_id, item.type, require("tap.util").show_duration(
        math.max(0, tap.now() - item.since)), help and ": " .. help or "")
    end
    return { does = #lines > 0 and "waits for " .. table.concat(lines, "; ") or "waits", destroys = "nothing",
      leaves = "nothing" }
  end,

  run = function(ctx, s)
    local deployment, status = require "tap.deployment", require "tap.status"
    local description = deployment.wait(ctx, s.stack, { verb = status.operation(s.status), timeout = s.p.timeout,
      template = s.template, past = s.events })
    return ("it has ended in %s: %s"):format(description.StackStatus, status.meaning(description.StackStatus))
  end,
}
