--- The decision table of recovery: for each of the 23 statuses which runbooks are ways out, the recommended one
-- first, and why. A status without ways needs none. Data: reference part 1.2 says what CloudFormation allows from
-- where.

local WAIT = { "wait" }

return {
  REVIEW_IN_PROGRESS = { ways = { "delete-shell" },
    why = "the stack holds nothing but change sets that nobody executed" },

  CREATE_IN_PROGRESS = { ways = { "wait", "delete-stack" }, why = "it may still end well" },
  CREATE_FAILED = { ways = { "delete-stack", "roll-back" },
    why = "it has never had a good state: what was made has to go before it is made again" },
  CREATE_COMPLETE = {},

  ROLLBACK_IN_PROGRESS = { ways = WAIT, why = "what was made is being deleted" },
  ROLLBACK_COMPLETE = { ways = { "delete-stack" },
    why = "it has never had a good state, and can only be deleted and created again" },
  ROLLBACK_FAILED = { ways = { "delete-stack" }, why = "it can only be deleted; what resists is dealt with then" },

  DELETE_IN_PROGRESS = { ways = WAIT, why = "a deletion cannot be stopped" },
  DELETE_FAILED = { ways = { "retry-delete", "retain-resources", "force-delete" },
    why = "what blocks the deletion is removed first, so that nothing stays behind" },
  DELETE_COMPLETE = {},

  UPDATE_IN_PROGRESS = { ways = { "wait", "cancel-update" }, why = "it may still end well" },
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = { ways = WAIT, why = "the update is done, replaced resources are going" },
  UPDATE_COMPLETE = {},
  UPDATE_FAILED = { ways = { "roll-back", "redeploy-version", "retry-update" },
    why = "it brings the last good state back; trying again needs the mended template" },
  UPDATE_ROLLBACK_IN_PROGRESS = { ways = WAIT, why = "what was changed is being put back" },
  UPDATE_ROLLBACK_FAILED = { ways = { "continue-rollback", "skip-resources" },
    why = "once the cause is mended the rollback goes on and nothing is lost; skipping is for what cannot be mended" },
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = { ways = WAIT, why = "new resources are going" },
  UPDATE_ROLLBACK_COMPLETE = {},

  IMPORT_IN_PROGRESS = { ways = WAIT, why = "it may still end well" },
  IMPORT_COMPLETE = {},
  IMPORT_ROLLBACK_IN_PROGRESS = { ways = WAIT, why = "the imported resources are being let go" },
  IMPORT_ROLLBACK_FAILED = { ways = { "delete-stack" },
    why = "no update leaves this status; resources that the template retains stay when the stack goes" },
  IMPORT_ROLLBACK_COMPLETE = {},

  -- No status of the service: a healthy stack that is not what its template says.
  DRIFTED = { ways = { "revert-drift", "adopt-drift", "ignore-drift" },
    why = "the template is what was reviewed; whoever wants the change to stay writes it there" },
}
