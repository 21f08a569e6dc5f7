--- Rotates the access key of an IAM user: makes a new one, hands it over as a secret, and takes the old one away
-- after an approval. The keys themselves are never shown or logged.
--
--     tapengine examples/runbooks/rotate-key.lua --user deployer --secret ci/deployer

local tap = require "tap"

-- Makes a key and puts it where its users read it; its id is the result, the key itself goes nowhere else.
local function make_and_hand_over(iam, secrets, p)
  local key = iam:create_access_key({ UserName = p.user }).AccessKey
  secrets:put_secret_value { SecretId = p.secret, SecretString = tap.json.encode { id = key.AccessKeyId,
    secret = key.SecretAccessKey } }
  return key.AccessKeyId
end

return tap.workflow {
  name = "rotate-key", summary = "make a new access key, hand it over as a secret, take the old one away",
  effects = { "iam", "secretsmanager" },
  params = {
    { "user", "string", required = true, help = "IAM user" },
    { "secret", "string", required = true, help = "secret that holds the key for whoever uses it" },
    { "approval-file", "file", help = "file that somebody writes \"approve\" into; else the terminal is asked" },
  },
  usage = "tapengine examples/runbooks/rotate-key.lua --user deployer --secret ci/deployer",

  run = function(ctx, p)
    local iam, secrets = ctx:client "iam", ctx:client "secretsmanager"
    local old = ctx:step("look", function()
      local keys = iam:list_access_keys({ UserName = p.user }).AccessKeyMetadata or {}
      if #keys > 1 then
        tap.error.raise { class = "refused", code = "TwoKeys",
          message = p.user .. " has two keys already: delete one first" }
      end
      return keys[1] and keys[1].AccessKeyId
    end)
    local new = ctx:step("make and hand over", function() return make_and_hand_over(iam, secrets, p) end)
    ctx:approve("Does everything work with the new key, so that the old one can go?", { file = p.approval_file,
      timeout = "24h" })
    if old then
      ctx:step("switch the old one off", function()
        iam:update_access_key { UserName = p.user, AccessKeyId = old, Status = "Inactive" }
      end, { retry = 3 })
      ctx:step("delete the old one", function() iam:delete_access_key { UserName = p.user, AccessKeyId = old } end,
        { retry = 3 })
    end
    return { key = new, deleted = old }, ("%s has the key %s"):format(p.user, new)
  end,
}
