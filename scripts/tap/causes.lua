--- Known causes: what a failure's reason usually means, and what to do about it.
--
-- Rows are tried in order, the particular before the general; a row matches when its pattern is found in the reason
-- (Lua patterns, lower case: the reason is lowered) and, where it names one, the resource's type matches. The
-- texts are those of the services and of CloudFormation's handlers (reference 2.8).

local causes = {}

-- Each: { pattern, cause, advice, type = pattern of the resource type? }. %1 and %2 in the words are the pattern's
-- captures.
local TABLE = {
  -- Names
  { "already exists in stack ([^%s\"]+)", "the name belongs to a resource of another stack (%1)",
    "give it another name, or remove it from that stack first" },
  { "bucketalreadyownedbyyou", "a bucket of this name is yours already", "import it, or choose another name" },
  { "bucketalreadyexists", "bucket names are unique in all of AWS, and this one is taken", "choose another name" },
  { "already exists", "something of this name exists outside of the stack",
    "choose another name, remove the old one, or take it over with --import-existing" },
  { "scheduled for deletion", "a secret or key of this name is waiting for its deletion",
    "restore it, or use another name until it is gone" },
  { "deleted recently", "a resource of this name was deleted a moment ago", "wait a minute, then run it again" },

  -- What stands in the way of a delete
  { "bucket you tried to delete is not empty", "the bucket holds objects (or old versions, or uploads in parts)",
    "empty it, all versions included, then delete again" },
  { "bucketnotempty", "the bucket holds objects (or old versions, or uploads in parts)",
    "empty it, all versions included, then delete again" },
  { "repository.*not empty", "the repository holds images", "delete its images, then delete again" },
  { "cannot be deleted while in use by ([^%.]+)", "an export of this stack is used by %1",
    "change or delete the stack that imports it first" },
  { "export [^%s]+ cannot be %a+ as it is in use by ([^%.]+)", "an export of this stack is used by %1",
    "change or delete the stack that imports it first" },
  { "deletion ?protection", "deletion protection is switched on", "switch it off on the resource, then delete again" },
  { "has a dependent object", "something outside of the stack still uses it, often a network interface",
    "find it (aws ec2 describe-network-interfaces), remove it, then delete again" },
  { "dependencyviolation", "something outside of the stack still uses it",
    "find what uses it, remove that, then delete again" },
  { "has dependencies and cannot be deleted", "something outside of the stack still uses it",
    "find what uses it, remove that, then delete again" },
  { "network interface.* is currently in use", "a network interface is still attached",
    "wait for the function or load balancer that made it, or detach it, then delete again" },
  { "must detach all policies first", "policies were attached to the role outside of the stack",
    "detach them, then delete again" },
  { "must remove roles from instance profile", "a role was added to the profile outside of the stack",
    "remove it, then delete again" },
  { "deleteconflict", "somebody attached something to it outside of the stack", "detach it, then delete again" },
  { "termination ?protection", "termination protection is switched on", "switch it off, then try again" },
  { "is in use", "something still uses it", "find what uses it, remove that, then try again" },

  -- Limits
  { "vpc.*limit.*exceeded", "the account has as many VPCs as it may have in this region",
    "delete one, or ask for a higher quota (Service Quotas, VPC)" },
  { "maximum number of addresses", "the account has as many elastic IPs as it may have",
    "release one, or ask for a higher quota (Service Quotas, EC2)" },
  { "vcpu limit", "the account may not run as many vCPUs of this family",
    "ask for a higher quota (Service Quotas, EC2), or use a smaller type" },
  { "limit ?exceeded", "a quota of the account is used up",
    "ask for a higher one (Service Quotas), or remove something" },
  { "too ?many", "a quota of the account is used up", "ask for a higher one (Service Quotas), or remove something" },
  { "maximum number of", "a quota of the account is used up",
    "ask for a higher one (Service Quotas), or remove something" },
  { "quota", "a quota of the account is used up", "ask for a higher one (Service Quotas)" },
  { "insufficient ?%a* ?capacity", "AWS has no capacity of this kind in this zone now",
    "use another zone or instance type, or try again later" },
  { "not supported in your requested availability zone", "this type does not exist in that zone",
    "choose a zone that has it" },
  { "throttl", "the service asked to slow down for longer than CloudFormation waits", "run it again" },
  { "rate exceeded", "the service asked to slow down for longer than CloudFormation waits", "run it again" },

  -- Permissions
  { "not authorized to perform:? ?([%w:%-%*]+) on resource:? ?([^%s\"]+)", "the permission %1 on %2 is missing",
    "give it to whoever deploys, or to the role in --role-arn" },
  { "not authorized to perform:? ?([%w:%-%*]+)", "the permission %1 is missing",
    "give it to whoever deploys, or to the role in --role-arn" },
  { "explicit deny", "a policy denies it (a service control policy, a boundary, or a resource's own)",
    "ask whoever owns that policy" },
  { "api: ([%w:]+) you are not authorized", "the permission %1 is missing",
    "give it to whoever deploys, or to the role in --role-arn" },
  { "cannot be assumed", "the service may not assume the role", "mend the role's trust policy" },
  { "role.*is invalid or cannot be assumed", "the service may not assume the role",
    "mend the trust policy; a role that was just made may need some seconds" },
  { "access ?denied", "a permission is missing", "look in CloudTrail for the denied call, and allow it" },
  { "not authorized", "a permission is missing", "look in CloudTrail for the denied call, and allow it" },
  { "kms.*not.*found", "the key does not exist, or may not be used from here", "check the key's ARN and its policy" },
  { "kms", "the key cannot be used as it is", "check the key's policy, state and region", type = "KMS" },

  -- Values
  { "circular dependency", "resources refer to each other in a circle",
    "for security groups: put the rules into AWS::EC2::SecurityGroupIngress resources" },
  { "extraneous key %[([^%]]+)%]", "the type has no property %1", "correct its spelling, or remove it" },
  { "required key %[([^%]]+)%]", "the property %1 is missing", "add it" },
  { "expected type: (%a+), found: (%a+)", "a property has the wrong type: %2 instead of %1", "correct the value" },
  { "encountered unsupported property ([%w]+)", "the type has no property %1", "correct its spelling, or remove it" },
  { "failed validation constraint for keyword %[([^%]]+)%]", "a value does not satisfy %1", "correct the value" },
  { "properties validation failed", "a property is not what its type demands", "correct the value" },
  { "property validation failure", "a property is not what its type demands", "correct the value" },
  { "malformedpolicydocument", "the policy is not well-formed, or names what does not exist",
    "check its principals, actions and resources" },
  { "malformed", "a value is not well-formed", "correct the value" },
  { "invalid ?ami|ami.*does not exist", "the image does not exist in this region", "use an image of this region" },
  { "invalidamiid", "the image does not exist in this region", "use an image of this region" },
  { "image id '?%[?(ami%-%w+)", "the image %1 does not exist in this region", "use an image of this region" },
  { "invalid subnet|subnet.*does not exist", "the subnet does not exist in this region", "check the subnet's id" },
  { "cidr.*conflict", "the address range overlaps another one", "choose another range" },
  { "overlap", "the address range overlaps another one", "choose another range" },
  { "certificate.*not found|certificatenotfound", "the certificate does not exist in this region",
    "use a certificate of this region (for CloudFront: of us-east-1)" },
  { "cannot find version (%S+) for (%S+)", "the engine %2 has no version %1 (any more)",
    "choose a version that exists" },
  { "runtime parameter of (%S+) is no longer supported", "the runtime %1 is retired", "choose a newer runtime" },
  { "error occurred while getobject", "the code is not in its bucket", "upload it first, in the function's region" },
  { "does not exist", "something that it refers to does not exist", "check the name, the account and the region" },
  { "not found", "something that it refers to does not exist", "check the name, the account and the region" },
  { "invalid", "a value is refused by the service", "correct the value; the reason says which" },

  -- Waiting
  { "received 0 conditions", "nobody signalled: the instance did not start, or its script did not reach cfn-signal",
    "look at /var/log/cloud-init-output.log on the instance" },
  { "failed to receive %d+ resource signal", "the instances did not signal in time",
    "look at /var/log/cloud-init-output.log; they need a way out to CloudFormation" },
  { "minsuccessfulinstancespercent", "too few instances signalled success",
    "look at /var/log/cloud-init-output.log of the others" },
  { "did not receive a response from your custom resource",
    "the custom resource's function never answered (an exception, a timeout, or no way out of its VPC)",
    "look at the function's log; it has to answer on every path" },
  { "log stream: (%S+)", "the custom resource's function failed", "its log stream: %1" },
  { "from custom resource", "the custom resource's function said so", "look at the function's log" },
  { "failed to stabilize", "it was made and did not become ready",
    "look at the resource itself: its own events say why" },
  { "notstabilized", "it was made and did not become ready", "look at the resource itself: its own events say why" },
  { "exceeded attempts to wait", "it was made and did not become ready in time",
    "look at the resource itself: its own events say why" },
  { "circuit breaker", "the tasks of the service did not stay up", "look at the stopped tasks' reasons and logs" },
  { "internal ?failure", "the service failed by itself", "run it again; if it stays, ask AWS support" },
  { "internal ?error", "the service failed by itself", "run it again; if it stays, ask AWS support" },
  { "stack policy", "the stack policy forbids the change", "change the policy first, if you may" },
  { "cancelled", "it was stopped because another one failed, or by a user", "look at the first failure" },
}

local function found(row, reason)
  for pattern in row[1]:gmatch("[^|]+") do
    local captures = table.pack(reason:find(pattern))
    if captures[1] then return { table.unpack(captures, 3, captures.n) }, captures end
  end
  return nil
end

-- The capture as it stands in the reason itself, whose case the pattern has lost.
local function original(reason, lowered, capture)
  local first, last = lowered:find(capture, 1, true)
  return first and reason:sub(first, last):gsub("[%.,]$", "") or capture
end

--- What was likely wrong, and what to do.
---@param failure { reason: string?, type: string? }
---@return { cause: string, advice: string }? nil when the reason is not known
function causes.of(failure)
  local reason = failure.reason or ""
  local lowered = reason:lower()
  for _, row in ipairs(TABLE) do
    local captures = (not row.type or (failure.type or ""):find(row.type)) and found(row, lowered)
    if captures then
      local function fill(words)
        return (words:gsub("%%(%d)", function(digit)
          return (original(reason, lowered, captures[tonumber(digit)] or ""))
        end))
      end
      return { cause = fill(row[2]), advice = fill(row[3]) }
    end
  end
  return nil
end

--- How many causes are known.
---@return integer
function causes.count()
  return #TABLE
end

return causes
