--- Replaces the instances of an Auto Scaling group one by one: each is drained from its target group, ended, and its
-- successor has to be healthy before the next one goes.
--
--     tapengine examples/runbooks/replace-instances.lua --group web

local tap = require "tap"

local function in_service(asg, name)
  local group = asg:describe_auto_scaling_groups({ AutoScalingGroupNames = { name } }).AutoScalingGroups[1]
  if not group then
    tap.error.raise { class = "failed", code = "NoSuchGroup", message = "there is no group " .. name }
  end
  local ready = {}
  for _, instance in ipairs(group.Instances or {}) do
    if instance.LifecycleState == "InService" and instance.HealthStatus == "Healthy" then
      ready[#ready + 1] = instance.InstanceId
    end
  end
  return group, ready
end

return tap.workflow {
  name = "replace-instances", summary = "drain and replace a group's instances one by one, with health checks",
  effects = { "autoscaling" },
  params = {
    { "group", "string", required = true, help = "Auto Scaling group" },
    { "patience", "duration", default = "15m", help = "for each instance's successor" },
  },
  usage = "tapengine examples/runbooks/replace-instances.lua --group web",

  run = function(ctx, p)
    local asg = ctx:client "autoscaling"
    local old = ctx:step("list", function()
      local group, ready = in_service(asg, p.group)
      if #ready < group.DesiredCapacity then
        tap.error.raise { class = "refused", code = "NotHealthy",
          message = ("%s has %d of %d instances in service: heal it first"):format(p.group, #ready,
            group.DesiredCapacity) }
      end
      return tap.list(ready)
    end)
    for number, id in ipairs(old) do
      ctx:step("replace " .. id, function()
        ctx.out:note(("%d of %d: %s"):format(number, #old, id))
        asg:terminate_instance_in_auto_scaling_group { InstanceId = id, ShouldDecrementDesiredCapacity = false }
        tap.wait_until(p.patience, function()
          local group, ready = in_service(asg, p.group)
          for _, one in ipairs(ready) do
            if one == id then return false end
          end
          return #ready >= group.DesiredCapacity
        end, { interval = "5s" })
      end)
    end
    return { replaced = old }, ("%d instances of %s are replaced"):format(#old, p.group)
  end,
}
