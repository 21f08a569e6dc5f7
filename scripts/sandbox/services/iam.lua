--- AWS IAM: roles, policies, profiles, users, as templates make them.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local view = require "sandbox.services.view"

local ROLE, PROFILE, USER = "AWS::IAM::Role", "AWS::IAM::InstanceProfile", "AWS::IAM::User"
local MANAGED = "AWS::IAM::ManagedPolicy"

local function document(value)
  return crypto.uri_encode(type(value) == "string" and value or json.encode(value or {}))
end

local function role(thing)
  return { RoleName = thing.key, Arn = pattern.attribute(thing.facts, "Arn"), Path = thing.properties.Path
    or "/",
    RoleId = pattern.attribute(thing.facts, "RoleId"), CreateDate = thing.created,
    AssumeRolePolicyDocument = document(thing.properties.AssumeRolePolicyDocument),
    Description = thing.properties.Description, MaxSessionDuration = thing.properties.MaxSessionDuration
      or "3600",
    PermissionsBoundary = thing.properties.PermissionsBoundary and {
      PermissionsBoundaryArn = thing.properties.PermissionsBoundary, PermissionsBoundaryType = "Policy" }
        or nil }
end

local function user(thing)
  return { UserName = thing.key, Arn = pattern.attribute(thing.facts, "Arn"), Path = thing.properties.Path
    or "/",
    UserId = "AIDA" .. crypto.sha256(thing.key):sub(1, 17):upper(), CreateDate = thing.created }
end

local function managed(thing)
  return { PolicyName = thing.id:match("[^/]+$"), Arn = thing.id, Path = thing.properties.Path or "/",
    PolicyId = pattern.attribute(thing.facts, "PolicyId"), DefaultVersionId = "v1", IsAttachable = "true",
    AttachmentCount = "0", CreateDate = thing.created, UpdateDate = thing.created }
end

local function profile(thing, context)
  local roles = json.list {}
  for i, name in ipairs(thing.properties.Roles or {}) do
    local each = context.region:home(true):thing(ROLE, name)
    roles[i] = each and role(each) or nil
  end
  return { InstanceProfileName = thing.key, Arn = pattern.attribute(thing.facts, "Arn"),
    InstanceProfileId = "AIPA" .. crypto.sha256(thing.key):sub(1, 17):upper(), Path =
      thing.properties.Path or "/",
    CreateDate = thing.created, Roles = roles }
end

local function missing(word)
  return { "NoSuchEntity", "The " .. word .. " with name %s cannot be found.", 404 }
end

local operations = view.operations("iam", {
  GetRole = { type = ROLE, global = true, item = "Role", ids = "RoleName", key = "RoleName", show = role,
    missing = missing "role" },
  ListRoles = { type = ROLE, global = true, list = "Roles", key = "RoleName", show = role },
  GetUser = { type = USER, global = true, item = "User", ids = "UserName", key = "UserName", show = user,
    missing = missing "user" },
  ListUsers = { type = USER, global = true, list = "Users", key = "UserName", show = user },
  GetPolicy = { type = MANAGED, global = true, item = "Policy", ids = "PolicyArn", key = "Arn", show =
    managed,
    missing = { "NoSuchEntity", "Policy %s was not found.", 404 } },
  ListPolicies = { type = MANAGED, global = true, list = "Policies", key = "Arn", show = managed },
  GetInstanceProfile = { type = PROFILE, global = true, item = "InstanceProfile", ids = "InstanceProfileName",
    key = "InstanceProfileName", show = profile,
    missing = { "NoSuchEntity", "Instance Profile %s cannot be found.", 404 } },
  ListInstanceProfiles = { type = PROFILE, global = true, list = "InstanceProfiles", key =
    "InstanceProfileName",
    show = profile },
})

local function find_role(context, name)
  return context.region:home(true):thing(ROLE, name)
    or fault.raise("NoSuchEntity", ("The role with name %s cannot be found."):format(name), 404)
end

local function has(list, wanted)
  for _, each in ipairs(list or {}) do
    if each == wanted then return true end
  end
  return false
end

-- The inline policies of a role: its own and those of resources that name it. Name -> document.
local function inline_policies(context, thing)
  local out = {}
  for _, each in ipairs(thing.properties.Policies or {}) do out[each.PolicyName] = each.PolicyDocument end
  local home = context.region:home(true)
  for _, each in ipairs(things.all(home, "AWS::IAM::Policy")) do
    if has(each.properties.Roles, thing.key) then out[each.properties.PolicyName] =
      each.properties.PolicyDocument end
  end
  for _, each in ipairs(things.all(home, "AWS::IAM::RolePolicy")) do
    if each.properties.RoleName == thing.key then out[each.properties.PolicyName] =
      each.properties.PolicyDocument end
  end
  return out
end

function operations.ListRolePolicies(context, input)
  local names = json.list {}
  for name in pairs(inline_policies(context, find_role(context, input.RoleName))) do names[#names + 1] =
    name end
  table.sort(names)
  return { PolicyNames = names, IsTruncated = false }
end

function operations.GetRolePolicy(context, input)
  local found = inline_policies(context, find_role(context, input.RoleName))[input.PolicyName]
  if not found then
    fault.raise("NoSuchEntity", ("The role policy with name %s cannot be found."):format(input.PolicyName),
      404)
  end
  return { RoleName = input.RoleName, PolicyName = input.PolicyName, PolicyDocument = document(found) }
end

function operations.ListAttachedRolePolicies(context, input)
  local thing, out = find_role(context, input.RoleName), json.list {}
  for _, arn in ipairs(thing.properties.ManagedPolicyArns or {}) do
    out[#out + 1] = { PolicyArn = arn, PolicyName = arn:match("[^/]+$") }
  end
  for _, each in ipairs(things.all(context.region:home(true), MANAGED)) do
    if has(each.properties.Roles, thing.key) then
      out[#out + 1] = { PolicyArn = each.id, PolicyName = each.id:match("[^/]+$") }
    end
  end
  return { AttachedPolicies = out, IsTruncated = false }
end

function operations.ListRoleTags(context, input)
  return { Tags = json.list(find_role(context, input.RoleName).properties.Tags or {}), IsTruncated = false }
end

return { operations = operations }
