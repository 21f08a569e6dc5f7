--- What is deployed where: a command line and a stack file put together, checked, and made into requests.
--
-- The command line wins over the stack file, except for a region that the file writes as fixed: that one is forced.

local deployment = require "tap.deployment"
local errors = require "tap.error"
local json = require "tap.core.json"
local offline = require "tap.offline"
local stack_file = require "tap.stack_file"
local sys = require "tap.core.sys"
local template = require "tap.template"
local util = require "tap.util"

local DEFAULT_LIMIT = "1h" -- for one operation

local target = {}
target.__index = target

-- A region that is fixed is used; a flag or an environment that says another one is refused, not overruled.
local function apply_region(ctx, file)
  local region = file and file.region
  if not region then return end
  local fixed = type(region) == "table" and region.fixed
  if not fixed then return ctx:use_region(region) end
  for name, given in pairs { ["--region"] = ctx.options.region or "", AWS_REGION = sys.getenv("AWS_REGION") or "",
    AWS_DEFAULT_REGION = sys.getenv("AWS_DEFAULT_REGION") or "" } do
    if given ~= "" and given ~= fixed then
      errors.raise { class = "refused", code = "FixedRegion",
        message = ("%s says %s, and %s fixes the region of this stack to %s: it is built for that region only")
          :format(name, given, file.path, fixed),
        hints = { "leave the region out, or set it to " .. fixed } }
    end
  end
  ctx:use_region(fixed, true)
end

-- The stack's name and the template's path; what is missing is told in one go.
local function name_and_path(ctx, p, file, needs)
  local name, path = p.stack_name, p.template or file.template
  if not name and file.stack_name then
    name = stack_file.value(ctx, file.stack_name, file.path .. ": stack_name")
  end
  local problems = json.list {}
  if not name and needs.name then
    problems[1] = "--stack-name is required: name of the stack (or stack_name in the stack file)"
  elseif name and (#name > 128 or not (name:match("^%a[%w-]*$") or name:match("^arn:"))) then
    problems[1] = ("--stack-name '%s' is no stack's name: letters, digits and '-', a letter first, at most 128")
      :format(name)
  end
  if needs.template and not path then
    problems[#problems + 1] = "--template is required: the template, YAML or JSON"
  end
  if #problems > 0 then
    errors.raise { class = "usage", code = "BadArguments", message = table.concat(problems, "\n"),
      problems = problems }
  end
  return name, path
end

-- A list or a map of the command line when it holds something, else the file's.
local function prefer(given, from_file)
  if given ~= nil and (type(given) ~= "table" or next(given) ~= nil) then return given end
  return from_file
end

-- nil when nobody speaks of tags: the stack keeps those that it has.
local function tags_of(ctx, p, file)
  if next(p.tags) == nil and file.tags == nil then return nil end
  local tags = {}
  for name, entry in pairs(stack_file.values(ctx, file, "tags")) do tags[name] = entry.value end
  for name, value in pairs(p.tags) do tags[name] = value end
  return tags
end

local function policy_text(policy)
  if type(policy) == "string" then return template.read_file(policy) end
  return policy and json.encode(policy) or nil
end

--- Reads the stack file, applies its region, and finds the stack's name.
---@param ctx tap.Context
---@param p table values that have stack_name, stack_file and template
---@param needs { name: boolean?, template: boolean? } what must be there
---@return table target { ctx, p, file, name, path }
function target.open(ctx, p, needs)
  local file = stack_file.find(p.stack_file, p.template)
  local self = setmetatable({ ctx = ctx, p = p, file = file or {} }, target)
  apply_region(ctx, file)
  self.name, self.path = name_and_path(ctx, p, self.file, needs)
  return self
end

--- The same with all that a deployment needs; reads the template, with what can be found wrong with it by itself. Calls
-- nothing of AWS but what the stack file's values name.
---@param ctx tap.Context
---@param p table the values of tap.target_params' parameters
---@param needs { name: boolean?, template: boolean? }? default: both
---@return table target
function target.read(ctx, p, needs)
  local self = target.open(ctx, p, needs or { name = true, template = true })
  local file = self.file
  require("tap.check").demand_settings(file.verify, file.path)
  require("tap.notify").demand_settings(file.notify, file.path)
  self.tags = tags_of(ctx, p, file)
  self.capabilities = json.list(prefer(p.capabilities, file.capabilities) or {})
  self.role_arn = prefer(p.role_arn, file.role_arn)
  self.notification_arns = prefer(p.notification_arns, file.notification_arns)
  self.protection = prefer(p.termination_protection, file.termination_protection)
  self.policy = policy_text(file.stack_policy)
  if not p.lint then ctx.log.warn("the template is not linted: --no-lint") end
  self.template = offline.template(self.path, function(line) ctx.out:warn(line) end, p.lint)
  return self
end

-- The parameters that both the deployed stack and the template know.
local function previous_of(self, existing)
  local names, known = {}, self.template.root.Parameters or {}
  for _, parameter in ipairs(existing and existing.Parameters or {}) do
    if known[parameter.ParameterKey] then names[parameter.ParameterKey] = true end
  end
  return names
end

--- Checks the parameters' values and the capabilities. Raises class "invalid" with all problems.
---@param options { existing: table?, partial: boolean?, local_only: boolean?, any_capabilities: boolean? }
---  existing: the stack as DescribeStacks gives it, whose values stay where none is given; partial: values may be
---  missing; local_only: leave out what the stack file would have to ask AWS for; any_capabilities: do not ask
---  for their acknowledgement
---@return table[] Parameters of a request
function target:parameters(options)
  if not self.base and self.file.path and not options.local_only then
    self.base = stack_file.values(self.ctx, self.file, "parameters")
  end
  return offline.request(self.template, { parameter = self.p.parameter, parameters = self.p.parameters,
    base = self.base, previous = previous_of(self, options.existing), partial = options.partial,
    capabilities = not options.any_capabilities and self.capabilities or nil, uploads = true })
end

--- What CreateStack, UpdateStack and CreateChangeSet take alike, but for the template itself.
---@param parameters table[]
---@return table input
function target:request(parameters)
  local triggers = self.file.rollback_triggers
  local configuration
  if triggers then
    configuration = { MonitoringTimeInMinutes = triggers.minutes, RollbackTriggers = json.list {} }
    for index, arn in ipairs(triggers.alarms or {}) do
      configuration.RollbackTriggers[index] = { Arn = arn, Type = "AWS::CloudWatch::Alarm" }
    end
  end
  return {
    StackName = self.name, Parameters = parameters, Tags = self.tags and deployment.tags(self.tags),
    Capabilities = self.capabilities, RoleARN = self.role_arn, RollbackConfiguration = configuration,
    NotificationARNs = self.notification_arns and json.list(self.notification_arns) or nil,
  }
end

--- Raises class "refused" when the credentials belong to an account that the stack file does not allow.
function target:guard_account()
  local allowed = self.file.allowed_accounts
  if not allowed then return end
  local account = self.ctx:client("sts"):get_caller_identity({}).Account
  for _, one in ipairs(allowed) do
    if tostring(one) == account then return end
  end
  errors.raise { class = "refused", code = "WrongAccount",
    message = ("these credentials are of account %s, and %s allows only %s"):format(account, self.file.path,
      table.concat(allowed, ", ")), hints = { "choose other credentials: --profile NAME" } }
end

--- How the target's operations are followed, by the command line, else the stack file, else the default.
---@param verb "create"|"update"|"delete"
---@return table options of deployment.follow
function target:limits(verb)
  local file, by_type = self.file.timeouts or {}, {}
  for type_name, limit in pairs(file.resources or {}) do by_type[type_name] = util.duration(limit) end
  return { verb = verb, template = self.template, resource_limits = by_type, on_timeout = self.file.on_timeout,
    timeout = self.p.timeout or util.duration(file[verb] or DEFAULT_LIMIT) }
end

--- Takes the stack's lock for the rest of the run.
---@param options { wait: boolean?, break_it: boolean? }
function target:lock(options)
  require("tap.lock").hold(self.ctx, self.name, { table_name = self.file.lock_table, break_it = options.break_it,
    wait = options.wait and self:limits("update").timeout or nil })
end

return target
