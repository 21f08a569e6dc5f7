--- A sandbox on the virtual clock for a spec, and short ways to drive it over HTTP as any client would.

local client = require "tap.client"
local json = require "tap.core.json"
local schema = require "tap.schema"
local value_rules = require "tap.value_rules"
local task = require "tap.core.task"
local sandbox = require "sandbox"

local world = {}
world.__index = world

local EPOCH = 1767225600 -- 2026-01-01

--- Starts one, at a time that is always the same.
---@param options table? of sandbox.start
function world.open(options)
  task.clock("virtual", EPOCH)
  local self = setmetatable({ sandbox = sandbox.start(options) }, world)
  self.cfn = self:client "cloudformation"
  return self
end

function world:close()
  self.sandbox:stop()
  task.clock("virtual", os.time()) -- leaves time as it is outside
  task.clock "real"
end

--- A client of a service in the sandbox.
---@param options table? of tap.client, over the sandbox's own
function world:client(service, options)
  local all = {
    region = "us-east-1", endpoint_url = self.sandbox.url, max_attempts = 1,
    credentials = { access_key = "test", secret_key = "test" },
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return client.new(service, all)
end

local sample -- forward

local SCALARS = { integer = { "1", "60", "256" }, number = { "1", "60", "256" }, boolean = { "true" } }
local TEXTS = { "x", "1", "A", "us-east-1", "arn:aws:iam::123456789012:role/x",
  "arn:aws:lambda:us-east-1:123456789012:function:x", "xxxxxxxxxxxx", "123456789012", "x.example.com",
  "12345678-1234-1234-1234-123456789012" }

-- What vendor/cfn-constraints says of a member; a node of its definition, when it has one.
local function node_of(type_name, node, name)
  local member = (node.members or {})[name] or {}
  local definition = member.is and schema.constraints(type_name).definitions[member.is]
  return definition or member
end

-- The least that a structure must have, beside what it has.
local function filled(type_name, properties, given, node)
  local out = given or {}
  for name, fact in pairs(properties) do
    if fact.required and out[name] == nil then
      out[name] = sample(type_name, fact.type, node_of(type_name, node, name))
    end
  end
  return out
end

-- The first of the values that the node takes.
local function first_good(values, node)
  if node.enum then return node.enum[1] end
  for _, value in ipairs(values) do
    if #value_rules.scalar(node, value) == 0 then return value end
  end
  return values[1]
end

sample = function(type_name, wanted, node)
  if type(wanted) == "string" then
    if wanted == "json" then return { a = "b" } end
    if wanted == "tag" then return { Key = "k", Value = "v" } end
    return first_good(SCALARS[wanted] or TEXTS, node)
  end
  if wanted.enum then return wanted.enum[1] end
  if wanted.list then
    local list = json.list {}
    for index = 1, math.max(1, node.count and node.count[1] or 0) do
      list[index] = sample(type_name, wanted.list, node_of(type_name, { members = node }, "items"))
    end
    return list
  end
  if wanted.map then return { k = sample(type_name, wanted.map, node_of(type_name, { members = node }, "values")) } end
  if wanted.is then return filled(type_name, schema.definition(type_name, wanted.is), nil, node) end
  return sample(type_name, wanted.any[1], node)
end

--- A resource with what its type requires, so that a test writes down only what it is about.
function world.complete(resource)
  local known = type(resource) == "table" and schema.of(resource.Type or "")
  if known and next(known.properties) then
    local properties = filled(resource.Type, known.properties, resource.Properties,
      schema.constraints(resource.Type) or {})
    resource.Properties = next(properties) and properties or resource.Properties
  end
  return resource
end

--- A template's text: of resources (world.complete), and of further sections.
function world.template(resources, sections)
  for _, resource in pairs(resources) do world.complete(resource) end
  local all = { Resources = resources }
  for name, value in pairs(sections or {}) do all[name] = value end
  return json.encode(all)
end

--- A resource that nothing depends on.
function world.topic(properties)
  return { Type = "AWS::SNS::Topic", Properties = properties }
end

--- Creates a stack and, unless `wait` is 0, lets an hour pass. Its id.
---@param template string | table text, or resources
---@param input table? further members of the request
function world:create(name, template, input, wait)
  local request = { StackName = name }
  request.TemplateBody = type(template) == "string" and template or world.template(template)
  for member, value in pairs(input or {}) do request[member] = value end
  local id = self.cfn:create_stack(request).StackId
  if wait ~= 0 then task.sleep(wait or 3600) end
  return id
end

--- Updates a stack and, unless `wait` is 0, lets an hour pass.
---@param template string | table | nil text, or resources; nil: what `input` says
function world:update(name, template, input, wait)
  local request = { StackName = name }
  request.TemplateBody = type(template) == "table" and world.template(template) or template
  for member, value in pairs(input or {}) do request[member] = value end
  self.cfn:update_stack(request)
  if wait ~= 0 then task.sleep(wait or 3600) end
end

--- Makes a change set called "set", and waits for it. What DescribeChangeSet says of it.
---@param template string | table text, or resources
---@param input table? further members of the request
function world:change_set(name, template, input)
  local request = { StackName = name, ChangeSetName = "set" }
  request.TemplateBody = type(template) == "table" and world.template(template) or template
  for member, value in pairs(input or {}) do request[member] = value end
  local id = self.cfn:create_change_set(request).Id
  task.sleep(60)
  return self.cfn:describe_change_set { ChangeSetName = id }
end

--- Executes a change set and, unless `wait` is 0, lets an hour pass.
function world:execute(id, input, wait)
  local request = { ChangeSetName = id }
  for member, value in pairs(input or {}) do request[member] = value end
  self.cfn:execute_change_set(request)
  if wait ~= 0 then task.sleep(wait or 3600) end
end

--- Deletes a stack and, unless `wait` is 0, lets an hour pass.
function world:delete(name, input, wait)
  local request = { StackName = name }
  for member, value in pairs(input or {}) do request[member] = value end
  self.cfn:delete_stack(request)
  if wait ~= 0 then task.sleep(wait or 3600) end
end

function world:stack(name)
  return self.cfn:describe_stacks({ StackName = name }).Stacks[1]
end

function world:status(name)
  return self:stack(name).StackStatus
end

--- A stack's outputs, key -> value.
function world:outputs(name)
  local out = {}
  for _, output in ipairs(self:stack(name).Outputs or {}) do out[output.OutputKey] = output.OutputValue end
  return out
end

--- A stack's events, oldest first.
function world:events(name)
  local newest_first, out, token = {}, {}, nil
  repeat
    local page = self.cfn:describe_stack_events { StackName = name, NextToken = token }
    table.move(page.StackEvents, 1, #page.StackEvents, #newest_first + 1, newest_first)
    token = page.NextToken
  until not token
  for i = #newest_first, 1, -1 do out[#out + 1] = newest_first[i] end
  return out
end

--- A stack's events, oldest first, each as "Logical STATUS" or "Logical STATUS: reason".
function world:lines(name)
  local out = {}
  for i, event in ipairs(self:events(name)) do
    local reason = event.ResourceStatusReason and ": " .. event.ResourceStatusReason or ""
    out[i] = ("%s %s%s"):format(event.LogicalResourceId, event.ResourceStatus, reason)
  end
  return out
end

--- The statuses that a stack itself went through, oldest first.
function world:statuses(name)
  local out = {}
  for _, event in ipairs(self:events(name)) do
    if event.PhysicalResourceId == event.StackId then out[#out + 1] = event.ResourceStatus end
  end
  return out
end

--- The reason of the event of a status.
function world:reason(name, logical, status)
  for _, event in ipairs(self:events(name)) do
    if event.LogicalResourceId == logical and event.ResourceStatus == status then
      return event.ResourceStatusReason
    end
  end
end

--- The error of a call that must fail: "Code: message", and its HTTP status.
function world.refusal(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "the call was accepted")
  return ("%s: %s"):format(err.code, err.message), err.status
end

--- The refusal of a template's creation.
function world:create_refusal(template, input)
  return world.refusal(self.create, self, "demo", template, input, 0)
end

--- Waits.
world.sleep = task.sleep

--- Runs `body` in a world of its own.
---@param story string | table | nil the scenario
---@param body fun(w: table)
function world.within(story, body)
  local w = world.open { scenario = story }
  local ok, problem = xpcall(body, debug.traceback, w)
  w:close()
  if not ok then error(problem, 0) end
end

return world
