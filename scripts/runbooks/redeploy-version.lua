--- UPDATE_FAILED, with rollback switched off: the last version that the journal knows to have worked, once more. After
-- an express deployment this is the way back, since CloudFormation then refuses RollbackStack.

local tap = require "tap"

-- Of this very stack: another one may have had its name.
local function last_version(s)
  return require("tap.versions").of(s.id)[1]
end

return tap.runbook {
  name = "redeploy-version", summary = "deploy the last version that worked again",

  applies = function(s)
    if last_version(s) then return true end
    return false, "this machine's journal has no version of the stack that was deployed"
  end,

  explain = function(s)
    local version = last_version(s)
    return { does = ("deploys version %d of the journal, of %s, through a change set, with its gates; rollback stays "
      .. "off"):format(version.n, tap.iso_time(version.at)),
      destroys = "what that version replaces or removes: shown before it is done", leaves = "nothing" }
  end,

  run = function(ctx, s)
    require("tap.versions").deploy(ctx, last_version(s), { stack_name = s.name, on_failure = "DO_NOTHING",
      role_arn = s.p.role_arn, timeout = s.p.timeout })
    return s.name .. " is what it was before the update"
  end,
}
