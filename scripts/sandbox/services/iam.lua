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

---------------------------------------------------------------------------------------------------------
-- Users and their access keys, as calls make them

local KEY = "AWS::IAM::AccessKey"
local MOST_KEYS = 2

local function find_user(context, name)
  return context.region:home(true):thing(USER, name)
    or fault.raise("NoSuchEntity", ("The user with name %s cannot be found."):format(name), 404)
end

local function keys_of(context, name)
  local out = {}
  for _, thing in ipairs(things.all(context.region:home(true), KEY)) do
    if thing.properties.UserName == name then out[#out + 1] = thing end
  end
  return out
end

local function find_key(context, input)
  for _, thing in ipairs(keys_of(context, input.UserName)) do
    if thing.id == input.AccessKeyId then return thing end
  end
  return fault.raise("NoSuchEntity", ("The Access Key with id %s cannot be found."):format(input.AccessKeyId), 404)
end

function operations.CreateUser(context, input)
  if context.region:home(true):thing(USER, input.UserName) then
    fault.raise("EntityAlreadyExists", ("User with name %s already exists."):format(input.UserName), 409)
  end
  local properties = { UserName = input.UserName, Path = input.Path, Tags = input.Tags }
  return { User = user(things.make(context, USER, input.UserName, properties, nil, context.region:home(true))) }
end

function operations.DeleteUser(context, input)
  local thing = find_user(context, input.UserName)
  if #keys_of(context, input.UserName) > 0 then
    fault.raise("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
  end
  thing.home:remove_thing(thing)
  return {}
end

function operations.CreateAccessKey(context, input)
  local owner = find_user(context, input.UserName)
  if #keys_of(context, input.UserName) >= MOST_KEYS then
    fault.raise("LimitExceeded", ("Cannot exceed quota for AccessKeysPerUser: %d"):format(MOST_KEYS), 409)
  end
  owner.state = { keys = (owner.state and owner.state.keys or 0) + 1 }
  local random = context.world.store:stream(("access-key/%s/%d"):format(input.UserName, owner.state.keys))
  local id = "AKIA" .. crypto.sha256(random:uuid()):sub(1, 16):upper()
  local secret = crypto.base64(crypto.sha256(random:uuid())):sub(1, 40)
  local thing = things.make(context, KEY, id, { UserName = input.UserName, Status = "Active" }, id,
    context.region:home(true))
  return { AccessKey = { UserName = input.UserName, AccessKeyId = id, Status = "Active", SecretAccessKey = secret,
    CreateDate = thing.created } }
end

function operations.ListAccessKeys(context, input)
  find_user(context, input.UserName)
  local out = json.list {}
  for index, thing in ipairs(keys_of(context, input.UserName)) do
    out[index] = { UserName = input.UserName, AccessKeyId = thing.id, CreateDate = thing.created,
      Status = thing.properties.Status or "Active" }
  end
  return { AccessKeyMetadata = out, IsTruncated = false }
end

function operations.UpdateAccessKey(context, input)
  things.change(find_key(context, input), { Status = input.Status })
  return {}
end

function operations.DeleteAccessKey(context, input)
  local thing = find_key(context, input)
  thing.home:remove_thing(thing)
  return {}
end

return { operations = operations }
