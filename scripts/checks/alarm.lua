--- No alarm is in alarm.

local tap = require "tap"

return tap.check {
  name = "alarm", summary = "an alarm is not in alarm",
  type = "AWS::CloudWatch::Alarm", retry = "5m",

  run = function(ctx, it)
    local found = ctx:client("cloudwatch"):describe_alarms { AlarmNames = { it.physical_id } }.MetricAlarms[1]
    if not it:expect(found, "the alarm is not there") then return end
    it:wait(found.StateValue ~= "ALARM", "it is in alarm: " .. tostring(found.StateReason))
    it:note(found.StateValue)
  end,
}
