--- Express mode: an operation ends when the configuration is applied, not when it has become stable, and takes nothing
-- back unless told to. What one has left unfinished goes on in express mode only (reference 1.11), so that the ways out
-- of a failed one are express, too, without anybody's word.

local express = {}

local UNFINISHED = { CREATE_FAILED = true, UPDATE_FAILED = true, DELETE_FAILED = true }

-- Methods of CloudFormation that take the mode.
local TAKE_IT = { create_stack = true, update_stack = true, delete_stack = true, rollback_stack = true,
  create_change_set = true }

--- What a request says of the mode; nil: nothing.
---@param method string "create_stack"
---@param options { wanted: boolean?, keep_failed: boolean?, stack: table? } wanted: somebody asked for it; keep_failed:
---  nothing is taken back; stack: as DescribeStacks gives it, nil when it is not there
---@return { Mode: string, DisableRollback: boolean }? DeploymentConfig
function express.config(method, options)
  local last = options.stack and options.stack.DeploymentConfig
  local unfinished = last and last.Mode == "EXPRESS" and UNFINISHED[options.stack.StackStatus]
  if not TAKE_IT[method] or not (options.wanted or unfinished) then return nil end
  return { Mode = "EXPRESS", DisableRollback = options.keep_failed or false }
end

return express
