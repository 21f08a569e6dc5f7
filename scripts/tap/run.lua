--- One execution of a workflow: its id, its clients' settings, its sandbox, and the `ctx` that the workflow's
-- run(ctx, p) is given.

local core_client = require "tap.core.client"
local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local log = require "tap.log"
local recorder = require "tap.recorder"
local sys = require "tap.core.sys"
local task = require "tap.task"
local text = require "tap.core.text"
local util = require "tap.util"

local run = {}
run.__index = run

-- The run that scripts' tap.client belongs to; one process executes one run.
local current

local SANDBOX_REGION = "us-east-1"
local SANDBOX_CREDENTIALS = { access_key = "test", secret_key = "test" }
local SANDBOX_SEED = 1 -- of the pauses between attempts: a rehearsal repeats exactly

local function new_id()
  local stamp = text.iso_time(task.now()):gsub("[-:]", ""):sub(1, 15)
  return ("%s-%s"):format(stamp, crypto.uuid():sub(1, 8))
end

local function start_sandbox(self)
  local scenario, path = self.options.sandbox, self.options.sandbox_state
  if self.options.endpoint_url then
    errors.raise { class = "usage", code = "BadArguments",
      message = "--sandbox and --endpoint-url exclude each other" }
  end
  if scenario == "" then scenario = nil end
  local emulator = require "sandbox"
  local kept = path and emulator.open_state(path, { scenario = scenario })
  task.clock("virtual", kept and kept.header.began or emulator.starts_at(scenario))
  self.sandbox = emulator.start { scenario = scenario, state = kept }
end

-- A run goes on where it began, whatever the environment says by now: the same region and endpoint, and the profile
-- when there are no other credentials.
local function take_up(self, record)
  local now = sys.getenv "AWS_ENDPOINT_URL" or ""
  if now ~= "" and now ~= record.endpoint and not self.options.endpoint_url then
    errors.raise { class = "usage", code = "OtherEndpoint",
      message = ("the run began at %s, and AWS_ENDPOINT_URL is %s"):format(record.endpoint or "AWS", now),
      hints = { "unset AWS_ENDPOINT_URL to go on with the run" } }
  end
  self.fixed_region = record.region
  if now == "" and record.endpoint and not self.options.endpoint_url then
    sys.setenv("AWS_ENDPOINT_URL", record.endpoint)
  end
  if not self.options.profile and (sys.getenv "AWS_PROFILE" or "") == "" and not sys.getenv "AWS_ACCESS_KEY_ID" then
    self.options.profile = record.profile
  end
end

--- Starts a run: from here on tap.client uses its settings.
---@param options table the global options' values
---@param report table
---@param resumed table? the journal's record of the run that this one goes on with: it is the same run
---@return table run
function run.start(options, report, resumed)
  local self = setmetatable({ options = options, report = report, id = resumed and resumed.id or new_id(),
    resumed = resumed, recorder = recorder.nothing(), occurrences = {}, passed = {}, at_end = {}, at_cancel = {} }, run)
  report.run = self.id
  current = self
  if resumed then take_up(self, resumed) end
  if options.sandbox or options.sandbox_state then start_sandbox(self) end
  return self
end

--- Ends it: the sandbox stops.
function run:stop()
  if self.sandbox then self.sandbox:stop() end
  self.sandbox, current = nil, nil
end

--- Is all that the run does gone at its end?
---@return boolean
function run:ends_with_sandbox()
  return self.sandbox ~= nil and not self.options.sandbox_state
end

--- The region of the run's calls; nil when none is set.
---@return string?
function run:region()
  for _, region in ipairs { self.fixed_region or "", self.options.region or "", sys.getenv("AWS_REGION") or "",
    sys.getenv("AWS_DEFAULT_REGION") or "" } do
    if region ~= "" then return region end
  end
  if self.usual_region then return self.usual_region end
  if self.sandbox then return SANDBOX_REGION end
  return core_client.usual_region(self.options.profile)
end

--- Where its calls go instead of to AWS, by its option or the environment.
---@return string?
function run:endpoint()
  local url = self.options.endpoint_url or sys.getenv "AWS_ENDPOINT_URL"
  return url ~= "" and url or nil
end

--- What tap.client passes on to the core; empty outside of a run (then the core reads the environment).
---@return table options
function run.client_options()
  if not current then return {} end
  local region = current:region()
  if current.sandbox then
    return { region = region, endpoint_url = current.sandbox.url, credentials = SANDBOX_CREDENTIALS,
      random_seed = SANDBOX_SEED }
  end
  return { profile = current.options.profile, region = region, endpoint_url = current.options.endpoint_url }
end

---------------------------------------------------------------------------------------------------------
-- What run(ctx, p) is given

---@class tap.Context
---@field run_id string
---@field options table the global options' values: region, output, yes, ...
---@field out table tap.report: note(line), warn(line), event(event)
---@field log table tap.log: debug, info, warn, error(message, fields)
local context = {}

--- Does one step: tap.step has what its options are.
---@param name string
---@param fn fun(): any
---@param options table?
---@return any
function context:step(name, fn, options)
  return require("tap.step").run(self, name, fn, options)
end

--- Calls fn at the end of the run, however it ends; the last one first. It may call AWS and wait.
---@param fn function
function context:finally(fn)
  table.insert(self.run.at_end, fn)
end

--- Calls fn when the run is cancelled (Ctrl-C, SIGTERM), before what `finally` named.
---@param fn function
function context:on_cancel(fn)
  table.insert(self.run.at_cancel, fn)
end

--- Says for the journal which stack the run is about.
---@param stack string
function context:about(stack)
  self.run.recorder:about(stack, self.run:region())
end

--- A client of a service, with the run's region, endpoint and credentials.
---@param service string
---@param options table? as of tap.client
---@return tap.Client
function context.client(_, service, options)
  return require("tap.client").new(service, options)
end

--- Sets the region of the run's calls, as a stack file has it.
---@param region string
---@param fixed boolean? it counts whatever the options and the environment say; else only when they say nothing
function context:use_region(region, fixed)
  self.run[fixed and "fixed_region" or "usual_region"] = region
end

--- Where the run's calls go, for people.
---@return string
function context:where()
  local region = self.run:region() or "no region"
  if self.run.sandbox then return region .. " of the sandbox" end
  return self.options.endpoint_url and ("%s at %s"):format(region, self.options.endpoint_url) or region
end

--- Says what AWS is doing on behalf of this run, for the message of an interruption, a timeout or a lost
-- connection; nil when it has ended.
---@param what string? one sentence
---@param ways string[]? lines: how to come back to it
---@param stop { words: string, call: fun(): boolean }? how it can be stopped, for whoever presses Ctrl-C
function context:going_on(what, ways, stop)
  self.run.note = what and { what = what, ways = ways or {}, stop = stop } or nil
end

--- A command line that comes back to what this run has begun; nil when that ends with the run's sandbox.
---@param words string "status --stack-name web"
---@return string?
function context:command(words)
  if self.run:ends_with_sandbox() then return nil end
  local parts = { "tapengine " .. words }
  for _, option in ipairs { { "profile", self.options.profile }, { "region", self.run:region() },
    { "endpoint-url", self.options.endpoint_url }, { "sandbox-state", self.options.sandbox_state } } do
    if option[2] then parts[#parts + 1] = ("--%s %s"):format(option[1], util.shell_quote(option[2])) end
  end
  return table.concat(parts, " ")
end

--- Asks before something is done that cannot be undone. Passes when the answer is yes or --yes was given;
-- raises class "refused" otherwise.
---@param question string
function context:confirm(question)
  if self.options.yes then return end
  if not sys.isatty(0) then
    errors.raise { class = "refused", code = "NotConfirmed", message = question .. " Nobody is there to ask.",
      hints = { "add --yes to go on without asking" } }
  end
  if not require("tap.report").ask(question) then
    errors.raise { class = "refused", code = "NotConfirmed", message = "the answer was no; nothing was done" }
  end
end

--- Waits for an approval: tap.approval has what its options are.
---@param question string
---@param options table?
function context:approve(question, options)
  require("tap.approval").wait(self, question, options)
end

--- A token that makes an operation of this run idempotent and its events recognisable. The same step of the same run on
-- the same stack has the same one, also after the run has been resumed.
---@param step string "create"
---@param stack string? a run may work on several
---@return string
function context:token(step, stack)
  local of_stack = stack and "-" .. crypto.sha256(stack):sub(1, 8) or ""
  return ("tap-%s-%s%s"):format(self.run_id, (step:gsub("%W+", "-")), of_stack)
end

--- The ctx of this run. Its fields: run_id, options (the global options' values), out (tap.report), log.
---@return table
function run:context()
  return setmetatable({ run = self, run_id = self.id, options = self.options, out = self.report, log = log },
    { __index = function(_, name)
      if context[name] then return context[name] end
      errors.raise { class = "usage", code = "UnknownField", message = ("there is no ctx.%s%s"):format(
        tostring(name), util.suggest(tostring(name), util.sorted_keys(context), "ctx.")) }
    end })
end

--- What goes on in AWS, as lines; empty when nothing does.
---@return string[]
function run:going_on()
  local note = self.note
  if not note then return {} end
  if self:ends_with_sandbox() then return { "the sandbox ends with this command: nothing goes on" } end
  return { note.what, table.unpack(note.ways) }
end

return run
