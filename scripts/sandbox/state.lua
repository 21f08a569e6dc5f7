--- A sandbox's state in a file: the requests that changed something, one JSON line each, with the time, and the
-- scenario in which they were made. Reading it performs them again on the virtual clock; since ids and durations come
-- from the seed and from time, what comes out is what was there. A line is written as soon as its request has taken
-- effect, so that nothing is lost when the process dies.

local crypto = require "tap.core.crypto"
local errors = require "tap.core.error"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local scenario = require "sandbox.scenario"
local services = require "sandbox.services"

local state = {}

local State = {}
State.__index = State

local FORMAT = "tapengine sandbox state"
local VERSION = 1

-- Operations whose names begin so change nothing.
local READS = { "Describe", "Get", "List", "Head", "Validate", "Estimate", "BatchGet", "TransactGet",
  "Query", "Scan",
  "Decrypt", "Encrypt", "GenerateDataKey" }

local function is_read(operation)
  for _, word in ipairs(READS) do
    if operation:sub(1, #word) == word then return true end
  end
  return false
end

-- Bytes that are no text stand as { ["$bytes"] = base64 }.
local function packed(node)
  if type(node) == "string" then return utf8.len(node) and node or { ["$bytes"] = crypto.base64(node) } end
  if type(node) ~= "table" then return node end
  local out = json.is_list(node) and json.list {} or {}
  for key, inner in pairs(node) do out[key] = packed(inner) end
  return out
end

local function unpacked(node)
  if type(node) ~= "table" then return node end
  if node["$bytes"] then return crypto.unbase64(node["$bytes"]) end
  local out = json.is_list(node) and json.list {} or {}
  for key, inner in pairs(node) do out[key] = unpacked(inner) end
  return out
end

local function refuse(path, message)
  error(errors.new { class = "usage", code = "BadState", message = ("%s: %s"):format(path, message) }, 0)
end

-- Its lines as values. One that was not finished, because the process died while it wrote it, counts for nothing.
local function read_lines(path, whole)
  local lines = {}
  for line in whole:gmatch "[^\n]+" do
    local ok, value = pcall(json.decode, line)
    if ok then lines[#lines + 1] = value end
    if #lines == 0 then break end
  end
  local header = lines[1]
  if not header or header.format ~= FORMAT then refuse(path, "is no state of a sandbox") end
  if header.version ~= VERSION then
    refuse(path, ("is of version %s; this program reads version %d"):format(tostring(header.version), VERSION))
  end
  return header, lines
end

--- Opens a state file, for this process alone. One that is not there yet begins now.
---@param path string
---@param fresh { seed: integer, began: number } what a new one begins with
---@return table state with header = { seed, began }
function state.open(path, fresh)
  local file = sys.own_file(path) or refuse(path, "another sandbox is at work with it")
  local self = setmetatable({ path = path, file = file, lines = {}, story = "" }, State)
  local whole = sys.read_file(path)
  if whole == "" then
    self.header = { format = FORMAT, version = VERSION, seed = fresh.seed, began = fresh.began }
    self:write(self.header)
  else
    self.header, self.lines = read_lines(path, whole)
    if whole:sub(-1) ~= "\n" then file:append "\n" end
  end
  return self
end

function State:write(value)
  self.file:append(json.encode(value) .. "\n")
end

--- Keeps a request that took effect.
---@param request { region: string, service: string, operation: string, input: table, caller: string }
function State:record(request)
  if self.replaying or is_read(request.operation) then return end
  self:write_story()
  self:write { at = task.now() - self.header.began, region = request.region, service = request.service,
    operation = request.operation, caller = request.caller, input = packed(request.input) }
end

-- The scenario of this process, before the first request in it; its rules count from there, also when it is read again.
function State:write_story()
  local story = self.next_story
  self.next_story = nil
  if not story or story == "" and self.story == "" then return end
  self:write { at = task.now() - self.header.began, scenario = story }
end

-- Performs one kept request. What it refuses now it has not refused then: that is reported.
local function perform(sandbox, line)
  local service = services.by_model(line.service)
  local run = service and service.operations[line.operation]
  local caller = sandbox.callers[line.caller] or { id = "AIDA", arn = "arn:aws:iam::123456789012:user/gone" }
  local ok, err = pcall(function()
    run({ world = sandbox.world, region = sandbox.store:region(line.region), caller = caller,
      request_id = sandbox.request_ids:uuid(), given = line.given }, unpacked(line.input))
  end)
  if not ok then
    sandbox.world.report(("state: %s %s: %s"):format(line.service, line.operation, tostring(err)))
  end
end

local function is_busy(sandbox)
  for _, region in pairs(sandbox.store.regions) do
    for _, stack in ipairs(region.stacks) do
      if stack.operation then return true end
    end
  end
  return false
end

local LONGEST = 7 * 86400 -- seconds of virtual time that operations may still take after the last request

--- Performs what the file holds, each part in its scenario; then the sandbox is in its own. The clock is virtual and
-- stands at header.began.
---@param sandbox table
---@param which string? the scenario that it is in afterwards
function State:replay(sandbox, which)
  self.replaying = true
  local own = sandbox.scenario
  sandbox:set_scenario(scenario.none)
  for i = 2, #self.lines do
    local line = self.lines[i]
    local wait = self.header.began + line.at - task.now()
    if wait > 0 then task.sleep(wait) end
    if line.scenario then
      self.story = line.scenario
      sandbox:set_scenario(scenario.load(line.scenario ~= "" and line.scenario or nil))
    else
      perform(sandbox, line)
    end
  end
  local finish = task.now() + LONGEST
  while is_busy(sandbox) and task.now() < finish do task.sleep(10) end
  sandbox:set_scenario(own)
  self.replaying, self.lines, self.next_story = false, {}, scenario.reference(which)
end

function State:close()
  self.file:close()
end

return state
