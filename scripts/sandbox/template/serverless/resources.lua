--- Resources: what a serverless resource or event may say, and the resources that it becomes.

local values = require "sandbox.template.serverless.values"
local failure = require "sandbox.template.serverless.failure"

local resources = {}

---------------------------------------------------------------------------------------------------------
-- What may be said. A kind's properties are a text: "Name Type, ..."; ! requires one, = takes no intrinsic function
-- for it. Types: any, string, boolean, integer, list, map, list<...>, map<...>, several with | between (errors
-- do not name them then, not even when they are the same), and 'A'/'B' for the texts that are allowed.

local TESTS = {
  any = function() return true end,
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  integer = function(value) return math.type(value) == "integer" or type(value) == "boolean" end, -- as Python has it
  list = values.is_list,
  map = values.is_map,
}

local test_of -- forward

-- The forms between |, where it does not stand inside of < >.
local function alternatives(form)
  local parts, depth, from = {}, 0, 1
  for at = 1, #form + 1 do
    local char = form:sub(at, at)
    depth = depth + (char == "<" and 1 or char == ">" and -1 or 0)
    if char == "" or char == "|" and depth == 0 then
      parts[#parts + 1] = form:sub(from, at - 1)
      from = at + 1
    end
  end
  return parts
end

local function contents(holder, inner)
  local test = test_of(inner)
  return function(value)
    if not TESTS[holder](value) then return false end
    for _, each in pairs(value) do
      if not test(each) then return false end
    end
    return true
  end
end

local function any_of(forms)
  local tests = {}
  for i, form in ipairs(forms) do tests[i] = test_of(form) end
  return function(value)
    for _, test in ipairs(tests) do
      if test(value) then return true end
    end
    return false
  end
end

test_of = function(form)
  local forms = alternatives(form)
  if #forms > 1 then return any_of(forms) end
  local holder, inner = form:match "^(%l+)<(.+)>$"
  if holder then return contents(holder, inner) end
  if form:sub(1, 1) ~= "'" then return TESTS[form] end
  return function(value) return type(value) == "string" and form:find("'" .. value .. "'", 1, true) ~= nil end
end

local function expected(form)
  if form == "map" or form == "string" then return (" should be a %s."):format(form) end
  if form:sub(1, 1) == "'" then return (" should be a one of the strings: %s."):format((form:gsub("/", " or "))) end
end

--- A kind of resource or event of the text that says what its properties are.
---@param type_name string as errors call it
---@param text string
function resources.kind(type_name, text)
  local kind = { type = type_name, names = {}, known = {} }
  for name, flags, form in text:gmatch "([%w_]+)([!=]*)%s+([^,%s]+)" do
    kind.names[#kind.names + 1] = name
    kind.known[name] = { required = flags:find("!", 1, true) ~= nil, plain = flags:find("=", 1, true) ~= nil,
      test = test_of(form), form = form }
  end
  return kind
end

-- As SAM sees it here: any map of one member.
local function may_be_call(value)
  return values.is_map(value) and next(value) ~= nil and next(value, (next(value))) == nil
end

local function check_property(id, name, rule, value)
  if value ~= nil and not rule.plain and may_be_call(value) then return end
  if value == nil then
    if rule.required then failure.resource(id, "Missing required property '%s'.", name) end
  elseif not rule.test(value) then
    local wanted = expected(rule.form)
    if wanted then failure.resource(id, "Property '%s'%s", name, wanted) end
    failure.resource(id, "Type of property '%s' is invalid.", name)
  end
end

--- The properties of a resource or event, checked by its kind.
---@param kind table of resources.kind
---@param id string logical id
---@param definition table Type, Properties
---@return table properties those of the template: what is put there stays there
function resources.properties(kind, id, definition)
  if not id:find "^%w+$" then failure.resource(id, "Logical ids must be alphanumeric.") end
  local properties = definition.Properties
  if properties ~= nil and not values.is_map(properties) then
    failure.resource(id, "Properties of a resource must be an object.")
  end
  for _, name in ipairs(values.keys(properties or {})) do
    if not kind.known[name] then
      failure.resource(id, "property %s not defined for resource of type %s", name, kind.type)
    end
  end
  for _, name in ipairs(kind.names) do check_property(id, name, kind.known[name], (properties or {})[name]) end
  return properties or {}
end

--- Raises when a value, as far as it is given, is not what it must be.
---@param raise function failure.resource or failure.event
---@param id string
---@param path string of the property, for the text
---@param value any
---@param form "map"|"list"|"string"|"boolean"
function resources.expect(raise, id, path, value, form)
  if not TESTS[form](value) then raise(id, "Property '%s' should be a %s.", path, form) end
  return value
end

---------------------------------------------------------------------------------------------------------
-- What it becomes

-- The attributes of a serverless resource that its main resource has, and those that all of its resources have.
local OWN = { "DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata" }
local SHARED = { "Condition", "DeletionPolicy", "UpdateReplacePolicy" }

local function picked(from, names)
  local out = {}
  for _, name in ipairs(names) do values.put(out, name, from[name]) end
  return out
end

function resources.own_attributes(definition) return picked(definition, OWN) end
function resources.shared_attributes(definition) return picked(definition, SHARED) end

--- A resource of CloudFormation in the making.
---@param type_name string
---@param id string
---@param attributes table? Condition and the like; copied
---@param depends_on any
---@return table resource { id, type, attributes, depends_on, properties }
function resources.new(type_name, id, attributes, depends_on)
  if not id:find "^%w+$" then failure.resource(id, "Logical ids must be alphanumeric.") end
  return { id = id, type = type_name, attributes = values.merged(attributes or {}), depends_on = depends_on,
    properties = {} }
end

--- Puts properties into it: names and values in turn, nil puts nothing.
---@return table resource
function resources.set(resource, ...)
  local given = table.pack(...)
  for i = 1, given.n, 2 do values.put(resource.properties, given[i], given[i + 1]) end
  return resource
end

--- What stands in the template for it.
function resources.definition(resource)
  local out = values.map("Type", resource.type,
    "DependsOn", values.or_nil(resource.depends_on))
  for _, name in ipairs(values.keys(resource.attributes)) do values.put(out, name, resource.attributes[name]) end
  return values.put(out, "Properties", resource.properties)
end

---------------------------------------------------------------------------------------------------------
-- Tags that spread

local LIST, MAP = values.tags, function(tags) return tags end

-- How the types that SAM makes have tags; others have none.
local TAGGED = {
  ["AWS::Lambda::Function"] = LIST, ["AWS::IAM::Role"] = LIST, ["AWS::SQS::Queue"] = LIST, ["AWS::SNS::Topic"] = LIST,
  ["AWS::ApiGateway::RestApi"] = LIST, ["AWS::ApiGateway::Stage"] = LIST, ["AWS::ApiGateway::DomainName"] = LIST,
  ["AWS::ApiGateway::DomainNameV2"] = LIST, ["AWS::ApiGateway::UsagePlan"] = LIST, ["AWS::ApiGateway::ApiKey"] = LIST,
  ["AWS::ApiGateway::DomainNameAccessAssociation"] = LIST, ["AWS::IoT::TopicRule"] = LIST,
  ["AWS::S3::Bucket"] = LIST, ["AWS::StepFunctions::StateMachine"] = LIST,
  ["AWS::ApiGatewayV2::Stage"] = MAP, ["AWS::ApiGatewayV2::DomainName"] = MAP,
}

--- Gives all resources of a serverless one its tags, when it asks for that.
function resources.spread_tags(list, tags, wanted)
  if not values.given(wanted) or not values.given(tags) then return end
  for _, resource in ipairs(list) do
    local form = TAGGED[resource.type]
    if form then values.put(resource.properties, "Tags", form(tags)) end
  end
end

local RESERVED = { "lambda:createdBy", "serverlessrepo:applicationId", "serverlessrepo:semanticVersion" }

--- The tags of a resource, after those that SAM gives it.
function resources.sam_tags(id, tags, more)
  for _, name in ipairs(RESERVED) do
    if (tags or {})[name] ~= nil then
      failure.resource(id, "%s is a reserved Tag key name and cannot be set on your resource. Please change the tag "
        .. "key in the input.", name)
    end
  end
  return values.joined(values.tags(values.map("lambda:createdBy", "SAM")), values.tags(more), values.tags(tags))
end

--- Where an object of S3 is, of s3://bucket/key?versionId=v or { Bucket, Key, Version }; nil when it is no such text.
---@return table? place Bucket, Key, Version
function resources.s3_place(uri)
  local bucket, key, query = tostring(uri):match "^[sS]3://([^/?#]+)/([^?#]*)%??([^#]*)"
  if not bucket then return nil end
  return { Bucket = bucket, Key = (key:gsub("^/+", "")), Version = query:match "versionId=([^&]+)" }
end

local SECRET = "{{resolve:ssm[%w-]*:[%w_.%-]*/"

--- The place of a function's code or a layer's content, under the names given.
function resources.s3_object(id, property, location, names)
  local place = location
  if values.is_map(location) then
    if not values.given(location.Bucket) or not values.given(location.Key) then
      failure.resource(id, "'%s' requires Bucket and Key properties to be specified.", property)
    end
  elseif type(location) == "string" then
    if location:find(SECRET) or location:find "{{resolve:secretsmanager:[%w_.%-]*/" then
      failure.resource(id, "Unsupported dynamic reference detected in '%s'. Please consider using alternative "
        .. "'FunctionCode' object format.", property)
    end
    place = resources.s3_place(location)
    if not place then
      failure.resource(id, "'%s' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query "
        .. "parameter.", property)
    end
  else
    failure.resource(id, "'%s' must be of type dict or string.", property)
  end
  return values.map(names[1], place.Bucket, names[2], place.Key, names[3], place.Version)
end

return resources
