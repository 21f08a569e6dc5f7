--- AWS KMS: keys, aliases, rotation; what is encrypted here can be decrypted here and nowhere else.

local crypto = require "tap.core.crypto"
local json = require "tap.core.json"
local fault = require "sandbox.fault"
local pattern = require "sandbox.resources.pattern"
local things = require "sandbox.things"
local view = require "sandbox.services.view"

local KEY, ALIAS = "AWS::KMS::Key", "AWS::KMS::Alias"

local function arn_of(thing)
  return pattern.attribute(thing.facts, "Arn")
end

-- "id", its ARN, "alias/name" or that one's ARN. Raises NotFoundException.
local function find(context, id)
  local alias = id:match("alias/.+$")
  if alias then
    local thing = context.region:thing(ALIAS, alias)
    id = thing and thing.properties.TargetKeyId or id
  end
  local key = context.region:thing(KEY, id:match("[^/]+$"))
  if key then return key end
  local region = context.region
  local arn = id:match("^arn:") and id
    or ("arn:%s:kms:%s:%s:key/%s"):format(region.partition, region.name, region.account, id)
  fault.raise("NotFoundException", alias and ("Alias %s is not found."):format(id)
    or ("Key '%s' does not exist"):format(arn))
end

local function metadata(thing)
  local settings = thing.properties
  local enabled = settings.Enabled == nil or things.truth(settings.Enabled)
  local state = thing.deletion and "PendingDeletion" or enabled and "Enabled" or "Disabled"
  return { KeyId = thing.id, Arn = arn_of(thing), AWSAccountId = thing.facts.account, Enabled =
    state == "Enabled",
    KeyState = state, KeyManager = "CUSTOMER", Origin = "AWS_KMS", CreationDate = thing.created,
    Description = settings.Description or "", KeyUsage = settings.KeyUsage or "ENCRYPT_DECRYPT",
    KeySpec = settings.KeySpec or "SYMMETRIC_DEFAULT", DeletionDate = thing.deletion,
    MultiRegion = things.truth(settings.MultiRegion), EncryptionAlgorithms =
      json.list { "SYMMETRIC_DEFAULT" } }
end

local operations = view.operations("kms", {
  ListKeys = { type = KEY, list = "Keys", key = "KeyId",
    show = function(thing) return { KeyId = thing.id, KeyArn = arn_of(thing) } end },
  ListAliases = { type = ALIAS, list = "Aliases", key = "AliasName",
    show = function(thing)
      return { AliasName = thing.key, TargetKeyId = (thing.properties.TargetKeyId or ""):match("[^/]+$"),
        CreationDate = thing.created, AliasArn = ("arn:%s:kms:%s:%s:%s"):format(thing.facts.partition,
          thing.facts.region, thing.facts.account, thing.key) }
    end,
    where = function(thing, input)
      local target = (thing.properties.TargetKeyId or ""):match("[^/]+$")
      return not input.KeyId or target == input.KeyId:match("[^/]+$")
    end },
})

function operations.DescribeKey(context, input)
  return { KeyMetadata = metadata(find(context, input.KeyId)) }
end

function operations.GetKeyRotationStatus(context, input)
  local key = find(context, input.KeyId)
  local on = things.truth(key.properties.EnableKeyRotation)
  return { KeyRotationEnabled = on, KeyId = key.id,
    RotationPeriodInDays = on and (things.integer(key.properties.RotationPeriodInDays) or 365) or nil }
end

function operations.EnableKeyRotation(context, input)
  things.change(find(context, input.KeyId), { EnableKeyRotation = "true" })
  return {}
end

function operations.DisableKeyRotation(context, input)
  things.change(find(context, input.KeyId), { EnableKeyRotation = "false" })
  return {}
end

function operations.GetKeyPolicy(context, input)
  local policy = find(context, input.KeyId).properties.KeyPolicy or {}
  return { Policy = type(policy) == "string" and policy or json.encode(policy), PolicyName = "default" }
end

function operations.ScheduleKeyDeletion(context, input)
  local key = find(context, input.KeyId)
  key.deletion = context.world.clock.now() + (input.PendingWindowInDays or 30) * 86400
  return { KeyId = arn_of(key), DeletionDate = key.deletion, KeyState = "PendingDeletion" }
end

local function usable(context, id)
  local key = find(context, id)
  local data = metadata(key)
  if data.KeyState == "Disabled" then
    fault.raise("DisabledException", ("%s is disabled."):format(data.Arn))
  elseif data.KeyState ~= "Enabled" then
    fault.raise("KMSInvalidStateException", ("%s is pending deletion."):format(data.Arn))
  end
  return key
end

-- A ciphertext of the sandbox: which key, the text, and a sum over both. It hides nothing.
local function seal(key, bytes)
  local text = ("%s\0%s"):format(key.id, bytes)
  return crypto.sha256(text) .. text
end

function operations.Encrypt(context, input)
  local key = usable(context, input.KeyId)
  return { CiphertextBlob = seal(key, input.Plaintext), KeyId = arn_of(key), EncryptionAlgorithm =
    "SYMMETRIC_DEFAULT" }
end

function operations.Decrypt(context, input)
  local sum, text = input.CiphertextBlob:sub(1, 64), input.CiphertextBlob:sub(65)
  local id, bytes = text:match("^([^%z]+)%z(.*)$")
  if not id or crypto.sha256(text) ~= sum then fault.raise("InvalidCiphertextException", "") end
  local key = usable(context, id)
  return { Plaintext = bytes, KeyId = arn_of(key), EncryptionAlgorithm = "SYMMETRIC_DEFAULT" }
end

function operations.GenerateDataKey(context, input)
  local key = usable(context, input.KeyId)
  local size = input.NumberOfBytes or (input.KeySpec == "AES_128" and 16 or 32)
  key.made = (key.made or 0) + 1
  local stream, bytes = context.world.store:stream(("kms/%s/%d"):format(key.id, key.made)), {}
  for i = 1, size do bytes[i] = string.char(stream:below(256)) end
  local plain = table.concat(bytes)
  return { Plaintext = plain, CiphertextBlob = seal(key, plain), KeyId = arn_of(key) }
end

return { operations = operations }
