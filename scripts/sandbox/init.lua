--- The sandbox: an AWS emulator in this process, on loopback. One store of resources; CloudFormation creates
-- in it, other services are views of it.
--
--   init, command       start and stop; `tapengine sandbox`
--   http, constraints   requests: signature, service, operation, what its model demands
--   trouble             what can go wrong on the way
--   scenario, scenarios/  what goes wrong, and when
--   services/           the operations
--   template/           the template language
--   engine/             what happens to stacks, in time
--   resources/          what is known about resource types
--   store, ids, clock   what exists; chance from a seed; time
--   state, import_stack what exists, in a file; a real stack into it

local server = require "tap.core.server"
local task = require "tap.core.task"
local clock = require "sandbox.clock"
local http = require "sandbox.http"
local ids = require "sandbox.ids"
local scenario = require "sandbox.scenario"
local state = require "sandbox.state"
local store = require "sandbox.store"

local sandbox = {}

local Sandbox = {}
Sandbox.__index = Sandbox

local ACCOUNT = "123456789012"

--- The caller that an access key stands for.
local function callers_of(access_keys, stream)
  local out = {}
  local names = {}
  for id in pairs(access_keys) do names[#names + 1] = id end
  table.sort(names)
  for _, id in ipairs(names) do
    out[id] = {
      secret = access_keys[id], id = "AIDA" .. stream:text(17, ids.alphabets.upper),
      arn = ("arn:aws:iam::%s:user/%s"):format(ACCOUNT, id),
    }
  end
  return out
end

local OPTIONS = {
  address = true, port = true, seed = true, scenario = true, access_keys = true, disturb = true, state = true,
}

local function check_options(options)
  for name in pairs(options) do
    if not OPTIONS[name] then error("sandbox.start: unknown option " .. tostring(name), 3) end
  end
end

--- What time it is when a scenario begins; nil: any.
---@param which string | table | nil
---@return number? epoch seconds
function sandbox.starts_at(which)
  return scenario.load(which).starts_at
end

--- Opens a state file for sandbox.start. A new one begins as its scenario does.
---@param path string
---@param options { scenario: string|table?, seed: integer? }
---@return table state of sandbox.state
function sandbox.open_state(path, options)
  local story = scenario.load(options.scenario)
  return state.open(path, { seed = options.seed or story.seed or 1, began = story.starts_at or os.time() })
end

--- Starts a sandbox. To be called in a task; it serves from tasks below that one until stop() is called.
---@param options { address: string?, port: integer?, seed: integer?, scenario: string|table?,
---  state: table?, access_keys: table<string, string>?, disturb: (fun(number: integer, exchange: table):
-- string?)? }? port 0 (the default) takes a free one; scenario says what goes wrong (sandbox.scenario); state
-- (of sandbox.state, its seed counts) keeps what changes, after it was performed again; access_keys are
--- id -> secret, { test = "test" } if nil; disturb is asked for each request (counted from 1) and names the
--- trouble that it meets (sandbox.trouble), or nil
---@return table sandbox with url, port, store and stop(); also a to-be-closed value
function sandbox.start(options)
  options = options or {}
  check_options(options)
  local story = scenario.load(options.scenario)
  local address, seed = options.address or "127.0.0.1", options.seed or story.seed or 1
  if options.state then seed = options.state.header.seed end
  local self
  self = setmetatable({
    request_ids = ids.stream(seed, "requests"),
    callers = callers_of(options.access_keys or { test = "test" }, ids.stream(seed, "callers")),
    store = store.new { account = ACCOUNT, seed = seed,
      importers = function(name) return self.scenario:importers(name) end },
    requests = 0, disturb = options.disturb, scenario = story, chance = ids.stream(seed, "scenario"),
  }, Sandbox)
  self.listener = server.listen(address, options.port or 0)
  self.port = self.listener:port()
  local host = address:find(":", 1, true) and "[" .. address .. "]" or address
  self.url = ("http://%s:%d"):format(host, self.port)
  self.root = task.current():spawn(function() http.serve(self, self.listener, self.root) end)
  local function report(message) self.world.report(message) end
  self.world = { store = self.store, clock = clock.below(self.root, report), report = http.report, scenario = story,
    callers = self.callers, sessions = 0, url = self.url }
  self.state = options.state
  if self.state then self.state:replay(self, options.scenario) end
  return self
end

--- Lets another scenario say what goes wrong from now on.
---@param story table of sandbox.scenario
function Sandbox:set_scenario(story)
  self.scenario, self.world.scenario = story, story
end

--- Ends it: the listener closes, and nothing more happens to its stacks.
function Sandbox:stop()
  self.root:cancel()
  self.listener:close()
  if self.state then self.state:close() end
end

Sandbox.__close = Sandbox.stop

return sandbox
