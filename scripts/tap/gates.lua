--- Gates: what must not be done without somebody's explicit word.
--
-- A gate sees the planned changes and answers with what it refuses, each with the resource and the reason. The
-- ones that are on by default guard data. A stack file chooses others, with their settings, and adds functions of
-- its own. `--accept NAME` lets one pass, for one run.

local change_words = require "tap.change_words"
local errors = require "tap.error"
local json = require "tap.core.json"
local text = require "tap.core.text"
local util = require "tap.util"

local gates = {}

---@class tap.Plan
---@field changes { change: table, depth: integer, stack: string }[] ResourceChange tables of DescribeChangeSet
---@field stack table as DescribeStacks gives it
---@field cfn table client of CloudFormation
---@field now number seconds since 1970
---@field reverts_drift boolean? the change set is a drift-aware one
---@field ignore_drift table? the stack file's

---@alias tap.Gate fun(plan: tap.Plan, setting: any): { resource: string?, reason: string }[]

local function data_loss(plan)
  local refused = {}
  for _, item in ipairs(plan.changes) do
    if change_words.loses_data(item.change) then
      refused[#refused + 1] = { resource = item.change.LogicalResourceId,
        reason = change_words.consequence(item.change) }
    end
  end
  return refused
end

local function max_changes(plan, limit)
  if #plan.changes <= limit then return {} end
  return { { reason = ("%d changes, and at most %d are allowed in one go"):format(#plan.changes, limit) } }
end

local function no_removals(plan)
  local refused = {}
  for _, item in ipairs(plan.changes) do
    if item.change.Action == "Remove" then
      refused[#refused + 1] = { resource = item.change.LogicalResourceId,
        reason = change_words.consequence(item.change) }
    end
  end
  return refused
end

local function no_replacements(plan)
  local refused = {}
  for _, item in ipairs(plan.changes) do
    if item.change.Action == "Modify" and item.change.Replacement == "True" then
      refused[#refused + 1] = { resource = item.change.LogicalResourceId,
        reason = change_words.consequence(item.change) }
    end
  end
  return refused
end

---------------------------------------------------------------------------------------------------------
-- IAM

local function as_list(value)
  if value == nil then return {} end
  return type(value) == "table" and json.is_list(value) and value or { value }
end

-- The statements that allow everything, or everything of a service, anywhere below a value.
local function wide_statements(value, found)
  if type(value) ~= "table" then return found end
  if value.Effect == "Allow" then
    for _, action in ipairs(as_list(value.Action)) do
      local wide = action == "*" or tostring(action):find(":%*$")
      for _, resource in ipairs(as_list(value.Resource)) do
        if wide and resource == "*" then found[tostring(action)] = true end
      end
    end
  end
  if value.PolicyArn == "arn:aws:iam::aws:policy/AdministratorAccess" then found.AdministratorAccess = true end
  for _, inner in pairs(value) do
    if inner == "arn:aws:iam::aws:policy/AdministratorAccess" then found.AdministratorAccess = true end
    wide_statements(inner, found)
  end
  return found
end

local function grants(context)
  local ok, value = pcall(json.decode, context or "{}")
  return ok and wide_statements(value, {}) or {}
end

local function iam_widening(plan)
  local refused = {}
  for _, item in ipairs(plan.changes) do
    local change = item.change
    if change.ResourceType:find("^AWS::IAM::") and change.Action ~= "Remove" then
      local before = grants(change.BeforeContext)
      for _, action in ipairs(util.sorted_keys(grants(change.AfterContext))) do
        if not before[action] then
          refused[#refused + 1] = { resource = change.LogicalResourceId,
            reason = ("allows %s on every resource, which it did not before"):format(action) }
        end
      end
    end
  end
  return refused
end

---------------------------------------------------------------------------------------------------------
-- Time and drift

local DAYS = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" }

local function day_allowed(days, today)
  if not days then return true end
  for _, day in ipairs(days) do
    if day:lower():sub(1, 3) == today then return true end
  end
  return false
end

-- { days = { "mon", "tue" }, from = "08:00", to = "16:00" }, UTC; a window may cross midnight.
local function window(plan, setting)
  local clock = text.iso_time(plan.now):sub(12, 16)
  local from, to = setting.from or "00:00", setting.to or "24:00"
  local inside = from <= to and clock >= from and clock < to or from > to and (clock >= from or clock < to)
  local today = DAYS[(math.floor(plan.now) // 86400 + 4) % 7 + 1]
  if inside and day_allowed(setting.days, today) then return {} end
  return { { reason = ("it is %s %s UTC, and changes are allowed %s from %s to %s"):format(today, clock,
    setting.days and table.concat(setting.days, ", ") or "every day", from, to) } }
end

local function no_drift(plan)
  if plan.reverts_drift or plan.stack.StackStatus == "REVIEW_IN_PROGRESS" then return {} end
  local refused = {}
  for _, found in ipairs(require("tap.drift").detect(plan.cfn, plan.stack.StackId, plan.ignore_drift)) do
    refused[#refused + 1] = { resource = found.logical_id, reason = "it has drifted: " .. found.status }
  end
  return refused
end

--- Name -> { check, default setting, what it is for }. A setting of false switches a gate off.
gates.SHIPPED = {
  ["data-loss"] = { check = data_loss, default = true,
    summary = "a resource that holds data would be removed or replaced" },
  ["no-removals"] = { check = no_removals, default = false, summary = "any resource would be removed" },
  ["no-replacements"] = { check = no_replacements, default = false, summary = "any resource would be replaced" },
  ["max-changes"] = { check = max_changes, default = false, takes = "number",
    summary = "more changes than the given number" },
  ["iam-widening"] = { check = iam_widening, default = false,
    summary = "an IAM policy would allow a whole service on every resource" },
  window = { check = window, default = false, takes = "table", summary = "outside of the given days and hours, UTC" },
  ["no-drift"] = { check = no_drift, default = false, summary = "a resource is not what its template says" },
}

local function refuse_setting(name, problem)
  errors.raise { class = "usage", code = "BadGate", message = ("gate '%s' %s"):format(name, problem) }
end

-- The gate's function and setting for a name of a stack file.
local function resolve(name, setting)
  if type(setting) == "function" then return { check = setting, setting = true } end
  local shipped = gates.SHIPPED[name]
  if not shipped then
    refuse_setting(name, "is not known" .. util.suggest(name, util.sorted_keys(gates.SHIPPED)))
  end
  if setting ~= false and shipped.takes and type(setting) ~= shipped.takes then
    refuse_setting(name, ("takes a %s, not a %s"):format(shipped.takes, type(setting)))
  end
  return { check = shipped.check, setting = setting }
end

-- Name -> gate, of everything that is switched on.
local function chosen(settings)
  local active = {}
  for name, shipped in pairs(gates.SHIPPED) do
    if shipped.default then active[name] = { check = shipped.check, setting = shipped.default } end
  end
  for name, setting in pairs(settings or {}) do
    local gate = resolve(name, setting)
    active[name] = gate.setting ~= false and gate or nil
  end
  return active
end

--- Lets the gates look at a plan. Raises class "refused" with every objection, its gate and resource.
---@param plan tap.Plan
---@param settings table<string, any>? of a stack file: name -> setting, or a function
---@param accepted string[] names that may pass this once
---@return string[] passed what was accepted although a gate objects, as lines
function gates.check(plan, settings, accepted)
  local may_pass, refused, passed, names = {}, {}, {}, {}
  local active = chosen(settings)
  for _, name in ipairs(accepted) do
    if not active[name] then
      errors.raise { class = "usage", code = "BadArguments", message = ("--accept %s: no such gate is on%s"):format(
        name, util.suggest(name, util.sorted_keys(active))) }
    end
    may_pass[name] = true
  end
  for _, name in ipairs(util.sorted_keys(active)) do
    for _, objection in ipairs(active[name].check(plan, active[name].setting) or {}) do
      local line = ("%s: %s%s"):format(name, objection.resource and objection.resource .. " " or "", objection.reason)
      if may_pass[name] then
        passed[#passed + 1] = line
      else
        refused[#refused + 1], names[name] = line, true
      end
    end
  end
  if #refused > 0 then
    errors.raise { class = "refused", code = "Gate", message = ("refused by %s:\n  %s"):format(
      #refused == 1 and "a gate" or "gates", table.concat(refused, "\n  ")), problems = json.list(refused),
      hints = json.list { "to do it all the same: --accept " .. table.concat(util.sorted_keys(names), ",") } }
  end
  return passed
end

return gates
