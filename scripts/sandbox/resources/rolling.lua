--- The rolling update of an Auto Scaling group: obsolete instances are replaced batch by batch, each step an
-- event of the group (reference part 6.3). Its plan is made when the update begins.

local things = require "sandbox.things"
local groups = require "sandbox.services.autoscaling.groups"
local same = require "sandbox.same"

local rolling = {}

local BATCH_SECONDS = { 60, 120 } -- an instance boots, and signals
local CAUSES = { "LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy", "VPCZoneIdentifier" }

local function policy_of(definition)
  return ((definition.UpdatePolicy or {}).AutoScalingRollingUpdate)
end

local function needed(old, new)
  for _, name in ipairs(CAUSES) do
    if not same(old[name], new[name]) then return true end
  end
  return false
end

local function initiated(count, policy, waits)
  return ("Rolling update initiated. Terminating %d obsolete instance(s) in batches of %d, while keeping at "
    .. "least %d "
    .. "instance(s) in service.%s"):format(count, things.integer(policy.MaxBatchSize) or 1,
    things.integer(policy.MinInstancesInService) or 0, waits and " Waiting on resource signals with a "
      .. "timeout of "
      .. (policy.PauseTime or "PT5M") .. " when new instances are added to the autoscaling group." or "")
end

-- The events of one batch.
local function batch(step, names, policy, waits, progress)
  local list = table.concat(names, ",")
  step(1, ("Terminating instance(s) [%s]; replacing with %d new instance(s)."):format(list, #names))
  step(20, ("Successfully terminated instance(s) [%s] (Progress %d%%)."):format(list, progress))
  if waits then
    step(5, ("New instance(s) added to autoscaling group - Waiting on %d resource signal(s) with a timeout "
      .. "of %s.")
      :format(#names, policy.PauseTime or "PT5M"))
  end
end

--- The steps of a group's update; nil when it has none.
---@param op table
---@param resource table
---@param properties table the new ones
---@return { after: number, reason: string, act: fun()? }[]? steps
function rolling.steps(op, resource, properties)
  local policy = policy_of(resource.definition)
  if not policy or not resource.thing or not needed(resource.properties, properties) then return nil end
  local context = { world = op.world, region = op.stack.region }
  local list, waits = groups.instances(context, resource.thing), things.truth(policy.WaitOnResourceSignals)
  local size, steps = things.integer(policy.MaxBatchSize) or 1, {}
  local function step(after, reason, act) steps[#steps + 1] = { after = after, reason = reason, act =
    act } end
  step(1, initiated(#list, policy, waits))
  for first = 1, #list, size do
    local names, last = {}, math.min(first + size - 1, #list)
    for i = first, last do names[#names + 1] = list[i].id end
    batch(step, names, policy, waits, math.floor(last * 100 / #list))
    steps[#steps].act = function() groups.replace(context, resource.thing, first, last) end
    step(resource.stream:between(BATCH_SECONDS[1], BATCH_SECONDS[2]), waits
      and ("Received SUCCESS signal with UniqueId %s"):format(names[1]) or nil)
  end
  return steps
end

return rolling
