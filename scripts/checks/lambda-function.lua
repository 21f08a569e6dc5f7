--- A function is active, its log group is there, and it answers where the stack file says how to ask it.

local tap = require "tap"

return tap.check {
  name = "lambda-function", summary = "a function is active, has its log group, and answers when asked",
  type = "AWS::Lambda::Function", retry = "3m",
  settings = { payload = { "string", "what it is asked; it must answer without an error" } },

  run = function(ctx, it)
    local lambda = ctx:client "lambda"
    local found = lambda:get_function_configuration { FunctionName = it.physical_id }
    if not it:wait(found.State == nil or found.State == "Active", "it is " .. tostring(found.State)) then return end
    it:wait(found.LastUpdateStatus ~= "InProgress", "its last update is not over")
    it:expect(found.LastUpdateStatus ~= "Failed", "its last update failed: "
      .. tostring(found.LastUpdateStatusReason))

    local group = found.LoggingConfig and found.LoggingConfig.LogGroup or "/aws/lambda/" .. found.FunctionName
    local groups = ctx:client("logs"):describe_log_groups { logGroupNamePrefix = group }.logGroups or {}
    local there = false
    for _, one in ipairs(groups) do there = there or one.logGroupName == group end
    local problem = "its log group " .. group .. " does not exist"
    if not it:expect(there or not it.settings.strict, problem) then return end
    if not there then it:note(problem .. " yet") end -- its first run makes it

    if it.settings.payload then
      local answer = lambda:invoke { FunctionName = it.physical_id, Payload = it.settings.payload }
      it:expect(not answer.FunctionError, ("it failed: %s: %s"):format(tostring(answer.FunctionError),
        tostring(answer.Payload)))
    end
  end,
}
