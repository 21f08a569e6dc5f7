--- How much of what serves users is healthy: Auto Scaling groups and target groups, before and after an update. A stack
-- file's `healthy_share` is the least: an update does not begin below it, and is not verified when it ends below.

local errors = require "tap.error"
local json = require "tap.core.json"

local capacity = {}

local NESTED, MAX_NESTING = "AWS::CloudFormation::Stack", 5

-- Each gives how many are healthy, and how many there should be.
local READERS = {
  ["AWS::AutoScaling::AutoScalingGroup"] = function(ctx, id)
    local group = ctx:client("autoscaling"):describe_auto_scaling_groups({ AutoScalingGroupNames = { id } })
      .AutoScalingGroups[1]
    local healthy = 0
    for _, one in ipairs(group and group.Instances or {}) do
      if one.LifecycleState == "InService" and one.HealthStatus == "Healthy" then healthy = healthy + 1 end
    end
    return healthy, group and group.DesiredCapacity or 0
  end,
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = function(ctx, id)
    local answer = ctx:client("elbv2"):describe_target_health { TargetGroupArn = id }
    local healthy, wanted = 0, 0
    for _, one in ipairs(answer.TargetHealthDescriptions or {}) do
      local state = one.TargetHealth.State
      if state == "healthy" then healthy = healthy + 1 end
      if state ~= "draining" and state ~= "unused" then wanted = wanted + 1 end
    end
    return healthy, wanted
  end,
}

local function add(ctx, cfn, stack_id, depth, into)
  for item in cfn:each("list_stack_resources", { StackName = stack_id }) do
    local reader = READERS[item.ResourceType]
    if item.ResourceType == NESTED and depth < MAX_NESTING and item.PhysicalResourceId then
      add(ctx, cfn, item.PhysicalResourceId, depth + 1, into)
    elseif reader and item.PhysicalResourceId and item.ResourceStatus ~= "DELETE_COMPLETE" then
      local healthy, wanted = reader(ctx, item.PhysicalResourceId)
      into[#into + 1] = { logical_id = item.LogicalResourceId, healthy = healthy, wanted = wanted,
        share = wanted == 0 and 1 or healthy / wanted }
    end
  end
  return into
end

-- What is there; nil when it cannot be read, which then is said: a role may be allowed to deploy and not to look.
local function read(job)
  local found, e = errors.try(add, job.ctx, job.cfn, job.stack.id, 0, json.list {})
  if e then job.ctx.out:warn("how much is healthy cannot be read: " .. tostring(e)) end
  return found
end

local function words_of(one)
  return ("%s: %d of %d healthy"):format(one.logical_id, one.healthy, one.wanted)
end

--- Shows what is healthy before an update, and keeps it. Raises class "refused" when less is than the stack file wants.
---@param job tap.Rollout
function capacity.before(job)
  local least = job.target.file.healthy_share
  job.capacity = read(job)
  for _, one in ipairs(job.capacity or {}) do
    job.ctx.out:note(words_of(one))
    if least and one.share < least then
      errors.raise { class = "refused", code = "Capacity", message = ("%s: an update would begin below the healthy "
        .. "share of %g that the stack file wants"):format(words_of(one), least),
        hints = json.list { "nothing was touched: mend what is unhealthy first" } }
    end
  end
end

--- Shows what is healthy after an update, beside what was.
---@param job tap.Rollout
---@return table[] results as those of tap.verify; empty when the stack file does not say how much it wants
function capacity.after(job)
  local least, before, results = job.target.file.healthy_share, {}, json.list {}
  if not job.capacity then return results end -- a new stack, or one that cannot be looked at
  for _, one in ipairs(job.capacity) do before[one.logical_id] = one end
  for _, one in ipairs(read(job) or {}) do
    local was = before[one.logical_id]
    job.ctx.out:note(words_of(one) .. (was and (" (before: %d of %d)"):format(was.healthy, was.wanted) or ""))
    if least then
      results[#results + 1] = { check = "healthy-share", subject = one.logical_id, seconds = 0,
        status = one.share >= least and "passed" or "failed", message = ("%d of %d healthy"):format(one.healthy,
          one.wanted) }
    end
  end
  return results
end

return capacity
