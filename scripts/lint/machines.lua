--- State machines: E3601. What Amazon's States Language demands of a definition, whether it stands in the template as
-- an object or as a text that holds JSON: the members of each kind of state, where a machine starts, that a state goes
-- on or ends. What a function gives, and what holds a ${substitution}, is not judged.

local errors = require "tap.error"
local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"

local machines = {}

local join, is_map, show = state.join, state.is_map, state.show

local RULE = "E3601"

local function set(text)
  local out = {}
  for word in text:gmatch("%S+") do out[word] = true end
  return out
end

local PATHS = " InputPath OutputPath QueryLanguage Output Arguments Comment Type Next End Assign "
local RESULTS = " ResultPath ResultSelector Retry Catch "

-- Kind of state -> its members; which it needs; of which it needs exactly one; a list of lists of names.
local KINDS = {
  Pass = { set(PATHS .. "Parameters Result ResultPath"), {}, { { "Next", "End" } } },
  Task = { set(PATHS .. RESULTS .. [[Parameters Credentials Resource HeartbeatSeconds HeartbeatSecondsPath
    TimeoutSeconds TimeoutSecondsPath]]), { "Resource" }, { { "Next", "End" } } },
  Wait = { set(PATHS .. "Seconds SecondsPath Timestamp TimestampPath"), {}, { { "Next", "End" } } },
  Choice = { set(PATHS .. "Choices Default"), { "Choices" }, {} },
  Succeed = { set(PATHS), {}, {} },
  Fail = { set "Arguments Comment Type QueryLanguage InputPath OutputPath Output Cause CausePath Error ErrorPath", {},
    {} },
  Parallel = { set(PATHS .. RESULTS .. "Parameters Branches"), { "Branches" }, { { "Next", "End" } } },
  Map = { set(PATHS .. RESULTS .. [[Parameters ItemBatcher ItemProcessor ItemReader ItemSelector Items ItemsPath
    Iterator Label MaxConcurrency MaxConcurrencyPath ResultWriter ToleratedFailureCount ToleratedFailureCountPath
    ToleratedFailurePercentage ToleratedFailurePercentagePath]]), {},
    { { "Next", "End" }, { "ItemProcessor", "Iterator" } } },
}
KINDS.Succeed[1].Next, KINDS.Succeed[1].End = nil, nil

local TOP = set "Comment QueryLanguage StartAt States TimeoutSeconds Version ProcessorConfig"
local ONLY_PATH = { "InputPath", "OutputPath", "Parameters", "ResultPath", "ResultSelector" }
local ONLY_JSONATA = { "Arguments", "Output" }

local COMPARES = set "And Or Not IsBoolean IsNull IsNumeric IsPresent IsString IsTimestamp StringMatches"
for _, kind in ipairs { "Boolean", "Numeric", "String", "Timestamp" } do
  for _, how in ipairs { "Equals", "GreaterThan", "GreaterThanEquals", "LessThan", "LessThanEquals" } do
    COMPARES[kind .. how], COMPARES[kind .. how .. "Path"] = true, true
  end
end

local function is_open(value)
  return functions.name_of(value) ~= nil or type(value) == "string" and value:find("${", 1, true) ~= nil
end

local function check_members(at, allowed, object, path)
  for _, key in ipairs(json.keys(object)) do
    if not allowed[key] and not key:find("^Fn::") then
      at.find(join(path, key), "'%s' is no member here%s", key, util.suggest(key, util.sorted_keys(allowed)))
    end
  end
end

local function check_needed(at, names, object, path)
  if object["Fn::Transform"] ~= nil then return end
  for _, name in ipairs(names) do
    if object[name] == nil then at.find(path, "'%s' is a required property", name) end
  end
end

local function check_one_of(at, names, object, path)
  local n = 0
  for _, name in ipairs(names) do n = n + (object[name] ~= nil and 1 or 0) end
  if n ~= 1 then at.find(path, "exactly one of '%s' is needed here", table.concat(names, "', '")) end
end

local function check_choices(at, one, path, jsonata)
  if not json.is_list(one.Choices) then return end
  for index, choice in ipairs(one.Choices) do
    local place = join(path, "Choices", index)
    if is_map(choice) and not functions.name_of(choice) then
      check_needed(at, jsonata and { "Condition", "Next" } or { "Next" }, choice, place)
      local n = 0
      for key in pairs(choice) do n = n + (COMPARES[key] and 1 or 0) end
      if not jsonata and n ~= 1 then at.find(place, "a choice has exactly one comparison, not %d", n) end
    end
  end
end

local check_machine -- forward

local function check_inner(at, one, path, language)
  if one.Type == "Parallel" and json.is_list(one.Branches) then
    for index, branch in ipairs(one.Branches) do
      check_machine(at, branch, join(path, "Branches", index), language)
    end
  elseif one.Type == "Map" then
    for _, name in ipairs { "ItemProcessor", "Iterator" } do
      if one[name] ~= nil then check_machine(at, one[name], join(path, name), language) end
    end
  end
end

local function check_resource(at, one, path)
  local resource = one.Resource
  if one.Type == "Task" and type(resource) == "string" and not is_open(resource)
    and not resource:find("^arn:aws[%l-]*:[%l-]+:[%l%d-]*:%d*:[%l-]+:[%w_.:$-]+$") then
    at.find(join(path, "Resource"), "%s is not the ARN of a task", show(resource))
  end
end

local function check_state(at, one, path, language)
  if is_open(one) then return end
  if not is_map(one) then return at.find(path, "%s is not of type 'object'", show(one)) end
  local kind = KINDS[one.Type]
  if one.Type == nil then return check_needed(at, { "Type" }, one, path) end
  if is_open(one.Type) then return end
  if not kind then
    return at.find(join(path, "Type"), "%s is not one of '%s'", show(one.Type),
      table.concat(util.sorted_keys(KINDS), "', '"))
  end
  check_members(at, kind[1], one, path)
  check_needed(at, kind[2], one, path)
  for _, names in ipairs(kind[3]) do check_one_of(at, names, one, path) end
  local jsonata = (one.QueryLanguage or language) == "JSONata"
  for _, name in ipairs(jsonata and ONLY_PATH or ONLY_JSONATA) do
    if one[name] ~= nil and one.Type ~= "Succeed" then
      at.find(join(path, name), "'%s' is not for %s", name, jsonata and "JSONata" or "JSONPath")
    end
  end
  if one.Type == "Choice" then check_choices(at, one, path, jsonata) end
  check_resource(at, one, path)
  check_inner(at, one, path, language)
end

check_machine = function(at, machine, path, language)
  if is_open(machine) then return end
  if not is_map(machine) then return at.find(path, "%s is not of type 'object'", show(machine)) end
  check_members(at, TOP, machine, path)
  check_needed(at, { "StartAt", "States" }, machine, path)
  local states, first = machine.States, machine.StartAt
  if not is_map(states) or functions.name_of(states) then return end
  if type(first) == "string" and not is_open(first) and states[first] == nil and not states["Fn::Transform"] then
    at.find(join(path, "StartAt"), "there is no state '%s'%s", first, util.suggest(first, util.sorted_keys(states)))
  end
  for _, name in ipairs(json.keys(states)) do
    if name ~= "Fn::Transform" then
      check_state(at, states[name], join(path, "States", name), machine.QueryLanguage or language)
    end
  end
end

---------------------------------------------------------------------------------------------------------

local function check_properties(L, given, path)
  if given.Definition ~= nil then
    check_machine({ find = function(at, ...) L:find(RULE, at, ...) end }, given.Definition, join(path, "Definition"))
  end
  local text = given.DefinitionString
  if type(text) ~= "string" then return end
  local machine = errors.try(json.decode, text)
  if not is_map(machine) then return end -- a text that is no JSON is the service's to judge
  local place = join(path, "DefinitionString")
  check_machine({ find = function(at, message, ...)
    L:find(RULE, place, "%s at '%s'", message:format(...), table.concat(at, "/", #place + 1))
  end }, machine, place)
end

--- Every state machine.
---@param L table
function machines.check(L)
  L:each_resource(function(properties, path, resource)
    if resource.Type == "AWS::StepFunctions::StateMachine" then check_properties(L, properties, path) end
  end)
end

return machines
