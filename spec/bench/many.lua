--- Stacks by the hundred in one sandbox: what a stack of 20 resources costs when there are many. COUNTS: how many
-- stacks there are at each line; time is of one core, memory of the whole process.
--     tapengine spec/bench/many.lua 250 500 1000

local json = require "tap.core.json"
local sandbox = require "sandbox"
local sys = require "tap.core.sys"
local task = require "tap.core.task"
local client = require "tap.client"

local RESOURCES, TOGETHER = 20, 25 -- of a stack; stacks that are created at once

local resources = {}
for index = 1, RESOURCES do
  resources["R" .. index] = index % 2 == 0 and { Type = "AWS::SNS::Topic" } or { Type = "AWS::SQS::Queue" }
end
local BODY = json.encode { Resources = resources }

local function resident()
  return tonumber(sys.read_file("/proc/self/status"):match "VmRSS:%s*(%d+)") / 1024
end

task.clock("virtual", 1767225600)
local emulator <close> = sandbox.start {}
local cfn = client.new("cloudformation", { region = "us-east-1", endpoint_url = emulator.url,
  credentials = { access_key = "test", secret_key = "test" } })

local made, cpu = 0, 0
for _, goal in ipairs(arg) do
  local from, began = made, os.clock()
  while made < tonumber(goal) do
    made = made + 1
    cfn:create_stack { StackName = "s" .. made, TemplateBody = BODY }
    if made % TOGETHER == 0 then task.sleep(600) end
  end
  task.sleep(600)
  cpu = cpu + os.clock() - began
  local last = cfn:describe_stacks { StackName = "s" .. made }.Stacks[1]
  assert(last.StackStatus == "CREATE_COMPLETE", last.StackStatus)
  print(("%5d stacks: %.2f s in all, %.1f ms a stack since the line before, %.0f MB"):format(made, cpu,
    (os.clock() - began) * 1000 / (made - from), resident()))
end
