-- Part 3.3 of the reference, what DescribeChangeSet says: a test for each row that is certain, over HTTP.

local json = require "tap.core.json"
local rows = require "spec.reference_rows"
local world = require "spec.sandbox_world"

local row = rows.by(it)

local CREATE = { ChangeSetType = "CREATE" }

local function topic(name, display, more)
  local resource = world.topic { TopicName = name, DisplayName = display }
  for attribute, value in pairs(more or {}) do resource[attribute] = value end
  return resource
end

local function change_of(set, id)
  for _, change in ipairs(set.Changes) do
    if change.ResourceChange.LogicalResourceId == id then return change.ResourceChange end
  end
end

-- The change of a resource when a stack goes from one template to another.
local function change(w, id, before, after, input)
  w:create("demo", before, input and input.before)
  return change_of(w:change_set("demo", after, input and input.after), id)
end

-- "Source Evaluation Entity" of each detail, sorted.
local function causes(found)
  local out = {}
  for i, detail in ipairs(found.Details) do
    out[i] = ("%s %s %s"):format(detail.ChangeSource, detail.Evaluation, detail.CausingEntity or "-")
  end
  table.sort(out)
  return out
end

local function get(id, attribute) return { ["Fn::GetAtt"] = { id, attribute } } end

describe("3.3 a description", function()
  row("has what is always there, and the rest only if set", nil, function(w)
    local set = w:change_set("demo", { A = topic "a" }, CREATE)
    for field, value in pairs { ChangeSetName = "set", StackName = "demo", ExecutionStatus = "AVAILABLE",
      Status = "CREATE_COMPLETE", NotificationARNs = {}, RollbackConfiguration = {}, Capabilities = {},
      IncludeNestedStacks = false } do assert.are.same(value, set[field], field) end
    assert.is_number(set.CreationTime)
    for _, field in ipairs { "Parameters", "Description", "StatusReason", "OnStackFailure", "NextToken" } do
      assert.is_nil(set[field], field)
    end
  end)

  row("shows parameters, masked ones and those of SSM", nil, function(w)
    w:client("ssm"):put_parameter { Name = "/x", Value = "one", Type = "String" }
    local set = w:change_set("demo", [[{"Parameters": {"P": {"Type": "String", "NoEcho": true, "Default": "hush"},
      "S": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}},
      "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}]], CREATE)
    assert.are.same({ { ParameterKey = "P", ParameterValue = "****" },
      { ParameterKey = "S", ParameterValue = "/x", ResolvedValue = "one" } }, set.Parameters)
  end)

  row("has the capabilities in the order in which they were sent", nil, function(w)
    local list = { "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM" }
    assert.are.same(list, w:change_set("demo", { A = topic "a" }, { ChangeSetType = "CREATE", Capabilities = list })
      .Capabilities)
  end)

  row("is whole when the set has failed", nil, function(w)
    w:create("demo", { A = topic "a" })
    local set = w:change_set("demo", { A = topic "a" }, { Description = "d" })
    assert.are.same({ "FAILED", "d", "demo", "UPDATE" },
      { set.Status, set.Description, set.StackName, "UPDATE" })
  end)
end)

describe("3.3 a change", function()
  row("Add has no physical id", nil, function(w)
    assert.are.same({ Action = "Add", LogicalResourceId = "A", ResourceType = "AWS::SNS::Topic", Scope = {},
      Details = {} }, change_of(w:change_set("demo", { A = topic "a" }, CREATE), "A"))
  end)

  for policy, action in pairs { Delete = "Delete", Retain = "Retain" } do
    row("Remove says what becomes of the thing: " .. action, nil, function(w)
      assert.are.same({ Action = "Remove", LogicalResourceId = "B", ResourceType = "AWS::SNS::Topic", Scope = {},
        Details = {}, PolicyAction = action, PhysicalResourceId = "arn:aws:sns:us-east-1:123456789012:b" },
        change(w, "B", { A = topic "a", B = topic("b", nil, { DeletionPolicy = policy }) }, { A = topic "a" }))
    end)
  end

  for policy, action in pairs { Delete = "ReplaceAndDelete", Retain = "ReplaceAndRetain" } do
    row("Modify that replaces says what becomes of the old one: " .. action, nil, function(w)
      local more = { UpdateReplacePolicy = policy }
      local found = change(w, "A", { A = topic("a", nil, more) }, { A = topic("b", nil, more) })
      assert.are.same({ "True", action, { "Properties" } }, { found.Replacement, found.PolicyAction, found.Scope })
    end)
  end

  row("Modify in place has no PolicyAction", nil, function(w)
    local found = change(w, "A", { A = topic("a", "old") }, { A = topic("a", "new") })
    assert.are.same({ "Modify", "False", { "Properties" } }, { found.Action, found.Replacement, found.Scope })
    assert.is_nil(found.PolicyAction)
    assert.are.same({ { Target = { Attribute = "Properties", Name = "DisplayName", RequiresRecreation = "Never" },
      Evaluation = "Static", ChangeSource = "DirectModification" } }, found.Details)
  end)

  row("snapshots where the policy says so, and of databases without one", nil, function(w)
    local function database(more)
      local resource = { Type = "AWS::RDS::DBInstance", Properties = { DBInstanceClass = "db.t3.micro" } }
      for name, value in pairs(more or {}) do resource[name] = value end
      return resource
    end
    w:create("demo", { A = topic "a", D = database(), S = database { DeletionPolicy = "Snapshot" } })
    local set = w:change_set("demo", { A = topic "a" })
    assert.are.same({ "Snapshot", "Snapshot" }, { change_of(set, "D").PolicyAction, change_of(set, "S").PolicyAction })
  end)
end)

describe("3.3 a detail", function()
  local PARAMETER = { Parameters = { P = { Type = "String" } } }
  local function given(value) return { Parameters = { { ParameterKey = "P", ParameterValue = value } } } end

  row("via a parameter is two", nil, function(w)
    local body = world.template({ A = topic("a", { Ref = "P" }) }, PARAMETER)
    assert.are.same({ "DirectModification Dynamic -", "ParameterReference Static P" },
      causes(change(w, "A", body, body, { before = given "1", after = given "2" })))
  end)

  row("via GetAtt of what changes in place is dynamic", nil, function(w)
    local found = change(w, "B", { A = topic("a", "old"), B = topic("b", get("A", "TopicName")) },
      { A = topic("a", "new"), B = topic("b", get("A", "TopicName")) })
    assert.are.same({ "Modify", "False" }, { found.Action, found.Replacement })
    assert.are.same({ "ResourceAttribute Dynamic A.TopicName" }, causes(found))
  end)

  row("via GetAtt of what is replaced is static", nil, function(w)
    assert.are.same({ "ResourceAttribute Static A.TopicName" },
      causes(change(w, "B", { A = topic "a", B = topic("b", get("A", "TopicName")) },
        { A = topic "a2", B = topic("b", get("A", "TopicName")) })))
  end)

  row("via Ref of what is replaced is static; of what changes in place there is none", nil, function(w)
    w:create("demo", { A = topic("a", "old"), R = topic "r", B = topic("b", { Ref = "R" }),
      C = topic("c", { Ref = "A" }) })
    local set = w:change_set("demo", { A = topic("a", "new"), R = topic "r2", B = topic("b", { Ref = "R" }),
      C = topic("c", { Ref = "A" }) })
    assert.are.same({ "ResourceReference Static R" }, causes(change_of(set, "B")))
    assert.is_nil(change_of(set, "C"))
  end)

  row("that is dynamic in a property that replaces makes the replacement conditional", nil, function(w)
    local name = { ["Fn::Join"] = { "-", { get("A", "TopicName"), "b" } } }
    local found = change(w, "B", { A = topic("a", "old"), B = topic(name) }, { A = topic("a", "new"), B = topic(name) })
    assert.are.same({ "Conditional", "Always" },
      { found.Replacement, found.Details[1].Target.RequiresRecreation })
  end)

  row("of DependsOn there is none", nil, function(w)
    w:create("demo", { A = topic "a", B = topic "b" })
    local set = w:change_set("demo", { A = topic "a", B = topic("b", nil, { DependsOn = "A" }) })
    assert.are.same({ "CREATE_COMPLETE", 0 }, { set.Status, #set.Changes })
  end)

  row("of a stack's tags is on everything that takes tags", nil, function(w)
    local resources = { A = topic "a", P = { Type = "AWS::SNS::TopicPolicy", Properties = { Topics = { "t" } } } }
    w:create("demo", resources, { Tags = { { Key = "k", Value = "old" } } })
    local set = w:change_set("demo", resources, { Tags = { { Key = "k", Value = "new" } } })
    assert.are.same({ { "Tags" }, "False", "Tags" }, { change_of(set, "A").Scope, change_of(set, "A").Replacement,
      change_of(set, "A").Details[1].Target.Attribute })
    assert.is_nil(change_of(set, "P"))
    w:execute(set.ChangeSetId)
    assert.truthy(table.concat(w:lines "demo", "\n"):find("A UPDATE_COMPLETE", 1, true))
    assert.are.same({ { Key = "k", Value = "new" } }, w:stack "demo".Tags)
  end)

  row("of metadata has no name", nil, function(w)
    local found = change(w, "A", { A = topic("a", nil, { Metadata = { M = "1" } }) },
      { A = topic("a", nil, { Metadata = { M = "2" } }) })
    assert.are.same({ { "Metadata" }, "Metadata" }, { found.Scope, found.Details[1].Target.Attribute })
    assert.is_nil(found.Details[1].Target.Name)
  end)
end)

describe("3.3 with IncludePropertyValues", function()
  local function valued(w, before, after)
    w:create("demo", before)
    local set = w:change_set("demo", after)
    return w.cfn:describe_change_set { ChangeSetName = set.ChangeSetId, IncludePropertyValues = true }
  end

  row("a change has both contexts, a detail its values", nil, function(w)
    local found = change_of(valued(w, { A = topic("a", "old") }, { A = topic("a", "new") }), "A")
    assert.are.same({ Properties = { TopicName = "a", DisplayName = "old" } }, json.decode(found.BeforeContext))
    assert.are.same({ Properties = { TopicName = "a", DisplayName = "new" } }, json.decode(found.AfterContext))
    local target = found.Details[1].Target
    assert.are.same({ "/Properties/DisplayName", "old", "new", "Modify" },
      { target.Path, target.BeforeValue, target.AfterValue, target.AttributeChangeType })
  end)

  for name, case in pairs { Add = { nil, "new" }, Remove = { "old", nil } } do
    row("a property that comes or goes is " .. name, nil, function(w)
      local found = change_of(valued(w, { A = topic("a", case[1]) }, { A = topic("a", case[2]) }), "A")
      assert.are.equal(name, found.Details[1].Target.AttributeChangeType)
    end)
  end

  row("what only the execution tells is known after it", nil, function(w)
    local found = change_of(valued(w, { A = topic "a" }, { A = topic "a", N = topic "n",
      B = topic("b", { Ref = "N" }) }), "B")
    assert.are.equal("{{changeSet:KNOWN_AFTER_APPLY}}", json.decode(found.AfterContext).Properties.DisplayName)
  end)

  row("what another resource causes has one more detail, which is dynamic", nil, function(w)
    local found = change_of(valued(w, { R = topic "r", B = topic("b", { Ref = "R" }) },
      { R = topic "r2", B = topic("b", { Ref = "R" }) }), "B")
    assert.are.same({ "DirectModification Dynamic -", "ResourceReference Static R" }, causes(found))
  end)

  row("a dependent whose value stays is left out", nil, function(w)
    local set = valued(w, { A = topic("a", "old"), B = topic("b", get("A", "TopicName")) },
      { A = topic("a", "new"), B = topic("b", get("A", "TopicName")) })
    assert.is_nil(change_of(set, "B"))
  end)

  row("an import that nobody exports is a warning, no failure", nil, function(w)
    local set = valued(w, { A = topic "a" }, { A = topic "a", MyFoo = topic("b", { ["Fn::ImportValue"] = "nope" }) })
    assert.are.same({ "CREATE_COMPLETE", "[WARN] --include-property-values option can return incomplete ChangeSet data "
      .. "because: ChangeSet creation failed for resource [MyFoo] because: No export named nope" },
      { set.Status, set.StatusReason })
  end)
end)
