--- A flow log is active and delivers.

local tap = require "tap"

return tap.check {
  name = "flow-log", summary = "a flow log is active and can deliver",
  type = "AWS::EC2::FlowLog", retry = "2m",

  run = function(ctx, it)
    local found = ctx:client("ec2"):describe_flow_logs { FlowLogIds = { it.physical_id } }.FlowLogs[1]
    if not it:expect(found, "it is not there") then return end
    it:wait(found.FlowLogStatus == "ACTIVE", "it is " .. tostring(found.FlowLogStatus))
    it:expect(found.DeliverLogsStatus ~= "FAILED", "it cannot deliver: " .. tostring(found.DeliverLogsErrorMessage))
  end,
}
