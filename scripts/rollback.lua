--- Back to what worked: deploys a version of the journal's history again, as a change set, with the gates.

local tap = require "tap"

local function find_version(stack_name, number)
  local journal = require "tap.journal"
  if not journal.path() then
    tap.error.raise { class = "usage", code = "NoJournal", message = "TAP_JOURNAL is off: there is no history" }
  end
  local book = journal.open()
  local versions = book:versions(stack_name)
  book:close()
  for _, version in ipairs(versions) do
    if version.n == number then return version end
  end
  local known = {}
  for index, version in ipairs(versions) do known[index] = tostring(version.n) end
  return tap.error.raise { class = "failed", code = "NoSuchVersion", message = ("the journal has no version %d of %s%s")
    :format(number, stack_name, #known > 0 and ", it has " .. table.concat(known, ", ") or ""),
    hints = { "tapengine history " .. stack_name .. "   shows them" } }
end

local function tags_of(version)
  local tags = {}
  for _, tag in ipairs(tap.json.decode(version.tags)) do tags[tag.Key] = tag.Value end
  return tags
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
    local rollout = require "tap.rollout"
    local version = find_version(p.stack_name, p.to)
    local folder = tap.sys.temp_folder()
    ctx:finally(function() tap.proc.run { "rm", "-rf", folder } end)
    local path = folder .. "/template"
    tap.sys.write_file(path, version.template)
    ctx.out:note(("version %d of %s, deployed %s"):format(version.n, p.stack_name, tap.iso_time(version.at)))
    local values = require("tap.target_params").values { stack_name = p.stack_name, template = path,
      parameter = tap.json.decode(version.parameters), tags = tags_of(version), accept = p.accept,
      capabilities = tap.json.decode(version.capabilities), role_arn = p.role_arn, verify = p.verify,
      timeout = p.timeout, dry_run = p.dry_run }
    return rollout.run(rollout.begin(ctx, values, "deploy"))
  end,
}
