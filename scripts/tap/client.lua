--- Clients of AWS services, for scripts: an operation is a method, in snake_case or in the API's spelling.
--
--     local cfn = tap.client "cloudformation"
--     local answer = cfn:describe_stacks { StackName = "web" }
--
-- Region, endpoint and credentials come from the run, so that the same script works against AWS and against
-- the sandbox. A call waits, and raises what goes wrong.

local core = require "tap.core.client"

local client = {}

local methods = {}

--- Looks up the operation once; an unknown one raises with the nearest name. The second result of a call is
-- { request_id, attempts }.
local function method(self, name)
  local operation = rawget(self, "core"):operation(name).name
  local function call(this, input)
    return rawget(this, "core"):call(operation, input or {})
  end
  rawset(self, name, call)
  return call
end

function methods.region(self)
  return rawget(self, "core"):region()
end

function methods.operations(self)
  return rawget(self, "core"):operations()
end

local metatable = {
  __index = function(self, name) return methods[name] or method(self, name) end,
  __name = "tap.client",
}

--- Makes a client.
---@param service string botocore's name of it: "cloudformation", "autoscaling", "elbv2"
---@param options table? profile, region, endpoint_url, credentials, max_attempts, connect_timeout,
---  read_timeout, total_timeout (seconds); what is absent comes from the run, the environment, the profile
---@return table client
function client.new(service, options)
  local merged = {}
  for name, value in pairs(require("tap.run").client_options()) do merged[name] = value end
  for name, value in pairs(options or {}) do merged[name] = value end
  local made = core.new(service, merged)
  if made:region() == "" then
    require("tap.error").raise { class = "usage", code = "NoRegion", message = "no region is set",
      hints = { "give --region, or set AWS_REGION or the profile's region" } }
  end
  return setmetatable({ core = made }, metatable)
end

return client
