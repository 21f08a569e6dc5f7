--- CodePipeline: sources stand in the first stage and only there (E3700), an artifact is made once and before it is
-- used (E3701), actions take and make as many artifacts as their provider does (E3702).

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"

local pipelines = {}

local join, is_map, show = state.join, state.is_map, state.show

local CATEGORIES = { Approval = true, Build = true, Compute = true, Deploy = true, Invoke = true, Test = true }

-- Owner/Category/Provider -> least and most artifacts in, least and most out.
local COUNTS = {
  ["AWS/Source/S3"] = { 0, 0, 1, 1 }, ["AWS/Source/CodeCommit"] = { 0, 0, 1, 1 }, ["AWS/Source/ECR"] = { 0, 0, 1, 1 },
  ["AWS/Test/CodeBuild"] = { 1, 5, 0, 5 }, ["AWS/Test/DeviceFarm"] = { 1, 1, 0, 0 },
  ["AWS/Build/CodeBuild"] = { 1, 5, 0, 5 }, ["AWS/Approval/Manual"] = { 0, 0, 0, 0 },
  ["AWS/Deploy/S3"] = { 1, 1, 0, 0 }, ["AWS/Deploy/CloudFormation"] = { 0, 10, 0, 1 },
  ["AWS/Deploy/CodeDeploy"] = { 1, 1, 0, 0 }, ["AWS/Deploy/ElasticBeanstalk"] = { 1, 1, 0, 0 },
  ["AWS/Deploy/OpsWorks"] = { 1, 1, 0, 0 }, ["AWS/Deploy/ECS"] = { 1, 1, 0, 0 },
  ["AWS/Deploy/ServiceCatalog"] = { 1, 1, 0, 0 }, ["AWS/Invoke/Lambda"] = { 0, 5, 0, 5 },
  ["ThirdParty/Source/GitHub"] = { 0, 0, 1, 1 }, ["ThirdParty/Deploy/AlexaSkillsKit"] = { 0, 2, 0, 0 },
  ["Custom/Build/Jenkins"] = { 0, 5, 0, 5 }, ["Custom/Test/Jenkins"] = { 0, 5, 0, 5 },
}

local function is_plain_list(list)
  for _, item in ipairs(json.is_list(list) and list or {}) do
    if functions.name_of(item) then return false end
  end
  return list == nil or json.is_list(list)
end

local function check_category(L, kind, stage, path)
  local category = kind.Category
  if type(category) ~= "string" then return end
  if stage == 1 and category ~= "Source" then
    L:find("E3700", join(path, "ActionTypeId", "Category"), "%s does not stand in the first stage, which has sources",
      show(category))
  elseif stage > 1 and not CATEGORIES[category] then
    L:find("E3700", join(path, "ActionTypeId", "Category"), category == "Source"
      and "sources stand in the first stage" or "there is no category %s", show(category))
  end
end

local function check_count(L, list, least, most, path, word)
  if not is_plain_list(list) then return end
  local n = list and #list or 0
  if n < least or n > most then
    L:find("E3702", path, "the action has %d %s artifacts; it takes %s", n, word,
      least == most and tostring(least) or ("%d to %d"):format(least, most))
  end
end

local function check_counts(L, kind, action, path)
  local counts = COUNTS[("%s/%s/%s"):format(tostring(kind.Owner), tostring(kind.Category), tostring(kind.Provider))]
  if not counts then return end
  check_count(L, action.InputArtifacts, counts[1], counts[2], join(path, "InputArtifacts"), "input")
  check_count(L, action.OutputArtifacts, counts[3], counts[4], join(path, "OutputArtifacts"), "output")
end

local function each_name(list, path, f)
  for index, item in ipairs(json.is_list(list) and list or {}) do
    if is_map(item) and type(item.Name) == "string" then f(item.Name, join(path, index, "Name")) end
  end
end

local function check_names(L, action, made, path)
  each_name(action.InputArtifacts, join(path, "InputArtifacts"), function(name, at)
    if not made[name] then L:find("E3701", at, "no action before this one makes '%s'", name) end
  end)
  each_name(action.OutputArtifacts, join(path, "OutputArtifacts"), function(name, at)
    if made[name] then L:find("E3701", at, "'%s' is made by another action already", name) end
    made[name] = true
  end)
end

local function check_pipeline(L, properties, path)
  local made = {}
  if not is_plain_list(properties.Stages) then return end
  for stage, one in ipairs(properties.Stages or {}) do
    local actions = is_map(one) and one.Actions
    if not is_map(one) or not is_plain_list(actions) then return end
    for index, action in ipairs(actions or {}) do
      local at = join(path, "Stages", stage, "Actions", index)
      if not is_map(action) then return end
      local kind = is_map(action.ActionTypeId) and action.ActionTypeId or {}
      check_category(L, kind, stage, at)
      check_counts(L, kind, action, at)
      check_names(L, action, made, at)
    end
  end
end

--- Every pipeline.
---@param L table
function pipelines.check(L)
  L:each_resource(function(properties, path, resource)
    if resource.Type == "AWS::CodePipeline::Pipeline" then check_pipeline(L, properties, path) end
  end)
end

return pipelines
