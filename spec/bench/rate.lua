--- How many requests a second a server answers: COUNT DescribeStacks of a small stack, IN_FLIGHT at a time, from one
-- process beside it. Prints the figure.
--     tapengine spec/bench/rate.lua URL COUNT IN_FLIGHT

local tap = require "tap"
local json = require "tap.core.json"
local task = require "tap.task"

local url, count, in_flight = arg[1], math.tointeger(tonumber(arg[2])), math.tointeger(tonumber(arg[3]))
local cfn = tap.client("cloudformation", { endpoint_url = url })

local function status()
  return cfn:describe_stacks({ StackName = "rate" }).Stacks[1].StackStatus
end

cfn:create_stack { StackName = "rate", TemplateBody = json.encode { Resources = {
  Topic = { Type = "AWS::SNS::Topic" } } } }
repeat task.sleep(0.2) until status() == "CREATE_COMPLETE"

local left, began = count, task.monotonic()
local function worker()
  while left > 0 do
    left = left - 1
    status()
  end
end
local workers = {}
for index = 1, in_flight do workers[index] = worker end
task.all(workers)
print(("%.0f"):format(count / (task.monotonic() - began)))
