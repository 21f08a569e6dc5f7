--- A load balancer is active.

local tap = require "tap"

return tap.check {
  name = "load-balancer", summary = "a load balancer is active",
  type = "AWS::ElasticLoadBalancingV2::LoadBalancer", retry = "5m",

  run = function(ctx, it)
    local found = ctx:client("elbv2"):describe_load_balancers { LoadBalancerArns = { it.physical_id } }
    local state = found.LoadBalancers[1] and found.LoadBalancers[1].State.Code or "gone"
    it:wait(state == "active" or state == "active_impaired", "it is " .. state)
  end,
}
