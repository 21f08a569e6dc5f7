--- What a deletion left behind, with the commands that remove it.

local util = require "tap.util"

local leftovers = {}

-- Type -> the command; Cloud Control deletes most of the others.
local COMMANDS = {
  ["AWS::S3::Bucket"] = "aws s3 rb --force s3://%s",
  ["AWS::Logs::LogGroup"] = "tapengine aws logs delete-log-group --log-group-name %s",
  ["AWS::EC2::SecurityGroup"] = "tapengine aws ec2 delete-security-group --group-id %s",
}
local GENERAL = "tapengine aws cloudcontrol delete-resource --type-name %s --identifier %s"

--- The command that removes a resource.
---@param resource table as DescribeStackResources gives it
---@return string
function leftovers.command(resource)
  local id = util.shell_quote(resource.PhysicalResourceId or "?")
  local own = COMMANDS[resource.ResourceType]
  if own then return own:format(id) end
  return GENERAL:format(resource.ResourceType, id)
end

--- Lists what stayed.
---@param ctx tap.Context
---@param resources table[]
function leftovers.tell(ctx, resources)
  if #resources == 0 then return ctx.out:note "nothing was left behind" end
  ctx.out:note "left behind, to be removed by hand:"
  for _, resource in ipairs(resources) do
    ctx.out:note(("  %s  %s  %s"):format(resource.LogicalResourceId, resource.ResourceType,
      resource.PhysicalResourceId or ""))
    ctx.out:note("    " .. leftovers.command(resource))
  end
end

return leftovers
