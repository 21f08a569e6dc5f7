--- A log group is there, with the retention and the key that were asked for.

local tap = require "tap"

return tap.check {
  name = "log-group", summary = "a log group exists, with the retention and the key that were asked for",
  type = "AWS::Logs::LogGroup",

  run = function(ctx, it)
    local groups = ctx:client("logs"):describe_log_groups { logGroupNamePrefix = it.physical_id }.logGroups or {}
    local found
    for _, group in ipairs(groups) do
      if group.logGroupName == it.physical_id then found = group end
    end
    if not it:expect(found, "it does not exist") then return end
    local days = tonumber(it:asked "RetentionInDays")
    it:expect(not days or found.retentionInDays == days, ("it keeps %s days, not %s"):format(
      tostring(found.retentionInDays), tostring(days)))
    it:expect(found.kmsKeyId or not it:asked "KmsKeyId", "it is not encrypted by its key")
  end,
}
