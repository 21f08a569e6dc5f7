--- The parameters that every workflow that deploys a stack takes. Data only, since every listing of the workflows
-- loads it.

local LIST = {
  { "stack-name", "string", positional = true, help = "name of the stack; else the stack file's" },
  { "template", "file", help = "template, YAML or JSON; else the stack file's" },
  { "stack-file", "file", help = "how the stack is deployed; else X.stack.lua beside the template" },
  { "parameter", "map", help = "a parameter's value (a secret: TAP_PARAM_NAME in the environment)" },
  { "parameters", "file", help = "parameter file, YAML or JSON" },
  { "tags", "map", help = "a tag of the stack and its resources" },
  { "lint", "boolean", default = true, help = "--no-lint leaves the template's lint out" },
  { "capabilities", "list", help = "what the template may do, CAPABILITY_NAMED_IAM for instance" },
  { "role-arn", "string", help = "role that CloudFormation assumes" },
  { "notification-arns", "list", help = "SNS topics that are told every event" },
  { "termination-protection", "boolean", help = "protect the stack against deletion" },
}

-- How a change is planned, allowed and followed.
local ROLLOUT = {
  { "s3-bucket", "string", help = "bucket for a template over 51,200 bytes; else one is made, after asking" },
  { "accept", "list", help = "gates that may be passed this once: data-loss, ..." },
  { "no-execute", "boolean", default = false, help = "leave the change set for `tapengine execute`" },
  { "on-failure", "enum", values = { "ROLLBACK", "DELETE", "DO_NOTHING" }, default = "ROLLBACK",
    help = "what becomes of a stack that fails; DELETE only when it is new" },
  { "replace-failed", "boolean", default = false,
    help = "delete a stack whose creation failed, after asking, and create it again" },
  { "if-busy", "enum", values = { "fail", "wait", "attach" }, default = "fail",
    help = "when another operation is at work: fail, wait and go on, or only follow it" },
  { "break-lock", "boolean", default = false, help = "take the stack's lock from a run that is dead for certain" },
  { "import-existing", "boolean", default = false, help = "take over resources that exist under their custom name" },
  { "revert-drift", "boolean", default = false,
    help = "bring what was changed or deleted by hand back to what the template says (nested stacks are left out)" },
  { "express", "boolean", default = false,
    help = "end when the configuration is applied, not when it has become stable (CloudFormation's express mode)" },
  { "verify", "boolean", default = true, help = "--no-verify does not read back what was made" },
  { "timeout", "duration", help = "stop waiting after this long (default 1h, or the stack file's)" },
  { "dry-run", "boolean", default = false, help = "show the changes, execute nothing; exit 20 when there are any" },
}

local target_params = {}

local function joined(first, second)
  return table.move(second, 1, #second, #first + 1, { table.unpack(first) })
end

--- What names a stack and its inputs, and more behind it.
---@param more table[]
---@return table[]
function target_params.with(more)
  return joined(LIST, more)
end

--- The same for a workflow that changes the stack through a change set.
---@return table[]
function target_params.rollout()
  return joined(LIST, ROLLOUT)
end

--- The same without some of them, and with more behind them.
---@param names string[]
---@param more table[]
---@return table[]
function target_params.rollout_without(names, more)
  local left_out, kept = {}, {}
  for _, name in ipairs(names) do left_out[name] = true end
  for _, row in ipairs(target_params.rollout()) do
    if not left_out[row[1]] then kept[#kept + 1] = row end
  end
  return joined(kept, more)
end

--- What a command line without any options but these would give, for workflows that deploy on the way.
---@param given table<string, any> by field
---@return table values
function target_params.values(given)
  local params, util = require "tap.params", require "tap.util"
  local specs = assert(params.check(target_params.rollout()))
  local values, names = params.parse(specs, {}, function() return nil end), {}
  for name, value in pairs(given) do values[name] = value end
  for index, spec in ipairs(specs) do names[index] = params.field(spec.name) end
  return util.strict(values, "parameter", names)
end

return target_params
