--- The events of a stack, oldest first; with --follow until the operation that is at work has ended.

local tap = require "tap"

return tap.workflow {
  name = "events",
  summary = "show a stack's events, or follow them until its operation has ended",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "follow", "boolean", default = false, help = "go on until the operation has ended; exits as it did" },
    { "limit", "integer", min = 1, help = "show only the last N of what has happened so far" },
    { "timeout", "duration", help = "stop following after this long" },
  },
  usage = "tapengine events --follow --stack-name TapStackdev",

  run = function(ctx, p)
    local report, status = require "tap.report", require "tap.status"
    local stack = tap.stack(tap.client "cloudformation", p.stack_name)
    -- By its id from here on, so that it can be followed into its deletion.
    local description = stack:must_describe()

    local shown = tap.list {}
    local function show(event)
      shown[#shown + 1] = report.event_fields(event)
      if ctx.options.output ~= "json" then ctx.out:event(event, 1) end
    end
    local past = stack:new_events()
    for index = math.max(1, p.limit and #past - p.limit + 1 or 1), #past do show(past[index]) end

    local outcome = "ok"
    if p.follow then
      if not status.settled(description.StackStatus) then
        description = stack:wait { verb = "operation", timeout = p.timeout, on_event = show }
      end
      outcome = status.outcome(description.StackStatus)
    end
    if ctx.options.output == "json" then return { exit = outcome, events = shown } end
    return { exit = outcome, count = #shown }, ""
  end,
}
