--- Scenarios: what goes wrong in a sandbox, and when. A scenario is a Lua file that returns a table:
--
--   teaches    one sentence: what a rehearsal with it shows
--   seed       integer; the same seed gives the same run
--   starts_at  epoch seconds: what time it is in the sandbox when a rehearsal begins
--   clock_ahead  seconds by which the service's clock is before that of its clients (behind, when negative)
--   exports    { { name = "with * for any text", by = { "stack names" } } }: stacks elsewhere that import them
--   resources  rules for resources, the first that fits counts:
--                resource  logical id or type, with * for any text     stack   name, the same
--                on        "create", "update", "delete", "import", "rollback" (the way back of an update)
--                nth       only the N-th time that the rule fits       times   how often it strikes, 1 if nil
--                at        share of the resource's usual duration at which it strikes, 0.5 if nil
--                fail      the reason | hang = true: it never ends | slow = factor of its duration
--   requests   rules for requests, the same way:
--                service, operation    names, with * for any text
--                trouble   a kind of sandbox.trouble | delay = seconds
--                share     0..1: strikes by chance                     nth, times (any number if nil)
--                within    seconds: only while the stack that the request names is no older
--   drifts     rules for resources, applied when an operation on their stack is complete:
--                resource, stack, nth, times   as above
--                set = { Property = value }    changed behind the stack's back | delete = true
--   invoke     function name, with * for any text -> function(payload, name) that answers for a Lambda function:
--              { payload = value } or { error = text }; so macros are answered, too
--   custom     type, with * for any text -> function(request) that answers a custom resource's request as its
--              provider would (reference part 12): { Status, Reason, PhysicalResourceId, Data }; nil: no
-- answer
--
-- The engine asks `verdict` before it lets a resource's action take its course, the listener asks `disturb`
-- for each request.

local text = require "tap.core.text"
local sys = require "tap.core.sys"
local errors = require "tap.core.error"
local trouble = require "sandbox.trouble"

local scenario = {}

local Scenario = {}
Scenario.__index = Scenario

local function refuse(message, ...)
  error(errors.new { class = "usage", code = "BadScenario", message = message:format(...) }, 0)
end

local ACTIONS = { create = true, update = true, delete = true, import = true, rollback = true }

-- What a table may hold: name -> type, or a function that gives what is wrong.
local RESOURCE_RULE = {
  resource = "string", stack = "string", nth = "number", times = "number", at = "number", fail = "string",
  hang = "boolean", slow = "number",
  on = function(value) return not ACTIONS[value] and "is none of create, update, "
    .. "delete, import, rollback" end,
}
local DRIFT_RULE = {
  resource = "string", stack = "string", nth = "number", times = "number", set = "table", delete = "boolean",
}
local REQUEST_RULE = {
  service = "string", operation = "string", nth = "number", times = "number", share = "number",
  delay = "number", within = "number",
  trouble = function(value)
    return not trouble.kinds[value] and "is none of " .. table.concat(trouble.names(), ", ")
  end,
}
local EXPORT_RULE = { name = "string", by = "table" }
local STARTS_AT = 1767225600 -- 2026-01-01: a scenario's run shows the same times whenever it is made

local WHOLE = {
  teaches = "string", seed = "number", starts_at = "number", resources = "table", requests = "table",
  custom = "table", invoke = "table", drifts = "table", clock_ahead = "number", exports = "table",
}

local function check(where, value, fields)
  if type(value) ~= "table" then refuse("%s is not a table", where) end
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for name, given in pairs(value) do
    local wanted = fields[name]
    if not wanted then
      local nearest = text.nearest(tostring(name), names)
      refuse("%s: '%s' is not known%s", where, tostring(name),
        nearest and ", did you mean '" .. nearest .. "'?" or "; it takes " .. table.concat(names, ", "))
    end
    local wrong = type(wanted) == "function" and wanted(given)
      or type(wanted) == "string" and type(given) ~= wanted and "is not a " .. wanted
    if wrong then refuse("%s: %s %s", where, name, wrong) end
  end
end

local function check_rules(where, rules, fields, effects)
  for i, rule in ipairs(rules or {}) do
    local at = ("%s[%d]"):format(where, i)
    check(at, rule, fields)
    local found = 0
    for _, effect in ipairs(effects) do found = found + (rule[effect] ~= nil and 1 or 0) end
    if found ~= 1 then refuse("%s: one of %s is needed", at, table.concat(effects, ", ")) end
  end
end

-- "web-*" as a Lua pattern.
local function fits(pattern, name)
  if not pattern then return true end
  local escaped = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return name:match("^" .. escaped .. "$") ~= nil
end

local function rules_of(list, times)
  local out = {}
  for i, rule in ipairs(list or {}) do
    out[i] = setmetatable({ fitted = 0, struck = 0, times = rule.times or times }, { __index = rule })
  end
  return out
end

--- A scenario from its table. Raises class "usage" for what is wrong in it, with its place.
---@param definition table
---@param name string? that messages call it by
function scenario.new(definition, name)
  name = name or "scenario"
  check(name, definition, WHOLE)
  check_rules(name .. ": resources", definition.resources, RESOURCE_RULE, { "fail", "hang", "slow" })
  check_rules(name .. ": requests", definition.requests, REQUEST_RULE, { "trouble", "delay" })
  check_rules(name .. ": drifts", definition.drifts, DRIFT_RULE, { "set", "delete" })
  check_rules(name .. ": exports", definition.exports, EXPORT_RULE, { "by" })
  return setmetatable({
    drift_rules = rules_of(definition.drifts, 1), name = name, teaches = definition.teaches,
    seed = definition.seed, starts_at = definition.starts_at or STARTS_AT,
    clock_ahead = definition.clock_ahead or 0, exports = definition.exports or {},
    custom = definition.custom, functions = definition.invoke, resources = rules_of(definition.resources, 1),
    requests = rules_of(definition.requests, math.huge),
  }, Scenario)
end

--- The names of the scenarios that ship, in the order in which they are worth trying.
---@return string[]
function scenario.names()
  return require "sandbox.scenarios"
end

local function shipped(name)
  for _, known in ipairs(scenario.names()) do
    if known == name then return require("sandbox.scenarios." .. name) end
  end
  local nearest = text.nearest(name, scenario.names())
  refuse("there is no scenario '%s'%s; those that ship: %s", name,
    nearest and ", did you mean '" .. nearest .. "'?" or "", table.concat(scenario.names(), ", "))
end

local function from_file(path)
  if not sys.exists(path) then refuse("scenario %s: no such file", path) end
  local chunk, problem = load(sys.read_file(path), "@" .. path, "t")
  if not chunk then refuse("scenario %s", problem) end
  return chunk()
end

--- The scenario of a sandbox in which nothing goes wrong, and that begins now.
scenario.none = setmetatable({ resources = {}, requests = {}, drift_rules = {}, exports = {}, clock_ahead = 0 },
  Scenario)

--- Loads one: a name of those that ship, a path of a file, or the table itself; nil is scenario.none.
---@param which string | table | nil
function scenario.load(which)
  if which == nil then return scenario.none end
  if type(which) == "table" then return scenario.new(which) end
  if which:find("[/.]") then return scenario.new(from_file(which), which) end
  return scenario.new(shipped(which), which)
end

--- How a state file names the scenario that scenario.load takes: "" for none, a file by its whole path.
---@param which string?
---@return string
function scenario.reference(which)
  if not which or not which:find("[/.]") or which:find("^/") then return which or "" end
  return sys.cwd() .. "/" .. which
end

-- Does a rule that fits strike this time?
local function strikes(rule)
  rule.fitted = rule.fitted + 1
  if rule.nth and rule.fitted ~= rule.nth or rule.struck >= rule.times then return false end
  rule.struck = rule.struck + 1
  return true
end

local function is_about(rule, stack_name, resource)
  return fits(rule.stack, stack_name)
    and (fits(rule.resource, resource.logical) or fits(rule.resource, resource.type))
end

--- What happens to a resource's action: nil when it takes its course, else the rule that strikes.
---@param stack_name string
---@param resource { logical: string, type: string }
---@param action string "create", "update", "delete", "import" or "rollback"
---@return { at: number?, fail: string?, hang: boolean?, slow: number? }?
function Scenario:verdict(stack_name, resource, action)
  for _, rule in ipairs(self.resources) do
    local fit = (not rule.on or rule.on == action) and is_about(rule, stack_name, resource)
    if fit and strikes(rule) then return rule end
  end
end

--- How a resource drifts once its stack is complete; nil when it does not.
---@return { set: table?, delete: boolean? }?
function Scenario:drift(stack_name, resource)
  for _, rule in ipairs(self.drift_rules) do
    if is_about(rule, stack_name, resource) and strikes(rule) then return rule end
  end
end

--- What a Lambda function answers; nil when the scenario does not say.
---@param name string
---@param payload string?
---@return { payload: any, error: string? }?
function Scenario:invoke(name, payload)
  for pattern, answer in pairs(self.functions or {}) do
    if fits(pattern, name) then return answer(payload, name) end
  end
end

--- The function that answers for a custom resource's provider; nil when the scenario has none.
---@param type_name string
---@return (fun(request: table): table?)?
function Scenario:provider(type_name)
  for pattern, provider in pairs(self.custom or {}) do
    if fits(pattern, type_name) then return provider end
  end
end

--- The stacks elsewhere that import an export.
---@param name string
---@return string[]
function Scenario:importers(name)
  local out = {}
  for _, rule in ipairs(self.exports) do
    if fits(rule.name, name) then table.move(rule.by, 1, #rule.by, #out + 1, out) end
  end
  return out
end

--- What happens to a request: nil, or the rule that strikes.
---@param service string signing name
---@param operation string the operation's name; "" when the request does not say
---@param stream table of sandbox.ids, for chance
---@param age fun(): number? seconds since the stack was made that the request names; nil: it names none
---@return { trouble: string?, delay: number? }?
function Scenario:disturb(service, operation, stream, age)
  for _, rule in ipairs(self.requests) do
    local fit = fits(rule.service, service) and fits(rule.operation, operation)
      and (not rule.within or (age() or math.huge) < rule.within)
      and (not rule.share or stream:between(0, 1) < rule.share)
    if fit and strikes(rule) then return rule end
  end
end

return scenario
