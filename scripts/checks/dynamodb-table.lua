--- A table is active, with the recovery and encryption that were asked for.

local tap = require "tap"

return tap.check {
  name = "dynamodb-table", summary = "a table is active, and can be recovered as asked",
  type = "AWS::DynamoDB::Table", retry = "5m",
  settings = { recovery = { "boolean", "demands point-in-time recovery whatever the template says" } },

  run = function(ctx, it)
    local dynamodb = ctx:client "dynamodb"
    local found = dynamodb:describe_table({ TableName = it.physical_id }).Table
    it:wait(found.TableStatus == "ACTIVE", "it is " .. tostring(found.TableStatus))
    for _, index in ipairs(found.GlobalSecondaryIndexes or {}) do
      it:wait(index.IndexStatus == "ACTIVE", ("index %s is %s"):format(index.IndexName, index.IndexStatus))
    end
    if it.settings.recovery or it:asked "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled" == true then
      local backups = dynamodb:describe_continuous_backups { TableName = it.physical_id }
      local recovery = backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription or {}
      it:wait(recovery.PointInTimeRecoveryStatus == "ENABLED", "point-in-time recovery is off")
    end
    it:expect(found.DeletionProtectionEnabled or it:asked "DeletionProtectionEnabled" ~= true,
      "deletion protection is off")
    local encryption = found.SSEDescription and found.SSEDescription.Status
    it:wait(encryption == "ENABLED" or it:asked "SSESpecification.SSEEnabled" ~= true,
      "its encryption by a key is " .. (encryption or "off"))
  end,
}
