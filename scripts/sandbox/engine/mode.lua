--- How an operation deploys: as usual, or in express mode, which is complete when the configuration is
-- applied, without waiting until resources are stable, and which rolls nothing back unless it is asked to
-- (reference part 1.11).

local fault = require "sandbox.fault"

local mode = {}

--- What a request says.
---@param input table with DeploymentConfig and DisableRollback
---@return { express: boolean, disable_rollback: boolean }
function mode.of(input)
  local config = input.DeploymentConfig or {}
  local express = config.Mode == "EXPRESS"
  local disabled = config.DisableRollback
  if disabled == nil then disabled = input.DisableRollback end
  if disabled == nil then disabled = express end
  return { express = express, disable_rollback = disabled }
end

local UNFINISHED = { CREATE_FAILED = true, UPDATE_FAILED = true, DELETE_FAILED = true }

--- What an express operation left unfinished goes on in express mode only. Raises ValidationError.
function mode.check_follow_up(stack, wanted)
  if not stack.express or not UNFINISHED[stack.status] or wanted.express then return end
  fault.validation("Stack:%s is in %s state after an EXPRESS deployment. Use the EXPRESS deployment mode "
    .. "until the "
    .. "stack is in a complete state.", stack.id, stack.status)
end

return mode
