--- Restores a DynamoDB table from its point-in-time backup into a new table, waits until it is ready, compares the
-- two, and switches the stack over to it after an approval. The old table stays, until somebody deletes it.
--
--     tapengine examples/runbooks/restore-table.lua --stack-name web --table orders --parameter-name TableName

local tap = require "tap"

local function wait_until_active(dynamodb, name)
  tap.wait_until("2h", function()
    local found = tap.try(dynamodb.describe_table, dynamodb, { TableName = name })
    return found and found.Table.TableStatus == "ACTIVE"
  end, { interval = "10s" })
end

return tap.workflow {
  name = "restore-table", summary = "restore a table from its backup into a new one and switch the stack over",
  effects = { "dynamodb", "cloudformation" },
  params = {
    { "stack-name", "string", required = true, help = "stack that uses the table" },
    { "table", "string", required = true, help = "table to restore" },
    { "to", "string", help = "name of the new table; else TABLE-restored" },
    { "parameter-name", "string", required = true, help = "parameter of the stack that names its table" },
    { "approval-file", "file", help = "file that somebody writes \"approve\" into; else the terminal is asked" },
  },
  usage = "tapengine examples/runbooks/restore-table.lua --stack-name web --table orders --parameter-name TableName",

  run = function(ctx, p)
    local dynamodb, cfn = ctx:client "dynamodb", ctx:client "cloudformation"
    local target = p.to or p.table .. "-restored"
    ctx:about(p.stack_name)
    ctx:step("restore", function()
      if tap.try(dynamodb.describe_table, dynamodb, { TableName = target }) then return end -- by a run before
      dynamodb:restore_table_to_point_in_time { SourceTableName = p.table, TargetTableName = target,
        UseLatestRestorableTime = true }
    end, { retry = { times = 3, classes = { "network" } } })
    ctx:step("wait until it is ready", function() wait_until_active(dynamodb, target) end, { idempotent = true })
    local count = ctx:step("count", function()
      return { old = dynamodb:scan({ TableName = p.table, Select = "COUNT" }).Count,
        new = dynamodb:scan({ TableName = target, Select = "COUNT" }).Count }
    end)
    ctx.out:note(("%s has %d items, %s has %d"):format(p.table, count.old, target, count.new))
    ctx:approve(("Switch %s over to %s?"):format(p.stack_name, target), { file = p.approval_file, timeout = "4h" })
    ctx:step("switch over", function()
      local stack = tap.stack(cfn, p.stack_name)
      local parameters = tap.list {}
      for index, one in ipairs(stack:must_describe().Parameters) do
        local own = one.ParameterKey == p.parameter_name
        parameters[index] = { ParameterKey = one.ParameterKey, ParameterValue = own and target or nil,
          UsePreviousValue = not own or nil }
      end
      cfn:update_stack { StackName = p.stack_name, UsePreviousTemplate = true, Parameters = parameters,
        Capabilities = stack:must_describe().Capabilities, ClientRequestToken = ctx:token "switch" }
      stack:wait { verb = "update", timeout = 3600 }
    end)
    return { table = target, items = count.new },
      ("%s uses %s now; %s is still there"):format(p.stack_name, target, p.table)
  end,
}
