--- What is looked at before anything is touched. All of it is looked at, so that one run shows all that is wrong.

local errors = require "tap.error"
local json = require "tap.core.json"

local preflight = {}

--- Runs all checks. One problem is raised as it is; several become one error with the class of the first.
---@param checks (fun())[] each raises what it finds
function preflight.run(checks)
  local problems = {}
  for _, check in ipairs(checks) do
    local _, e = errors.try(check)
    problems[#problems + 1] = e
  end
  if #problems == 0 then return end
  if #problems == 1 then error(problems[1], 0) end
  local lines, hints = json.list {}, json.list {}
  for index, e in ipairs(problems) do
    lines[index] = e.message
    for _, hint in ipairs(rawget(e, "hints") or {}) do hints[#hints + 1] = hint end
  end
  local first = problems[1]
  errors.raise { class = first.class, code = first.code, service = first.service, status = first.status,
    message = table.concat(lines, "\n"), problems = lines, hints = hints }
end

return preflight
