--- What all rules of a lint run share: the template's parts, the names that are defined in it, and where findings go.

local json = require "tap.core.json"

local is_list, move = json.is_list, table.move

local state = {}
state.__index = state

-- Steps that the patterns of all values may take together: half a second. A template that has more is hostile; what is
-- left of it is the service's to judge.
local MOST_STEPS = 500000

local PSEUDO = { "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region",
  "AWS::StackId", "AWS::StackName", "AWS::URLSuffix" }
local PSEUDO_LISTS = { ["AWS::NotificationARNs"] = true }

local function is_map(value)
  return type(value) == "table" and not is_list(value)
end

local function section(root, name)
  return is_map(root[name]) and root[name] or {}
end

-- The names of the macros that the template says.
local function transforms_of(root)
  local names = {}
  local given = root.Transform
  for _, one in ipairs(json.is_list(given) and given or { given }) do
    local name = type(one) == "table" and one.Name or one
    if type(name) == "string" then names[name] = true end
  end
  return names
end

-- Modules bring resources of their own, whose names begin with the module's.
local function has_modules(resources)
  for _, resource in pairs(resources) do
    local type_name = is_map(resource) and resource.Type
    if type(type_name) == "string" and type_name:find("::MODULE$") then return true end
  end
  return false
end

--- The state of one template.
---@param document table tap.core.document
---@param report fun(rule: string, path: table, message: string) a finding at a node, by its path from the root
---@return table
function state.new(document, report)
  local root = document:root()
  local self = setmetatable({ document = document, root = root, report = report }, state)
  if not is_map(root) then return self end
  self.parameters, self.resources = section(root, "Parameters"), section(root, "Resources")
  self.conditions, self.mappings = section(root, "Conditions"), section(root, "Mappings")
  self.outputs = section(root, "Outputs")
  self.transforms = transforms_of(root)
  self.sam = self.transforms["AWS::Serverless-2016-10-31"] ~= nil
  self.extended = self.transforms["AWS::LanguageExtensions"] ~= nil
  self.modules = has_modules(self.resources)
  self.rewritten = next(self.transforms) ~= nil -- a macro may define names that cannot be seen
  self.budget = { left = MOST_STEPS }
  self.loops = {} -- names that a ForEach has in its scope, how often
  self.edges = {} -- resource -> resources that it refers to
  return self
end

--- Tells a finding.
---@param rule string
---@param path table keys and indexes from the root
---@param message string format
function state:find(rule, path, message, ...)
  self.report(rule, path, select("#", ...) > 0 and message:format(...) or message)
end

--- A path with more behind it, four keys at most; paths are shared, and never changed.
---@param path table
---@param first string|integer
---@param second (string|integer)?
---@param third (string|integer)?
---@param fourth (string|integer)?
---@return table
function state.join(path, first, second, third, fourth)
  local n = #path
  local out = move(path, 1, n, 1, {})
  out[n + 1], out[n + 2], out[n + 3], out[n + 4] = first, second, third, fourth
  return out
end

state.is_map = is_map

--- Calls f(properties, path, resource, id) for every resource that has properties and says its type, in their order.
---@param f fun(properties: table, path: table, resource: table, id: string)
function state:each_resource(f)
  for _, id in ipairs(json.keys(self.resources)) do
    local resource = self.resources[id]
    if is_map(resource) and type(resource.Type) == "string" and is_map(resource.Properties) then
      f(resource.Properties, { "Resources", id, "Properties" }, resource, id)
    end
  end
end

--- Rows whose first field is a resource type, by that type.
---@param rows table[]
---@return table<string, table[]>
function state.by_type(rows)
  local out = {}
  for _, row in ipairs(rows) do
    out[row[1]] = out[row[1]] or {}
    table.insert(out[row[1]], row)
  end
  return out
end

--- Calls f(row, properties, path) for every resource and each row of its type.
---@param by_type table<string, table[]> of state.by_type
---@param f fun(row: table, properties: table, path: table)
function state:each_row(by_type, f)
  self:each_resource(function(properties, path, resource)
    for _, row in ipairs(by_type[resource.Type] or {}) do f(row, properties, path) end
  end)
end

--- Are names defined that this lint cannot see: by a macro, a loop, an include?
---@return boolean
function state:has_hidden_names()
  return self.sam or self.rewritten and not (self.extended and next(self.transforms, next(self.transforms)) == nil)
    or self.modules
end

--- Is it the name of a pseudo parameter?
---@param name string
---@return boolean
function state.is_pseudo(name)
  for _, pseudo in ipairs(PSEUDO) do
    if pseudo == name then return true end
  end
  return false
end

--- Can a Ref name it?
---@param name string
---@return boolean
function state:can_ref(name)
  if self.parameters[name] ~= nil or self.resources[name] ~= nil or self.loops[name] then return true end
  return state.is_pseudo(name) or self:has_hidden_names() == true
end

--- Does a Ref of this name give a list? nil when that cannot be told.
---@param name string
---@return boolean?
function state:ref_is_list(name)
  if PSEUDO_LISTS[name] then return true end
  local parameter = self.parameters[name]
  if not is_map(parameter) or type(parameter.Type) ~= "string" then return nil end
  return parameter.Type:find("List", 1, true) ~= nil
end

--- Notes that a resource depends on another one.
---@param from string?
---@param to string
function state:depend(from, to)
  if not from or self.resources[to] == nil then return end
  self.edges[from] = self.edges[from] or {}
  self.edges[from][to] = true
end

--- A value as messages show it.
---@param value any
---@return string
function state.show(value)
  if value == json.null or value == nil then return "null" end
  if type(value) == "string" then return "'" .. (#value > 80 and value:sub(1, 77) .. "..." or value) .. "'" end
  if type(value) ~= "table" then return tostring(value) end
  local text = json.encode(value)
  return #text > 80 and text:sub(1, 77) .. "..." or text
end

return state
