--- Prints what is deployed: the template of a stack, or its parameters and tags as files that deploy it again.

local tap = require "tap"

local function pairs_of(list, key, value)
  local map = {}
  for _, item in ipairs(list or {}) do
    map[item[key]] = item[value]
  end
  return map
end

return tap.workflow {
  name = "cat",
  summary = "print a stack's template, parameters or tags as they are deployed",
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "what", "enum", values = { "template", "parameters", "tags", "policy" }, default = "template",
      help = "what to print" },
    { "processed", "boolean", default = false, help = "the template after its macros" },
    { "change-set", "string", help = "of this change set instead of what is deployed" },
  },
  usage = "tapengine cat web --what parameters",

  run = function(_, p)
    local cfn = tap.client "cloudformation"
    if p.what == "template" then
      local body = cfn:get_template { StackName = p.stack_name, ChangeSetName = p.change_set,
        TemplateStage = p.processed and "Processed" or "Original" }.TemplateBody
      return nil, type(body) == "table" and tap.json.encode(body, { indent = 2 }) or body
    elseif p.what == "policy" then
      return nil, cfn:get_stack_policy({ StackName = p.stack_name }).StackPolicyBody or "{}"
    end
    local found = p.change_set and cfn:describe_change_set { StackName = p.stack_name, ChangeSetName = p.change_set }
      or tap.stack(cfn, p.stack_name):must_describe()
    if p.what == "parameters" then return pairs_of(found.Parameters, "ParameterKey", "ParameterValue") end
    return pairs_of(found.Tags, "Key", "Value")
  end,
}
