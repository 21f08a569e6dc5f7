--- Template parameters: their types, their constraints with the service's texts, and what a caller gave for
-- them.

local json = require "tap.core.json"
local regex = require "tap.regex"
local fault = require "sandbox.fault"
local shape = require "sandbox.template.shape"

local parameters = {}

--- What stands for a NoEcho parameter's value wherever the service shows it.
parameters.MASK = "****"

--- What stands for a value that only the execution of a change set will tell. It satisfies every constraint.
parameters.UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"

local MAX_VALUE_BYTES = 4096

-- Values of the AWS types are names of things in the account. They are looked up when an operation has begun.
local AWS_TYPES = {}
for name in ([[
  AWS::EC2::AvailabilityZone::Name AWS::EC2::Image::Id AWS::EC2::Instance::Id AWS::EC2::KeyPair::KeyName
  AWS::EC2::SecurityGroup::GroupName AWS::EC2::SecurityGroup::Id AWS::EC2::Subnet::Id AWS::EC2::Volume::Id
  AWS::EC2::VPC::Id AWS::Route53::HostedZone::Id
]]):gmatch("%S+") do
  AWS_TYPES[name] = true
end

--- `list`: Ref gives a list; `number`: every element is one; `aws`: the type of the things that it names;
-- `ssm`: the value stands in a parameter of SSM, whose name is given; `name`: it is the name of one. Nil for
-- what is no type.
local kind_of
kind_of = function(type_name)
  if type_name == "AWS::SSM::Parameter::Name" then return { name = true } end
  local of_value = type_name:match("^AWS::SSM::Parameter::Value<(.+)>$")
  if of_value then
    local kind = kind_of(of_value)
    if kind then kind.ssm = true end
    return kind
  end
  if type_name == "String" then return {} end
  if type_name == "Number" then return { number = true } end
  if type_name == "CommaDelimitedList" then return { list = true } end
  local element = type_name:match("^List<(.+)>$")
  if element == "Number" then return { list = true, number = true } end
  if element == "String" or AWS_TYPES[element] then
    return { list = true, aws = AWS_TYPES[element] and element or nil }
  end
  if AWS_TYPES[type_name] then return { aws = type_name } end
end

local function is_true(text)
  return text ~= nil and text:lower() == "true"
end

--- Checks the section itself. Raises ValidationError.
---@param definitions table the Parameters section
function parameters.check(definitions)
  for _, name in ipairs(shape.keys(definitions)) do
    local type_name = definitions[name].Type
    if not kind_of(type_name) then
      fault.validation("Template format error: Unrecognized parameter type: %s", type_name)
    end
    local default = definitions[name].Default
    for reference in (type(default) == "string" and default or ""):gmatch "{{resolve:ssm:([^}]*)}}" do
      if not reference:find ":%d+$" then
        fault.validation("Template error: parameter %s should not contain ssm versionless resolver", name)
      end
    end
  end
end

--- Is the parameter's value secret?
function parameters.is_secret(definition)
  return is_true(definition.NoEcho)
end

local function length_of(text)
  return utf8.len(text) or #text
end

-- Each gives the text after "Parameter 'P' must ", or nil. Patterns that tap.regex cannot do are left
-- unchecked.
local CONSTRAINTS = {
  function(definition, value, kind)
    if kind.number and not tonumber(value) then return "be a number." end
    local number = kind.number and tonumber(value)
    local least, most = tonumber(definition.MinValue), tonumber(definition.MaxValue)
    if number and least and number < least then return "be a number not less than " .. definition.MinValue end
    if number and most and number > most then
      return "be a number not greater than " .. definition.MaxValue
    end
  end,
  function(definition, value)
    local least, most = tonumber(definition.MinLength), tonumber(definition.MaxLength)
    local length = length_of(value)
    if least and length < least then return ("contain at least %s characters"):format(definition.MinLength) end
    if most and length > most then return ("contain at most %s characters"):format(definition.MaxLength) end
  end,
  function(definition, value)
    if not definition.AllowedPattern then return nil end
    local matcher = regex.compile(definition.AllowedPattern)
    if matcher and matcher:match_whole(value) == false then
      return "match pattern " .. definition.AllowedPattern
    end
  end,
  function(definition, value)
    if not definition.AllowedValues then return nil end
    for _, allowed in ipairs(definition.AllowedValues) do
      if allowed == value then return nil end
    end
    return "be one of AllowedValues"
  end,
}

local function is_known(text)
  return not text:find(parameters.UNKNOWN, 1, true)
end

local function check_value(name, definition, value, kind)
  if not is_known(value) then return end
  for _, constraint in ipairs(CONSTRAINTS) do
    local broken = constraint(definition, value, kind)
    if broken and definition.ConstraintDescription then
      fault.validation("Parameter %s failed to satisfy constraint: %s", name,
        definition.ConstraintDescription)
    elseif broken then
      fault.validation("Parameter '%s' must %s", name, broken)
    end
  end
end

local function to_list(text)
  local out = json.list {}
  if text == "" then return out end
  for element in (text .. ","):gmatch("([^,]*),") do
    out[#out + 1] = element:match("^%s*(.-)%s*$")
  end
  return out
end

-- What SSM holds under a parameter's value, as text.
local function text_of_ssm(kind, text, environment)
  if text:find ":%a" then fault.raise("InternalFailure", "Unknown", 500) end -- a label: so the service itself
  local parameter = environment.parameter(text)
  if not parameter then
    fault.validation("Unable to fetch parameters [%s] from parameter store for this account.", text)
  elseif parameter.type == "SecureString" then
    fault.validation("Parameters [%s] referenced by template have types not supported by CloudFormation.",
      text)
  elseif (parameter.type == "StringList") ~= (kind.list or false) then
    fault.validation("Types for SSM parameters [%s] defined in CFN template and SSM are incompatible", text)
  end
  return parameter.value
end

local function convert(name, definition, text, environment)
  if #text > MAX_VALUE_BYTES then
    fault.validation("Parameter %s exceeds the maximum parameter value length of %d bytes.", name,
      MAX_VALUE_BYTES)
  end
  local kind = kind_of(definition.Type)
  if kind.ssm and is_known(text) then -- constraints are those of the name
    check_value(name, definition, text, {})
    local found = text_of_ssm(kind, text, environment)
    return kind.list and to_list(found) or found, found
  end
  local value = kind.list and to_list(text) or text
  for _, element in ipairs(kind.list and value or { text }) do
    check_value(name, definition, element, kind)
  end
  return value
end

local function given_values(definitions, given)
  local values, unknown = {}, {}
  for _, parameter in ipairs(given) do
    local key = parameter.ParameterKey or ""
    if values[key] then fault.validation("Duplicate parameter key %s", key) end
    if parameter.UsePreviousValue then
      if parameter.ParameterValue then
        fault.validation("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and "
          .. "non empty value for a parameter", key)
      end
      fault.validation("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a "
        .. "new stack", key)
    end
    if not definitions[key] then unknown[#unknown + 1] = key end
    values[key] = parameter.ParameterValue or ""
  end
  if #unknown > 0 then
    fault.validation("Parameters: [%s] do not exist in the template", table.concat(unknown, ", "))
  end
  return values
end

--- The values of a template's parameters. Raises ValidationError with the service's texts.
---@param definitions table the Parameters section
---@param given table[] { ParameterKey, ParameterValue, UsePreviousValue } as in a request
---@param environment table of sandbox.engine.environment
---@return table<string, string|string[]> values as Ref gives them
---@return table<string, string> texts as the caller wrote them
---@return table<string, string> resolved what SSM holds under those that name a parameter of it
function parameters.resolve(definitions, given, environment)
  local texts, missing, values, resolved = given_values(definitions, given), {}, {}, {}
  for _, name in ipairs(shape.keys(definitions)) do
    texts[name] = texts[name] or definitions[name].Default
    if not texts[name] then missing[#missing + 1] = name end
  end
  if #missing > 0 then
    fault.validation("Parameters: [%s] must have values", table.concat(missing, ", "))
  end
  for _, name in ipairs(shape.keys(definitions)) do
    values[name], resolved[name] = convert(name, definitions[name], texts[name], environment)
  end
  return values, texts, resolved
end

--- Why the values of AWS types cannot be used, because what they name does not exist; nil when it does. The
-- service finds this out only when an operation has begun.
---@return string?
function parameters.missing_things(definitions, plan, environment)
  local out = {}
  for _, name in ipairs(shape.keys(definitions)) do
    local kind, value = kind_of(definitions[name].Type), plan.values[name]
    for _, element in ipairs(type(value) == "table" and value or { value }) do
      local is_there = kind.name and environment.parameter(element) or not kind.name
        and (not kind.aws or environment.exists(kind.aws, element))
      if not is_there then
        local shown = element == "" and "" or " " .. element
        out[#out + 1] = ("parameter value%s for parameter name %s does not exist"):format(shown, name)
      end
    end
  end
  return #out > 0 and "Parameter validation failed: " .. table.concat(out, ", ") or nil
end

--- `values` with every secret replaced by the mask.
function parameters.masked(definitions, values)
  local out = {}
  for name, value in pairs(values) do
    out[name] = parameters.is_secret(definitions[name]) and parameters.MASK or value
  end
  return out
end

return parameters
