--- Saves what is known of a stack into one archive: for a ticket, or before it is cleared away.

local tap = require "tap"

return tap.workflow {
  name = "evidence",
  summary = "save a stack's events, template, cause and journal into one redacted archive",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
  },
  usage = "tapengine evidence web",

  run = function(ctx, p)
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, p.stack_name)
    local s = require("tap.situation").read(ctx, p, cfn, stack, stack:must_describe())
    local path = require("tap.evidence").save(s)
    return { archive = path }, path
  end,
}
