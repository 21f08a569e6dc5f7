--- Shows what a deployment would change: the template member by member, and the resources' properties as a change set
-- has them. Executes nothing; the change set is removed.

local tap = require "tap"

local function template_lines(differences)
  local lines = {}
  for index, one in ipairs(differences) do
    local mark = one.before == nil and "+" or one.after == nil and "-" or "~"
    local value = one.before == nil and one.after or one.after == nil and one.before
      or ("%s -> %s"):format(one.before, one.after)
    lines[index] = ("%s %s: %s"):format(mark, one.path, value)
  end
  return lines
end

-- The deployed template against the file.
local function compare_templates(job)
  local before = {}
  if job.existing and job.existing.StackStatus ~= "REVIEW_IN_PROGRESS" then
    local body = job.cfn:get_template({ StackName = job.stack:key(), TemplateStage = "Original" }).TemplateBody
    before = type(body) == "table" and body or tap.document.any(body, "the deployed template"):root()
  end
  return require("tap.tree_diff").compare(before, job.target.template.root)
end

return tap.workflow {
  name = "diff",
  summary = "show what a deployment would change; exit 20 when it would change something",
  effects = { "cloudformation" }, -- a change set, for as long as it takes to read it
  params = require("tap.target_params").rollout(),
  usage = "tapengine diff web --template web.yml",

  run = function(ctx, p)
    local rollout = require "tap.rollout"
    p.dry_run = true
    local job = rollout.begin(ctx, p, "deploy")
    local differences = compare_templates(job)
    if #differences > 0 then ctx.out:note("template", { differences = differences }) end
    if ctx.options.output ~= "jsonl" then
      for _, line in ipairs(template_lines(differences)) do ctx.out:note("  " .. line) end
    end
    local value, words = rollout.run(job)
    value.template = differences
    if #differences > 0 then value.exit = "changes" end
    return value, words
  end,
}
