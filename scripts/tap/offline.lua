--- Everything that can be found wrong with a deployment without asking AWS, in one go and before anything is
-- touched: the template, the parameters, the capabilities, the size.

local parameters = require "tap.parameters"
local sys = require "tap.core.sys"
local template = require "tap.template"

local offline = {}

--- Reads and checks. Raises class "invalid" or "parse" with every problem's place.
---@param options { template: string, parameter: table<string, string>, parameters: string?,
---  capabilities: string[]?, partial: boolean?, warn: fun(line: string) } capabilities: nil leaves them
---  unchecked; partial: parameter values may be missing; warn: is told what is odd and allowed
---@return table template as tap.template reads it
---@return { ParameterKey: string, ParameterValue: string }[] parameters for a request
function offline.check(options)
  local t = template.read(options.template)
  for _, line in ipairs(t:duplicates()) do options.warn(line) end
  local problems = t:check()
  template.refuse(problems) -- parameters can only be judged by a template that is sound
  table.move(t:check_size(), 1, 1, #problems + 1, problems)
  local request = parameters.resolve(t, { given = options.parameter, file = options.parameters,
    environment = sys.environ(), partial = options.partial }, problems)
  if options.capabilities then
    local missing = t:check_capabilities(options.capabilities)
    table.move(missing, 1, #missing, #problems + 1, problems)
  end
  template.refuse(problems)
  return t, request
end

return offline
