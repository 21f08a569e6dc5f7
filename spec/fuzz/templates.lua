--- Templates changed at random, through the lint and through the sandbox: whatever a template says, the lint answers
-- with findings, and the sandbox with a refusal or with a stack that comes to an end.
--
-- usage: tapengine spec/fuzz/templates.lua 60s|500 [FIRST]
-- For so many seconds, or so many tries, the first of which has the number FIRST. What fails is told with its number,
-- by which it is repeated: `templates.lua 1 NUMBER`, with the same templates in the folders.

local document = require "tap.core.document"
local json = require "tap.core.json"
local lint = require "lint.engine"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local world = dofile "spec/sandbox_world.lua"

local FOLDERS = { "templates", "spec/serverless", "../shared/conformance/lint/templates" }
local CAPABILITIES = { "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND" }
local LARGEST = 51200 -- bytes of a TemplateBody
local LONG = 60 -- seconds that a try may take: it hangs then
local DAY = 24 * 3600 -- over all that a stack waits for
local WORLD_LIVES = 25 -- tries

---------------------------------------------------------------------------------------------------------
-- Seeds

local function templates(folder, into)
  local ok, names = pcall(sys.list_dir, folder)
  table.sort(ok and names or {})
  for _, name in ipairs(ok and names or {}) do
    local path = folder .. "/" .. name
    if name:find "%.ya?ml$" or name:find "%.json$" or name:find "%.template$" then
      into[#into + 1] = path
    elseif not name:find "%." then
      templates(path, into)
    end
  end
  return into
end

---------------------------------------------------------------------------------------------------------
-- Changes

local random = math.random

local function one_of(list)
  return list[random(#list)]
end

-- Every place of a value: its container and its key.
local function places(value, into)
  if type(value) == "table" then
    for _, key in ipairs(json.is_list(value) and value or json.keys(value)) do
      if not json.is_list(value) then
        into[#into + 1] = { value, key }
        places(value[key], into)
      end
    end
    if json.is_list(value) then
      for index, inner in ipairs(value) do
        into[#into + 1] = { value, index }
        places(inner, into)
      end
    end
  end
  return into
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = json.is_list(value) and json.list {} or {}
  for key, inner in pairs(value) do out[key] = copy(inner) end
  return out
end

-- Values that stand where others are meant.
local ODD = {
  function() return json.null end,
  function() return "" end,
  function() return json.list {} end,
  function() return {} end,
  function() return one_of { 0, -1, 1.5, 1e30, 9007199254740993, "0", "-1", "1e400", "nan" } end,
  function() return one_of { true, false, "true", "maybe" } end,
  function()
    return one_of { "${", "${}", "${A.B.C}", "${!x}", "{{resolve:", "{{resolve:ssm:x}}", "\u{10FFFF}", ("x"):rep(5000),
      "arn:", "a,b,,c", "AWS::NoValue", "*", "%", "%d" }
  end,
  function() return json.list { json.null, json.list {}, {} } end,
}

-- Functions of templates with arguments that are right, wrong and absent.
local FUNCTIONS = { "Ref", "Condition", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::If",
  "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Fn::FindInMap", "Fn::Base64", "Fn::Cidr", "Fn::GetAZs",
  "Fn::ImportValue", "Fn::Transform", "Fn::Length", "Fn::ToJsonString", "Fn::ForEach::X", "Fn::ValueOf", "Fn::Nope" }

local CHANGES = {
  function(_, at) at[1][at[2]] = nil end,
  function(_, at) at[1][at[2]] = one_of(ODD)() end,
  function(_, at) at[1][at[2]] = one_of(ODD)() end,
  function(_, at) at[1][at[2]] = { [one_of(FUNCTIONS)] = at[1][at[2]] } end,
  function(_, at) at[1][at[2]] = { [one_of(FUNCTIONS)] = one_of(ODD)() } end,
  function(_, at)
    at[1][at[2]] = { [one_of(FUNCTIONS)] = json.list { one_of(ODD)(), at[1][at[2]], one_of(ODD)() } }
  end,
  function(_, at) at[1][at[2]] = json.list { at[1][at[2]] } end,
  function(all, at) at[1][at[2]] = copy(one_of(all)[3]) end,
  function(all, at) -- what is in one place stands in another
    local other = one_of(all)
    at[1][at[2]] = copy(other[1][other[2]])
  end,
  function(_, at) -- another name
    if type(at[2]) ~= "string" then return end
    local value = at[1][at[2]]
    at[1][at[2]] = nil
    local names = { at[2] .. "X", (at[2]:gsub("%w$", "")), at[2]:lower(), "", "Fn::" .. at[2], one_of(FUNCTIONS) }
    at[1][one_of(names)] = value
  end,
  function(_, at) -- a text with something cut out, or in
    local value = at[1][at[2]]
    if type(value) ~= "string" or #value == 0 then return end
    local from = random(#value)
    local new = value:sub(1, from - 1) .. one_of { "", "${", "}", ":", "/", "\n", "\1", "," }
      .. value:sub(from + random(0, 3))
    if utf8.len(new) then at[1][at[2]] = new end
  end,
}

-- A list with a hole in it is none: what comes after the hole moves up.
local function close_holes(value)
  if type(value) ~= "table" then return value end
  if json.is_list(value) then
    local out = json.list {}
    local last = 0
    for key in pairs(value) do last = math.max(last, key) end
    for index = 1, last do
      if value[index] ~= nil then out[#out + 1] = close_holes(value[index]) end
    end
    return out
  end
  local out = {}
  for key, inner in pairs(value) do out[key] = close_holes(inner) end
  return out
end

local function changed(root)
  local new = copy(root)
  for _ = 1, random(4) do
    local all = places(new, {})
    if #all == 0 then return new end
    for _, at in ipairs(all) do at[3] = at[1][at[2]] end
    one_of(CHANGES)(all, one_of(all))
    new = close_holes(new)
  end
  return new
end

-- Bytes cut out, doubled or put in.
local function garbled(text)
  for _ = 1, random(4) do
    local from = random(#text)
    local to = math.min(#text, from + random(0, 40))
    text = text:sub(1, from - 1) .. one_of { "", text:sub(from, to):rep(2), "\0", "\xff", "!Ref ", "- ", "{", "&a ",
      "*a ", ": ", "\t" } .. text:sub(one_of { from, to + 1 })
    if #text == 0 then return " " end
  end
  return text
end

---------------------------------------------------------------------------------------------------------
-- What is tried

local function parameters_of(root)
  local list = json.list {}
  for name, parameter in pairs(type(root.Parameters) == "table" and root.Parameters or {}) do
    if type(name) == "string" and type(parameter) == "table" and parameter.Default == nil then
      local allowed = parameter.AllowedValues
      local value = json.is_list(allowed) and type(allowed[1]) == "string" and allowed[1]
        or tostring(parameter.Type):find "Number" and "1" or "x"
      list[#list + 1] = { ParameterKey = name, ParameterValue = value }
    end
  end
  return list
end

-- A call that the service may refuse; what it refuses is a refusal, not a failure of the sandbox. True when it went
-- through.
local function may_be_refused(fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then return true end
  if type(e) ~= "table" or not e.code then error(e, 0) end
  local labelled = e.code == "InternalFailure" and e.message == "Unknown" -- as the service does (behaviour, part 6)
  if not labelled and (e.code == "InternalFailure" or e.class == "protocol" or e.class == "network") then
    error(("%s: %s"):format(e.code, e.message), 0)
  end
  return false
end

local function ended(w, name)
  local stack = w:stack(name)
  if stack.StackStatus:find "IN_PROGRESS$" and not stack.StackStatus:find "^REVIEW" then
    error(("the stack is still %s after a day: %s"):format(stack.StackStatus, stack.StackStatusReason or ""), 0)
  end
end

-- What can be asked of a stack: called with the name, and a template that was made of the stack's.
local REQUESTS = {
  function(w, name, text, input) w:update(name, text, input, DAY) end,
  function(w, name, text, input) -- stopped on its way
    w:update(name, text, input, random(0, 30))
    w.cfn:cancel_update_stack { StackName = name }
  end,
  function(w, name, text, input)
    input.DisableRollback = true
    w:update(name, text, input, DAY)
    w.cfn:rollback_stack { StackName = name }
  end,
  function(w, name, text, input) w:execute(w:change_set(name, text, input).ChangeSetId, nil, DAY) end,
  function(w, name, text, input)
    input.IncludeNestedStacks, input.ImportExistingResources = true, random(2) == 1
    w:change_set(name, text, input)
    local set = { StackName = name, ChangeSetName = "set", IncludePropertyValues = true }
    w.cfn:describe_change_set(set)
    w.cfn:get_template { StackName = name, ChangeSetName = "set" }
    w.cfn:delete_change_set { StackName = name, ChangeSetName = "set" }
  end,
  function(w, name)
    w.cfn:detect_stack_drift { StackName = name }
    task.sleep(DAY)
    w.cfn:describe_stack_resource_drifts { StackName = name }
  end,
  function(w, name, text)
    w.cfn:get_template_summary { TemplateBody = text }
    w.cfn:get_template_summary { StackName = name }
    w.cfn:validate_template { TemplateBody = text }
  end,
  function(w, name)
    w.cfn:get_template { StackName = name, TemplateStage = "Processed" }
    w.cfn:describe_stack_resources { StackName = name }
    w.cfn:describe_events { StackName = name }
    w.cfn:list_exports {}
  end,
  function(w, name) w.cfn:continue_update_rollback { StackName = name } end,
}

local CREATIONS = {
  function() return {} end, function() return {} end,
  function() return { DisableRollback = true } end,
  function() return { OnFailure = one_of { "DELETE", "DO_NOTHING" } } end,
  function() return { TimeoutInMinutes = random(5) } end,
}

local function create(w, name, template)
  local text, input = json.encode(template), one_of(CREATIONS)()
  input.Parameters, input.Capabilities = parameters_of(template), CAPABILITIES
  if #text > LARGEST or not may_be_refused(w.create, w, name, text, input, DAY) then return false end
  w.stacks = (w.stacks or 0) + 1
  return input.OnFailure ~= "DELETE" and ended(w, name) == nil
end

-- A stack's life: created, asked for this and that, deleted.
local function live(w, name, first, second)
  if not create(w, name, first) then return end
  for _ = 1, random(3) do
    local text = json.encode(second)
    if #text <= LARGEST then
      may_be_refused(one_of(REQUESTS), w, name, text,
        { Parameters = parameters_of(second), Capabilities = CAPABILITIES })
      task.sleep(DAY)
      ended(w, name)
    end
    second = changed(second)
  end
  may_be_refused(w.delete, w, name, nil, DAY)
end

local function try(w, number, path)
  local text = sys.read_file(path)
  local garbage = garbled(text)
  lint.text(garbage, path)
  local ok, parsed = pcall(document.any, text, path)
  if not ok then return end
  local first = changed(parsed:root())
  local second = changed(first)
  lint.text(json.encode(first), "first.json", { security = true })
  if type(first) == "table" and not json.is_list(first) then live(w, "fuzz" .. number, first, second) end
  return first, second
end

---------------------------------------------------------------------------------------------------------
-- The run

local Run = {}
Run.__index = Run

-- A new sandbox: what a failure left behind would be taken for the next try's.
function Run:open()
  self:close()
  self.world = world.open()
  self.world.sandbox.world.report = function(message) self.reported = self.reported or message end
end

function Run:close()
  if not self.world then return end
  self.stacks = self.stacks + (self.world.stacks or 0)
  self.world:close()
end

function Run:fail(path, what)
  self.failures = self.failures + 1
  print(("not ok %d %s: %s"):format(self.number, path, what))
end

local function told(e)
  return type(e) == "table" and tostring(e) or debug.traceback(e, 2)
end

-- One try, in numbers that are the same whatever came before it.
function Run:try(seeds)
  if self.tries % WORLD_LIVES == 0 then self:open() end
  math.randomseed(self.number)
  local path, began = one_of(seeds), os.clock()
  self.reported = nil
  local ok, e = xpcall(try, told, self.world, self.number, path)
  if not ok or self.reported then
    self:fail(path, self.reported or e)
    self:open()
  elseif os.clock() - began > LONG then
    self:fail(path, ("took %.1f s"):format(os.clock() - began))
  end
  self.tries, self.number = self.tries + 1, self.number + 1
end

-- A fault of the program is one, even where somebody has caught it. SAM's transform fails at what SAM fails at, too.
local function watch_faults(run)
  local caught = pcall
  function _G.pcall(...)
    local results = table.pack(caught(...))
    local e = not results[1] and results[2]
    if type(e) == "string" and e:find "attempt to " and not e:find "template/serverless/" then
      run.reported = run.reported or debug.traceback(e)
    end
    return table.unpack(results, 1, results.n)
  end
end

local seeds = {}
for _, folder in ipairs(FOLDERS) do templates(folder, seeds) end
local seconds = tonumber(arg[1]:match "^(%d+)s$")
local tries = not seconds and assert(tonumber(arg[1]), "60s or 500") or math.huge
local run = setmetatable({ number = tonumber(arg[2]) or os.time(), failures = 0, tries = 0, stacks = 0 }, Run)
watch_faults(run)
local deadline = os.clock() + (seconds or math.huge)
while run.tries < tries and os.clock() < deadline do run:try(seeds) end
run:close()
print(("%s templates: %d tries, %d stacks, %d failures"):format(run.failures == 0 and "ok" or "not ok", run.tries,
  run.stacks, run.failures))
os.exit(run.failures == 0 and 0 or 1)
