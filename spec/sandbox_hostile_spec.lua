-- Requests that no good client sends: whatever comes, the sandbox goes on.

local proc = require "tap.core.proc"
local world = require "spec.sandbox_world"

-- Sends bytes over a connection of their own; what came back within two seconds.
local SEND = [[
exec 3<>/dev/tcp/127.0.0.1/$0
printf '%b' "$1" >&3
timeout 2 head -c 400 <&3
]]

describe("a hostile request", function()
  local w, port
  before_each(function()
    w = world.open()
    port = w.sandbox.url:match(":(%d+)$")
    require("tap.core.task").clock "real" -- peers outside of this process have no other
  end)
  after_each(function() w:close() end)

  local function send(bytes)
    return proc.run({ "bash", "-c", SEND, port, bytes }).out
  end

  local function status_of(argv)
    local all = { "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5" }
    return proc.run({ table.unpack(table.move(argv, 1, #argv, #all + 1, all)) }).out
  end

  local function goes_on()
    assert.equal("123456789012", w:client("sts"):get_caller_identity({}).Account)
  end

  it("with another method or none that exists is refused", function()
    for _, method in ipairs { "PATCH", "OPTIONS", "NONSENSE" } do
      local status = tonumber(status_of { "-X", method, w.sandbox.url .. "/" })
      assert.is_true(status >= 400 and status < 600, method .. " " .. status)
    end
    goes_on()
  end)

  it("that is no HTTP, or whose chunks are broken, is cut off or refused", function()
    send "\\x00\\x01\\x02 garbage\\r\\n\\r\\n"
    send "GET / HTTP/9.9\\r\\n\\r\\n"
    send "POST / HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nZZ\\r\\nbroken\\r\\n"
    send "POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: -5\\r\\n\\r\\n"
    send "POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 99999999999999999999\\r\\n\\r\\n"
    goes_on()
  end)

  it("with floods of headers is refused", function()
    local answer = proc.run({ "bash", "-c", [[
exec 3<>/dev/tcp/127.0.0.1/$0
{ printf 'GET / HTTP/1.1\r\nHost: x\r\n'
  for i in $(seq 1 3000); do printf 'X-H%d: %0100d\r\n' "$i" 0; done
  printf '\r\n'; } >&3 2>/dev/null
timeout 2 head -c 400 <&3
]], port }).out
    assert.is_nil(answer:match "^HTTP/1.1 200")
    goes_on()
  end)

  it("that is too large is refused", function()
    local script = "head -c 70000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' --max-time 20 "
      .. "-X POST --data-binary @- $0/ || true"
    local status = proc.run({ "bash", "-c", script, w.sandbox.url }).out
    assert.is_true(status == "413" or status == "000", status)
    goes_on()
  end)

  it("that is sent slowly holds up nobody", function()
    local slow = proc.run { "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; printf 'POST / HT' >&3; "
      .. "curl -s --max-time 3 -o /dev/null -w '%{http_code}' http://127.0.0.1:$0/", port }
    assert.is_true((tonumber(slow.out) or 0) >= 400, slow.out)
    goes_on()
  end)

  it("over more connections than there may be leaves the sandbox alive", function()
    proc.run { "bash", "-c", [[
for i in $(seq 1 600); do exec {fd}<>/dev/tcp/127.0.0.1/$0 || break; done 2>/dev/null
sleep 0.2
]], port }
    goes_on()
  end)
end)
