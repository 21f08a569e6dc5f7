--- What ends: Lambda's runtimes with the dates that AWS gives for them, and services that are being shut down. As of
-- November 2026; AWS moves these dates now and then, so that a deployment is told and not stopped.

local json = require "tap.core.json"
local state = require "lint.state"
local task = require "tap.task"
local text = require "tap.core.text"

local lifecycle = {}

local is_map, join = state.is_map, state.join

-- Runtime -> deprecated, no new functions, no updates.
local RUNTIMES = {}
for name, dates in ([[
  dotnet6        2024-12-20 2027-02-01 2027-03-03
  dotnet8        2026-11-10 2026-12-10 2027-01-11
  dotnetcore1.0  2019-06-27 2019-06-30 2019-07-30
  dotnetcore2.0  2019-05-30 2019-04-30 2019-05-30
  dotnetcore2.1  2022-01-05 2022-01-05 2022-04-13
  dotnetcore3.1  2023-04-03 2023-04-03 2023-05-03
  go1.x          2024-01-08 2024-02-08 2027-03-03
  java8          2024-01-08 2024-02-08 2027-03-03
  java8.al2      2027-06-30 2027-07-31 2027-08-31
  java11         2027-06-30 2027-07-31 2027-08-31
  java17         2027-06-30 2027-07-31 2027-08-31
  java21         2029-06-30 2029-07-31 2029-08-31
  nodejs         2016-08-30 2016-09-30 2016-10-31
  nodejs4.3      2020-03-05 2020-02-03 2020-03-05
  nodejs4.3-edge 2020-03-05 2019-03-31 2019-04-30
  nodejs6.10     2019-08-12 2019-07-12 2019-08-12
  nodejs8.10     2020-03-06 2020-02-04 2020-03-06
  nodejs10.x     2021-07-30 2021-07-30 2022-02-14
  nodejs12.x     2023-03-31 2023-03-31 2023-04-30
  nodejs14.x     2023-12-04 2024-01-09 2027-03-03
  nodejs16.x     2024-06-12 2027-02-01 2027-03-03
  nodejs18.x     2025-09-01 2027-02-01 2027-03-03
  nodejs20.x     2026-04-30 2027-02-01 2027-03-03
  nodejs22.x     2027-04-30 2027-06-01 2027-07-01
  provided       2024-01-08 2024-02-08 2027-03-03
  provided.al2   2026-07-31 2027-02-01 2027-03-03
  python2.7      2021-07-15 2021-07-15 2022-05-30
  python3.6      2022-07-18 2022-07-18 2022-08-29
  python3.7      2023-12-04 2024-01-09 2027-03-03
  python3.8      2024-10-14 2027-02-01 2027-03-03
  python3.9      2025-12-15 2027-02-01 2027-03-03
  python3.10     2026-10-31 2027-02-01 2027-03-03
  python3.11     2027-06-30 2027-07-31 2027-08-31
  ruby2.5        2021-07-30 2021-07-30 2022-03-31
  ruby2.7        2023-12-07 2024-01-09 2027-03-03
  ruby3.2        2026-03-31 2027-02-01 2027-03-03
]]):gmatch "(%S+) +(%d[%d-]+ [%d-]+ [%d-]+)" do
  local deprecated, creation, update = dates:match "(%S+) (%S+) (%S+)"
  RUNTIMES[name] = { deprecated = deprecated, creation = creation, update = update }
end

-- What a family of runtimes goes on as.
local SUCCESSORS = { dotnet = "dotnet10", dotnetcore = "dotnet10", go = "provided.al2023", java = "java25",
  nodejs = "nodejs24.x", provided = "provided.al2023", python = "python3.14", ruby = "ruby3.4" }

local FUNCTIONS = { ["AWS::Lambda::Function"] = true, ["AWS::Serverless::Function"] = true }

-- A word of a type that names its service, or the whole type -> what is said of it.
local ENDING = {
  AppMesh = "will be shut down on 2026-09-30", FinSpace = "will be shut down on 2026-10-07",
  FraudDetector = "was closed to new customers on 2025-11-07", Greengrass = "will be shut down on 2026-10-01",
  Inspector = "was shut down on 2026-05-20", MediaStore = "was shut down on 2025-11-13",
  Pinpoint = "was shut down on 2026-10-30", Proton = "was shut down on 2026-10-07",
  SimSpaceWeaver = "was shut down on 2026-05-20", WAF = "is being shut down (AWS::WAFv2 takes its place)",
  WAFRegional = "is being shut down (AWS::WAFv2 takes its place)",
}
-- Services that are gone -> since when.
local GONE = {
  CodeStar = "2024-07-25", Evidently = "2025-10-17", IoTAnalytics = "2025-12-15", IoTEvents = "2026-05-20",
  IoTThingsGraph = "2022-11-09", NimbleStudio = "2024-06-30", OpsWorks = "2024-05-01", QLDB = "2025-07-31",
}
local MAINTAINED = {
  ["AWS::AutoScaling::LaunchConfiguration"] = "2024-10-01 (launch templates take its place)", Cloud9 = "2024-07-25",
  CodeGuruReviewer = "2025-10-07", Forecast = "2024-07-29", Timestream = "2025-06-20",
}

local function check_runtime(L, resource, path, today)
  local runtime = is_map(resource.Properties) and resource.Properties.Runtime
  local dates = type(runtime) == "string" and RUNTIMES[runtime]
  if not dates or today < dates.deprecated then return end
  local rule = today >= dates.update and "E2533" or today >= dates.creation and "E2531" or "W2531"
  L:find(L.trusting and "W2531" or rule, join(path, "Properties", "Runtime"), "Runtime '%s' was deprecated on %s; no "
    .. "new functions from %s, no updates from %s. Its successor: '%s'", runtime, dates.deprecated, dates.creation,
    dates.update, SUCCESSORS[runtime:match "^%a+"] or "")
end

local function check_service(L, resource, path)
  local service = resource.Type:match "^AWS::(%w+)::"
  local at = resource.Properties ~= nil and join(path, "Properties") or path
  local maintained = MAINTAINED[resource.Type] or MAINTAINED[service or ""]
  if GONE[service or ""] then
    L:find("E3710", at, "'%s' is of a service that was shut down on %s", resource.Type, GONE[service])
  elseif ENDING[service or ""] then
    L:find("W3696", at, "'%s' is of a service that %s", resource.Type, ENDING[service])
  elseif maintained then
    L:find("W3697", at, "'%s' is only maintained since %s", resource.Type, maintained)
  end
end

--- Both.
---@param L table lint.state
function lifecycle.check(L)
  local today = text.iso_time(task.now()):sub(1, 10)
  for _, id in ipairs(json.keys(L.resources)) do
    local resource, path = L.resources[id], { "Resources", id }
    if is_map(resource) and type(resource.Type) == "string" then
      if FUNCTIONS[resource.Type] then check_runtime(L, resource, path, today) end
      check_service(L, resource, path)
    end
  end
end

return lifecycle
