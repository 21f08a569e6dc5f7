--- Deletes a stack and follows it to its end. Asks first; a protected stack stays.

local tap = require "tap"

-- What a delete stumbles over -> what to do about it.
local ADVICE = {
  { "not empty", "empty %s (all versions of its objects, all its images), then delete again" },
  { "BucketNotEmpty", "empty %s (all versions of its objects), then delete again" },
  { "deletion protection", "switch the deletion protection of %s off, then delete again" },
  { "DeletionProtection", "switch the deletion protection of %s off, then delete again" },
  { "dependent object", "something outside of the stack still uses %s: remove that, then delete again" },
  { "not authorized", "the caller may not delete %s: use credentials that may" },
}

local function question(ctx, stack)
  local change_words = require "tap.change_words"
  local cfn, holding, count = stack.cfn, {}, 0
  for _, resource in ipairs(cfn:describe_stack_resources { StackName = stack:key() }.StackResources or {}) do
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

local function advise(failures, hints)
  for _, failure in ipairs(failures) do
    for _, entry in ipairs(ADVICE) do
      if (failure.reason or ""):find(entry[1], 1, true) then
        hints[#hints + 1] = entry[2]:format(failure.physical_id or failure.logical_id)
        break
      end
    end
  end
end

return tap.workflow {
  name = "delete",
  summary = "delete a stack, after asking, and show its events as they come",
  effects = { "cloudformation" },
  params = {
    { "stack-name", "string", required = true, positional = true, help = "name or id of the stack" },
    { "retain-resources", "list", help = "logical ids to leave alone; only for a stack in DELETE_FAILED" },
    { "role-arn", "string", help = "role that CloudFormation assumes" },
    { "timeout", "duration", default = "1h", help = "stop waiting after this long; the deletion goes on" },
    { "dry-run", "boolean", default = false, help = "say what would be deleted; exit 20" },
  },
  usage = "tapengine delete --stack-name TapStackdev --yes",

  run = function(ctx, p)
    local deployment, util = require "tap.deployment", require "tap.util"
    local began = tap.now()
    local cfn = tap.client "cloudformation"
    local stack = tap.stack(cfn, p.stack_name)

    local existing = stack:describe()
    if not existing or existing.StackStatus == "DELETE_COMPLETE" then
      return { stack_name = p.stack_name, status = "DELETE_COMPLETE" },
        ("%s does not exist: there is nothing to delete"):format(p.stack_name)
    end
    local reached = existing.StackStatus
    if existing.EnableTerminationProtection then
      tap.error.raise { class = "refused", code = "Protected", message =
        ("Stack [%s] cannot be deleted while TerminationProtection is enabled"):format(p.stack_name),
        hints = { "to switch it off: aws cloudformation update-termination-protection "
          .. "--no-enable-termination-protection --stack-name " .. util.shell_quote(p.stack_name) } }
    end
    if #p.retain_resources > 0 and reached ~= "DELETE_FAILED" then
      tap.error.raise { class = "refused", code = "NotDeleteFailed",
        message = ("--retain-resources is for a stack in DELETE_FAILED; %s is in %s"):format(p.stack_name,
          reached) }
    end

    if reached == "DELETE_IN_PROGRESS" then
      ctx.out:note(p.stack_name .. " is being deleted already; following")
    else
      if reached ~= "CREATE_IN_PROGRESS" and reached ~= "ROLLBACK_IN_PROGRESS" then
        deployment.refuse_busy(ctx, existing)
      end
      local text = question(ctx, stack)
      if p.dry_run then
        return { exit = "changes", stack_name = p.stack_name, stack_id = stack.id },
          (text:gsub("Delete stack", "would delete stack"):gsub("%?$", ""))
      end
      ctx:confirm(text)
      ctx:step("delete", function()
        stack:skip_events()
        ctx.out:note(("deleting %s in %s"):format(p.stack_name, ctx:where()))
        deployment.begin(ctx, stack, "delete", "delete_stack", {
          StackName = stack.id,
          RetainResources = #p.retain_resources > 0 and p.retain_resources or nil,
          RoleARN = p.role_arn,
          ClientRequestToken = ctx:token "delete",
        })
      end)
    end

    local description = ctx:step("wait", deployment.follow, ctx, stack,
      { verb = "delete", timeout = p.timeout, advice = advise })
    local seconds = util.round(tap.now() - began)
    return { stack_name = p.stack_name, stack_id = stack.id, status = description.StackStatus,
      seconds = seconds },
      ("\n%s %s in %s"):format(p.stack_name, description.StackStatus, util.show_duration(seconds))
  end,
}
