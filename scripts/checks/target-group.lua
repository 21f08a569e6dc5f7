--- Every target of a target group is healthy.

local tap = require "tap"

return tap.check {
  name = "target-group", summary = "all targets of a group are healthy",
  type = "AWS::ElasticLoadBalancingV2::TargetGroup", retry = "10m",

  run = function(ctx, it)
    local health = ctx:client("elbv2"):describe_target_health { TargetGroupArn = it.physical_id }
    local healthy, other = 0, {}
    for _, one in ipairs(health.TargetHealthDescriptions or {}) do
      if one.TargetHealth.State == "healthy" then
        healthy = healthy + 1
      elseif one.TargetHealth.State ~= "draining" then
        other[#other + 1] = ("%s is %s%s"):format(one.Target.Id, one.TargetHealth.State,
          one.TargetHealth.Reason and " (" .. one.TargetHealth.Reason .. ")" or "")
      end
    end
    it:wait(healthy > 0 or not it.settings.strict, "no target is healthy")
    it:wait(#other == 0, table.concat(other, ", "))
    it:note(("%d healthy"):format(healthy))
  end,
}
