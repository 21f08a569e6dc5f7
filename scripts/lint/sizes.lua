--- Classes of instances, of the services whose schemas do not list them: a class is a family and a size, and those that
-- exist in any region are good. EC2's families become more every month: for services that take them, one that is not
-- known here is taken when it looks like one.

local state = require "lint.state"
local values = require "lint.values"

local sizes = {}

local show = state.show

local function set(text)
  local out = {}
  for word in text:gmatch("%S+") do out[word] = true end
  return out
end

local SIZES = set [[ nano micro small medium large xlarge 2xlarge 3xlarge 4xlarge 6xlarge 8xlarge 9xlarge 10xlarge
  12xlarge 16xlarge 18xlarge 24xlarge 32xlarge 48xlarge 56xlarge 64xlarge 96xlarge 112xlarge 192xlarge 224xlarge metal
  metal-12xl metal-16xl metal-24xl metal-32xl metal-48xl metal-96xl ]]

-- Classes of so many families, each in sizes: "db.r5 db.r6g: large xlarge".
local function classes(prefix, lines)
  local known = {}
  for line in lines:gmatch("[^;]+") do
    local families, of = line:match("^(.-):(.+)$")
    for family in families:gmatch("%S+") do
      for size in of:gmatch("%S+") do known[prefix .. family .. "." .. size] = true end
    end
  end
  return known
end

local BROKERS = classes("mq.", [[ m4: large; m5: large xlarge 2xlarge 4xlarge; t2 t3: micro;
  m7g: medium large xlarge 2xl 4xl 8xl 12xl 16xl; m7i: large xlarge 2xl 4xl ]])
local DAX = classes("dax.", [[ t2 t3: small medium; r3: large xlarge 2xlarge 4xlarge 8xlarge;
  r4: large xlarge 2xlarge 4xlarge 8xlarge 16xlarge;
  r5 r7i: large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge ]])
local WAREHOUSES = classes("", "dc2: large 8xlarge; ra3: large xlplus 4xlarge 16xlarge; rg: xlarge 4xlarge")
local CHAINS = classes("bc.", "c5 m5: large xlarge 2xlarge 4xlarge; t3: small medium large xlarge")

-- Families of few sizes, in which mistakes are made.
local BURSTABLE = classes("", "t1: micro; t2 t3 t3a t4g: nano micro small medium large xlarge 2xlarge")

local function is_ec2(text)
  local family, size = text:match("^([%l%d-]+)%.([%l%d-]+)$")
  if not family or not SIZES[size] then return false end
  if family:find("^t%d") then return BURSTABLE[text] == true end
  return family:find("^%l+%d") ~= nil or family:find("^mac%-") ~= nil or family:find("^u%-%d") ~= nil
end

-- A class of one of so many families, in any size.
local function of_family(prefix, families, more)
  local known = set(families)
  return function(text)
    local family, size = text:match("^" .. prefix .. "%.([%l%d]+)%.([%l%d]+)$")
    return text == more or known[family] == true and SIZES[size] == true and size ~= "nano"
  end
end

local CACHES = "c7gn m1 m2 m3 m4 m5 m6g m7g m8g c1 r3 r4 r5 r6g r6gd r7g r8g t1 t2 t3 t4g"
local DOCUMENTS = "r4 r5 r6g r6gd r8g t3 t4g"
local GRAPHS = "r4 r5 r5d r6g r6gd r6i r7g r7i r8g r8gd t3 t4g x2g x2gd x2iedn x8g"

local function among(known)
  return function(text) return known[text] == true end
end

-- A database's class: with what processors it has, too ("db.r5.2xlarge.tpc2.mem4x").
local function is_database(text)
  if text == "db.serverless" then return true end
  local family, size = text:match("^db%.(%l%d%l*)%.([%l%d-]+)$")
  if not family then family, size = text:match("^db%.(%l%d%l*)%.([%l%d]+)%.tpc%d%.mem%dx$") end
  return family ~= nil and SIZES[size] ~= nil and size ~= "nano" and ("cmrtxz"):find(family:sub(1, 1), 1, true) ~= nil
end

-- Type, path of the class, rule, check.
local PLACES = state.by_type {
  { "AWS::AmazonMQ::Broker", "HostInstanceType", "E3670", among(BROKERS) },
  { "AWS::DAX::Cluster", "NodeType", "E3672", among(DAX) },
  { "AWS::DocDB::DBInstance", "DBInstanceClass", "E3620", of_family("db", DOCUMENTS, "db.serverless") },
  { "AWS::ElastiCache::CacheCluster", "CacheNodeType", "E3647", of_family("cache", CACHES) },
  { "AWS::EMR::Cluster", "Instances/CoreInstanceGroup/InstanceType", "E3675", is_ec2 },
  { "AWS::EMR::Cluster", "Instances/CoreInstanceFleet/InstanceTypeConfigs/*/InstanceType", "E3675", is_ec2 },
  { "AWS::EMR::Cluster", "Instances/TaskInstanceGroups/*/InstanceType", "E3675", is_ec2 },
  { "AWS::EMR::Cluster", "Instances/TaskInstanceFleets/*/InstanceTypeConfigs/*/InstanceType", "E3675", is_ec2 },
  { "AWS::GameLift::Fleet", "EC2InstanceType", "E3641", is_ec2 },
  { "AWS::ManagedBlockchain::Node", "NodeConfiguration/InstanceType", "E3617", among(CHAINS) },
  { "AWS::Neptune::DBInstance", "DBInstanceClass", "E3635", of_family("db", GRAPHS, "db.serverless") },
  { "AWS::RDS::DBCluster", "DBClusterInstanceClass", "E3694", is_database },
  { "AWS::RDS::DBInstance", "DBInstanceClass", "E3025", is_database },
  { "AWS::Redshift::Cluster", "NodeType", "E3667", among(WAREHOUSES) },
}

local function check_class(L, row, value, path)
  if type(value) == "string" and values.literal(value) and not row[4](value) then
    L:find(row[3], path, "%s is no class of instances here", show(value))
  end
end

--- Every resource that has a class.
---@param L table
function sizes.check(L)
  L:each_row(PLACES, function(row, properties, place)
    values.at(properties, row[2], place, function(value, path) check_class(L, row, value, path) end)
  end)
end

return sizes
