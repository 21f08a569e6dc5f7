--- The statuses of a stack: what each means, what is allowed from it, and how an operation that ended there
-- has gone. One table; nothing else in the library reads a meaning out of a status' name.

local status = {}

-- outcome: how the operation went that left the stack here: "ok", "rolled_back" (failed, nothing is left
-- half done) or "stuck" (somebody has to act); nil while it goes on.
local TABLE = {
  REVIEW_IN_PROGRESS = { outcome = "ok", means = "only a change set exists, no resource yet",
    next = "execute the change set, or delete the stack" },

  CREATE_IN_PROGRESS = { means = "it is being created" },
  CREATE_COMPLETE = { outcome = "ok", means = "it was created" },
  CREATE_FAILED = { outcome = "stuck", means = "its creation failed, and what was made is still there",
    next = "look at the events, then delete the stack and create it again" },

  ROLLBACK_IN_PROGRESS = { means = "its creation failed, what was made is being deleted" },
  ROLLBACK_COMPLETE = { outcome = "rolled_back", means = "its creation failed, what was made is deleted",
    next = "the stack cannot be updated: delete it, mend the cause, create it again" },
  ROLLBACK_FAILED = { outcome = "stuck", means = "its creation failed, and part of it could not be deleted",
    next = "look at the events, then delete the stack" },

  DELETE_IN_PROGRESS = { means = "it is being deleted" },
  DELETE_COMPLETE = { outcome = "ok", means = "it was deleted" },
  DELETE_FAILED = { outcome = "stuck", means = "some of its resources could not be deleted",
    next = "remove what blocks them and delete again, or keep them with --retain-resources" },

  UPDATE_IN_PROGRESS = { means = "it is being updated" },
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = { means = "it was updated, replaced resources are being deleted" },
  UPDATE_COMPLETE = { outcome = "ok", means = "it was updated" },
  UPDATE_FAILED = { outcome = "stuck", means = "its update failed, with rollback switched off",
    next = "roll it back (RollbackStack), or update it again" },
  UPDATE_ROLLBACK_IN_PROGRESS = { means = "its update failed and is being rolled back" },
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = {
    means = "its update was rolled back, new resources are being deleted" },
  UPDATE_ROLLBACK_COMPLETE = { outcome = "rolled_back", means = "its update failed and was rolled back" },
  UPDATE_ROLLBACK_FAILED = { outcome = "stuck", means = "its update failed, and so did the rollback",
    next = "mend the cause and continue the rollback (ContinueUpdateRollback); do not delete the stack" },

  IMPORT_IN_PROGRESS = { means = "resources are being imported" },
  IMPORT_COMPLETE = { outcome = "ok", means = "resources were imported" },
  IMPORT_ROLLBACK_IN_PROGRESS = { means = "an import failed and is being rolled back" },
  IMPORT_ROLLBACK_COMPLETE = { outcome = "rolled_back", means = "an import failed and was rolled back" },
  IMPORT_ROLLBACK_FAILED = { outcome = "stuck", means = "an import failed, and so did its rollback",
    next = "look at the events" },
}

-- A status that AWS adds after this was written: its suffix is all there is to go by.
local UNKNOWN = { outcome = "stuck", means = "a status that this version does not know" }

local function entry(name)
  return TABLE[name] or UNKNOWN
end

--- True when no operation is at work on the stack.
---@param name string
---@return boolean
function status.settled(name)
  if TABLE[name] then return TABLE[name].outcome ~= nil end
  return not name:find("_IN_PROGRESS$")
end

--- How the operation went that left the stack in this status.
---@param name string a settled status
---@param operation string? "create", "update", "delete", "cancel", "rollback": what was asked for
---@return "ok"|"rolled_back"|"stuck"
function status.outcome(name, operation)
  -- Deleted after a failed create (OnFailure=DELETE); still there after a delete (an export is in use).
  if operation == "create" and name == "DELETE_COMPLETE" then return "rolled_back" end
  if operation == "delete" and entry(name).outcome == "ok" and name ~= "DELETE_COMPLETE" then
    return "rolled_back"
  end
  local back = operation == "cancel" or operation == "rollback"
  if back and (name == "UPDATE_ROLLBACK_COMPLETE" or operation == "rollback" and name == "ROLLBACK_COMPLETE") then
    return "ok"
  end
  return entry(name).outcome or "stuck"
end

-- First word of a status -> the operation that it belongs to.
local OPERATIONS = { CREATE = "create", ROLLBACK = "create", REVIEW = "create", UPDATE = "update",
  DELETE = "delete", IMPORT = "import" }

--- The operation that is at work, or that left the stack in this status.
---@param name string
---@return "create"|"update"|"delete"|"import"|"operation"
function status.operation(name)
  return OPERATIONS[name:match("^(%u+)_")] or "operation"
end

--- One clause that says what the status means.
---@param name string
---@return string
function status.meaning(name)
  return entry(name).means
end

--- What to do about it; nil when there is nothing to do.
---@param name string
---@return string?
function status.next(name)
  return entry(name).next
end

return status
