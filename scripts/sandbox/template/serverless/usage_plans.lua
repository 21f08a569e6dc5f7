--- Usage plans of REST APIs: one of an API's own, or one that all APIs that ask for it share.

local values = require "sandbox.template.serverless.values"
local conditions = require "sandbox.template.serverless.conditions"
local failure = require "sandbox.template.serverless.failure"
local resources = require "sandbox.template.serverless.resources"

local usage_plans = {}

local KNOWN = { CreateUsagePlan = true, Description = true, Quota = true, Tags = true, Throttle = true,
  UsagePlanName = true }
local SAME = { "UsagePlanName", "Description", "Quota", "Tags", "Throttle" }
local CONDITION = "SharedUsagePlanCondition"

local function check(id, plan)
  if not values.is_map(plan) then failure.resource(id, "'UsagePlan' must be a dictionary") end
  for _, key in ipairs(values.keys(plan)) do
    if not KNOWN[key] then failure.resource(id, "Invalid property for 'UsagePlan'") end
  end
  local create = plan.CreateUsagePlan
  if create == nil then failure.resource(id, "'CreateUsagePlan' is a required field for UsagePlan.") end
  if create ~= "SHARED" and create ~= "PER_API" and create ~= "NONE" then
    failure.resource(id, "'CreateUsagePlan' accepts one of ['SHARED', 'PER_API', 'NONE'].")
  end
  return create
end

local STRENGTH = { Delete = 1, Snapshot = 2, Retain = 3 }

local function stronger(one, other)
  if not one or not other then return one or other end
  return (STRENGTH[other] or 0) > (STRENGTH[one] or 0) and other or one
end

-- What the shared plan has of all its APIs: the strongest policies, and the condition that one of them is there.
local function shared_attributes(work, attributes)
  local shared = work.shared_plan
  shared.DeletionPolicy = stronger(shared.DeletionPolicy, attributes.DeletionPolicy)
  shared.UpdateReplacePolicy = stronger(shared.UpdateReplacePolicy, attributes.UpdateReplacePolicy)
  local condition = attributes.Condition
  if condition == nil then
    shared.always = true
    if work.tree.Conditions then work.tree.Conditions[CONDITION] = nil end
  elseif not shared.always and not values.has(shared.conditions, condition) then
    if work.tree.Conditions == nil then
      failure.template "Can't have condition without having 'Conditions' section in the template"
    end
    shared.conditions[#shared.conditions + 1] = condition
    if #shared.conditions == 1 then
      values.put(work.tree.Conditions, CONDITION, condition)
    else
      conditions.add_any(work.tree, CONDITION, shared.conditions)
    end
  end
  return values.map("DeletionPolicy", shared.DeletionPolicy, "UpdateReplacePolicy", shared.UpdateReplacePolicy,
    "Condition", not shared.always and #shared.conditions > 0 and CONDITION or nil)
end

-- The names, and what an own plan and the shared one collect of their APIs.
local function own(id, attributes)
  return { plan = id .. "UsagePlan", key = id .. "ApiKey", link = id .. "UsagePlanKey", attributes = attributes,
    apis = values.list(id), stages = values.list(), keys = values.list() }
end

local function shared(work, id, attributes)
  local collected = work.shared_plan
  if not values.has(collected.apis, id) then collected.apis[#collected.apis + 1] = id end
  return { plan = "ServerlessUsagePlan", key = "ServerlessApiKey", link = "ServerlessUsagePlanKey",
    attributes = shared_attributes(work, attributes), apis = collected.apis, stages = collected.stages,
    keys = collected.keys }
end

--- The usage plan of an API, its key, and what holds them together.
---@param work table the translation
---@param id string of the API
---@param given table its properties
---@param stage table its stage
---@param attributes table
---@return table[]
function usage_plans.of(work, id, given, stage, attributes)
  local plan = (given.Auth or {}).UsagePlan
  if plan == nil then return {} end
  local create = check(id, plan)
  if create == "NONE" then return {} end
  local use = create == "SHARED" and shared(work, id, attributes) or own(id, attributes)
  use.stages[#use.stages + 1] = values.map("ApiId", values.ref(id), "Stage", values.ref(stage.id))
  use.keys[#use.keys + 1] = values.map("RestApiId", values.ref(id), "StageName", values.ref(stage.id))
  local made = resources.set(resources.new("AWS::ApiGateway::UsagePlan", use.plan, use.attributes,
    values.joined(use.apis)), "ApiStages", values.joined(use.stages))
  for _, name in ipairs(SAME) do resources.set(made, name, values.or_nil(plan[name])) end
  local key = resources.set(resources.new("AWS::ApiGateway::ApiKey", use.key, use.attributes, values.list(use.plan)),
    "Enabled", true, "StageKeys", values.joined(use.keys))
  local link = resources.set(resources.new("AWS::ApiGateway::UsagePlanKey", use.link, use.attributes,
    values.list(use.key)), "KeyId", values.ref(use.key), "KeyType", "API_KEY", "UsagePlanId", values.ref(use.plan))
  return { made, key, link }
end

return usage_plans
