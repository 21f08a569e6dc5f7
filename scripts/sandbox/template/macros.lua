--- Macros: transforms of a team's own. A macro is a resource AWS::CloudFormation::Macro, whose Lambda function is
-- answered by the scenario (`invoke`) as the real one would answer: { status, fragment, errorMessage }.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local parse = require "sandbox.template.parse"
local shape = require "sandbox.template.shape"

local macros = {}

--- Lets a macro change a part of a template. Raises the failure of a transform.
---@param name string as the template calls it
---@param fragment any
---@param parameters table
---@param values table<string, any> of the template's parameters
---@param environment table of sandbox.engine.environment
---@return any fragment
function macros.apply(name, fragment, parameters, values, environment)
  local full = ("%s::%s"):format(environment.pseudo["AWS::AccountId"], name)
  local run = environment.macro(name)
  if not run then fault.late("No transform named %s found.", full) end
  local answer = run {
    region = environment.pseudo["AWS::Region"], accountId = environment.pseudo["AWS::AccountId"], fragment = fragment,
    transformId = full, params = parameters, requestId = environment.pseudo["AWS::StackId"],
    templateParameterValues = values,
  }
  if answer.error then fault.late("Transform %s failed with: %s", full, answer.error) end
  local reply = answer.payload
  if type(reply) ~= "table" or reply.status == nil then
    fault.late("Received malformed response from transform %s", full)
  elseif reply.status ~= "success" and reply.errorMessage then
    fault.late("Transform %s failed with: %s", full, reply.errorMessage)
  elseif reply.status ~= "success" then
    fault.late("Transform %s failed without an error message.", full)
  elseif shape.is_map(fragment) and not shape.is_map(reply.fragment) then
    fault.late("Template format error: unsupported structure.")
  end
  return parse.typed(json.encode(reply.fragment))
end

return macros
