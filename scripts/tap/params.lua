--- Parameters of a workflow: from the table that declares them to checked, typed values.
--
-- A declaration is { name, type, required=, default=, help=, values=, pattern=, min=, max=, env=, positional= }. It
-- is the only source for the argument check, the help and the shell completion. A value comes from the command
-- line (a positional one also without its option's name), else from TAP_NAME in the environment, else from the
-- default. Problems are collected, so that one run
-- shows all of them. A secret comes from the environment and from nowhere else.

local errors = require "tap.error"
local util = require "tap.util"

local params = {}

local function plain(value) return value end

local function to_number(value)
  local number = tonumber(value)
  if not number or number ~= number then return nil, "is not a number" end
  return number
end

local function to_integer(value)
  local number = math.type(value) == "integer" and value or math.tointeger(tonumber(value))
  if not number then return nil, "is not a whole number" end
  return number
end

local TRUTH = { ["true"] = true, yes = true, on = true, ["1"] = true,
  ["false"] = false, no = false, off = false, ["0"] = false }

local function to_boolean(value)
  if type(value) == "boolean" then return value end
  local truth = TRUTH[tostring(value):lower()]
  if truth == nil then return nil, "is neither true nor false" end
  return truth
end

local function to_duration(value)
  local seconds = util.seconds(value)
  if not seconds then return nil, "is not a duration; write 30s, 15m, 1h30m" end
  return seconds
end

-- K=V, and the spellings that the AWS CLI uses for parameters and tags.
local PAIRS = { "^ParameterKey=([^,]+),ParameterValue=(.*)$", "^Key=([^,]+),Value=(.*)$", "^([^=]+)=(.*)$" }

--- Adds one K=V to a map.
local function add_pair(map, value)
  for _, pattern in ipairs(PAIRS) do
    local key, rest = value:match(pattern)
    if key then
      if map[key] ~= nil then return ("gives %s twice"):format(key) end
      map[key] = rest
      return nil
    end
  end
  return "is not KEY=VALUE" -- the text itself may be a secret, and is not repeated
end

--- Adds A,B,C to a list.
local function add_items(list, value)
  for item in value:gmatch("[^,]+") do
    list[#list + 1] = item:match("^%s*(.-)%s*$")
  end
end

-- type -> { convert = text to value or nil and what is wrong, metavar = how help writes it,
--           add = for types that are given several times }
local TYPES = {
  string = { convert = plain, metavar = "TEXT" },
  secret = { convert = plain, metavar = "" },
  file = { convert = plain, metavar = "FILE" },
  enum = { convert = plain, metavar = "" },
  integer = { convert = to_integer, metavar = "N" },
  number = { convert = to_number, metavar = "N" },
  boolean = { convert = to_boolean, metavar = "" },
  duration = { convert = to_duration, metavar = "TIME" },
  map = { add = add_pair, metavar = "KEY=VALUE", separator = "[^\n]+" },
  list = { add = add_items, metavar = "A,B", separator = "[^,]+" },
}

params.TYPES = util.sorted_keys(TYPES)

local FIELDS = { "required", "default", "help", "values", "pattern", "min", "max", "env", "implied",
  "positional" }
local FIELD_SET = {}
for _, field in ipairs(FIELDS) do FIELD_SET[field] = true end

-- Names that mean something else in the environment (the search path, template parameters).
local RESERVED = { path = true, param = true }

---------------------------------------------------------------------------------------------------------
-- Declarations

--- "stack_name" and "stack-name" are one parameter: the option is --stack-name, the field stack_name.
---@param name string
---@return string
function params.field(name)
  return (name:gsub("-", "_"))
end

---@param name string
---@return string
function params.option(name)
  return "--" .. name:gsub("_", "-")
end

---@param spec table a checked declaration
---@return string name of the environment variable
function params.environment(spec)
  return type(spec.env) == "string" and spec.env or "TAP_" .. params.field(spec.name):upper()
end

--- How help writes the value.
---@param spec table a checked declaration
---@return string
function params.metavar(spec)
  if spec.type == "enum" then return table.concat(spec.values, "|") end
  if spec.implied then return "[=" .. spec.implied .. "]" end
  return TYPES[spec.type].metavar
end

local function check_spec(raw)
  local name, kind = raw[1] or raw.name, raw[2] or raw.type -- as written, or as another workflow has them
  if type(name) ~= "string" or not name:match("^%l[%l%d_-]*$") then
    return nil, ("a parameter's name is lower case letters, digits and '-': %s"):format(tostring(name))
  end
  if not TYPES[kind] then
    return nil, ("parameter '%s': unknown type '%s'%s"):format(name, tostring(kind),
      util.suggest(tostring(kind), params.TYPES))
  end
  if RESERVED[params.field(name)] then return nil, ("parameter '%s': the name is reserved"):format(name) end
  local spec = { name = name, type = kind }
  for field, value in pairs(raw) do
    if type(field) == "string" and field ~= "name" and field ~= "type" then
      if not FIELD_SET[field] then
        return nil, ("parameter '%s': unknown field '%s'%s"):format(name, field, util.suggest(field, FIELDS))
      end
      spec[field] = value
    end
  end
  if kind == "enum" and (type(spec.values) ~= "table" or #spec.values == 0) then
    return nil, ("parameter '%s': an enum needs values = { ... }"):format(name)
  end
  if kind == "secret" and spec.default ~= nil then
    return nil, ("parameter '%s': a secret has no default in a script; it comes from %s in the environment")
      :format(name, params.environment(spec))
  end
  return spec
end

--- Checks a workflow's list of parameters.
---@param list table[] as written: { "stack-name", "string", required = true, help = "..." }
---@return table[]? specs with the fields name and type
---@return string? problem
function params.check(list)
  local specs, seen = {}, {}
  for index, raw in ipairs(list) do
    if type(raw) ~= "table" then return nil, ("params[%d] is not a table"):format(index) end
    local spec, problem = check_spec(raw)
    if not spec then return nil, problem end
    if seen[params.field(spec.name)] then return nil, ("parameter '%s' is there twice"):format(spec.name) end
    seen[params.field(spec.name)] = true
    specs[index] = spec
  end
  for key in pairs(list) do
    if math.type(key) ~= "integer" then
      return nil, ("params is a list; '%s' is not a place in it"):format(tostring(key))
    end
  end
  return specs
end

---------------------------------------------------------------------------------------------------------
-- Values

local function out_of_bounds(spec, value)
  if spec.min and value < spec.min then return ("is less than %s"):format(spec.min) end
  if spec.max and value > spec.max then return ("is more than %s"):format(spec.max) end
  return nil
end

--- One text to one value of the declared type.
local function convert(spec, value)
  local result, problem = TYPES[spec.type].convert(value)
  if result == nil then return nil, problem end
  if spec.type == "enum" then
    for _, allowed in ipairs(spec.values) do
      if result == allowed then return result end
    end
    return nil, ("is none of %s%s"):format(table.concat(spec.values, ", "), util.suggest(result, spec.values))
  end
  if spec.type == "file" and result == "" then return nil, "is no file name" end
  if math.type(result) then
    problem = out_of_bounds(spec, result)
    if problem then return nil, problem end
  end
  if spec.pattern and type(result) == "string" and not result:find(spec.pattern) then
    return nil, ("does not match %s"):format(spec.pattern)
  end
  return result
end

local function quoted(spec, value)
  return (spec.type == "map" or spec.type == "secret") and "" or (" '%s'"):format(tostring(value))
end

--- Sets or adds a value that came from `source`; the problem as text, or nil.
local function set(values, spec, value, source)
  local field, kind = params.field(spec.name), TYPES[spec.type]
  if kind.add then
    values[field] = values[field] or {}
    local problem = kind.add(values[field], value)
    return problem and ("%s%s %s"):format(source, quoted(spec, value), problem)
  end
  if values[field] ~= nil then return ("%s is given twice"):format(source) end
  local result, problem = convert(spec, value)
  if problem then return ("%s%s %s"):format(source, quoted(spec, value), problem) end
  values[field] = result
  return nil
end

local function by_option(specs)
  local map, names = {}, {}
  for _, spec in ipairs(specs) do
    local option = params.option(spec.name)
    map[option], names[#names + 1] = spec, option
    if spec.type == "boolean" then map["--no-" .. option:sub(3)] = spec end
  end
  return map, names
end

local function is_option(word)
  return word ~= nil and word:sub(1, 2) == "--" and #word > 2
end

local function refuse_secret(spec)
  return ("%s: a secret is never given on the command line, where the process list and the shell's history "
    .. "show it; set %s in the environment"):format(params.option(spec.name), params.environment(spec))
end

local function stray_word(word, specs)
  for _, spec in ipairs(specs) do
    if spec.required then
      return ("unexpected argument '%s', did you mean %s %s?"):format(word, params.option(spec.name), word)
    end
  end
  return ("unexpected argument '%s'"):format(word)
end

--- A word without an option's name: the next positional parameter's value. The problem, or nil.
local function take_word(values, specs, word)
  for _, spec in ipairs(specs) do
    if spec.positional and (TYPES[spec.type].add or values[params.field(spec.name)] == nil) then
      return set(values, spec, word, spec.name)
    end
  end
  return stray_word(word, specs)
end

-- Is a word still to come that stands without its option's name and has to be there?
local function expects_word(values, specs)
  for _, spec in ipairs(specs) do
    if spec.positional and spec.required and values[params.field(spec.name)] == nil then return true end
  end
  return false
end

--- One option at argv[i]: sets its value; the next index, and a problem or nil. One that repeats takes the words behind
-- it, too (--tags A=1 B=2, as with the AWS CLI), unless they are awaited elsewhere.
local function take_option(values, specs, spec, option, inline, argv, i)
  if spec.type == "secret" then return is_option(argv[i + 1]) and i + 1 or i + 2, refuse_secret(spec) end
  if spec.type == "boolean" and not inline then
    return i + 1, set(values, spec, option == params.option(spec.name), option)
  end
  if inline then return i + 1, set(values, spec, inline, option) end
  if spec.implied then return i + 1, set(values, spec, "", option) end
  if argv[i + 1] == nil or is_option(argv[i + 1]) then
    return i + 1, ("%s needs a value: %s %s"):format(option, option, params.metavar(spec))
  end
  local problem = set(values, spec, argv[i + 1], option)
  i = i + 2
  local takes_more = TYPES[spec.type].add and not expects_word(values, specs)
  while takes_more and argv[i] and not is_option(argv[i]) and not problem do
    problem = set(values, spec, argv[i], option)
    i = i + 1
  end
  return i, problem
end

local function from_command_line(values, specs, argv, problems)
  local map, names = by_option(specs)
  local i = 1
  while i <= #argv do
    local word = argv[i]
    local option, inline = word:match("^(%-%-[^=]+)=(.*)$")
    option = option or word
    local problem
    if not is_option(word) then
      i, problem = i + 1, take_word(values, specs, word)
    elseif not map[option] then
      local value_follows = not inline and argv[i + 1] and not is_option(argv[i + 1])
      i, problem = i + (value_follows and 2 or 1), "unknown option " .. option .. util.suggest(option, names)
    else
      i, problem = take_option(values, specs, map[option], option, inline, argv, i)
    end
    problems[#problems + 1] = problem
  end
end

local function from_environment(values, spec, getenv, problems)
  if spec.env == false then return end
  local name = params.environment(spec)
  local value = getenv(name)
  if value == nil or value == "" then return end
  if spec.type == "secret" then require("tap.core.log").secret(value) end
  local kind = TYPES[spec.type]
  for item in value:gmatch(kind.separator or ".+") do
    problems[#problems + 1] = set(values, spec, item, name)
  end
end

local function from_default(spec)
  if spec.default == nil then return nil end
  if TYPES[spec.type].add then
    local copy = {}
    for key, value in pairs(spec.default) do copy[key] = value end
    return copy
  end
  return TYPES[spec.type].convert(spec.default)
end

local function missing(spec)
  if spec.type == "secret" then
    return ("%s is not set in the environment (%s)"):format(params.environment(spec), spec.help or spec.name)
  end
  return ("%s is required%s"):format(params.option(spec.name), spec.help and (": " .. spec.help) or "")
end

--- Reads the values of all parameters; raises one usage error that holds every problem.
---@param specs table[] checked declarations
---@param argv string[]
---@param getenv fun(name: string): string?
---@return table values by field name; list and map parameters that were not given are empty tables
function params.parse(specs, argv, getenv)
  local values, problems, absent = {}, {}, {}
  from_command_line(values, specs, argv, problems)
  for _, spec in ipairs(specs) do
    local field, repeats = params.field(spec.name), TYPES[spec.type].add ~= nil
    if values[field] == nil then from_environment(values, spec, getenv, problems) end
    if values[field] == nil then values[field] = from_default(spec) end
    if values[field] == nil and repeats then values[field] = {} end
    local empty = values[field] == nil or (repeats and next(values[field]) == nil)
    if spec.required and empty then absent[#absent + 1] = missing(spec) end
  end
  -- A misspelt option leaves the right one missing: telling both would hide the cause.
  if #problems == 0 then problems = absent end
  if #problems > 0 then
    errors.raise { class = "usage", code = "BadArguments", message = table.concat(problems, "\n"),
      problems = problems }
  end
  return values
end

--- Where the options in front of a command end: `tapengine --region eu-west-1 create ...`.
---@param specs table[] checked declarations of the global options
---@param argv string[]
---@return integer index of the first word that is neither an option nor an option's value
function params.skip_options(specs, argv)
  local map = by_option(specs)
  local i = 1
  while is_option(argv[i]) do
    local spec = map[argv[i]]
    local takes_value = spec and spec.type ~= "boolean" and not spec.implied
    i = i + (takes_value and 2 or 1)
  end
  return i
end

return params
