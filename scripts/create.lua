--- Creates a stack and follows it to its end. Whatever can be found wrong beforehand is found beforehand.

local tap = require "tap"

return tap.workflow {
  name = "create",
  summary = "create a stack, show its events as they come, end with its outputs",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", required = true, help = "name of the new stack", pattern = "^%a[%w-]*$" },
    { "template", "file", required = true, help = "template, YAML or JSON" },
    { "parameter", "map", help = "a parameter's value (a secret: TAP_PARAM_NAME in the environment)" },
    { "parameters", "file", help = "parameter file, YAML or JSON" },
    { "tags", "map", help = "a tag of the stack and its resources" },
    { "capabilities", "list", help = "what the template may do, CAPABILITY_NAMED_IAM for instance" },
    { "on-failure", "enum", values = { "ROLLBACK", "DELETE", "DO_NOTHING" }, default = "ROLLBACK",
      help = "what CloudFormation does with a stack that fails" },
    { "role-arn", "string", help = "role that CloudFormation assumes" },
    { "notification-arns", "list", help = "SNS topics that are told every event" },
    { "termination-protection", "boolean", default = false, help = "protect the stack against deletion" },
    { "timeout", "duration", default = "1h", help = "stop waiting after this long; the creation goes on" },
    { "dry-run", "boolean", default = false, help = "check everything, create nothing; exit 20" },
  },
  usage = "tapengine create --stack-name TapStackdev --template templates/TapStack.json "
    .. "--parameter EnvironmentSuffix=dev",

  run = function(ctx, p)
    local deployment, offline = require "tap.deployment", require "tap.offline"
    local status, util = require "tap.status", require "tap.util"
    local began = tap.now()

    local template, parameters = offline.check {
      template = p.template, parameter = p.parameter, parameters = p.parameters,
      capabilities = p.capabilities, warn = function(line) ctx.out:warn(line) end,
    }
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, p.stack_name)

    ctx:step("check", function()
      local existing = stack:describe()
      if existing and existing.StackStatus ~= "REVIEW_IN_PROGRESS" then
        deployment.refuse_busy(ctx, existing)
        local reached = existing.StackStatus
        tap.error.raise {
          class = status.outcome(reached) == "ok" and "refused" or "stuck", code = "AlreadyExists",
          message = ("Stack [%s] already exists, in %s: %s"):format(p.stack_name, reached,
            status.meaning(reached)),
          hints = { status.next(reached) or "choose another --stack-name" },
        }
      end
      local _, e = tap.try(cfn.validate_template, cfn, { TemplateBody = template.text })
      if e then deployment.raise_rejected(e, p.template) end
    end)

    local resources = template:resources()
    local plan = ("%s: %s from %s in %s"):format(p.stack_name, util.count(#resources, "resource"),
      p.template, ctx:where())
    if p.dry_run then
      return { exit = "changes", stack_name = p.stack_name, resources = tap.list(resources) },
        "would create " .. plan
    end

    ctx:step("create", function()
      ctx.out:expect(resources)
      ctx.out:note("creating " .. plan)
      local answer, e = tap.try(deployment.begin, ctx, stack, "create", "create_stack", {
        StackName = p.stack_name,
        TemplateBody = template.text,
        Parameters = parameters,
        Tags = deployment.tags(p.tags),
        Capabilities = tap.list(p.capabilities),
        OnFailure = p.on_failure,
        RoleARN = p.role_arn,
        NotificationARNs = #p.notification_arns > 0 and p.notification_arns or nil,
        EnableTerminationProtection = p.termination_protection,
        ClientRequestToken = ctx:token "create",
      })
      if e then deployment.raise_rejected(e, p.template) end
      stack.id = answer.StackId
    end)

    local description = ctx:step("wait", deployment.follow, ctx, stack,
      { verb = "create", timeout = p.timeout, template = template })

    local seconds = util.round(tap.now() - began)
    local lines = deployment.output_lines(description)
    if #lines > 0 then
      table.insert(lines, 1, "Outputs")
      lines[#lines + 1] = ""
    end
    lines[#lines + 1] = ("%s %s in %s"):format(p.stack_name, description.StackStatus,
      util.show_duration(seconds))
    return {
      stack_name = p.stack_name, stack_id = stack.id, status = description.StackStatus,
      region = cfn:region(), seconds = seconds, outputs = deployment.output_map(description),
    }, "\n" .. table.concat(lines, "\n")
  end,
}
