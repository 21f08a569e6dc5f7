--- Sends a message about a stack where its notifications go: to see that they arrive, or after a step of one's own.

local tap = require "tap"

return tap.workflow {
  name = "notify",
  summary = "send a stack's status to its topic, mail, webhook, Slack, file or command",
  effects = { "sns", "sesv2" },
  params = {
    { "stack-name", "string", positional = true, help = "name or id of the stack; else the stack file's" },
    { "stack-file", "file", help = "its `notify` settings; else the only X.stack.lua here" },
    { "template", "file", help = "the stack file stands beside it" },
    { "message", "string", help = "what to say besides" },
  },
  usage = "tapengine notify web --message 'maintenance is over'",

  run = function(ctx, p)
    local deployment, notify, status = require "tap.deployment", require "tap.notify", require "tap.status"
    local t = require("tap.target").open(ctx, p, { name = true })
    notify.demand_settings(t.file.notify, t.file.path)
    local cfn = tap.client "cloudformation"
    local found = tap.stack(cfn, t.name):must_describe()
    local settled = status.settled(found.StackStatus)
    local results = notify.send(ctx, { stack_name = found.StackName, stack_id = found.StackId, region = cfn:region(),
      status = found.StackStatus, verb = "status of", run = ctx.run_id, cause = p.message,
      outcome = settled and status.outcome(found.StackStatus) or "busy",
      outputs = deployment.output_map(found) }, t.file.notify)
    if #results == 0 then
      tap.error.raise { class = "failed", code = "NoTarget", message = "there is nobody to notify", hints = {
        "give the stack an output NotificationTopicArn, or set TAP_SNS_TOPIC_ARN, TAP_NOTIFY_EMAIL, TAP_WEBHOOK_URL "
        .. "or TAP_SLACK_WEBHOOK_URL" } }
    end
    local delivered = 0
    for _, result in ipairs(results) do delivered = delivered + (result.ok and 1 or 0) end
    return { exit = delivered < #results and "failed" or nil, results = results },
      ("%d of %d delivered"):format(delivered, #results)
  end,
}
