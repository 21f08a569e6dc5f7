--- A key is enabled and rotates.

local tap = require "tap"

return tap.check {
  name = "kms-key", summary = "a key is enabled and rotates by itself",
  type = "AWS::KMS::Key",

  run = function(ctx, it)
    local kms = ctx:client "kms"
    local key = kms:describe_key({ KeyId = it.physical_id }).KeyMetadata
    it:expect(key.KeyState == "Enabled" or it:asked "Enabled" == false, "it is " .. tostring(key.KeyState))
    local rotates = (key.KeySpec or "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT" and key.Origin ~= "EXTERNAL"
    if rotates and it:asks "EnableKeyRotation" then
      it:expect(kms:get_key_rotation_status({ KeyId = it.physical_id }).KeyRotationEnabled, "it does not rotate")
    end
  end,
}
