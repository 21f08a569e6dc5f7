--- Addresses among the outputs answer. A stack file says which: `["http-probe"] = { SiteUrl = { status = 200 } }`.

local tap = require "tap"

-- "web-1.elb.amazonaws.com" -> "http://web-1.elb.amazonaws.com/": load balancers give their name only.
local function address(value, path)
  local url = value:find("^https?://") and value or "http://" .. value
  return url:gsub("/+$", "") .. (path or "/")
end

return tap.check {
  name = "http-probe", summary = "an output's address answers as the stack file says",
  output = ".", retry = "5m",

  run = function(_, it)
    local wanted = it.settings[it.key]
    if not wanted then return it:skip() end
    local answer, e = tap.try(tap.http.request, { url = address(it.value, wanted.path),
      timeout = tap.seconds(wanted.timeout or "10s") })
    if not it:wait(answer, e and tostring(e) or "") then return end
    local status = wanted.status or 200
    it:wait(answer.status == status, ("it answers %d, not %d"):format(answer.status, status))
    it:wait(not wanted.contains or answer.body:find(wanted.contains, 1, true),
      "the answer does not contain what it should")
  end,
}
