--- The transform AWS::Serverless-2016-10-31: a template with serverless resources becomes one without.
--
--   implicit APIs, Globals --> each serverless resource becomes resources of CloudFormation --> CodeDeploy -->
--   references to what was made or renamed
--
-- What a resource becomes is decided by its type's module; `work` is what they share:
--   tree          the template, changed where it stands   parameters  of it, with Region and Partition
--   order         of the members of a map
--   partition     of the region's ARNs                     now         seconds, for AlwaysDeploy
--   function_names  API -> names of its functions          renamed     id -> id with a hash
--   made          id -> property -> id: what `Ref: Id.Property` means
--   deployments   functions that CodeDeploy updates        shared_plan the usage plan of several APIs
--   records       groups of records of Route 53, by id     causes      what is wrong
--   original      id -> type in the template

local values = require "sandbox.template.serverless.values"
local capacity_providers = require "sandbox.template.serverless.capacity_providers"
local connectors = require "sandbox.template.serverless.connectors"
local deployments = require "sandbox.template.serverless.deployments"
local failure = require "sandbox.template.serverless.failure"
local functions = require "sandbox.template.serverless.functions"
local globals = require "sandbox.template.serverless.globals"
local http_apis = require "sandbox.template.serverless.http_apis"
local implicit_api = require "sandbox.template.serverless.implicit_api"
local python2 = require "sandbox.template.serverless.python2"
local resolve = require "sandbox.template.serverless.resolve"
local resources = require "sandbox.template.serverless.resources"
local rest_apis = require "sandbox.template.serverless.rest_apis"
local simple = require "sandbox.template.serverless.simple"
local state_machines = require "sandbox.template.serverless.state_machines"
local swagger = require "sandbox.template.serverless.swagger"
local websocket_apis = require "sandbox.template.serverless.websocket_apis"

local serverless = {}

local CRASHED = "Internal transform failure."

local PREFIX = "^AWS::Serverless::"

-- Type -> { translate, PROPERTIES: name -> type that `Ref: Id.Name` means }.
local TRANSLATORS = { ["AWS::Serverless::Function"] = functions, ["AWS::Serverless::Api"] = rest_apis,
  ["AWS::Serverless::HttpApi"] = http_apis, ["AWS::Serverless::WebSocketApi"] = websocket_apis,
  ["AWS::Serverless::StateMachine"] = state_machines, ["AWS::Serverless::CapacityProvider"] = capacity_providers,
  ["AWS::Serverless::Connector"] = connectors }
for name, translator in pairs(simple.translators) do TRANSLATORS[name] = translator end

-- In which order types are translated: events write into APIs, and connectors look at what others have become.
local ORDER = { ["AWS::Serverless::Function"] = 1, ["AWS::Serverless::StateMachine"] = 2, ["AWS::Serverless::Api"] = 3,
  ["AWS::Serverless::HttpApi"] = 3, ["AWS::Serverless::WebSocketApi"] = 3, ["AWS::Serverless::Connector"] = 5 }
local OTHERS = 4

-- Types whose resources are looked at before anything else is done.
local DESCRIBED = {}
for name in pairs(TRANSLATORS) do DESCRIBED[name] = name ~= "AWS::Serverless::Connector" end

-- Types that SAM knows and the sandbox does not transform.
local REFUSED = { ["AWS::Serverless::GraphQLApi"] = true }

-- Types made by SAM that may have the id of what they are made of.
local SAME_ID = {
  ["AWS::Lambda::Function"] = { "Function" }, ["AWS::ApiGateway::RestApi"] = { "Api" },
  ["AWS::ApiGatewayV2::Api"] = { "HttpApi", "WebSocketApi" }, ["AWS::DynamoDB::Table"] = { "SimpleTable" },
  ["AWS::CloudFormation::Stack"] = { "Application" }, ["AWS::StepFunctions::StateMachine"] = { "StateMachine" },
  ["AWS::Lambda::LayerVersion"] = { "LayerVersion" }, ["AWS::Lambda::CapacityProvider"] = { "CapacityProvider" },
}

local function check_structure(tree)
  if not values.is_map(tree.Resources) or next(tree.Resources) == nil then
    failure.structure "'Resources' section is required"
  end
  for _, id in ipairs(values.keys(tree.Resources)) do
    local resource = tree.Resources[id]
    if not values.is_map(resource) then
      failure.structure("All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.")
    elseif DESCRIBED[resource.Type] and values.given(resource.Condition) and type(resource.Condition) ~= "string" then
      failure.structure "Every Condition member must be a string."
    elseif DESCRIBED[resource.Type] and resource.Properties ~= nil and not values.is_map(resource.Properties) then
      failure.document { ("Resource with id [%s] is invalid. Attribute 'Properties' should be a map."):format(id) }
    end
  end
end

local function in_order(tree, order)
  local out = {}
  for place, id in ipairs(order(tree.Resources)) do
    local type_name = tree.Resources[id].Type
    if type(type_name) == "string" and type_name:find(PREFIX) and (TRANSLATORS[type_name] or REFUSED[type_name]) then
      out[#out + 1] = { id = id, place = place, rank = ORDER[type_name] or OTHERS }
    end
  end
  table.sort(out, function(a, b)
    if a.rank == b.rank then return a.place < b.place end
    return a.rank < b.rank
  end)
  return out
end

-- The names of the functions that a REST API calls: when one changes, so does the API's deployment.
local function note_function_names(work, resource)
  local events = (resource.Properties or {}).Events
  if resource.Type ~= "AWS::Serverless::Function" or not values.is_map(events) then return end
  for _, name in ipairs(values.keys(events)) do
    local event = values.is_map(events[name]) and events[name] or {}
    local properties = event.Type == "Api" and values.is_map(event.Properties) and event.Properties or {}
    local api = implicit_api.named(properties.RestApiId)
    local function_name = resolve.parameters(values.copy(resource.Properties.FunctionName), work.parameters)
    if type(api) == "string" and values.given(function_name) then
      local text = type(function_name) == "table" and values.dumps(function_name, "compact") or tostring(function_name)
      work.function_names[api] = (work.function_names[api] or "") .. text
    end
  end
end

-- Runs `run`; what is wrong is noted.
local function noting(work, run, ...)
  local ok, err = pcall(run, ...)
  if ok then return end
  if not failure.is(err) or err.scope == "document" then error(err, 0) end
  work.causes[#work.causes + 1] = err.message
end

local function check_ids(work, id, made)
  for _, each in ipairs(made) do
    local there = work.original[each.id]
    local own = SAME_ID[each.type]
    if there and not (own and values.has(own, tostring(there):gsub(PREFIX, ""))) then
      noting(work, failure.taken, id, each.id, each.type)
    end
  end
end

local function note_made(work, id, translator, made)
  for name, type_name in pairs(translator.PROPERTIES or {}) do
    for _, each in ipairs(made) do
      if each.type == type_name then
        work.made[id] = work.made[id] or {}
        work.made[id][name] = each.id
      end
    end
  end
end

local function put(work, made)
  for _, resource in ipairs(made) do
    values.put(work.tree.Resources, resource.id, resources.definition(resource))
  end
end

-- A resource of the template gives way to what it becomes.
local function translate(work, id)
  local definition = work.tree.Resources[id]
  if REFUSED[definition.Type] then
    failure.resource(id, "The sandbox does not transform resources of type %s.", definition.Type)
  end
  note_function_names(work, definition)
  local translator = TRANSLATORS[definition.Type]
  local made = translator.translate(work, id, definition)
  check_ids(work, id, made)
  note_made(work, id, translator, made)
  work.tree.Resources[id] = nil
  put(work, made)
end

local function begin(tree, parameters, environment, order)
  local all = values.merged(values.map("AWS::Region", environment.pseudo["AWS::Region"],
    "AWS::Partition", environment.pseudo["AWS::Partition"]), parameters)
  return { tree = tree, order = order, parameters = all, partition = environment.pseudo["AWS::Partition"],
    now = environment.now, function_names = {}, renamed = {}, made = {}, deployments = {}, records = {}, causes = {},
    original = {},
    shared_plan = { conditions = {}, apis = values.list(), stages = values.list(), keys = values.list() } }
end

local function transformed(tree, parameters, environment)
  check_structure(tree)
  implicit_api.add_definitions(tree)
  local order = implicit_api.are_in(tree) and python2.keys or values.keys
  implicit_api.apply(tree, order)
  globals.merge(tree, swagger.set_version)
  local work = begin(tree, parameters, environment, order)
  connectors.take_out(tree, function(...) noting(work, ...) end)
  for _, id in ipairs(values.keys(tree.Resources)) do work.original[id] = tree.Resources[id].Type end
  for _, each in ipairs(in_order(tree, order)) do noting(work, translate, work, each.id) end
  noting(work, function() put(work, deployments.resources(work)) end)
  if #work.causes > 0 then failure.document(work.causes) end
  return resolve.references(tree, work.renamed, work.made)
end

--- A template after the transform.
---@param tree table changed where it stands; its values have their types
---@param parameters table<string, any> the template's, with their values
---@param environment table of sandbox.engine.environment
---@return table? tree nil when it is wrong
---@return string? why in SAM's words
function serverless.apply(tree, parameters, environment)
  local ok, result = pcall(transformed, tree, parameters, environment)
  if ok then return result end
  if type(result) == "string" then return nil, CRASHED end -- a value where neither SAM nor this expects one
  if not failure.is(result) then error(result, 0) end
  return nil, failure.text(result.causes or { result.message })
end

return serverless
