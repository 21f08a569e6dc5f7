--- A sandbox server as a user has it, a process of its own, for clients that share no code with us.

local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.core.task"

local server = {}
server.__index = server

--- Starts it. `timeout` ends it even when the spec dies.
---@return table server { url, scratch }: scratch is a folder of its own, for HOME and files
function server.start()
  local self = setmetatable({ scratch = sys.temp_folder() }, server)
  local start = "timeout 300 %s sandbox --listen 127.0.0.1:0 --clock virtual >%s/server 2>&1 & echo $!"
  self.pid = proc.run({ "sh", "-c", start:format(sys.executable(), self.scratch) }).out:match("%d+")
  for _ = 1, 200 do
    local out = self.scratch .. "/server"
    self.url = sys.exists(out) and sys.read_file(out):match("http://%S+:%d+")
    if self.url then return self end
    task.sleep(0.05)
  end
  return error("the sandbox did not start: " .. sys.read_file(self.scratch .. "/server"))
end

function server:stop()
  proc.run { "sh", "-c", "kill $0", self.pid }
  proc.run { "rm", "-rf", self.scratch }
end

--- A clean environment: nothing of the machine's configuration or credentials counts.
---@param more table<string, string>?
---@return table<string, string>
function server:environment(more)
  local env = {
    PATH = "/usr/bin:/bin", HOME = self.scratch, AWS_DEFAULT_REGION = "us-east-1", AWS_PAGER = "",
    AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_EC2_METADATA_DISABLED = "true",
    AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null",
  }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

return server
