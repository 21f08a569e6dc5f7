--- Deletes a stack and follows it to its end. Asks first; a protected stack stays.

local tap = require "tap"

local function question(ctx, stack)
  local change_words = require "tap.change_words"
  local holding, count = {}, 0
  for _, resource in ipairs(stack:resources()) do
    if resource.ResourceStatus ~= "DELETE_COMPLETE" then
      count = count + 1
      if change_words.holds_data(resource.ResourceType) then
        holding[#holding + 1] = ("\n  %s  %s"):format(resource.LogicalResourceId, resource.ResourceType)
      end
    end
  end
  local text = ("Delete stack %s in %s with its %s?"):format(stack.name, ctx:where(),
    require("tap.util").count(count, "resource"))
  if #holding == 0 then return text end
  return ("These hold data, which is lost unless the template retains them:%s\n%s"):format(
    table.concat(holding), text)
end

-- What may be deleted, and how. Raises what stands against it.
local function check(existing, p)
  local util = require "tap.util"
  local reached, name = existing.StackStatus, existing.StackName
  if existing.EnableTerminationProtection then
    tap.error.raise { class = "refused", code = "Protected", message =
      ("Stack [%s] cannot be deleted while TerminationProtection is enabled"):format(name),
      hints = { "to switch it off: tapengine aws cloudformation update-termination-protection "
        .. "--enable-termination-protection false --stack-name " .. util.shell_quote(name) } }
  end
  if (#p.retain_resources > 0 or p.force) and reached ~= "DELETE_FAILED" then
    tap.error.raise { class = "refused", code = "NotDeleteFailed",
      message = ("%s is for a stack in DELETE_FAILED; %s is in %s"):format(
        p.force and "--force" or "--retain-resources", name, reached) }
  end
end

local function begin(ctx, stack, p, role_arn)
  stack:skip_events()
  ctx.out:note(("deleting %s in %s"):format(stack.name, ctx:where()))
  require("tap.deployment").ask(ctx, "delete", stack, "delete", "delete_stack", {
    StackName = stack.id,
    RetainResources = #p.retain_resources > 0 and p.retain_resources or nil,
    DeletionMode = p.force and "FORCE_DELETE_STACK" or nil,
    RoleARN = role_arn
  })
end

return tap.workflow {
  name = "delete",
  summary = "delete a stack, after asking, and show its events as they come",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", positional = true, help = "name or id of the stack; else the stack file's" },
    { "stack-file", "file", help = "else the only X.stack.lua here" },
    { "template", "file", help = "the stack file stands beside it" },
    { "retain-resources", "list", help = "logical ids to leave alone; only for a stack in DELETE_FAILED" },
    { "force", "boolean", default = false,
      help = "leave behind what cannot be deleted; only for a stack in DELETE_FAILED" },
    { "role-arn", "string", help = "role that CloudFormation assumes" },
    { "timeout", "duration", help = "stop waiting after this long (default 1h, or the stack file's)" },
    { "break-lock", "boolean", default = false, help = "take the stack's lock from a run that is dead for certain" },
    { "dry-run", "boolean", default = false, help = "say what would be deleted; exit 20" },
  },
  usage = "tapengine delete --stack-name TapStackdev --yes",

  run = function(ctx, p)
    local deployment = require "tap.deployment"
    local t = require("tap.target").open(ctx, p, { name = true })
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, t.name)
    if not p.dry_run then t:lock { break_it = p.break_lock } end
    local begun = require("tap.resume").last(ctx, stack)
    local existing = stack:describe()
    local job = { ctx = ctx, p = { verify = false }, target = t, cfn = cfn, stack = stack, existing = existing,
      began = tap.now() }
    if begun then
      return require("tap.aftermath").run(job, "delete", function()
        return deployment.result(job, deployment.wait(ctx, stack, t:limits "delete", begun))
      end)
    end
    if not existing or existing.StackStatus == "DELETE_COMPLETE" then
      return { stack_name = t.name, status = "DELETE_COMPLETE" },
        ("%s does not exist in %s: there is nothing to delete"):format(t.name, ctx:where())
    end
    check(existing, p)
    local reached = existing.StackStatus
    if reached == "DELETE_IN_PROGRESS" then
      ctx.out:note(t.name .. " is being deleted already; following")
    else
      if reached ~= "CREATE_IN_PROGRESS" and reached ~= "ROLLBACK_IN_PROGRESS" then
        deployment.refuse_busy(ctx, existing)
      end
      local text = question(ctx, stack)
      if p.dry_run then
        return { exit = "changes", stack_name = t.name, stack_id = stack.id },
          (text:gsub("Delete stack", "would delete stack"):gsub("%?$", ""))
      end
      ctx:confirm(text)
    end
    return require("tap.aftermath").run(job, "delete", function()
      if reached ~= "DELETE_IN_PROGRESS" then
        begin(ctx, stack, p, p.role_arn or t.file.role_arn)
      end
      return deployment.result(job, deployment.wait(ctx, stack, t:limits "delete"))
    end)
  end,
}
