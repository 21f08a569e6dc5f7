--- A table is active, with the recovery and encryption that were asked for.

local tap = require "tap"

return tap.check {
  name = "dynamodb-table", summary = "a table is active, and can be recovered as asked",
  type = "AWS::DynamoDB::Table", retry = "5m",

  run = function(ctx, it)
    local dynamodb = ctx:client "dynamodb"
    local found = dynamodb:describe_table({ TableName = it.physical_id }).Table
    it:wait(found.TableStatus == "ACTIVE", "it is " .. tostring(found.TableStatus))
    for _, index in ipairs(found.GlobalSecondaryIndexes or {}) do
      it:wait(index.IndexStatus == "ACTIVE", ("index %s is %s"):format(index.IndexName, index.IndexStatus))
    end
    local asked = it.properties.PointInTimeRecoverySpecification
    if it.settings.recovery or type(asked) == "table" and asked.PointInTimeRecoveryEnabled == true then
      local backups = dynamodb:describe_continuous_backups { TableName = it.physical_id }
      local recovery = backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription or {}
      it:wait(recovery.PointInTimeRecoveryStatus == "ENABLED", "point-in-time recovery is off")
    end
    it:expect(found.DeletionProtectionEnabled or it.properties.DeletionProtectionEnabled ~= true,
      "deletion protection is off")
  end,
}
