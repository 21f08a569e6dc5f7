--- The values of a template's parameters: where they come from, and which are still missing or wrong.
--
-- In this order: --parameter K=V; TAP_PARAM_NAME in the environment; ENVIRONMENT_SUFFIX (for the parameter
-- EnvironmentSuffix); the parameter file; the stack file; the value that the stack has; the template's default. A
-- NoEcho parameter is a secret: it comes from the environment (or from where a stack file says that secrets
-- are), and a value for it on the command line or in a file is refused.

local constraints = require "tap.constraints"
local documents = require "tap.core.document"
local json = require "tap.core.json"
local log = require "tap.core.log"
local template = require "tap.template"
local text = require "tap.core.text"
local util = require "tap.util"

local parameters = {}

local ENVIRONMENT_PREFIX = "TAP_PARAM_"

---------------------------------------------------------------------------------------------------------
-- Parameter files

-- CloudFormation's form: [{ "ParameterKey": K, "ParameterValue": V }, ...].
local function read_list(list, add)
  for index, item in ipairs(list) do
    local key = type(item) == "table" and item.ParameterKey
    if type(key) ~= "string" or item.ParameterValue == nil then
      add({ index }, nil, nil, "an element is not { \"ParameterKey\": ..., \"ParameterValue\": ... }")
    else
      add({ index, "ParameterValue" }, key, item.ParameterValue)
    end
  end
end

-- The plain form: K: V.
local function read_map(map, add)
  for _, key in ipairs(json.keys(map)) do add({ key }, key, map[key]) end
end

--- Reads a parameter file, JSON or YAML, in either form. Raises when it is not there or not well-formed.
---@param path string
---@param problems table[] what is wrong in it is added
---@return table<string, { value: string, source: string }>
function parameters.read_file(path, problems)
  local document = documents.any(template.read_file(path), path)
  local root, values = document:root(), {}
  local function add(node, key, value, problem)
    local line, column = document:mark(node)
    local converted = key and constraints.value_text(value)
    if not problem and not converted then
      problem = ("the value of %s is no text, number or list"):format(key)
    end
    if not problem and values[key] then problem = ("%s stands there twice"):format(key) end
    if problem then
      problems[#problems + 1] = { file = path, line = line, column = column, message = problem }
    else
      values[key] = { value = converted, source = ("%s:%d"):format(path, line) }
    end
  end
  if type(root) ~= "table" then
    add({}, nil, nil, "a parameter file is a map of names to values, or CloudFormation's list")
  elseif json.is_list(root) then
    read_list(root, add)
  else
    read_map(root, add)
  end
  return values
end

---------------------------------------------------------------------------------------------------------
-- The environment

local function from_environment(members, environment)
  local values = {}
  for name, value in pairs(environment) do
    local prefixed = name:sub(1, #ENVIRONMENT_PREFIX) == ENVIRONMENT_PREFIX
    for _, member in ipairs(prefixed and members or {}) do
      if text.same_name(name:sub(#ENVIRONMENT_PREFIX + 1), member.name) then
        values[member.name] = { value = value, source = name, environment = true }
        if template.is_secret(member.value) then log.secret(value) end
      end
    end
  end
  local suffix = environment.ENVIRONMENT_SUFFIX
  if suffix and suffix ~= "" and not values.EnvironmentSuffix then
    values.EnvironmentSuffix = { value = suffix, source = "ENVIRONMENT_SUFFIX", optional = true }
  end
  return values
end

---------------------------------------------------------------------------------------------------------
-- Putting them together

local function join(names)
  return table.concat(names, ", ")
end

local function refuse_unknown(t, chosen, problems)
  local unknown, known, hint = {}, {}, ""
  for _, member in ipairs(t:members("Parameters")) do known[#known + 1] = member.name end
  for _, name in ipairs(util.sorted_keys(chosen)) do
    if not (t.root.Parameters or {})[name] and not chosen[name].optional then
      unknown[#unknown + 1] = name
      hint = hint ~= "" and hint or util.suggest(name, known)
    end
  end
  if #unknown > 0 then
    problems[#problems + 1] = {
      message = ("Parameters: [%s] do not exist in the template%s"):format(join(unknown), hint) }
  end
end

local function refuse_secret(t, name, entry)
  log.secret(entry.value) -- it may still be in a message further on
  return t:problem({ "Parameters", name }, ("%s is a NoEcho parameter, and %s gives its value in the open: "
    .. "set TAP_PARAM_%s in the environment instead"):format(name, entry.source, name))
end

local function check_value(t, name, definition, entry)
  local message, which = constraints.check(name, definition, entry.value)
  if not message then return nil end
  local value = template.is_secret(definition) and "its value" or ("'%s'"):format(entry.value)
  return t:problem({ "Parameters", name },
    ("%s (%s from %s; %s)"):format(message, value, entry.source, which))
end

-- kept: the stack has a value, and that one stays when there is no entry.
local function check_member(t, name, definition, entry, kept, problems)
  if entry and template.is_secret(definition) and not entry.environment then
    problems[#problems + 1] = refuse_secret(t, name, entry)
    return
  end
  local default = not kept and definition.Default or nil
  local effective = entry or default ~= nil and { value = constraints.text(default), source = "the default" }
  problems[#problems + 1] = effective and check_value(t, name, definition, effective) or nil
end

local function missing_names(t, chosen, previous)
  local missing, secret = {}, nil
  for _, member in ipairs(t:members("Parameters")) do
    if not chosen[member.name] and not previous[member.name] and member.value.Default == nil then
      missing[#missing + 1] = member.name
      if template.is_secret(member.value) then secret = member.name end
    end
  end
  return missing, secret
end

--- Collects the values and checks them.
---@param t table a template whose own check found nothing
---@param options { given: table<string, string>, file: string?, environment: table<string, string>,
---  base: table<string, { value: string, source: string, environment: boolean }>?, partial: boolean?,
---  previous: table<string, boolean>? } base: of the stack file; partial: values may be missing;
---  previous: parameters that the stack has values for
---@param problems table[] what is wrong is added
---@return { ParameterKey: string, ParameterValue: string? }[] for a request; defaults are left to the service
function parameters.resolve(t, options, problems)
  local chosen, previous = {}, options.previous or {}
  for name, entry in pairs(options.base or {}) do chosen[name] = entry end
  for name, entry in pairs(options.file and parameters.read_file(options.file, problems) or {}) do
    chosen[name] = entry
  end
  for name, entry in pairs(from_environment(t:members("Parameters"), options.environment)) do
    if not entry.optional or (t.root.Parameters or {})[name] then chosen[name] = entry end
  end
  for name, value in pairs(options.given) do chosen[name] = { value = value, source = "--parameter" } end
  refuse_unknown(t, chosen, problems)
  local request = json.list {}
  for _, member in ipairs(t:members("Parameters")) do
    local entry = chosen[member.name]
    check_member(t, member.name, member.value, entry, previous[member.name], problems)
    if entry then
      request[#request + 1] = { ParameterKey = member.name, ParameterValue = entry.value }
    elseif previous[member.name] then
      request[#request + 1] = { ParameterKey = member.name, UsePreviousValue = true }
    end
  end
  local missing, secret = missing_names(t, chosen, previous)
  if #missing > 0 and not options.partial then
    problems[#problems + 1] = { message = ("Parameters: [%s] must have values%s"):format(join(missing),
      secret and ("; %s is a secret, set TAP_PARAM_%s in the environment"):format(secret, secret) or "") }
  end
  return request
end

return parameters
