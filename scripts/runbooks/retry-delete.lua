--- DELETE_FAILED: what blocks the deletion is removed, each after asking, and the stack is deleted again.

local tap = require "tap"

-- Deletes all versions of all objects, a thousand at a time.
local function empty_bucket(ctx, resource)
  local s3, n = ctx:client "s3", 0
  while true do
    local page = s3:list_object_versions { Bucket = resource.PhysicalResourceId, MaxKeys = 1000 }
    local objects = tap.list {}
    for _, kind in ipairs { "Versions", "DeleteMarkers" } do
      for _, item in ipairs(page[kind] or {}) do
        objects[#objects + 1] = { Key = item.Key, VersionId = item.VersionId }
      end
    end
    if #objects == 0 then return n end
    s3:delete_objects { Bucket = resource.PhysicalResourceId, Delete = { Objects = objects, Quiet = true } }
    n = n + #objects
  end
end

-- Type, pattern of the reason -> what is asked, and what is done.
local BLOCKERS = {
  { "AWS::S3::Bucket", "not empty", "delete every object in it, all versions included, for good",
    function(ctx, resource) ctx.out:note(("  %d objects deleted"):format(empty_bucket(ctx, resource))) end },
  { "AWS::RDS::DBInstance", "protect", "switch its deletion protection off", function(ctx, resource)
    ctx:client("rds"):modify_db_instance { DBInstanceIdentifier = resource.PhysicalResourceId,
      DeletionProtection = false, ApplyImmediately = true }
  end },
  { "AWS::RDS::DBCluster", "protect", "switch its deletion protection off", function(ctx, resource)
    ctx:client("rds"):modify_db_cluster { DBClusterIdentifier = resource.PhysicalResourceId,
      DeletionProtection = false, ApplyImmediately = true }
  end },
  { "AWS::DynamoDB::Table", "protect", "switch its deletion protection off", function(ctx, resource)
    ctx:client("dynamodb"):update_table { TableName = resource.PhysicalResourceId, DeletionProtectionEnabled = false }
  end },
  { "AWS::ElasticLoadBalancingV2::LoadBalancer", "protect", "switch its deletion protection off",
    function(ctx, resource)
      ctx:client("elbv2"):modify_load_balancer_attributes { LoadBalancerArn = resource.PhysicalResourceId,
        Attributes = { { Key = "deletion_protection.enabled", Value = "false" } } }
    end },
  { "AWS::ECR::Repository", "not empty", "delete every image in it", function(ctx, resource)
    local ecr = ctx:client "ecr"
    for page in ecr:pages("list_images", { repositoryName = resource.PhysicalResourceId }) do
      if #(page.imageIds or {}) > 0 then
        ecr:batch_delete_image { repositoryName = resource.PhysicalResourceId, imageIds = page.imageIds }
      end
    end
  end },
}

local function blocker_of(resource)
  local reason = (resource.ResourceStatusReason or ""):lower()
  for _, blocker in ipairs(BLOCKERS) do
    if blocker[1] == resource.ResourceType and reason:find(blocker[2]) then return blocker end
  end
  return nil
end

return tap.runbook {
  name = "retry-delete", summary = "remove what blocks the deletion, after asking, and delete again",

  explain = function(s)
    local lines = {}
    for _, resource in ipairs(s:resources_in "^DELETE_FAILED$") do
      local blocker = blocker_of(resource)
      lines[#lines + 1] = ("%s: %s"):format(resource.LogicalResourceId, blocker and blocker[3]
        or "remove by hand what blocks it (see its reason)")
    end
    return { does = table.concat(lines, "; ") .. "; then DeleteStack",
      destroys = "everything that is left of the stack",
      leaves = "what the template retains" }
  end,

  run = function(ctx, s)
    local deployment = require "tap.deployment"
    ctx.out:note("evidence: " .. ctx:step("evidence", function() return require("tap.evidence").save(s) end))
    for _, resource in ipairs(s:resources_in "^DELETE_FAILED$") do
      local blocker = blocker_of(resource)
      if blocker then
        ctx:confirm(("%s (%s): %s?"):format(resource.LogicalResourceId, resource.PhysicalResourceId, blocker[3]))
        ctx:step("unblock " .. resource.LogicalResourceId, function() blocker[4](ctx, resource) end,
          { idempotent = true })
      end
    end
    s.stack:skip_events()
    deployment.ask(ctx, "delete", s.stack, "delete", "delete_stack", { StackName = s.id, RoleARN = s.p.role_arn })
    deployment.wait(ctx, s.stack, { verb = "delete", timeout = s.p.timeout, template = s.template })
    return "the stack is deleted"
  end,
}
