--- A topic is there, and its subscriptions are confirmed.

local tap = require "tap"
local util = require "tap.util"

return tap.check {
  name = "sns-topic", summary = "a topic can be reached, with its subscriptions; those that nobody confirmed are told",
  type = "AWS::SNS::Topic",
  settings = { confirmed = { "boolean", "demands that every subscription is confirmed" } },

  run = function(ctx, it)
    local sns = ctx:client "sns"
    it:expect(sns:get_topic_attributes({ TopicArn = it.physical_id }).Attributes, "it cannot be read")
    local pending, n = {}, 0
    for one in sns:each("list_subscriptions_by_topic", { TopicArn = it.physical_id }) do
      n = n + 1
      if one.SubscriptionArn == "PendingConfirmation" then pending[#pending + 1] = one.Endpoint end
    end
    local asked = #(it:asked "Subscription" or {})
    it:expect(n >= asked, ("%d of %s are there"):format(n, util.count(asked, "subscription")))
    it:expect(#pending == 0 or not it.settings.confirmed, "not confirmed: " .. table.concat(pending, ", "))
    it:note(("%s, %d not confirmed"):format(util.count(n, "subscription"), #pending))
  end,
}
