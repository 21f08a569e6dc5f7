--- Custom resources (reference part 12): the request goes to a function of the scenario, which answers as the
-- team's own provider would; without one, every request succeeds.

local fault = require "sandbox.fault"
local json = require "tap.core.json"
local durations = require "sandbox.resources.durations"
local catalog = require "sandbox.resources.catalog"
local provision = require "sandbox.engine.provision"

local custom = {}

local FAILED = "Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)"
local LIMIT = 4096 -- bytes of a response
local NO_DATA = "Vendor response doesn't contain %s key in object %s|%s|%s in S3 bucket "
  .. "cloudformation-custom-resource-storage-%s"
local SILENT = "CloudFormation did not receive a response from your Custom Resource. Please check your logs "
  .. "for "
  .. "requestId [%s]. If you are using the Python cfn-response module, you may need to update your Lambda "
  .. "function "
  .. "code so that CloudFormation can attach the updated version."
local LONGEST = 3600 -- seconds, unless ServiceTimeout says less

local function request_of(op, resource, kind, properties, old)
  return {
    RequestType = kind, StackId = op.stack.id, RequestId = resource.stream:uuid(), ResourceType =
      resource.type,
    LogicalResourceId = resource.logical, ResourceProperties = properties, OldResourceProperties = old,
    PhysicalResourceId = resource.physical_id ~= "" and resource.physical_id or nil,
    ResponseURL = ("https://cloudformation-custom-resource-response-%s.s3.amazonaws.com/"):format(
      op.stack.region.name),
  }
end

-- What is wrong with a response; nil when nothing is.
local function problem_of(response)
  if type(response) ~= "table" then return "Response is not an object" end
  if response.Data ~= nil and type(response.Data) ~= "table" then return "Data returned must be an object" end
  if #json.encode(response) > LIMIT then return "Response is too long." end
  local id = response.PhysicalResourceId
  if id ~= nil and (type(id) ~= "string" or id == "") then return "Invalid PhysicalResourceId" end
end

-- Sends a request, and goes on with the response when the provider has had its time.
local function ask(op, resource, request, seconds, course, answered)
  local handler = op.world.scenario:provider(resource.type)
  local response = { Status = "SUCCESS" }
  if handler then response = handler(request) end
  if response == nil then
    local limit = tonumber(resource.properties.ServiceTimeout) or LONGEST
    return op:after(limit, function() course.failed(SILENT:format(request.RequestId)) end)
  end
  local problem = problem_of(response)
  op:after(seconds, function()
    if problem then return course.failed(problem) end
    if response.Status ~= "SUCCESS" then
      return course.failed(FAILED:format(response.Reason or "", request.RequestId), response)
    end
    answered(response, handler ~= nil)
  end)
end

local function seconds_of(resource)
  local _, total = durations.create(catalog.of(resource.type), resource.stream)
  return total
end

-- What Fn::GetAtt gives: the response's data; any attribute when nobody wrote a provider.
local function attributes(op, resource, data, request)
  return function(name)
    if data[name] ~= nil then return data[name] end
    fault.validation(NO_DATA:format(name, op.stack.id, resource.logical, request.RequestId,
      op.stack.region.name))
  end
end

local function adopt(op, resource, response, written, request)
  local facts = provision.facts(op, resource)
  facts.id = response.PhysicalResourceId or facts.name
  facts.attribute = written and attributes(op, resource, response.Data or {}, request) or nil
  local key, home = facts.id, op.stack.region
  if home:thing(resource.type, key) then key = op.stack.id .. "/" .. resource.logical end
  provision.adopt(op, resource, facts, key, home)
end

function custom.create(op, resource, course)
  local request = request_of(op, resource, "Create", resource.properties)
  ask(op, resource, request, seconds_of(resource), course, function(response, written)
    adopt(op, resource, response, written, request)
    course.initiated()
    course.done()
  end)
end

function custom.update(op, resource, properties, course)
  local request = request_of(op, resource, "Update", properties, resource.properties)
  ask(op, resource, request, seconds_of(resource), course, function(response, written)
    local id = response.PhysicalResourceId
    if id and id ~= resource.physical_id then
      resource.properties, resource.thing = properties, nil
      adopt(op, resource, response, written, request)
      course.replaced("Requested update required the provider to create a new physical resource")
    else
      provision.set_properties(op, resource, properties)
      resource.facts.properties = properties
      resource.facts.attribute = written and attributes(op, resource, response.Data or {}, request) or nil
    end
    course.done()
  end)
end

custom.revert = custom.update

function custom.delete(op, resource, course)
  local request = request_of(op, resource, "Delete", resource.properties)
  ask(op, resource, request, durations.delete(catalog.of(resource.type), resource.stream), course,
    course.done)
end

return custom
