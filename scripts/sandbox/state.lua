--- A sandbox's state in a file: the requests that changed something, one JSON line each, with the time.
-- Reading it performs them again on the virtual clock; since ids and durations come from the seed and from
-- time, what comes out is what was there. A line is written as soon as its request has taken effect, so that
-- nothing is lost when the process dies.

local crypto = require "tap.core.crypto"
local errors = require "tap.core.error"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
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

local function read_lines(path)
  local lines = {}
  for line in sys.read_file(path):gmatch "[^\n]+" do
    local ok, value = pcall(json.decode, line)
    if not ok then
      if #lines == 0 then refuse(path, "is no state of a sandbox") end
      break -- the process died while it wrote the last line
    end
    lines[#lines + 1] = value
  end
  local header = lines[1]
  if not header or header.format ~= FORMAT then refuse(path, "is no state of a sandbox") end
  if header.version ~= VERSION then
    refuse(path, ("is of version %s; this program reads version %d"):format(tostring(header.version),
      VERSION))
  end
  return header, lines
end

--- Opens a state file. One that is not there yet begins now.
---@param path string
---@param fresh { seed: integer, began: number } what a new one begins with
---@return table state with header = { seed, began }
function state.open(path, fresh)
  local self = setmetatable({ path = path, lines = {} }, State)
  if sys.exists(path) then
    self.header, self.lines = read_lines(path)
  else
    self.header = { format = FORMAT, version = VERSION, seed = fresh.seed, began = fresh.began }
  end
  local file, problem = io.open(path, "a")
  if not file then refuse(path, problem) end
  self.file = file
  if #self.lines == 0 then self:write(self.header) end
  return self
end

function State:write(value)
  self.file:write(json.encode(value), "\n")
  self.file:flush()
end

--- Keeps a request that took effect.
---@param request { region: string, service: string, operation: string, input: table, caller: string }
function State:record(request)
  if self.replaying or is_read(request.operation) then return end
  self:write { at = task.now() - self.header.began, region = request.region, service = request.service,
    operation = request.operation, caller = request.caller, input = packed(request.input) }
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

--- Performs what the file holds. The clock is virtual and stands at header.began.
---@param sandbox table
function State:replay(sandbox)
  self.replaying = true
  for i = 2, #self.lines do
    local wait = self.header.began + self.lines[i].at - task.now()
    if wait > 0 then task.sleep(wait) end
    perform(sandbox, self.lines[i])
  end
  local finish = task.now() + LONGEST
  while is_busy(sandbox) and task.now() < finish do task.sleep(10) end
  self.replaying, self.lines = false, {}
end

function State:close()
  self.file:close()
end

return state
