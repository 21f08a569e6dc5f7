--- An Auto Scaling group has as many instances in service as it wants.

local tap = require "tap"

return tap.check {
  name = "auto-scaling-group", summary = "a group has its desired capacity in service and healthy",
  type = "AWS::AutoScaling::AutoScalingGroup", retry = "10m",

  run = function(ctx, it)
    local answer = ctx:client("autoscaling"):describe_auto_scaling_groups {
      AutoScalingGroupNames = { it.physical_id } }
    local group = answer.AutoScalingGroups[1]
    if not it:expect(group, "the group is not there") then return end
    local ready = 0
    for _, instance in ipairs(group.Instances or {}) do
      if instance.LifecycleState == "InService" and instance.HealthStatus == "Healthy" then ready = ready + 1 end
    end
    it:wait(ready >= group.DesiredCapacity, ("%d of %d instances are in service"):format(ready,
      group.DesiredCapacity))
    it:note(("%d of %d in service"):format(ready, group.DesiredCapacity))
  end,
}
