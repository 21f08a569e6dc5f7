--- Everything that can be found wrong with a deployment without asking AWS, in one go and before anything is
-- touched: the template, the parameters, the capabilities, the size.

local parameters = require "tap.parameters"
local sys = require "tap.core.sys"
local template = require "tap.template"
local util = require "tap.util"

local offline = {}

-- The lint's errors as problems. Its warnings are counted: whoever deploys is not the one who reads them all.
local function lint_problems(t, warn)
  local problems, warnings = {}, 0
  for _, found in ipairs((require("lint.engine").text(t.text, t.path, { trusting = true, ignore = { "E0000" } }))) do
    local problem = { file = found.file, line = found.line, column = found.column,
      message = ("%s %s"):format(found.rule, found.message) }
    if found.level == "error" then
      problems[#problems + 1] = problem
    else
      warnings = warnings + 1
    end
  end
  if warnings > 0 then
    warn(("%s: %s of the lint; `tapengine lint %s` shows them"):format(t.path, util.count(warnings, "warning"),
      util.shell_quote(t.path)))
  end
  return problems
end

--- Reads a template and checks it by itself. Raises class "invalid" or "parse" with every problem's place.
---@param path string
---@param warn fun(line: string) is told what is odd and allowed
---@param lint boolean? also by all rules of the lint
---@return table template as tap.template reads it
function offline.template(path, warn, lint)
  local t = template.read(path)
  for _, line in ipairs(t:duplicates()) do warn(line) end
  template.refuse(t:check()) -- parameters can only be judged by a template that is sound
  if lint then template.refuse(lint_problems(t, warn)) end
  return t
end

--- Checks what is given to a sound template: its parameters' values, the capabilities, the size. Raises class
-- "invalid" with all problems.
---@param t table
---@param options { parameter: table<string, string>, parameters: string?, base: table?, previous: table?,
---  capabilities: string[]?, partial: boolean?, uploads: boolean? } base, previous, partial: as of
---  parameters.resolve; capabilities: nil leaves them unchecked; uploads: a template that is too large for a request
---  goes through S3
---@return { ParameterKey: string, ParameterValue: string? }[] parameters for a request
function offline.request(t, options)
  local problems = t:check_size(options.uploads)
  local request = parameters.resolve(t, { given = options.parameter, file = options.parameters,
    base = options.base, environment = sys.environ(), partial = options.partial, previous = options.previous },
    problems)
  if options.capabilities then
    local missing = t:check_capabilities(options.capabilities)
    table.move(missing, 1, #missing, #problems + 1, problems)
  end
  template.refuse(problems)
  return request
end

return offline
