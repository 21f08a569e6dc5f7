--- Resource types that complete when something else says so: nested stacks, custom resources. A driver has
--   create(op, resource, course)              makes it: adopts a physical id (provision.adopt)
--   update(op, resource, properties, course)  changes it; course.replaced() when it has another physical id
-- now
--   revert(op, resource, properties, course)  the same on the way back
--   delete(op, resource, course)
-- and calls course.done() or course.failed(reason) at the end. They are loaded when they are used, because
-- they start operations that make resources in their turn.

local catalog = require "sandbox.resources.catalog"

local drivers = {}

--- The driver of a type; nil when the type takes its usual course.
function drivers.of(type_name)
  local name = catalog.of(type_name).driver
  return name and require("sandbox.engine." .. name)
end

return drivers
