--- A database is available, encrypted, not public, and backed up.

local tap = require "tap"

return tap.check {
  name = "rds-instance", summary = "a database is available, encrypted, not public, and backed up as asked",
  type = "AWS::RDS::DBInstance", retry = "15m",

  run = function(ctx, it)
    local found = ctx:client("rds"):describe_db_instances { DBInstanceIdentifier = it.physical_id }.DBInstances[1]
    if not it:expect(found, "the database is not there") then return end
    it:wait(found.DBInstanceStatus == "available", "it is " .. tostring(found.DBInstanceStatus))
    it:expect(found.StorageEncrypted or not it:asks "StorageEncrypted", "its storage is not encrypted")
    local private = it.settings.strict or it:asked "PubliclyAccessible" == false
    it:expect(not found.PubliclyAccessible or not private, "it can be reached from the internet")
    local asked = it:asked "MultiAZ"
    if type(asked) == "boolean" then it:expect(found.MultiAZ == asked, "MultiAZ is not as the template asks") end
    local days = tonumber(it:asked "BackupRetentionPeriod")
    it:expect(not days or found.BackupRetentionPeriod == days, ("its backups are kept for %s days, not %s"):format(
      tostring(found.BackupRetentionPeriod), tostring(days)))
    it:note(("%s %s"):format(found.Engine, found.EngineVersion or ""))
  end,
}
