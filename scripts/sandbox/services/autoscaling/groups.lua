--- The instances of Auto Scaling groups: as many as the group wants, each in service after it has booted.
-- They are the group's state; other services look at them, too.

local things = require "sandbox.things"
local ids = require "sandbox.ids"

local groups = {}

groups.TYPE = "AWS::AutoScaling::AutoScalingGroup"

local BOOT = 60 -- seconds until an instance is in service and healthy

--- How many instances a group wants.
function groups.desired(thing)
  local settings = thing.properties
  return things.integer(settings.DesiredCapacity) or things.integer(settings.MinSize) or 0
end

local function launch(context, thing, state)
  state.launched = state.launched + 1
  local stream = context.world.store:stream(("instance/%s/%s/%d"):format(context.region.name, thing.key,
    state.launched))
  local zones = thing.properties.AvailabilityZones or { context.region.name .. "a", context.region.name
    .. "b" }
  return { id = "i-" .. stream:text(17, ids.alphabets.hex), group = thing.key, zone =
    zones[(state.launched - 1)
    % #zones + 1], launched = state.launched == 1 and thing.created or context.world.clock.now() }
end

--- The instances that a group has now; it starts and ends them as its capacity asks.
---@return { id: string, group: string, zone: string, launched: number, unhealthy: boolean? }[]
function groups.instances(context, thing)
  local first = thing.state == nil
  thing.state = thing.state or { list = {}, launched = 0 }
  local state, wanted = thing.state, groups.desired(thing)
  while #state.list < wanted do
    local instance = launch(context, thing, state)
    if first then instance.launched = thing.created end
    state.list[#state.list + 1] = instance
  end
  while #state.list > wanted do table.remove(state.list, 1) end
  return state.list
end

--- Puts new instances in place of some.
---@param first integer
---@param last integer places in the list
function groups.replace(context, thing, first, last)
  local list = groups.instances(context, thing)
  for i = first, math.min(last, #list) do list[i] = launch(context, thing, thing.state) end
end

--- Has an instance booted?
function groups.is_in_service(context, instance)
  return context.world.clock.now() - instance.launched >= BOOT
end

--- All instances of a region's groups.
function groups.all_instances(context)
  local out = {}
  for _, thing in ipairs(things.all(context.region, groups.TYPE)) do
    for _, instance in ipairs(groups.instances(context, thing)) do out[#out + 1] = instance end
  end
  return out
end

--- The group and the place of an instance; nil when there is none.
function groups.find_instance(context, id)
  for _, thing in ipairs(things.all(context.region, groups.TYPE)) do
    for i, instance in ipairs(groups.instances(context, thing)) do
      if instance.id == id then return thing, instance, i end
    end
  end
end

return groups
