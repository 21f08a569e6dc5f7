--- Every output of the template has a value, and those that a stack file demands are there.

local tap = require "tap"

return tap.check {
  name = "outputs", summary = "outputs have values; `outputs = { required = { ... } }` demands some",
  stack = true, settings = { required = { "table", "keys of outputs that must be there" } },

  run = function(_, it)
    local values = {}
    for _, output in ipairs(it.stack.Outputs or {}) do
      values[output.OutputKey] = output.OutputValue
      it:expect(output.OutputValue and output.OutputValue ~= "", output.OutputKey .. " is empty")
    end
    for _, key in ipairs(it.settings.required or {}) do
      it:expect(values[key], ("output %s is missing"):format(key))
    end
  end,
}
