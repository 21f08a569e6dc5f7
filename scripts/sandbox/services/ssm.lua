--- AWS Systems Manager's parameters. A parameter is the thing that a template makes, too; its versions are
-- its state.

local json = require "tap.core.json"
local crypto = require "tap.core.crypto"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local paging = require "sandbox.services.paging"

local operations = {}

local TYPE = "AWS::SSM::Parameter"
local PAGE = 10
local SECRET = "SecureString"

local function not_found(name)
  fault.raise("ParameterNotFound", name and ("Parameter %s not found."):format(name) or "")
end

-- Versions of a parameter, oldest first; the last is what the properties say, also after a stack's update.
local function versions(context, thing)
  thing.state = thing.state or { versions = {} }
  local list, settings = thing.state.versions, thing.properties
  local last = list[#list]
  if not last or last.value ~= settings.Value or last.type ~= settings.Type then
    list[#list + 1] = { value = settings.Value, type = settings.Type, modified = context.world.clock.now(),
      labels = {} }
  end
  return list
end

-- AWS's own parameters name the current images. Which names there are is more than can be listed: any name below these
-- has an image, always the same one in a region.
local PUBLIC_IMAGES = {
  "^/aws/service/ami%-amazon%-linux%-latest/[%w._-]+$", "^/aws/service/ami%-windows%-latest/[%w._-]+$",
  "^/aws/service/ami%-macos%-latest/[%w._/-]+$", "^/aws/service/canonical/ubuntu/.+/ami%-id$",
  "^/aws/service/debian/.+$", "^/aws/service/ecs/optimized%-ami/.+/image_id$",
  "^/aws/service/eks/optimized%-ami/.+/image_id$", "^/aws/service/bottlerocket/.+/image_id$",
}

local function public_image(context, name)
  for _, pattern in ipairs(PUBLIC_IMAGES) do
    if name:find(pattern) then
      local image = "ami-0" .. crypto.sha256(context.region.name .. name):sub(1, 16)
      local version = { value = image, type = "String", modified = context.world.clock.now(), labels = {} }
      return { key = name, properties = { Value = image, Type = "String" } }, version, 1
    end
  end
  return nil
end

-- "name", "name:3", "name:label", or an ARN: thing, its version and the number of that; nil when not there.
local function lookup(context, reference)
  local name = reference:match("^arn:[^:]+:ssm:[^:]*:[^:]*:parameter(/.*)$") or reference
  local base, selector = name:match("^(.-):([^:]+)$")
  local thing = context.region:thing(TYPE, base or name) or context.region:thing(TYPE, (base
    or name):gsub("^/", ""))
  if not thing then return public_image(context, name) end
  local list = versions(context, thing)
  if not selector then return thing, list[#list], #list end
  local number = math.tointeger(tonumber(selector))
  for i, version in ipairs(list) do
    if i == number or version.labels[selector] then return thing, version, i end
  end
end

local function arn_of(context, thing)
  return ("arn:%s:ssm:%s:%s:parameter%s%s"):format(context.region.partition, context.region.name,
    context.region.account, thing.key:sub(1, 1) == "/" and "" or "/", thing.key)
end

local function shown(context, thing, version, number, decrypt)
  local value = version.value
  if version.type == SECRET and not decrypt then value = crypto.base64("AQICAHh" .. crypto.sha256(value)) end
  return { Name = thing.key, Type = version.type, Value = value, Version = number,
    LastModifiedDate = version.modified, ARN = arn_of(context, thing), DataType = "text" }
end

--- The value and the type of a parameter by its name, "name:version" or ARN; nil when it is not there. For
-- the template language, which reads parameters too.
---@return { value: string, type: string, version: integer }?
local function read(context, reference)
  local thing, version, number = lookup(context, reference)
  return thing and { value = version.value, type = version.type, version = number }
end

function operations.GetParameter(context, input)
  local thing, version, number = lookup(context, input.Name)
  if not thing then not_found() end
  return { Parameter = shown(context, thing, version, number, input.WithDecryption) }
end

function operations.GetParameters(context, input)
  local found, invalid = json.list {}, json.list {}
  for _, name in ipairs(input.Names) do
    local thing, version, number = lookup(context, name)
    if thing then
      found[#found + 1] = shown(context, thing, version, number, input.WithDecryption)
    else
      invalid[#invalid + 1] = name
    end
  end
  return { Parameters = found, InvalidParameters = invalid }
end

function operations.GetParametersByPath(context, input)
  local path, all = input.Path:gsub("/*$", "") .. "/", {}
  for _, thing in ipairs(things.all(context.region, TYPE)) do
    local rest = thing.key:sub(1, #path) == path and thing.key:sub(#path + 1)
    if rest and (input.Recursive or not rest:find("/", 1, true)) then all[#all + 1] = thing end
  end
  local page, next_token = paging.forward(all, input.NextToken, input.MaxResults or PAGE, "path")
  local out = json.list {}
  for i, thing in ipairs(page) do
    local list = versions(context, thing)
    out[i] = shown(context, thing, list[#list], #list, input.WithDecryption)
  end
  return { Parameters = out, NextToken = next_token }
end

local function matches(thing, filters)
  for _, filter in ipairs(filters or {}) do
    local ok, actual = false, filter.Key == "Type" and thing.properties.Type or thing.key
    for _, value in ipairs(filter.Values or {}) do
      ok = ok or (filter.Option == "BeginsWith" and actual:sub(1, #value) == value or actual == value)
    end
    if not ok then return false end
  end
  return true
end

function operations.DescribeParameters(context, input)
  local all = {}
  for _, thing in ipairs(things.all(context.region, TYPE)) do
    if matches(thing, input.ParameterFilters) then all[#all + 1] = thing end
  end
  local page, next_token = paging.forward(all, input.NextToken, input.MaxResults or PAGE, "describe")
  local out = json.list {}
  for i, thing in ipairs(page) do
    local list = versions(context, thing)
    out[i] = { Name = thing.key, Type = list[#list].type, Version = #list, ARN = arn_of(context, thing),
      Description = thing.properties.Description, LastModifiedDate = list[#list].modified, Tier = "Standard",
      DataType = "text" }
  end
  return { Parameters = out, NextToken = next_token }
end

function operations.PutParameter(context, input)
  local thing = context.region:thing(TYPE, input.Name)
  local settings = { Name = input.Name, Value = input.Value, Type = input.Type,
    Description = input.Description }
  if thing and not input.Overwrite then
    fault.raise("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the "
      .. "overwrite option in the request to true.")
  elseif thing then
    versions(context, thing)
    settings.Type = settings.Type or thing.properties.Type
    things.change(thing, settings)
  else
    if not settings.Type then
      fault.raise("ValidationException", "A parameter type is required when you create a parameter.")
    end
    thing = things.make(context, TYPE, input.Name, settings)
  end
  return { Version = #versions(context, thing), Tier = "Standard" }
end

local function delete(context, name)
  local thing = context.region:thing(TYPE, name)
  if thing then context.region:remove_thing(thing) end
  return thing ~= nil
end

function operations.DeleteParameter(context, input)
  if not delete(context, input.Name) then not_found() end
  return {}
end

function operations.DeleteParameters(context, input)
  local gone, invalid = json.list {}, json.list {}
  for _, name in ipairs(input.Names) do
    local list = delete(context, name) and gone or invalid
    list[#list + 1] = name
  end
  return { DeletedParameters = gone, InvalidParameters = invalid }
end

function operations.GetParameterHistory(context, input)
  local thing = context.region:thing(TYPE, input.Name) or not_found()
  local out = json.list {}
  for i, version in ipairs(versions(context, thing)) do
    local each = shown(context, thing, version, i, input.WithDecryption)
    out[i] = { Name = each.Name, Type = each.Type, Value = each.Value, Version = i,
      LastModifiedDate = each.LastModifiedDate }
  end
  return { Parameters = out }
end

function operations.LabelParameterVersion(context, input)
  local thing = context.region:thing(TYPE, input.Name) or not_found(input.Name)
  local list = versions(context, thing)
  local number = input.ParameterVersion or #list
  if not list[number] then
    fault.raise("ParameterVersionNotFound",
      ("Systems Manager could not find version %d of %s."):format(number,
      input.Name))
  end
  for _, label in ipairs(input.Labels) do
    for _, version in ipairs(list) do version.labels[label] = nil end
    list[number].labels[label] = true
  end
  return { InvalidLabels = json.list {}, ParameterVersion = number }
end

return { operations = operations, read = read }
