--- Visits a dependency graph in parallel: a node starts when everything before it is ready. Creation walks
-- the graph of a template, deletion the same graph turned round. No timers here: a visit ends when it says
-- so.

local walk = {}

local Walk = {}
Walk.__index = Walk

--- Starts a walk.
---@param nodes any[] in the order in which those that could start together start
---@param before table<any, any[]> of each node those that must be ready first (nodes that are not in `nodes`
-- are not waited for)
---@param visit fun(node: any, turn: table) is to call turn.done(ok), now or later, and may call turn.ready()
-- earlier
---@param events { finished: fun(walk: table), all_ready: fun()? } finished: nothing runs and nothing can
-- start
function walk.start(nodes, before, visit, events)
  local self = setmetatable({
    nodes = nodes, visit = visit, events = events,
    waits = {}, after = {}, running = {}, running_count = 0, ready = {}, unready = #nodes, failed = {},
  }, Walk)
  for _, node in ipairs(nodes) do self.after[node], self.waits[node] = {}, 0 end
  for _, node in ipairs(nodes) do
    for _, first in ipairs(before[node] or {}) do
      if self.after[first] then
        self.after[first][#self.after[first] + 1] = node
        self.waits[node] = self.waits[node] + 1
      end
    end
  end
  self:start_all(nodes)
  self:check_finished()
  return self
end

function Walk:start_all(nodes)
  self.starting = (self.starting or 0) + 1
  for _, node in ipairs(nodes) do
    if self.waits[node] == 0 and not self.stopped then self:start_one(node) end
  end
  self.starting = self.starting - 1
end

function Walk:start_one(node)
  self.waits[node] = nil
  self.running[node], self.running_count = true, self.running_count + 1
  self.visit(node, {
    ready = function() self:set_ready(node) end,
    done = function(ok) self:set_done(node, ok) end,
  })
end

function Walk:set_ready(node)
  if self.ready[node] then return end
  self.ready[node] = true
  self.unready = self.unready - 1
  if self.unready == 0 and self.events.all_ready then self.events.all_ready() end
  for _, later in ipairs(self.after[node]) do self.waits[later] = self.waits[later] - 1 end
  self:start_all(self.after[node])
end

function Walk:set_done(node, ok)
  self.running[node], self.running_count = nil, self.running_count - 1
  if ok then
    self:set_ready(node)
  else
    self.failed[#self.failed + 1] = node
  end
  self:check_finished()
end

function Walk:check_finished()
  if self.running_count > 0 or self.starting > 0 or self.stopped then return end
  self.stopped = true
  self.events.finished(self)
end

--- Starts nothing any more and does not finish: what still runs is the caller's.
---@return any[] running in the order of the nodes
function Walk:stop()
  self.stopped = true
  local out = {}
  for _, node in ipairs(self.nodes) do
    if self.running[node] then out[#out + 1] = node end
  end
  return out
end

return walk
