--- Many calls through one process: COUNT DescribeStacks, IN_FLIGHT at a time. The peer is calls.py.
--     tapengine spec/bench/calls.lua COUNT IN_FLIGHT STACK

local tap = require "tap"
local task = require "tap.task"

local count, in_flight, name = math.tointeger(tonumber(arg[1])), math.tointeger(tonumber(arg[2])), arg[3]
local cfn = tap.client "cloudformation"
local left = count

local function worker()
  while left > 0 do
    left = left - 1
    assert(cfn:describe_stacks({ StackName = name }).Stacks[1].StackName == name)
  end
end

local workers = {}
for index = 1, in_flight do workers[index] = worker end
task.all(workers)
