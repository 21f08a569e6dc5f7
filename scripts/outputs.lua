--- The outputs of a stack: for people, as JSON, or as assignments for a shell.

local tap = require "tap"

return tap.workflow {
  name = "outputs",
  summary = "show a stack's outputs",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "key", "string", help = "only the value of this output" },
    { "format", "enum", values = { "table", "env", "json" }, default = "table",
      help = "table, KEY='value' lines for a shell, or a JSON object" },
  },
  usage = "eval \"$(tapengine outputs --stack-name TapStackdev --format env)\"",

  run = function(_, p)
    local deployment, util = require "tap.deployment", require "tap.util"
    local stack_of = require "tap.stack"
    local description = tap.stack(tap.client "cloudformation", p.stack_name):must_describe()
    local outputs, map = stack_of.outputs(description), deployment.output_map(description)

    if p.key then
      if not map[p.key] then
        tap.error.raise { class = "failed", code = "NoSuchOutput",
          message = ("%s has no output '%s'%s"):format(p.stack_name, p.key,
            util.suggest(p.key, util.sorted_keys(map))) }
      end
      return { [p.key] = map[p.key] }, map[p.key]
    end
    if p.format == "json" then return map, tap.json.encode(map, { indent = 2 }) end
    local lines = {}
    for index, output in ipairs(outputs) do
      lines[index] = ("%s='%s'"):format(output.key, output.value:gsub("'", [['\'']]))
    end
    if p.format == "table" then lines = deployment.output_lines(description) end
    return map, table.concat(lines, "\n")
  end,
}
