--- Checks a template and its parameters: offline first, then by the service's own ValidateTemplate.

local tap = require "tap"

return tap.workflow {
  name = "validate",
  summary = "check a template and its parameters; nothing is changed",
  params = {
    { "template", "file", required = true, help = "template, YAML or JSON" },
    { "parameter", "map", help = "a parameter's value" },
    { "parameters", "file", help = "parameter file, YAML or JSON" },
    { "offline", "boolean", default = false, help = "do not ask the service" },
  },
  usage = "tapengine validate --template templates/TapStack.json",

  run = function(ctx, p)
    local offline, util = require "tap.offline", require "tap.util"
    local template = offline.check {
      template = p.template, parameter = p.parameter, parameters = p.parameters, partial = true,
      warn = function(line) ctx.out:warn(line) end,
    }
    local capability = template:capability()

    if not p.offline then
      ctx:step("ValidateTemplate", function()
        local cfn = tap.client "cloudformation"
        local _, e = tap.try(cfn.validate_template, cfn, { TemplateBody = template.text })
        if e then require("tap.deployment").raise_rejected(e, p.template) end
      end)
    end

    local resources, parameters = #template:resources(), #template:members("Parameters")
    return {
      template = p.template, valid = true, resources = resources, parameters = parameters,
      capabilities = tap.list { capability },
    }, ("%s is valid: %s, %s%s"):format(p.template, util.count(resources, "resource"),
      util.count(parameters, "parameter"), capability and ", needs --capabilities " .. capability or "")
  end,
}
