--- Policy documents: of identities (E3510), of roles' trust (E3530), of resources (E3512, E3513 for repositories).

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local util = require "tap.util"
local values = require "lint.values"

local policies = {}

local join, is_map, show = state.join, state.is_map, state.show
local each_value, each_item = values.each, values.each_item

local VERSIONS = { ["2008-10-17"] = true, ["2012-10-17"] = true }
local TOP = { Version = true, Id = true, Statement = true }
local STATEMENT = { Sid = true, Effect = true, Action = true, NotAction = true, Resource = true, NotResource = true,
  Condition = true, Principal = true, NotPrincipal = true }

local IDENTITY = { rule = "E3510", resources = true, principals = false }
local TRUST = { rule = "E3530", resources = false, principals = true }
local OF_RESOURCE = { rule = "E3512", resources = true, principals = true }
local OF_REPOSITORY = { rule = "E3513", resources = nil, principals = true }

-- Type -> property -> kind; ["Policies"] are lists of { PolicyName, PolicyDocument }.
local DOCUMENTS = {
  ["AWS::IAM::Group"] = { Policies = IDENTITY }, ["AWS::IAM::ManagedPolicy"] = { PolicyDocument = IDENTITY },
  ["AWS::IAM::Policy"] = { PolicyDocument = IDENTITY }, ["AWS::IAM::User"] = { Policies = IDENTITY },
  ["AWS::IAM::Role"] = { Policies = IDENTITY, AssumeRolePolicyDocument = TRUST },
  ["AWS::IAM::RolePolicy"] = { PolicyDocument = IDENTITY }, ["AWS::IAM::UserPolicy"] = { PolicyDocument = IDENTITY },
  ["AWS::IAM::GroupPolicy"] = { PolicyDocument = IDENTITY }, ["AWS::SSO::PermissionSet"] = { InlinePolicy = IDENTITY },
  ["AWS::S3::BucketPolicy"] = { PolicyDocument = OF_RESOURCE },
  ["AWS::SNS::TopicPolicy"] = { PolicyDocument = OF_RESOURCE },
  ["AWS::SQS::QueuePolicy"] = { PolicyDocument = OF_RESOURCE }, ["AWS::KMS::Key"] = { KeyPolicy = OF_RESOURCE },
  ["AWS::KMS::ReplicaKey"] = { KeyPolicy = OF_RESOURCE },
  ["AWS::SecretsManager::ResourcePolicy"] = { ResourcePolicy = OF_RESOURCE },
  ["AWS::Elasticsearch::Domain"] = { AccessPolicies = OF_RESOURCE },
  ["AWS::OpenSearchService::Domain"] = { AccessPolicies = OF_RESOURCE },
  ["AWS::ECR::Repository"] = { RepositoryPolicyText = OF_REPOSITORY },
}

local function has(statement, first, second)
  return (statement[first] ~= nil and 1 or 0) + (statement[second] ~= nil and 1 or 0)
end

local function only_one(L, rule, statement, path, first, second)
  if has(statement, first, second) ~= 1 then
    L:find(rule, path, "Only one of '%s', '%s' is a required property", first, second)
  end
end

local function is_resource(text)
  if text == "*" or text:find("{{resolve:", 1, true) then return true end
  return text:find("^arn:[^:]*:[^:]+:[^:]*:[^:]*:.+") ~= nil or text:find("^%*?arn:[%w*-]+:[^:]+:[^:]*:") ~= nil
    or text:find("${", 1, true) ~= nil
end

-- Comparisons of conditions, without what may stand before and behind.
local COMPARISONS = { ArnEquals = true, ArnNotEquals = true, ArnLike = true, ArnNotLike = true, BinaryEquals = true,
  Bool = true, DateEquals = true, DateNotEquals = true, DateLessThan = true, DateLessThanEquals = true,
  DateGreaterThan = true, DateGreaterThanEquals = true, IpAddress = true, NotIpAddress = true, Null = true,
  NumericEquals = true, NumericNotEquals = true, NumericLessThan = true, NumericLessThanEquals = true,
  NumericGreaterThan = true, NumericGreaterThanEquals = true, StringEquals = true, StringNotEquals = true,
  StringEqualsIgnoreCase = true, StringNotEqualsIgnoreCase = true, StringLike = true, StringNotLike = true }

local function check_condition(L, rule, condition, path)
  if not is_map(condition) then return end
  for _, name in ipairs(json.keys(condition)) do
    local bare = name:gsub("^ForAnyValue:", ""):gsub("^ForAllValues:", ""):gsub("IfExists$", ""):gsub("Exists$", "")
    if not COMPARISONS[bare] and not name:find("^Fn::") then
      L:find(rule, join(path, name), "'%s' is no comparison%s", name, util.suggest(bare, util.sorted_keys(COMPARISONS)))
    end
  end
end

local function check_actions(L, rule, actions, path)
  if json.is_list(actions) and #actions == 0 then return L:find(rule, path, "a statement has at least one action") end
  each_item(actions, path, function(action, at)
    if type(action) == "table" then L:find(rule, at, "%s is not of type 'string'", show(action)) end
  end)
end

-- Who: '*', or texts and lists of texts by their kind.
local function check_principals(L, rule, statement, path)
  for _, name in ipairs { "Principal", "NotPrincipal" } do
    local who = is_map(statement[name]) and not functions.name_of(statement[name]) and statement[name] or {}
    for _, kind in ipairs(json.keys(who)) do
      each_item(who[kind], join(path, name, kind), function(one, at)
        if type(one) == "table" and kind:find("^Fn::") == nil then
          L:find(rule, at, "%s is not of type 'string'", show(one))
        end
      end)
    end
  end
end

local function check_statement(L, kind, statement, path)
  local rule = kind.rule
  if not is_map(statement) then return L:find(rule, path, "%s is not of type 'object'", show(statement)) end
  for _, key in ipairs(json.keys(statement)) do
    local misplaced = kind.principals == false and key:find("Principal$")
      or kind.resources == false and key:find("Resource$")
    if not STATEMENT[key] and not key:find("^Fn::") or misplaced then
      L:find(rule, join(path, key), "'%s' is no member of a statement%s", key, misplaced and " of this policy"
        or util.suggest(key, util.sorted_keys(STATEMENT)))
    end
  end
  if statement.Effect == nil then
    L:find(rule, path, "'Effect' is a required property")
  end
  each_value(statement.Effect, join(path, "Effect"), function(effect, at)
    if effect ~= "Allow" and effect ~= "Deny" then
      L:find(rule, at, "%s is not one of 'Allow', 'Deny'", show(effect))
    end
  end)
  only_one(L, rule, statement, path, "Action", "NotAction")
  check_actions(L, rule, statement.Action, join(path, "Action"))
  check_actions(L, rule, statement.NotAction, join(path, "NotAction"))
  each_value(statement.Condition, join(path, "Condition"), function(condition, at)
    check_condition(L, rule, condition, at)
  end)
  check_principals(L, rule, statement, path)
  if kind.principals then only_one(L, rule, statement, path, "Principal", "NotPrincipal") end
  if kind.resources then only_one(L, rule, statement, path, "Resource", "NotResource") end
  for _, name in ipairs { "Resource", "NotResource" } do
    each_item(statement[name], join(path, name), function(item, at)
      if kind.resources and (type(item) ~= "string" or not is_resource(item)) then
        L:find(rule, at, "%s is no ARN and no '*'", show(item))
      end
    end)
  end
end

local function check_statements(L, kind, value, path)
  local sids = {}
  each_value(value, path, function(one, at)
    if type(one) ~= "table" then return L:find(kind.rule, at, "%s is not of type 'object', 'array'", show(one)) end
    each_item(one, at, function(statement, place)
      check_statement(L, kind, statement, place)
      local sid = is_map(statement) and statement.Sid
      if type(sid) == "string" and sid ~= "" and kind ~= OF_RESOURCE then
        if sids[sid] then L:find(kind.rule, join(place, "Sid"), "the Sid '%s' stands twice", sid) end
        sids[sid] = true
      end
    end)
  end)
end

local function check_document(L, kind, document, path)
  each_value(document, path, function(one, at)
    if not is_map(one) then return end -- a text that holds JSON, or E3012 has told it
    for _, key in ipairs(json.keys(one)) do
      if not TOP[key] and not key:find("^Fn::") then
        L:find(kind.rule, join(at, key), "'%s' is no member of a policy%s", key,
          util.suggest(key, util.sorted_keys(TOP)))
      end
    end
    each_value(one.Version, join(at, "Version"), function(version, place)
      if not VERSIONS[tostring(version)] then
        L:find(kind.rule, place, "%s is not one of '2008-10-17', '2012-10-17'", show(version))
      end
    end)
    if one.Statement == nil and one["Fn::Transform"] == nil then
      return L:find(kind.rule, at, "'Statement' is a required property")
    end
    check_statements(L, kind, one.Statement, join(at, "Statement"))
  end)
end

-- Calls f(kind, document, path) for every policy of a resource.
local function each_document(id, resource, f)
  local documents = is_map(resource) and DOCUMENTS[resource.Type]
  local given = documents and is_map(resource.Properties) and resource.Properties or {}
  for property, kind in pairs(documents or {}) do
    local path = { "Resources", id, "Properties", property }
    if property == "Policies" then
      each_item(given[property], path, function(policy, at)
        if is_map(policy) then f(kind, policy.PolicyDocument, join(at, "PolicyDocument")) end
      end)
    elseif given[property] ~= nil then
      f(kind, given[property], path)
    end
  end
end

--- Calls f(statement, path, is_identity) for every statement of a resource's policies; is_identity: the policy says
-- what somebody may do, not who may do something.
---@param id string
---@param resource table
---@param f fun(statement: table, path: table, is_identity: boolean)
function policies.each_statement(id, resource, f)
  each_document(id, resource, function(kind, document, path)
    each_value(document, path, function(one, at)
      each_item(is_map(one) and one.Statement, join(at, "Statement"), function(statement, place)
        if is_map(statement) then f(statement, place, kind == IDENTITY) end
      end)
    end)
  end)
end

--- Every policy of every resource.
---@param L table
function policies.check(L)
  for _, id in ipairs(json.keys(L.resources)) do
    each_document(id, L.resources[id], function(kind, document, path) check_document(L, kind, document, path) end)
  end
end

return policies
