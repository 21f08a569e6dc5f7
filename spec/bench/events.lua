--- Reading: ROUNDS times the first page (100 events) of DescribeStackEvents, of two stacks in turn: a page that is the
-- same as the one before would not be read again. The peer is events.py; what both pay for the request itself is
-- measured by as many calls with a small answer.
--     tapengine spec/bench/events.lua ROUNDS STACK OTHER

local tap = require "tap"

local cfn = tap.client "cloudformation"
local events
for round = 1, math.tointeger(tonumber(arg[1])) do
  events = cfn:describe_stack_events { StackName = arg[2 + round % 2] }.StackEvents
end
io.stderr:write(#events, " events a page\n")
