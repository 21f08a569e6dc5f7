--- Stack policies: which updates of which resources a stack allows. A document of statements over logical ids
-- and types; once there is one, what no statement allows is denied.

local fault = require "sandbox.fault"
local json = require "tap.core.json"

local policy = {}

local INVALID = "Error validating stack policy: Invalid stack policy"
local ACTIONS = { ["Update:Modify"] = true, ["Update:Replace"] = true, ["Update:Delete"] = true,
  ["Update:*"] = true }

local function list(value)
  if value == nil then return nil end
  return type(value) == "table" and value or { value }
end

local function refuse() fault.validation(INVALID) end

local function check_statement(statement)
  if type(statement) ~= "table" then refuse() end
  if statement.Effect ~= "Allow" and statement.Effect ~= "Deny" then refuse() end
  if statement.Principal ~= "*" then refuse() end
  local actions = list(statement.Action or statement.NotAction)
  if not actions or not (statement.Resource or statement.NotResource or statement.Condition) then refuse() end
  for _, action in ipairs(actions) do
    if not ACTIONS[action] then refuse() end
  end
end

--- A policy from its text. Raises ValidationError. Nil for one that says nothing: it takes the policy away.
---@param text string?
---@return table? document
function policy.parse(text)
  if text == nil or text == "" then return nil end
  local ok, document = pcall(json.decode, text)
  if not ok or type(document) ~= "table" or json.is_list(document) then refuse() end
  if next(document) == nil then return nil end
  local statements = document.Statement
  if type(statements) ~= "table" then refuse() end
  document.Statement = json.is_list(statements) and statements or { statements }
  for _, statement in ipairs(document.Statement) do check_statement(statement) end
  return document
end

-- "*" stands for any text.
local function matches(pattern, text)
  local escaped = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return text:match("^" .. escaped .. "$") ~= nil
end

local function any(patterns, text)
  for _, pattern in ipairs(patterns) do
    if matches(pattern, text) then return true end
  end
  return false
end

-- Condition: { StringEquals|StringLike = { ResourceType = { ... } } }
local function condition_holds(statement, resource)
  for _, test in pairs(statement.Condition or {}) do
    local types = list(test.ResourceType)
    if types and not any(types, resource.type) then return false end
  end
  return true
end

local function covers(statement, action, resource)
  local name = "LogicalResourceId/" .. resource.logical
  local actions, excluded = list(statement.Action), list(statement.NotAction)
  local resources, others = list(statement.Resource), list(statement.NotResource)
  return (actions and any(actions, action) or excluded ~= nil and not any(excluded, action))
    and (not resources or any(resources, name)) and (not others or not any(others, name))
    and condition_holds(statement, resource)
end

--- Why a policy does not let a resource be changed so; nil when it does.
---@param document table?
---@param action string "Update:Modify", "Update:Replace" or "Update:Delete"
---@param resource { logical: string, type: string }
---@return string?
function policy.denial(document, action, resource)
  if not document then return nil end
  local allowed = false
  for i, statement in ipairs(document.Statement) do
    if covers(statement, action, resource) then
      if statement.Effect == "Deny" then
        return ("Action denied by stack policy: Statement [#%d] does not allow [%s] for resource "
          .. "[LogicalResourceId/%s];"):format(i, action, resource.logical)
      end
      allowed = true
    end
  end
  if allowed then return nil end
  return ("Action not allowed by stack policy: no statement allows [%s] for resource [LogicalResourceId/%s];")
    :format(action, resource.logical)
end

return policy
