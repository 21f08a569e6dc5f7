--- APIs that stand for themselves: those without a definition get one, events that name no API make the implicit one
-- (ServerlessRestApi, ServerlessHttpApi), and each event's path is put into its API's definition.

local values = require "sandbox.template.serverless.values"
local conditions = require "sandbox.template.serverless.conditions"
local failure = require "sandbox.template.serverless.failure"
local openapi = require "sandbox.template.serverless.openapi"
local paths = require "sandbox.template.serverless.paths"
local python2 = require "sandbox.template.serverless.python2"
local swagger = require "sandbox.template.serverless.swagger"

local implicit_api = {}

local FUNCTION, MACHINE = "AWS::Serverless::Function", "AWS::Serverless::StateMachine"

local REST = { id = "ServerlessRestApi", condition = "ServerlessRestApiCondition", event = "Api", names = "RestApiId",
  type = "AWS::Serverless::Api", editor = swagger }
local HTTP = { id = "ServerlessHttpApi", condition = "ServerlessHttpApiCondition", event = "HttpApi", names = "ApiId",
  type = "AWS::Serverless::HttpApi", editor = openapi }

function REST.resource()
  return values.map("Type", REST.type, "Properties",
    python2.ordinary("StageName", "Prod", "DefinitionBody", swagger.skeleton(), "__MANAGE_SWAGGER", true))
end

function HTTP.resource()
  return values.map("Type", HTTP.type, "Properties",
    python2.ordinary("DefinitionBody", openapi.skeleton(), "__MANAGE_SWAGGER", true))
end

--- The API that an event's property names: a logical id, or what else stands there.
function implicit_api.named(value)
  if values.is_map(value) and value.Ref ~= nil then return value.Ref end
  return value
end

--- Gives each API without a definition an empty one, which SAM writes.
function implicit_api.add_definitions(tree)
  for _, kind in ipairs { REST, HTTP } do
    for _, id in ipairs(values.keys(tree.Resources)) do
      local resource = tree.Resources[id]
      local properties = resource.Type == kind.type and (resource.Properties or {})
      if properties and not values.given(properties.DefinitionBody) and not values.given(properties.DefinitionUri) then
        if resource.Properties == nil then values.put(resource, "Properties", properties) end
        values.put(properties, "DefinitionBody", kind.editor.skeleton())
        values.put(properties, "__MANAGE_SWAGGER", true)
      end
    end
  end
end

---------------------------------------------------------------------------------------------------------
-- Events

local function required(event_id, name, value)
  if value == nil then failure.event(event_id, "Property '%s' is required.", name) end
  return value
end

local function text(event_id, name, value)
  if type(value) ~= "string" then failure.event(event_id, "Property '%s' should be a string.", name) end
  return value
end

-- Tags of a function that spread to the implicit API.
local function spread_tags(work, resource, kind)
  local section = (work.tree.Globals or {})[resource.Type:match "%w+$"] or {}
  local properties = resource.Properties or {}
  local tags = values.or_nil(properties.Tags) or section.Tags
  if not values.given(tags) or not values.given(values.or_nil(properties.PropagateTags) or section.PropagateTags) then
    return
  end
  local api = work.tree.Resources[kind.id].Properties
  values.put(api, "Tags", values.merged(api.Tags or {}, tags))
  values.put(api, "PropagateTags", true)
end

-- Notes what an event's resource says of conditions and policies, by its API.
local function note(work, api_id, path, method, resource)
  local seen = work.seen[api_id] or { paths = {}, DeletionPolicy = {}, UpdateReplacePolicy = {} }
  work.seen[api_id] = seen
  seen.paths[path] = seen.paths[path] or {}
  seen.paths[path][method] = resource.Condition or false
  for _, policy in ipairs { "DeletionPolicy", "UpdateReplacePolicy" } do
    if resource[policy] then seen[policy][resource[policy]] = true end
  end
end

local function put_path(work, kind, event_id, api_id, path, method)
  local resource = work.tree.Resources[api_id]
  if not resource or resource.Type == "AWS::Serverless::HttpApi" and kind ~= HTTP then
    failure.event(event_id, "%s must be a valid reference to an '%s' resource in same template.", kind.names, kind.type)
  end
  local properties = resource.Properties
  if not values.is_map(properties) or not kind.editor.is_valid(properties.DefinitionBody)
    or not values.given(properties.__MANAGE_SWAGGER) then return end
  local document = kind.editor.open(properties.DefinitionBody)
  paths.add(document, path, method)
  kind.editor.close(document)
end

-- A route of an HTTP API has the settings of its event.
local function put_route_settings(work, event_id, api_id, properties, condition)
  local settings = properties.RouteSettings
  if settings == nil then return end
  local method, api = properties.Method, work.tree.Resources[api_id].Properties
  local route = method == paths.ANY and properties.Path or method:upper() .. " " .. properties.Path
  if condition then settings = values.choice(condition, settings) end
  if not values.is_map(settings) then failure.event(event_id, "Property 'RouteSettings' should be a map.") end
  local all = api.RouteSettings or {}
  if not values.is_map(all) then failure.resource(api_id, "Property 'RouteSettings' should be a map.") end
  values.put(api, "RouteSettings", values.merged(all,
    values.map(route, values.merged(all[route] or {}, settings))))
end

local function process(work, kind, resource, event_id, event)
  local properties = event.Properties
  if kind == HTTP and properties == nil then
    properties = {}
    values.put(event, "Properties", properties)
  end
  if properties == nil or kind == REST and not values.given(properties) then return end
  if not values.is_map(properties) then failure.event(event_id, "Properties should be a map.") end
  if properties[kind.names] == nil then
    spread_tags(work, resource, kind)
    python2.put(properties, kind.names, python2.ordinary("Ref", kind.id))
  end
  if kind == HTTP and not values.given(properties.Path) and not values.given(properties.Method) then
    values.put(properties, "Path", "$default")
    values.put(properties, "Method", paths.ANY)
  end
  required(event_id, "Path", properties.Path)
  required(event_id, "Method", properties.Method)
  local api_id = text(event_id, kind.names, implicit_api.named(properties[kind.names]))
  local path, method = text(event_id, "Path", properties.Path), text(event_id, "Method", properties.Method)
  note(work, api_id, path, method, resource)
  put_path(work, kind, event_id, api_id, path, method)
  if kind == HTTP then put_route_settings(work, event_id, api_id, properties, resource.Condition) end
end

local function process_resource(work, kind, resource)
  local events = (resource.Properties or {}).Events
  if not values.is_map(events) then return end
  local of_kind = {}
  for _, event_id in ipairs(work.order(events)) do
    local event = events[event_id]
    if values.is_map(event) and event.Type == kind.event then python2.put(of_kind, event_id, event) end
  end
  for _, event_id in ipairs(work.order(of_kind)) do process(work, kind, resource, event_id, of_kind[event_id]) end
end

---------------------------------------------------------------------------------------------------------
-- What all events of an API have in common

-- The conditions of some methods, sorted; nil when one of them has none.
local function common(lists)
  local names, set = {}, {}
  for _, methods in ipairs(lists) do
    for _, name in pairs(methods) do
      if not name then return nil end
      if not set[name] then names[#names + 1] = name end
      set[name] = true
    end
  end
  table.sort(names)
  return #names > 0 and names or nil
end

local STRONGEST = { DeletionPolicy = { "Retain", "Delete" }, UpdateReplacePolicy = { "Retain", "Snapshot", "Delete" } }

local function give_attributes(work, kind)
  local seen, resource = work.seen[kind.id], work.tree.Resources[kind.id]
  if not seen then return end
  local lists = {}
  for _, methods in pairs(seen.paths) do lists[#lists + 1] = methods end
  local names = common(lists)
  if names then
    values.put(resource, "Condition", #names == 1 and names[1] or kind.condition)
    if #names > 1 then conditions.add_any(work.tree, kind.condition, names) end
  end
  for policy, order in pairs(STRONGEST) do
    for i = #order, 1, -1 do
      if seen[policy][order[i]] then values.put(resource, policy, order[i]) end
    end
  end
end

local SPELLED = { ["/"] = "SLASH", ["{"] = "OB", ["}"] = "CB" }

local function give_path_conditions(work, kind, api_id, properties)
  local document = kind.editor.open(properties.DefinitionBody)
  for _, path in ipairs(python2.keys(document.paths)) do
    local names = common { ((work.seen[api_id] or {}).paths or {})[path] or {} }
    if names and #names == 1 then
      paths.make_conditional(document, path, names[1], "value")
    elseif names then
      local name = ("%s%sPathCondition"):format(api_id, (path:gsub("[/{}]", SPELLED)))
      conditions.add_any(work.tree, name, names)
      paths.make_conditional(document, path, name)
    end
  end
  kind.editor.close(document)
end

local function apply(tree, kind, order)
  local existing = values.copy(tree.Resources[kind.id])
  local work, causes = { tree = tree, seen = {}, order = order }, {}
  python2.put(tree.Resources, kind.id, kind.resource())
  for _, id in ipairs(order(tree.Resources)) do
    local resource = tree.Resources[id]
    if resource.Type == FUNCTION or resource.Type == MACHINE then
      local ok, err = pcall(failure.within, id, process_resource, work, kind, resource)
      if not ok and (not failure.is(err) or err.scope == "document") then error(err, 0) end
      causes[#causes + 1] = not ok and err.message or nil
    end
  end
  give_attributes(work, kind)
  for _, id in ipairs(order(tree.Resources)) do
    local resource = tree.Resources[id]
    if resource.Type == kind.type and values.given((resource.Properties or {}).__MANAGE_SWAGGER) then
      give_path_conditions(work, kind, id, resource.Properties)
    end
  end
  if #values.keys(tree.Resources[kind.id].Properties.DefinitionBody.paths) == 0 then
    python2.remove(tree.Resources, kind.id)
    if existing then python2.put(tree.Resources, kind.id, existing) end
  end
  if #causes > 0 then failure.document(causes) end
end

--- Puts the events of all functions and state machines into the definitions of their APIs.
---@param tree table changed where it stands
---@param order fun(map: table): string[] in which order resources and events are looked at
function implicit_api.apply(tree, order)
  apply(tree, REST, order)
  apply(tree, HTTP, order)
end

local function has_event(resource, type_name)
  local events = values.is_map(resource.Properties) and resource.Properties.Events
  for _, event in pairs(values.is_map(events) and events or {}) do
    if values.is_map(event) and event.Type == type_name then return true end
  end
  return false
end

local function has_default(api)
  return values.is_map(api) and values.is_map(api.Auth) and values.given(api.Auth.DefaultAuthorizer)
end

--- Does a template have APIs whose definitions need the order of Python 2.7? Then all its resources have it.
function implicit_api.are_in(tree)
  local default = has_default(values.is_map(tree.Globals) and tree.Globals.HttpApi)
  for _, resource in pairs(tree.Resources) do
    local is_function = resource.Type == FUNCTION
    if resource.Type == REST.type or (is_function or resource.Type == MACHINE) and has_event(resource, "Api")
      or resource.Type == HTTP.type and (default or has_default(resource.Properties))
      or default and is_function and has_event(resource, "HttpApi") then return true end
  end
  return false
end

return implicit_api
