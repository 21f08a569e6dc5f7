--- Checks a template, its parameters and where it would go: offline first, then by asking AWS. Changes nothing.

local tap = require "tap"

-- What the service says of the template; one that is too large for a request is left to the deployment's upload.
local function validate_template(ctx, cfn, template)
  if template:is_large() then
    return ctx.out:warn("the template is over 51,200 bytes: ValidateTemplate was not asked, `deploy` uploads it first")
  end
  local _, e = tap.try(cfn.validate_template, cfn, { TemplateBody = template.text })
  if e then require("tap.deployment").raise_rejected(e, template.path) end
end

return tap.workflow {
  name = "validate",
  summary = "check a template, its parameters and its stack; nothing is changed",
  params = require("tap.target_params").with {
    { "offline", "boolean", default = false, help = "do not ask AWS" },
  },
  usage = "tapengine validate --template templates/TapStack.json",

  run = function(ctx, p)
    local target, util = require "tap.target", require "tap.util"
    local t = target.read(ctx, p, { template = true })
    local template = t.template
    t:parameters { partial = true, local_only = p.offline, any_capabilities = true }
    if not p.offline then
      ctx:step("ask AWS", function()
        local cfn = tap.client "cloudformation"
        require("tap.preflight").run {
          function() validate_template(ctx, cfn, template) end,
          function() t:guard_account() end,
        }
      end, { idempotent = true })
    end

    local capability = template:capability()
    local resources, parameters = #template:resources(), #template:members("Parameters")
    return {
      template = template.path, valid = true, resources = resources, parameters = parameters,
      capabilities = tap.list { capability },
    }, ("%s is valid: %s, %s%s"):format(template.path, util.count(resources, "resource"),
      util.count(parameters, "parameter"), capability and ", needs --capabilities " .. capability or "")
  end,
}
