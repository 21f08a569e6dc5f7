--- How long a resource takes, by its type's record, with jitter from the resource's own chance.

local durations = {}

local DEFAULT = { create = { 2, 6 }, delete = { 1, 2 } }
local JITTER = 0.1 -- of a duration that is one number
local BOOT = { 120, 300 }
local SHORTEST = 0.1 -- between two events of a resource, which have no other difference in their ids
local LONGEST_UPDATE = 30
local INITIATION = 1 -- from the first event to "Resource creation Initiated"

local function draw(spec, stream)
  if type(spec) == "number" then return spec * stream:between(1 - JITTER, 1 + JITTER) end
  return stream:between(spec[1], spec[2])
end

--- Seconds from the first event of a creation: to the physical id, to complete, and (nil for most types) to
-- the completed configuration.
---@param record table of sandbox.resources.catalog
---@param stream table of sandbox.ids
---@param signals boolean? it waits for signals of what boots on it (CreationPolicy)
function durations.create(record, stream, signals)
  local total = draw(signals and BOOT or record.create or DEFAULT.create, stream)
  local initiated = math.min((record.initiate or INITIATION) * stream:between(0.7, 1.1), total - SHORTEST)
  local settle = record.settle and math.min(draw(record.settle, stream), total * 0.95)
  settle = settle and math.max(settle, initiated + 0.5)
  return initiated, total, settle
end

--- Seconds of a change in place: no longer than a creation, and rarely more than half a minute.
function durations.update(record, stream)
  return math.min(draw(record.update or record.create or DEFAULT.create, stream), LONGEST_UPDATE)
end

--- Seconds of a deletion.
function durations.delete(record, stream)
  return draw(record.delete or DEFAULT.delete, stream)
end

return durations
