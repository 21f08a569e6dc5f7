--- Back to what worked: deploys a version of the journal's history again, as a change set, with the gates.

local tap = require "tap"

local function find_version(stack_name, number)
  if not require("tap.journal").path() then
    tap.error.raise { class = "usage", code = "NoJournal", message = "TAP_JOURNAL is off: there is no history" }
  end
  local known = {}
  for index, version in ipairs(require("tap.versions").of(stack_name)) do
    if version.n == number then return version end
    known[index] = tostring(version.n)
  end
  return tap.error.raise { class = "failed", code = "NoSuchVersion", message = ("the journal has no version %d of %s%s")
    :format(number, stack_name, #known > 0 and ", it has " .. table.concat(known, ", ") or ""),
    hints = { "tapengine history " .. stack_name .. "   shows them" } }
end

return tap.workflow {
  name = "rollback",
  summary = "deploy a version that was deployed before (`history STACK` has them), as a change set",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name of the stack" },
    { "to", "integer", required = true, min = 1, help = "number of the version" },
    { "accept", "list", help = "gates that may be passed this once: data-loss, ..." },
    { "role-arn", "string", help = "role that CloudFormation assumes" },
    { "verify", "boolean", default = true, help = "--no-verify does not read back what was made" },
    { "timeout", "duration", help = "stop waiting after this long (default 1h)" },
    { "dry-run", "boolean", default = false, help = "show the changes, execute nothing; exit 20 when there are any" },
  },
  usage = "tapengine rollback web --to 3",

  run = function(ctx, p)
    local version = find_version(p.stack_name, p.to)
    return require("tap.versions").deploy(ctx, version, { stack_name = p.stack_name, accept = p.accept,
      role_arn = p.role_arn, verify = p.verify, timeout = p.timeout, dry_run = p.dry_run })
  end,
}
