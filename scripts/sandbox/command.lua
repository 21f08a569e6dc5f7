--- `tapengine sandbox`: the emulator as a server, for any AWS client.

local params = require "tap.params"
local errors = require "tap.error"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local util = require "tap.util"
local sandbox = require "sandbox"
local import_stack = require "sandbox.import_stack"
local scenario = require "sandbox.scenario"

local command = {}

--- What it takes; `tapengine help sandbox` is written from it.
command.OPTIONS = {
  { "listen", "string", default = "127.0.0.1:4566", help = "address and port; port 0 takes a free one" },
  { "clock", "string", default = "real", help = "real; virtual (no waiting); or 60x (sixty times faster)" },
  { "access-key", "list", env = false, help = "ID:SECRET of callers, in place of test:test" },
  { "seed", "integer", help = "the same seed gives the same ids and events; 1, or the scenario's" },
  { "state", "file", env = false, help = "keep what it holds in this file, and begin with what that holds" },
  { "import-stack", "string", env = false, help = "read this stack of AWS into --state FILE, and end" },
  { "region", "string", env = false, help = "of --import-stack" },
  { "profile", "string", env = false, help = "of --import-stack" },
  { "endpoint-url", "string", env = false, help = "of --import-stack" },
  { "scenario", "string", env = false, help = "what goes wrong: a name (list shows them) or a Lua file" },
}

local BANNER = [[
The sandbox listens on %s (account 123456789012, clock: %s).
  export AWS_ENDPOINT_URL=%s
  export AWS_ACCESS_KEY_ID=%s
  export AWS_SECRET_ACCESS_KEY=%s
  export AWS_REGION=us-east-1
Ctrl-C ends it; what it holds is %s.
]]

local function refuse(message)
  errors.raise { class = "usage", code = "BadArguments", message = message }
end

-- "127.0.0.1:4566", "[::1]:0"
local function address_of(listen)
  local address, port = listen:match("^%[([%x:]+)%]:(%d+)$")
  if not address then address, port = listen:match("^([^:]+):(%d+)$") end
  port = math.tointeger(tonumber(port))
  if not port or port > 65535 then refuse(("--listen '%s' is not ADDRESS:PORT"):format(listen)) end
  return address, port
end

local function is_loopback(address)
  return address:match("^127%.") ~= nil or address == "::1" or address == "localhost"
end

local function set_clock(name, starts_at)
  local factor = tonumber(name:match("^(%d+%.?%d*)x$"))
  if factor and factor >= 1 then
    task.clock("scaled", factor)
  elseif name == "virtual" then
    task.clock("virtual", starts_at)
  elseif name == "real" then
    task.clock "real"
  else
    refuse(("--clock '%s' is none of real, virtual, 60x"):format(name))
  end
end

local function access_keys_of(list)
  local keys, first = {}, nil
  for _, pair in ipairs(list) do
    local id, secret = pair:match("^([%w_-]+):(.+)$")
    if not id then refuse("--access-key is not ID:SECRET") end
    keys[id], first = secret, first or id
  end
  if first then return keys, first end
  return { test = "test" }, "test"
end

local function import(values)
  if not values.state then refuse "--import-stack needs --state FILE to write into" end
  local kept = sandbox.open_state(values.state, { seed = values.seed })
  local found = import_stack.into(kept, values.import_stack, { region = values.region, profile =
    values.profile,
    endpoint_url = values.endpoint_url })
  kept:close()
  sys.write(1, ("%s: %d resources in %s. Begin with it: tapengine sandbox --state %s\n"):format(
    values.import_stack, found.resources, found.region, values.state))
  for _, name in ipairs(found.secrets) do
    sys.write(2, ("The value of %s is secret and was not read: it is **** in the sandbox.\n"):format(name))
  end
  return 0
end

local function list_scenarios()
  local rows = {}
  for i, name in ipairs(scenario.names()) do rows[i] = { name, scenario.load(name).teaches } end
  sys.write(1, table.concat(util.columns(rows, ""), "\n") .. "\n")
  return 0
end

--- Runs until a signal ends it.
---@param argv string[]
---@return integer exit code
function command.run(argv)
  local values = params.parse(assert(params.check(command.OPTIONS)), argv, sys.getenv)
  if values.scenario == "list" then return list_scenarios() end
  if values.import_stack then return import(values) end
  local address, port = address_of(values.listen)
  local keys, first = access_keys_of(values.access_key)
  local story = scenario.load(values.scenario)
  local kept = values.state and sandbox.open_state(values.state, values)
  set_clock(kept and "virtual" or values.clock, kept and kept.header.began or story.starts_at)
  local emulator <close> = sandbox.start {
    address = address, port = port, seed = values.seed, access_keys = keys, scenario = values.scenario,
    state = kept,
  }
  if kept and values.clock ~= "virtual" then set_clock(values.clock) end
  local secret = first == "test" and keys.test == "test" and "test" or "<the secret of this key>"
  sys.write(1, BANNER:format(emulator.url, values.clock, emulator.url, first, secret,
    kept and "kept in " .. values.state or "gone then"))
  if not is_loopback(address) then
    sys.write(2, address .. " is not loopback: whoever reaches this machine can reach the sandbox.\n")
  end
  task.signal { "INT", "TERM" }
  return 0
end

return command
