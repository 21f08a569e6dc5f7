--- What single types demand that no table says: { type, path of the values, rule(L, value, path) }. Literals only.

local functions = require "lint.functions"
local json = require "tap.core.json"
local state = require "lint.state"
local values = require "lint.values"

local particulars = {}

local join, is_map, show = state.join, state.is_map, state.show
local literal = values.literal

local function number(value) return tonumber(literal(value)) end

---------------------------------------------------------------------------------------------------------
-- When something runs

local UNITS = { minute = true, hour = true, day = true }

local function check_rate(L, text, path)
  local count, unit = text:match("^(%d+) (%a+)$")
  local one = unit and unit:gsub("s$", "")
  if not count or not UNITS[one] or tonumber(count) < 1 or (tonumber(count) == 1) ~= (unit == one) then
    L:find("E3027", path, "rate(%s) is no rate: rate(1 hour), rate(5 minutes)", text)
  end
end

local function check_cron(L, text, path)
  local fields = {}
  for field in text:gmatch("%S+") do fields[#fields + 1] = field end
  if #fields ~= 6 then
    L:find("E3027", path, "cron(%s) has %d fields, not 6: minutes, hours, day of month, month, day of week, year", text,
      #fields)
  elseif fields[3] ~= "?" and fields[5] ~= "?" then
    L:find("E3027", path, "cron(%s) gives both a day of the month and a day of the week: one of them is ?", text)
  end
end

local function check_schedule(L, value, path)
  local text = literal(value)
  if not text then return end
  local kind, inner = text:match("^(%a+)%((.*)%)$")
  if kind == "rate" then return check_rate(L, inner, path) end
  if kind == "cron" then return check_cron(L, inner, path) end
  L:find("E3027", path, "%s is neither rate(...) nor cron(...)", show(value))
end

local function check_period(L, value, path)
  local seconds = number(value)
  local short = seconds == 10 or seconds == 20 or seconds == 30
  if seconds and not short and (seconds < 60 or seconds % 60 ~= 0) then
    L:find("E3615", path, "%s is not 10, 20, 30, 60 or a multiple of 60", show(value))
  end
end

local function check_lifecycle(L, value, path)
  local delete, cold = is_map(value) and number(value.DeleteAfterDays), is_map(value)
    and number(value.MoveToColdStorageAfterDays)
  if delete and cold and delete - cold < 90 then
    L:find("E3504", join(path, "DeleteAfterDays"), "what moves to cold storage after %s days stays there for 90", cold)
  end
end

---------------------------------------------------------------------------------------------------------
-- Functions

local RESERVED = {}
for name in ([[ _HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME
  AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR ]]):gmatch("%S+") do
  RESERVED[name] = true
end

local MOST_ENVIRONMENT = 4096 -- bytes

local function check_environment(L, value, path)
  if not is_map(value) then return end
  local size = 0
  for _, name in ipairs(json.keys(value)) do
    if RESERVED[name] then L:find("E3663", join(path, name), "'%s' is reserved for Lambda itself", name) end
    size = size + #name + #(type(value[name]) == "string" and value[name] or "")
  end
  if size > MOST_ENVIRONMENT then
    L:find("E3697", path, "the variables have %d bytes; %d are the most", size, MOST_ENVIRONMENT)
  end
end

local function check_inline_code(L, value, path)
  local runtime = is_map(value) and literal(value.Runtime)
  if runtime and is_map(value.Code) and value.Code.ZipFile ~= nil and not runtime:find("^nodejs")
    and not runtime:find("^python") then
    L:find("E3677", join(path, "Runtime"), "code in the template runs on nodejs and python only, not on %s",
      show(runtime))
  end
end

local WITHOUT_SNAPSTART = {}
for name in ("java8 java8.al2 dotnet5.0 dotnet6 dotnet7 python3.6 python3.7 python3.8 python3.9 python3.10 python3.11")
  :gmatch("%S+") do
  WITHOUT_SNAPSTART[name] = true
end

local function check_snapstart(L, value, path)
  local runtime = is_map(value) and literal(value.Runtime)
  if not runtime or not is_map(value.SnapStart) or value.SnapStart.ApplyOn ~= "PublishedVersions" then return end
  local can = runtime:find("^python") or runtime:find("^java") or runtime:find("^dotnet")
  if not can or WITHOUT_SNAPSTART[runtime] or runtime:find("^dotnetcore") then
    L:find("E2530", join(path, "SnapStart", "ApplyOn"), "SnapStart does not work with %s", show(runtime))
  end
end

---------------------------------------------------------------------------------------------------------
-- Names, sizes, tags

local function check_sizes(L, value, path)
  if not is_map(value) then return end
  local least, most = number(value.MinSize), number(value.MaxSize)
  if least and most and most < least then
    L:find("E3706", join(path, "MaxSize"), "MaxSize %s is below MinSize %s", show(value.MaxSize), show(value.MinSize))
  end
end

local function check_health_type(L, value, path)
  local text = literal(value)
  if text and text:find(",", 1, true) and ("," .. text:gsub("%s", "") .. ","):find(",EC2,", 1, true) then
    L:find("E3056", path, "EC2 is not combined with other kinds of health checks")
  end
end

local function check_alias(L, value, path)
  local text = literal(value)
  if text and (text:find(".*.", 1, true) or not text:find("^[%l%d*][%l%d.-]*%.[%l%d][%l%d-]*[%l%d]$")) then
    L:find("E3013", path, "%s is no domain's name", show(value))
  end
end

local function has_id(list, id)
  if list == nil then return false end
  if not json.is_list(list) then return true end -- a function's: not known
  for _, item in ipairs(list) do
    if not is_map(item) or functions.name_of(item) or type(item.Id) ~= "string" or item.Id == id then return true end
  end
  return false
end

local function check_origin(L, value, path)
  local id = is_map(value) and is_map(value.DefaultCacheBehavior) and value.DefaultCacheBehavior.TargetOriginId
  local groups = is_map(value) and is_map(value.OriginGroups) and value.OriginGroups.Items
  if type(id) == "string" and not has_id(value.Origins, id) and not has_id(groups or nil, id)
    and not (is_map(value.OriginGroups) and functions.name_of(value.OriginGroups)) then
    L:find("E3057", join(path, "DefaultCacheBehavior", "TargetOriginId"), "no origin has the Id %s", show(id))
  end
end

local function check_validation(L, value, path)
  local name, domain = is_map(value) and value.DomainName, is_map(value) and value.ValidationDomain
  if type(name) == "string" and type(domain) == "string" and name ~= domain
    and name:sub(-#domain - 1) ~= "." .. domain then
    L:find("E3503", join(path, "DomainName"), "%s is not within the domain %s that validates it", show(name),
      show(domain))
  end
end

--- Type, path, rule.
local ROWS = {
  { "AWS::AutoScaling::AutoScalingGroup", "", check_sizes },
  { "AWS::AutoScaling::AutoScalingGroup", "HealthCheckType", check_health_type },
  { "AWS::Backup::BackupPlan", "BackupPlan/BackupPlanRule/*/Lifecycle", check_lifecycle },
  { "AWS::Backup::BackupPlan", "BackupPlan/BackupPlanRule/*/CopyActions/*/Lifecycle", check_lifecycle },
  { "AWS::CertificateManager::Certificate", "DomainValidationOptions/*", check_validation },
  { "AWS::CloudFront::Distribution", "DistributionConfig", check_origin },
  { "AWS::CloudFront::Distribution", "DistributionConfig/Aliases/*", check_alias },
  { "AWS::CloudWatch::Alarm", "Period", check_period },
  { "AWS::Events::Rule", "ScheduleExpression", check_schedule },
  { "AWS::Lambda::Function", "", check_inline_code },
  { "AWS::Lambda::Function", "", check_snapstart },
  { "AWS::Lambda::Function", "Environment/Variables", check_environment },
}

local BY_TYPE = state.by_type(ROWS)

--- Every resource of these types.
---@param L table
function particulars.check(L)
  L:each_row(BY_TYPE, function(row, properties, path)
    values.at(properties, row[2], path, function(value, at) row[3](L, value, at) end)
  end)
end

return particulars
