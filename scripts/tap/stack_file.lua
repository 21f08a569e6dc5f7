--- The stack file, `X.stack.lua` (or `X.yml.stack.lua`) beside a template: how that stack is deployed.
--
-- It is Lua that returns a table. Its fields are checked like a workflow's, so that a misspelt one is told. Values of
-- parameters and tags may name where they come from instead: the environment, another stack's output, an SSM
-- parameter, a function. The command line wins over the file. A region written as fixed is forced.

local errors = require "tap.error"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local template = require "tap.template"
local util = require "tap.util"

local stack_file = {}

local FIELDS = {
  template = { "string" }, stack_name = { "string", "function" }, region = { "string", "table" },
  parameters = { "table" }, tags = { "table" }, capabilities = { "table" }, role_arn = { "string" },
  notification_arns = { "table" }, stack_policy = { "string", "table" }, termination_protection = { "boolean" },
  rollback_triggers = { "table" }, timeouts = { "table" }, on_timeout = { "string" }, verify = { "table" },
  notify = { "table" }, gates = { "table" }, allowed_accounts = { "table" }, lock_table = { "string" },
  bucket = { "string" }, on_verify_failure = { "string" }, healthy_share = { "number" },
  ignore_drift = { "table" }, depends_on = { "table" },
}

-- Fields of few words -> the words.
local WORDS = {
  on_timeout = { "leave", "cancel" }, on_verify_failure = { "stay", "rollback", "ask" },
}

local function refuse(path, problem)
  errors.raise { class = "usage", code = "BadStackFile", message = ("%s: %s"):format(path, problem) }
end

local function one_of(value, list)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

-- "why", or { actual = "60", note = "why" }.
local function check_ignore_drift(ignore, path)
  for name, entry in pairs(ignore) do
    local note = type(entry) == "table" and entry.note or entry
    if type(name) ~= "string" or type(note) ~= "string" or note == "" then
      refuse(path, ('field \'ignore_drift\' is of the form { ["LogicalId/Property"] = "why" }, or = { actual = "60", '
        .. 'note = "why" }; \'%s\' is not'):format(tostring(name)))
    end
  end
end

local function check_fields(t, path)
  for _, name in ipairs(util.sorted_keys(t)) do
    local kinds = FIELDS[name]
    if not kinds then
      refuse(path, ("there is no field '%s'%s"):format(tostring(name),
        util.suggest(tostring(name), util.sorted_keys(FIELDS))))
    end
    if not one_of(type(t[name]), kinds) then
      refuse(path, ("field '%s' is a %s, not a %s"):format(name, type(t[name]), table.concat(kinds, " or a ")))
    end
    if WORDS[name] and not one_of(t[name], WORDS[name]) then
      refuse(path, ("field '%s' is '%s'; it is one of %s"):format(name, t[name], table.concat(WORDS[name], ", ")))
    end
  end
  if t.healthy_share and not (t.healthy_share >= 0 and t.healthy_share <= 1) then
    refuse(path, ("field 'healthy_share' is %g; it is a share from 0 to 1"):format(t.healthy_share))
  end
  check_ignore_drift(t.ignore_drift or {}, path)
  if type(t.region) == "table" and type(t.region.fixed) ~= "string" then
    refuse(path, 'field \'region\' is "us-west-2" or { fixed = "us-west-2" }')
  end
end

--- Loads a stack file. Raises class "usage" when it is not there, broken, or has a wrong field.
---@param path string
---@return table fields its template's path is relative to the caller's folder, as the caller's own would be
function stack_file.load(path)
  local source = template.read_file(path)
  local chunk, problem = load(source, "@" .. path, "t", setmetatable({}, { __index = _G }))
  if not chunk then errors.raise { class = "usage", code = "BadStackFile", message = problem } end
  local t = chunk()
  if type(t) ~= "table" then refuse(path, "it returns no table; return { template = ..., ... }") end
  check_fields(t, path)
  t = setmetatable({}, { __index = t })
  local folder = path:match("^(.*/)[^/]*$") or ""
  local function relative(name) return name:sub(1, 1) == "/" and name or folder .. name end
  if t.template then t.template = relative(t.template) end
  if type(t.stack_policy) == "string" then t.stack_policy = relative(t.stack_policy) end
  t.path = path
  return t
end

-- The only stack file of the current folder.
local function only_one_here()
  local found = {}
  for _, name in ipairs(sys.list_dir(".")) do
    if name:find("%.stack%.lua$") then found[#found + 1] = name end
  end
  return #found == 1 and found[1] or nil
end

-- The stack file of a template: web.yml.stack.lua or web.stack.lua beside it. The second may belong to a template of
-- another kind (web.json), which it then names.
local function beside(template_path)
  local own = template_path .. ".stack.lua"
  if sys.exists(own) then return stack_file.load(own) end
  local shared = template_path:gsub("%.[^./]+$", "") .. ".stack.lua"
  local file = sys.exists(shared) and stack_file.load(shared) or nil
  return file and (not file.template or file.template == template_path) and file or nil
end

--- The stack file of a command line: the one given, else the one beside the template, else (without a template) the
-- only one in the current folder, else none.
---@param given string? --stack-file
---@param template_path string?
---@return table? fields
function stack_file.find(given, template_path)
  if given then return stack_file.load(given) end
  if template_path then return beside(template_path) end
  local path = only_one_here()
  return path and stack_file.load(path) or nil
end

---------------------------------------------------------------------------------------------------------
-- Values

local function output_of(ctx, source, where)
  local cfn = ctx:client("cloudformation", { region = source.region })
  local description = require("tap.stack").new(cfn, source.stack):must_describe()
  for _, output in ipairs(description.Outputs or {}) do
    if output.OutputKey == source.output then return output.OutputValue end
  end
  return errors.raise { class = "invalid", code = "NoSuchOutput",
    message = ("%s: stack %s has no output %s"):format(where, source.stack, source.output) }
end

-- Kind of source -> function(ctx, source, where) -> text, and whether it may be a secret.
local SOURCES = {
  env = function(_, source)
    local value = sys.getenv(source.env)
    return value ~= "" and value or nil, true
  end,
  output = function(ctx, source, where)
    if type(source.stack) ~= "string" then refuse(where, '{ output = "KEY", stack = "NAME" } names no stack') end
    return output_of(ctx, source, where), false
  end,
  ssm = function(ctx, source)
    local answer = ctx:client("ssm", { region = source.region }):get_parameter { Name = source.ssm,
      WithDecryption = true }
    return answer.Parameter.Value, true
  end,
}

local function from_source(ctx, source, where)
  for kind, read in pairs(SOURCES) do
    if source[kind] ~= nil then
      local value, secret = read(ctx, source, where)
      if value == nil then value = source.default end
      return value, secret
    end
  end
  return refuse(where,
    "a value is a text, a number, a list, a function, or { env = }, { output =, stack = }, { ssm = }")
end

--- A value of the file as text.
---@param ctx table
---@param value any
---@param where string for messages: "web.stack.lua: parameter VpcId"
---@return string? text nil when its source has none
---@return boolean secret it may be one: it comes from where secrets may come from
function stack_file.value(ctx, value, where)
  local secret = false
  if type(value) == "function" then
    value, secret = value(ctx), true
  elseif type(value) == "table" and #value == 0 then
    value, secret = from_source(ctx, value, where)
  end
  if value == nil then return nil, secret end
  if type(value) == "table" then value = json.list(value) end
  local text = require("tap.constraints").value_text(value)
  if not text then refuse(where, "the value is no text, number or list") end
  return text, secret
end

--- The values of a map of the file, those without any left out.
---@param ctx table
---@param file table
---@param field "parameters"|"tags"
---@return table<string, { value: string, source: string, environment: boolean }>
function stack_file.values(ctx, file, field)
  local values = {}
  for _, name in ipairs(util.sorted_keys(file[field] or {})) do
    local where = ("%s: %s.%s"):format(file.path, field, name)
    local text, secret = stack_file.value(ctx, file[field][name], where)
    if text then values[name] = { value = text, source = file.path, environment = secret } end
  end
  return values
end

return stack_file
