--- Amazon S3: buckets, their settings, and objects. A bucket is the thing that a template makes, too; its
-- settings are its properties in the template's spelling, its objects are its state.

local operations = {}

for _, file in ipairs { "buckets", "settings", "objects", "listings", "uploads" } do
  for name, operation in pairs(require("sandbox.services.s3." .. file)) do
    if name:match("^%u") then operations[name] = operation end
  end
end

return { operations = operations }
