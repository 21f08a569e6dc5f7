--- Addresses among the outputs answer. A stack file says which: `["http-probe"] = { SiteUrl = { status = 200 } }`.

local tap = require "tap"
local util = require "tap.util"

local WANTED = { path = "string", status = "number", contains = "string", timeout = "string" }

-- "web-1.elb.amazonaws.com" -> "http://web-1.elb.amazonaws.com/": load balancers give their name only.
local function address(value, path)
  local url = value:find("^https?://") and value or "http://" .. value
  return url:gsub("/+$", "") .. (path or "/")
end

-- What is wrong with the answer; nil when nothing is.
local function problem_of(value, wanted)
  local answer, e = tap.try(tap.http.request, { url = address(value, wanted.path),
    timeout = tap.seconds(wanted.timeout or "10s") })
  if e then return tostring(e) end
  local status = wanted.status or 200
  if answer.status ~= status then return ("it answers %d, not %d"):format(answer.status, status) end
  if wanted.contains and not answer.body:find(wanted.contains, 1, true) then
    return ("the answer does not contain '%s'"):format(wanted.contains)
  end
end

return tap.check {
  name = "http-probe", summary = "the addresses of outputs answer, those that the stack file names",
  stack = true, retry = "5m",
  settings = { ["*"] = { "table",
    'by the output\'s key: { path = "/", status = 200, contains = "ready", timeout = "10s" }', WANTED } },

  run = function(_, it)
    local values, probed = {}, false
    for _, output in ipairs(it.stack.Outputs or {}) do values[output.OutputKey] = output.OutputValue end
    for _, key in ipairs(util.sorted_keys(it.settings)) do
      local wanted = it.settings[key]
      if type(wanted) == "table" then
        probed = true
        if it:expect(values[key], "there is no output " .. key) then
          local problem = problem_of(values[key], wanted)
          it:wait(not problem, ("%s: %s"):format(key, problem))
        end
      end
    end
    if not probed then it:skip() end
  end,
}
