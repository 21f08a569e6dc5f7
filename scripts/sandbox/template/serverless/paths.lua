--- Paths and methods of an API's definition, whether Swagger or OpenAPI: finding them, making them, and looking
-- through conditions around them.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"
local python2 = require "sandbox.template.serverless.python2"

local paths = {}

paths.INTEGRATION = "x-amazon-apigateway-integration"
paths.ANY = "x-amazon-apigateway-any-method"

--- Is it a version 3 of OpenAPI?
function paths.is_version_3(version)
  local text = type(version) == "number" and values.number(version) or tostring(version)
  return text:find "^3%.%d$" ~= nil or text:find "^3%.%d%.%d$" ~= nil
end

--- The method as a definition calls it.
---@return string name
---@return "key"|nil users whether it is the user's word
function paths.method(name)
  name = name:lower()
  if name == "any" then return paths.ANY end
  return name, "key"
end

--- What stands at a place: itself, or both branches of a condition.
---@return table[]
function paths.branches(item)
  if not values.is_map(item) or item["Fn::If"] == nil then return { item } end
  local branches = item["Fn::If"]
  if not values.is_list(branches) then failure.structure "Value of Fn::If must be a list." end
  local out = {}
  for i = 2, #branches do
    if not values.is_no_value(branches[i]) then out[#out + 1] = branches[i] end
  end
  return out
end

function paths.check_map(value, message, ...)
  if not values.is_map(value) then failure.structure(message, ...) end
  return value
end

local NO_MAP = "Value of '%s' path must be a dictionary according to Swagger spec."

--- The items of a path, each checked.
function paths.items(document, path)
  local out = paths.branches(document.paths[path])
  for _, item in ipairs(out) do paths.check_map(item, NO_MAP, path) end
  return out
end

local function check_method(definition, path, method)
  return paths.check_map(definition, "Definition of method '%s' for path '%s' should be a map.", method, path)
end

--- The definitions of a method at a path that have an integration; all of them when `all` is given.
function paths.definitions(document, path, method, all)
  local out, name = {}, paths.method(method)
  for _, item in ipairs(paths.items(document, path)) do
    for _, definition in ipairs(paths.branches(item[name])) do
      check_method(definition, path, method)
      if all or values.given(definition[paths.INTEGRATION]) then out[#out + 1] = definition end
    end
  end
  return out
end

local NO_METHODS = { summary = true, description = true, parameters = true }

--- All methods of a path that have an integration: a list of { name, definition }.
function paths.methods(document, path)
  local out = {}
  for _, item in ipairs(paths.items(document, path)) do
    for _, name in ipairs(python2.keys(item)) do
      for _, definition in ipairs(NO_METHODS[name] and {} or paths.branches(item[name])) do
        check_method(definition, path, name)
        if values.given(definition[paths.INTEGRATION]) then out[#out + 1] = { (paths.method(name)), definition } end
      end
    end
  end
  return out
end

--- Has a method at a path an integration, in all branches?
function paths.has_integration(document, path, method)
  if document.paths[path] == nil then return false end
  local name = paths.method(method)
  for _, item in ipairs(paths.branches(document.paths[path])) do
    if not values.is_map(item) or not values.is_map(item[name]) then return false end
    local has = false
    for _, definition in ipairs(paths.branches(item[name])) do
      has = has or values.given(check_method(definition, path, method)[paths.INTEGRATION])
    end
    if not has then return false end
  end
  return true
end

--- Makes a method of a path, where it is not there yet.
function paths.add(document, path, method)
  local name, users = paths.method(method)
  if document.paths[path] == nil then python2.put(document.paths, path, python2.dict(), "key") end
  paths.check_map(document.paths[path], NO_MAP, path)
  for _, item in ipairs(paths.branches(document.paths[path])) do
    if item[name] == nil then python2.put(item, name, python2.dict(), users) end
  end
end

--- Puts a whole path under a condition.
---@param users "value"|nil whether the condition's name is the user's word
function paths.make_conditional(document, path, condition, users)
  local branches = values.list(condition, document.paths[path], python2.ordinary("Ref", "AWS::NoValue"))
  if not users then branches = python2.list(table.unpack(branches)) end
  python2.put(document.paths, path, python2.ordinary("Fn::If", branches), "key")
end

--- Something by a condition that is the user's, as a part of a definition.
function paths.choice(condition, value)
  return python2.ordinary("Fn::If", values.list(condition, value, python2.ordinary("Ref", "AWS::NoValue")))
end

--- How long a method may take.
function paths.set_timeout(document, path, method, milliseconds)
  for _, definition in ipairs(paths.definitions(document, path, method)) do
    python2.put(definition[paths.INTEGRATION], "timeoutInMillis", milliseconds)
  end
end

local PARAMETER = { "{[%w._-]+}", "{[%w._-]+%+}" }

--- A path as ARNs have it: what varies is *.
---@param also_greedy boolean {name+} varies, too, whatever its name; else only {proxy+}
function paths.pattern(path, also_greedy)
  path = path:gsub(PARAMETER[1], "*")
  return (path:gsub(also_greedy and PARAMETER[2] or "{proxy%+}", "*"))
end

--- The security of a method, checked to be a list.
function paths.security(definition, path, method)
  local security = definition.security
  if security == nil then return values.list() end
  if not values.is_list(security) then
    failure.structure("Type of security for path %s method %s must be a list", path, method)
  end
  return security
end

--- The URI by which API Gateway calls a function.
---@param target table name and arn, of sandbox.template.serverless.functions
---@param partition string
---@param streams boolean? answers are streamed
function paths.function_uri(target, partition, streams)
  local arn = target.arn
  local shorthand = arn.Ref or table.concat(arn["Fn::GetAtt"], ".")
  local text = ("arn:%s:apigateway:${AWS::Region}:lambda:path/%s/functions/${%s}/%s"):format(partition,
    streams and "2021-11-15" or "2015-03-31", shorthand,
    streams and "response-streaming-invocations" or "invocations")
  return python2.put(python2.dict(), "Fn::Sub", text, arn["Fn::GetAtt"] and "value" or nil)
end

return paths
