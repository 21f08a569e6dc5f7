--- AWS Secrets Manager. A secret is the thing that a template makes, too; its versions are its state, under
-- the stages AWSCURRENT and AWSPREVIOUS.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local paging = require "sandbox.services.paging"

local operations = {}

local TYPE = "AWS::SecretsManager::Secret"
local PAGE = 100
local MISSING = "Secrets Manager can't find the specified secret."
local GENERATED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~"

-- What a template's GenerateSecretString makes.
local function generated(thing, settings)
  local excluded = settings.ExcludeCharacters or ""
  if things.truth(settings.ExcludePunctuation) then excluded = excluded .. "!#$%&()*+,-./:;<=>?@[]^_{|}~" end
  local alphabet = GENERATED:gsub(".", function(c) return excluded:find(c, 1, true) and "" or c end)
  local password = thing.facts.stream:text(things.integer(settings.PasswordLength) or 32, alphabet)
  if not settings.SecretStringTemplate then return password end
  local ok, template = pcall(json.decode, settings.SecretStringTemplate)
  if not ok then return password end
  template[settings.GenerateStringKey or "password"] = password
  return json.encode(template)
end

local function versions(thing)
  if thing.state then return thing.state end
  local settings = thing.properties
  local text = settings.SecretString
    or settings.GenerateSecretString and generated(thing, settings.GenerateSecretString)
  thing.state = { list = {} }
  if text then thing.state.list[1] = { id = thing.facts.stream:uuid(), text = text, created =
    thing.created } end
  return thing.state
end

local function search(context, id)
  local region = context.region
  local thing = region:thing(TYPE, id)
  if thing then return thing end
  for _, each in ipairs(things.all(region, TYPE)) do
    if each.id == id or each.id:gsub("%-%w+$", "") == id then return each end
  end
end

local function find(context, id)
  local thing = search(context, id)
  if not thing or thing.deleted then fault.raise("ResourceNotFoundException", MISSING) end
  return thing
end

local function stage_of(state, stage)
  local at = stage == "AWSPREVIOUS" and #state.list - 1 or stage == "AWSCURRENT" and #state.list
  return at and state.list[at]
end

-- The version that a request means; nil when there is none.
local function version_of(thing, version_id, stage)
  local state = versions(thing)
  if not version_id then return stage_of(state, stage or "AWSCURRENT") end
  for _, version in ipairs(state.list) do
    if version.id == version_id then return version end
  end
end

local function stages(state, version)
  local out = json.list {}
  for _, stage in ipairs { "AWSCURRENT", "AWSPREVIOUS" } do
    if stage_of(state, stage) == version then out[#out + 1] = stage end
  end
  return out
end

--- The text of a secret for the template language; nil and the service's text when there is none.
---@return string?
---@return string? why
local function read(context, id, version_id, stage)
  local thing = search(context, id)
  local version = thing and not thing.deleted and version_of(thing, version_id, stage)
  if not version then return nil, MISSING end
  return version.text
end

function operations.GetSecretValue(context, input)
  local thing = find(context, input.SecretId)
  local version = version_of(thing, input.VersionId, input.VersionStage)
  if not version then
    fault.raise("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for "
      .. "staging "
      .. "label: " .. (input.VersionStage or "AWSCURRENT"))
  end
  return { ARN = thing.id, Name = thing.key, VersionId = version.id, SecretString = version.text,
    SecretBinary = version.binary, CreatedDate = version.created, VersionStages = stages(versions(thing),
      version) }
end

local function described(thing)
  local ids = {}
  for _, version in ipairs(versions(thing).list) do ids[version.id] = stages(thing.state, version) end
  return { ARN = thing.id, Name = thing.key, Description = thing.properties.Description,
    KmsKeyId = thing.properties.KmsKeyId, CreatedDate = thing.created, DeletedDate = thing.deleted,
    Tags = json.list(thing.properties.Tags or {}), VersionIdsToStages = ids, RotationEnabled = false }
end

function operations.DescribeSecret(context, input)
  return described(search(context, input.SecretId) or fault.raise("ResourceNotFoundException", MISSING))
end

function operations.ListSecrets(context, input)
  local all = {}
  for _, thing in ipairs(things.all(context.region, TYPE)) do
    if not thing.deleted then all[#all + 1] = thing end
  end
  local page, next_token = paging.forward(all, input.NextToken, input.MaxResults or PAGE, "secrets")
  local out = json.list {}
  for i, thing in ipairs(page) do
    out[i] = described(thing)
    out[i].VersionIdsToStages, out[i].SecretVersionsToStages = nil, out[i].VersionIdsToStages
  end
  return { SecretList = out, NextToken = next_token }
end

function operations.CreateSecret(context, input)
  if context.region:thing(TYPE, input.Name) then
    fault.raise("ResourceExistsException",
      ("The operation failed because the secret %s already exists."):format(input.Name))
  end
  local region = context.region
  local suffix = context.world.store:stream("secret/" .. input.Name):text(6, GENERATED:sub(1, 62))
  local arn = ("arn:%s:secretsmanager:%s:%s:secret:%s-%s"):format(region.partition, region.name,
    region.account,
    input.Name, suffix)
  local thing = things.make(context, TYPE, input.Name, { Name = input.Name, SecretString = input.SecretString,
    Description = input.Description, KmsKeyId = input.KmsKeyId, Tags = input.Tags }, arn)
  local first = versions(thing).list[1]
  return { ARN = arn, Name = input.Name, VersionId = first and first.id }
end

function operations.PutSecretValue(context, input)
  local thing = find(context, input.SecretId)
  local list = versions(thing).list
  list[#list + 1] = { id = input.ClientRequestToken or thing.facts.stream:uuid(), text = input.SecretString,
    binary = input.SecretBinary, created = context.world.clock.now() }
  return { ARN = thing.id, Name = thing.key, VersionId = list[#list].id,
    VersionStages = json.list { "AWSCURRENT" } }
end

function operations.UpdateSecret(context, input)
  local thing = find(context, input.SecretId)
  things.change(thing, { Description = input.Description, KmsKeyId = input.KmsKeyId })
  if input.SecretString or input.SecretBinary then return operations.PutSecretValue(context, input) end
  return { ARN = thing.id, Name = thing.key }
end

local WINDOW = 30 -- days until a deleted secret is gone, unless the caller says otherwise

function operations.DeleteSecret(context, input)
  local thing = find(context, input.SecretId)
  local now = context.world.clock.now()
  if input.ForceDeleteWithoutRecovery then
    thing.home:remove_thing(thing)
    return { ARN = thing.id, Name = thing.key, DeletionDate = now }
  end
  thing.deleted = now + (input.RecoveryWindowInDays or WINDOW) * 86400
  return { ARN = thing.id, Name = thing.key, DeletionDate = thing.deleted }
end

function operations.RestoreSecret(context, input)
  local thing = search(context, input.SecretId) or fault.raise("ResourceNotFoundException", MISSING)
  thing.deleted = nil
  return { ARN = thing.id, Name = thing.key }
end

return { operations = operations, read = read }
