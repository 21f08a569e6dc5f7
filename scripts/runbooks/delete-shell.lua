--- REVIEW_IN_PROGRESS: an empty stack that a change set made and nobody executed.

local tap = require "tap"

return tap.runbook {
  name = "delete-shell", summary = "delete the empty stack and its change sets",

  explain = function(s)
    local names = {}
    for item in s.cfn:each("list_change_sets", { StackName = s.id }) do names[#names + 1] = item.ChangeSetName end
    return { does = "DeleteStack",
      destroys = #names > 0 and "its change sets: " .. table.concat(names, ", ") or "nothing",
      leaves = "nothing; to use a change set instead: tapengine execute NAME --stack-name " .. s.name }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    deployment.ask(ctx, "delete", s.stack, "delete", "delete_stack", { StackName = s.id })
    deployment.wait(ctx, s.stack, { verb = "delete", timeout = s.p.timeout })
    return "the empty stack is gone"
  end,
}
