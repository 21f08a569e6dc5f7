--- A trail writes, in all regions, with validated log files.

local tap = require "tap"

return tap.check {
  name = "cloudtrail", summary = "a trail is logging, multi-region, encrypted and validated",
  type = "AWS::CloudTrail::Trail", retry = "2m",

  run = function(ctx, it)
    local client = ctx:client "cloudtrail"
    local trail = client:get_trail({ Name = it.physical_id }).Trail
    local status = client:get_trail_status { Name = it.physical_id }
    it:wait(status.IsLogging or it:asked "IsLogging" == false, "it is not logging")
    it:expect(not status.LatestDeliveryError or status.LatestDeliveryError == "",
      "it cannot deliver: " .. tostring(status.LatestDeliveryError))
    it:expect(trail.IsMultiRegionTrail or not it:asks "IsMultiRegionTrail", "it is not multi-region")
    it:expect(trail.LogFileValidationEnabled or not it:asks "EnableLogFileValidation",
      "its log files are not validated")
    local encrypted = it.settings.strict or it:asked "KMSKeyId"
    it:expect(trail.KmsKeyId or not encrypted, "its log files are not encrypted by a key")
  end,
}
