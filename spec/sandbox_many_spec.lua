-- Many stacks in one sandbox: what each costs does not grow with their number.

local proc = require "tap.core.proc"
local sys = require "tap.core.sys"

describe("a sandbox with many stacks", function()
  it("takes as much time and memory for each as with few", function()
    local result = proc.run { sys.executable(), "spec/bench/many.lua", "100", "400" }
    assert.equal(0, result.code, result.err)
    local times, sizes = {}, {}
    for milliseconds, megabytes in result.out:gmatch "([%d.]+) ms a stack[^,]*, (%d+) MB" do
      times[#times + 1], sizes[#sizes + 1] = tonumber(milliseconds), tonumber(megabytes)
    end
    assert.is_true(times[2] < 3 * times[1], result.out) -- quadratic would be about four times
    assert.is_true(sizes[2] < 4 * sizes[1], result.out)
  end)
end)
