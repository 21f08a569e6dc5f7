--- The live view of an operation on a terminal: below the events that scroll by, a line for each resource at work
-- (for how long, and how long it usually takes) and a bar with counts and an estimate. It is drawn again at every
-- look, and taken away before anything else is written, so that what scrolls by is never torn.

local sys = require "tap.core.sys"
local task = require "tap.task"
local util = require "tap.util"

local live = {}
live.__index = live

local STDOUT = 1
local MOST_LINES = 12 -- resources shown at work
local BAR_WIDTH = 24
local NESTED = "AWS::CloudFormation::Stack"
local UP_AND_CLEAR = "\27[%dA\27[J"

--- A view.
---@param options { total: integer, usual: (fun(type: string, verb: string): number?)?, verb: string,
---  write: fun(text: string)? } total: resources that are expected; usual: seconds that a type takes, if known
---@return table view
function live.new(options)
  return setmetatable({ total = options.total, usual = options.usual or function() end, verb = options.verb,
    write = options.write or function(text) sys.write(STDOUT, text) end, working = {}, order = {}, listed = {},
    done = {}, failed = {}, n_done = 0, n_failed = 0, drawn = 0, began = task.monotonic() }, live)
end

--- Does a view make sense here: a terminal of some size that can move its cursor?
---@return boolean
function live.possible()
  local columns = sys.terminal_size()
  return sys.isatty(STDOUT) and sys.getenv("TERM") ~= "dumb" and (columns or 0) >= 40
end

local function count(set, key, n)
  if set[key] then return n end
  set[key] = true
  return n + 1
end

-- The stack itself has begun something else, its way back for instance: what is done is counted anew.
local function turn(self, event)
  if event.ResourceStatus:find("ROLLBACK_IN_PROGRESS$") or event.ResourceStatus == "DELETE_IN_PROGRESS" then
    self.done, self.n_done = {}, 0
  end
end

--- Takes an event into account.
---@param event table as DescribeStackEvents gives it
function live:event(event)
  if event.ResourceType == NESTED and event.PhysicalResourceId == event.StackId then return turn(self, event) end
  local key = event.StackId .. " " .. event.LogicalResourceId
  local state = event.ResourceStatus
  if state:find("_IN_PROGRESS$") then
    if not self.listed[key] then self.listed[key], self.order[#self.order + 1] = true, key end
    self.working[key] = self.working[key] or { since = task.monotonic(), id = event.LogicalResourceId }
    self.working[key].status, self.working[key].type = state, event.ResourceType
    return
  end
  self.working[key] = nil
  if state:find("_FAILED$") then
    self.n_failed = count(self.failed, key, self.n_failed)
  else
    self.n_done = count(self.done, key, self.n_done)
  end
end

-- The resources at work, longest first; those that have ended are forgotten.
local function at_work(self)
  local list, order = {}, {}
  for _, key in ipairs(self.order) do
    self.listed[key] = self.working[key] ~= nil or nil
    if self.working[key] then
      list[#list + 1], order[#order + 1] = self.working[key], key
    end
  end
  self.order = order
  return list
end

local function fit(line, columns)
  local length = utf8.len(line) or #line
  if length < columns then return line end
  return line:sub(1, (utf8.offset(line, columns - 1) or columns - 1) - 1)
end

local function work_line(self, item, now)
  local usual = self.usual(item.type, self.verb)
  return ("  %s  %s  %s  %s%s"):format(item.status, item.type, item.id, util.show_duration(now - item.since),
    usual and (" (usually %s)"):format(util.show_duration(usual)) or "")
end

-- Seconds that are still needed at least: the longest rest among the resources at work; nil when nothing is known.
local function estimate(self, list, now)
  local rest
  for _, item in ipairs(list) do
    local usual = self.usual(item.type, self.verb)
    if usual then rest = math.max(rest or 0, usual - (now - item.since)) end
  end
  return rest and rest > 0 and rest or nil
end

local function bar_line(self, list, now)
  local total = math.max(self.total, self.n_done + self.n_failed + #list)
  local share = total > 0 and self.n_done / total or 0
  local filled = math.floor(share * BAR_WIDTH + 0.5)
  local rest = estimate(self, list, now)
  return ("[%s%s] %d of %d done, %d at work, %d failed  %s%s"):format(("#"):rep(filled),
    ("-"):rep(BAR_WIDTH - filled), self.n_done, total, #list, self.n_failed,
    util.show_duration(now - self.began), rest and (", about %s more"):format(util.show_duration(rest)) or "")
end

--- The lines as they would be drawn.
---@param columns integer
---@param rows integer
---@return string[]
function live:lines(columns, rows)
  local now, list, lines = task.monotonic(), at_work(self), {}
  local most = math.max(1, math.min(MOST_LINES, rows - 4))
  for index = 1, math.min(#list, most) do lines[index] = fit(work_line(self, list[index], now), columns) end
  if #list > most then lines[#lines + 1] = fit(("  ... and %d more"):format(#list - most), columns) end
  lines[#lines + 1] = fit(bar_line(self, list, now), columns)
  return lines
end

--- Takes the view away, so that something else can be written.
function live:clear()
  if self.drawn > 0 then self.write(UP_AND_CLEAR:format(self.drawn)) end
  self.drawn = 0
end

--- Draws it anew, in the terminal's size of now.
function live:draw()
  local columns, rows = sys.terminal_size()
  local lines = self:lines(columns or 80, rows or 24)
  self:clear()
  self.write(table.concat(lines, "\n") .. "\n")
  self.drawn = #lines
end

return live
