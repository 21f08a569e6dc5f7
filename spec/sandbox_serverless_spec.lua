-- The transform AWS::Serverless-2016-10-31: SAM templates become stacks, as the real service makes them.

local documents = require "tap.core.document"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local policy_templates = require "sandbox.template.serverless.policy_templates"
local serverless = require "sandbox.template.serverless"
local world = require "spec.sandbox_world"

local ALL = { Capabilities = { "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND" } }

local APP = [[
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: live }
Globals:
  Function:
    Runtime: python3.12
    Timeout: 3
    Environment: { Variables: { TABLE: !Ref Table } }
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/hello.zip?versionId=7
      Handler: app.handler
      MemorySize: 256
      AutoPublishAlias: !Ref Stage
      Environment: { Variables: { MODE: fast } }
      Policies:
        - DynamoDBCrudPolicy: { TableName: !Ref Table }
        - AmazonS3ReadOnlyAccess
      Events:
        Get: { Type: Api, Properties: { Path: /hello, Method: get } }
        Nightly: { Type: Schedule, Properties: { Schedule: rate(1 day), Enabled: false } }
  Table: { Type: AWS::Serverless::SimpleTable }
Outputs:
  Address: { Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello" }
  Version: { Value: !Ref Hello.Version }
  Alias: { Value: !Ref Hello.Alias }
  Role: { Value: !GetAtt HelloRole.Arn }
  Stage: { Value: !Ref ServerlessRestApi.Stage }
]]

local function processed(w, stack)
  return json.decode(w.cfn:get_template({ StackName = stack, TemplateStage = "Processed" }).TemplateBody)
end

-- Logical id -> type, of a stack.
local function types(w, stack)
  local out = {}
  for _, each in ipairs(w.cfn:describe_stack_resources({ StackName = stack }).StackResources) do
    out[each.LogicalResourceId] = each.ResourceType
  end
  return out
end

describe("a serverless application", function()
  local w
  before_each(function() w = world.open() end)
  after_each(function() w:close() end)

  it("becomes a stack, with the names that SAM gives", function()
    w:create("app", APP, ALL)
    assert.equal("CREATE_COMPLETE", w:status "app")
    assert.same({
      Hello = "AWS::Lambda::Function", HelloRole = "AWS::IAM::Role",
      HelloVersion68bd278863 = "AWS::Lambda::Version", HelloAliaslive = "AWS::Lambda::Alias",
      HelloGetPermissionProd = "AWS::Lambda::Permission", HelloNightly = "AWS::Events::Rule",
      HelloNightlyPermission = "AWS::Lambda::Permission", Table = "AWS::DynamoDB::Table",
      ServerlessRestApi = "AWS::ApiGateway::RestApi", ServerlessRestApiProdStage = "AWS::ApiGateway::Stage",
      ServerlessRestApiDeploymentd951f1d44d = "AWS::ApiGateway::Deployment",
    }, types(w, "app"))
    local outputs = w:outputs "app"
    assert.truthy(outputs.Address:find "^https://%w+%.execute%-api%.us%-east%-1%.amazonaws%.com/Prod/hello$")
    assert.truthy(outputs.Alias:find ":live$")
    assert.equal("Prod", outputs.Stage)
    assert.truthy(outputs.Role:find "^arn:aws:iam::123456789012:role/app%-HelloRole%-")
  end)

  it("shows what it became, with types, and what it was", function()
    w:create("app", APP, ALL)
    assert.equal(APP, w.cfn:get_template({ StackName = "app" }).TemplateBody)
    local after = processed(w, "app")
    assert.is_nil(after.Transform)
    assert.is_nil(after.Globals)
    local hello = after.Resources.Hello.Properties
    assert.same({ 3, 256, "python3.12" }, { hello.Timeout, hello.MemorySize, hello.Runtime })
    assert.same({ TABLE = { Ref = "Table" }, MODE = "fast" }, hello.Environment.Variables)
    assert.same({ S3Bucket = "code", S3Key = "hello.zip", S3ObjectVersion = "7" }, hello.Code)
    assert.equal("DISABLED", after.Resources.HelloNightly.Properties.State)
    local role = after.Resources.HelloRole.Properties
    assert.same({ "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
      "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }, role.ManagedPolicyArns)
    assert.equal("HelloRolePolicy0", role.Policies[1].PolicyName)
    assert.equal("dynamodb:GetItem", role.Policies[1].PolicyDocument.Statement[1].Action[1])
  end)

  it("needs leave to expand, and that for its roles", function()
    assert.equal("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
      w:create_refusal(APP, { Capabilities = { "CAPABILITY_IAM" } }))
    local described = w.cfn:validate_template { TemplateBody = APP }
    assert.same({ "AWS::Serverless-2016-10-31" }, described.DeclaredTransforms)
  end)

  it("is changed by new code: a version more, the old one kept, and the same deployment", function()
    w:create("app", APP, ALL)
    local set = w:change_set("app", APP:gsub("versionId=7", "versionId=8"), ALL)
    local changes = {}
    for _, each in ipairs(set.Changes) do
      local change = each.ResourceChange
      changes[change.LogicalResourceId] = change.Action .. " " .. change.ResourceType
    end
    assert.equal("Modify AWS::Lambda::Function", changes.Hello)
    assert.equal("Remove AWS::Lambda::Version", changes.HelloVersion68bd278863)
    assert.is_nil(changes.ServerlessRestApiDeploymentd951f1d44d)
    local added
    for id, change in pairs(changes) do added = change == "Add AWS::Lambda::Version" and id or added end
    assert.truthy(added:find "^HelloVersion%x%x%x%x%x%x%x%x%x%x$")
    assert.truthy(w:outputs("app").Version:find ":1$")
    w:execute(set.ChangeSetId)
    assert.equal("UPDATE_COMPLETE", w:status "app")
    assert.truthy(w:outputs("app").Version:find ":2$")
    assert.falsy(table.concat(w:lines "app", "\n"):find("HelloVersion68bd278863 DELETE_COMPLETE", 1, true))
  end)

  it("has another deployment of its API when that has another path", function()
    w:create("app", APP, ALL)
    w:update("app", APP:gsub("Path: /hello,", "Path: /hallo,"), ALL)
    local after = types(w, "app")
    assert.is_nil(after.ServerlessRestApiDeploymentd951f1d44d)
    assert.equal("AWS::ApiGateway::Stage", after.ServerlessRestApiProdStage)
  end)

  it("may have layers, which get versions", function()
    local text = [[
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: s3://code/one.zip } }
Outputs: { Layer: { Value: !Ref Shared } }
]]
    w:create("app", text, ALL)
    assert.equal("arn:aws:lambda:us-east-1:123456789012:layer:Shared:1", w:outputs("app").Layer)
    w:update("app", text:gsub("one", "two"), ALL)
    assert.equal("UPDATE_COMPLETE", w:status "app")
    assert.equal("arn:aws:lambda:us-east-1:123456789012:layer:Shared:2", w:outputs("app").Layer)
  end)

  it("may have nested ones", function()
    local s3 = w:client "s3"
    s3:create_bucket { Bucket = "parts" }
    s3:put_object { Bucket = "parts", Key = "inner.yml", Body = APP }
    w:create("outer", [[
Transform: AWS::Serverless-2016-10-31
Resources:
  Inner:
    Type: AWS::Serverless::Application
    Properties: { Location: "https://parts.s3.amazonaws.com/inner.yml", Parameters: { Stage: next } }
Outputs: { Alias: { Value: !GetAtt Inner.Outputs.Alias } }
]], ALL)
    assert.equal("CREATE_COMPLETE", w:status "outer")
    assert.truthy(w:outputs("outer").Alias:find ":next$")
  end)
end)

describe("a serverless template", function()
  -- What AWS's own translator (aws-sam-translator 1.110) makes of these, by the names of what each is about.
  for _, name in ipairs { "functions", "events", "rest", "http", "sockets", "connectors" } do
    it(("about %s becomes what SAM makes of it"):format(name), function()
      world.within(nil, function(w)
        local set = w:change_set(name, sys.read_file(("spec/serverless/%s.yml"):format(name)),
          { ChangeSetType = "CREATE", Capabilities = { "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND" } })
        assert.equal("CREATE_COMPLETE", set.Status, set.StatusReason)
        w:execute(set.ChangeSetId)
        assert.equal("CREATE_COMPLETE", w:status(name))
        assert.same(json.decode(sys.read_file(("spec/serverless/%s.json"):format(name))), processed(w, name))
      end)
    end)
  end

  local function applied(text, parameters, region)
    return serverless.apply(documents.yaml(text):root(), parameters or {}, { now = os.time,
      pseudo = { ["AWS::Region"] = region or "us-east-1", ["AWS::Partition"] = region and "aws-cn" or "aws" } })
  end

  local HEAD = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
    .. "      Handler: a.b\n      Runtime: python3.12\n      CodeUri: s3://code/x.zip\n"

  it("gets ARNs of its region's partition", function()
    local made = applied(HEAD .. "      Tracing: Active\n", nil, "cn-north-1").Resources.FRole.Properties
    assert.same({ "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
      "arn:aws-cn:iam::aws:policy/AWSXRayDaemonWriteAccess" }, made.ManagedPolicyArns)
  end)

  it("knows all policy templates", function()
    for name, template in pairs(policy_templates) do
      local given = template[1]:gsub("%w+", "%0: !Ref X,")
      local made = applied(("%s      Policies: [{ %s: { %s } }]\n"):format(HEAD, name, given))
      local statements = made.Resources.FRole.Properties.Policies[1].PolicyDocument.Statement
      assert.equal(#template - 1, #statements, name)
      assert.falsy(json.encode(statements):find("[@>?]"), name)
    end
  end)

  it("names deployments as Python 2.7 ordered their definitions, however many paths there are", function()
    local function name(paths)
      local text = HEAD .. "      Events:\n"
      for i = 0, paths - 1 do
        text = ("%s        E%d: { Type: Api, Properties: { Path: '/p%d/{id}', Method: get } }\n"):format(text, i, i)
      end
      for id in pairs(applied(text).Resources) do
        if id:find "Deployment" then return id end
      end
    end
    assert.equal("ServerlessRestApiDeploymentda43ca6cdb", name(20))
    assert.equal("ServerlessRestApiDeploymentbcadce4f2b", name(120))
    assert.equal("ServerlessRestApiDeployment85387ff23a", name(480))
  end)

  it("keeps long lists of conditions within what Fn::Or takes", function()
    local text = "Conditions: {}\nResources:\n"
    for i = 1, 23 do
      text = text .. ("  F%d: { Type: AWS::Serverless::Function, Condition: C%02d, "):format(i, i)
        .. "Properties: { Handler: a.b, Runtime: python3.12, CodeUri: s3://code/x.zip, "
        .. "Events: { E: { Type: Api, Properties: { Path: /x, Method: " .. ("m%d } } } } }\n"):format(i)
    end
    local made = applied(text).Conditions
    assert.equal(10, #made.ServerlessRestApiCondition2["Fn::Or"])
    assert.equal(10, #made.ServerlessRestApiCondition1["Fn::Or"])
    assert.equal(5, #made.ServerlessRestApiCondition["Fn::Or"])
  end)
end)

describe("a serverless template that is wrong", function()
  local w
  setup(function() w = world.open() end)
  teardown(function() w:close() end)

  local FUNCTION = "{Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.12, %s}}"
  local CODE = "CodeUri: s3://code/x.zip, "
  local function with(properties) return "F: " .. FUNCTION:format(properties) end
  local function event(text) return with(CODE .. "Events: {E: " .. text .. "}") end
  local function in_function(text) return "Resource with id [F] is invalid. " .. text end
  local function in_event(text) return in_function("Event with id [E] is invalid. " .. text) end

  local function socket(properties)
    return "S: {Type: AWS::Serverless::WebSocketApi, Properties: {RouteSelectionExpression: $request.body.action, "
      .. properties .. "}}"
  end
  local function in_socket(text) return "Resource with id [S] is invalid. " .. text end

  -- Resources, and what is wrong with them.
  local ROWS = {
    { with "CodeUri: ./src", in_function("'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional "
      .. "versionId query parameter.") },
    { with "Timeout: 3", in_function "Only one of 'InlineCode' or 'CodeUri' can be set." },
    { with(CODE .. "Timout: 3"), in_function("property Timout not defined for resource of type "
      .. "AWS::Serverless::Function") },
    { with(CODE .. "Layers: x"), in_function "Type of property 'Layers' is invalid." },
    { with(CODE .. "Tags: [a]"), in_function "Property 'Tags' should be a map." },
    { with(CODE .. "PackageType: Image"), in_function "'ImageUri' must be set." },
    { with(CODE .. "Policies: [S3ReadPolicy: {}]"), in_function("Following required parameters of template "
      .. "'S3ReadPolicy' don't have values: ['BucketName']") },
    { with(CODE .. "Policies: [Unknown: {}]"),
      in_function "Policy at index 0 in the 'Policies' property is not valid" },
    { with(CODE .. "DeploymentPreference: {Type: AllAtOnce}"), in_function("'DeploymentPreference' requires "
      .. "AutoPublishAlias property to be specified.") },
    { with(CODE .. "AutoPublishAlias: '1'"), in_function("AutoPublishAlias name ('1') must contain only alphanumeric "
      .. "characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.") },
    { with(CODE .. "DeadLetterQueue: {Type: Kinesis, TargetArn: x}"), in_function("'DeadLetterQueue' requires Type of "
      .. "['SQS', 'SNS']") },
    { with(CODE .. "FunctionUrlConfig: {AuthType: ANY}"), in_function("AuthType is required to configure function "
      .. "property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.") },
    { event "{Type: Tick}", in_event("Resource dict has missing or invalid value for key Type. Event Type is: Tick.") },
    { event "{Type: S3, Properties: {Bucket: x, Events: y}}", in_event("S3 events must reference an S3 bucket in the "
      .. "same template.") },
    { event "{Type: Api, Properties: {Path: /x}}", in_event "Property 'Method' is required." },
    { event "{Type: Api, Properties: {Path: /x, Method: get, Auth: {Authorizer: A}}}", in_event("Unable to set "
      .. "Authorizer [A] on API method [get] for path [/x] because the related API does not define any Authorizers.") },
    { event "{Type: Schedule, Properties: {Rate: x}}", "Resource with id [FE] is invalid. property Rate not defined "
      .. "for resource of type Schedule" },
    { event "{Type: SQS, Properties: {}}", "Resource with id [FE] is invalid. Missing required property 'Queue'." },
    { event "{Type: MQ, Properties: {Broker: b}}", in_event("No SourceAccessConfigurations for Amazon MQ event "
      .. "provided.") },
    { event "{Type: AlexaSkill}" .. ", FEPermission: {Type: AWS::SNS::Topic}",
      "Transforming resource with id [F] attempts to create a new resource with id [FEPermission] and type "
      .. '"AWS::Lambda::Permission". A resource with that id already exists within this template. Please use a '
      .. "different id for that resource." },
    { "T: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: a, Type: Text}}}",
      'Resource with id [T] is invalid. Invalid \'Type\' "Text".' },
    { "A: {Type: AWS::Serverless::Api, Properties: {}}", "Resource with id [A] is invalid. Missing required property "
      .. "'StageName'." },
    { "L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: s3://a/b, RetentionPolicy: keep}}",
      "Resource with id [L] is invalid. 'RetentionPolicy' must be one of the following options: ['Retain', "
      .. "'Delete']." },
    { "M: {Type: AWS::Serverless::StateMachine}", "Resource with id [M] is invalid. Either 'Definition' or "
      .. "'DefinitionUri' property must be specified." },
    { socket "Routes: {}", in_socket "WebSocket API must have at least one route." },
    { socket "Routes: {a-b: {FunctionArn: x}}", in_socket("Route key 'a-b' must be alphanumeric. Only $connect, "
      .. "$disconnect, and $default special routes are supported.") },
    { socket "Routes: {send: {}}", in_socket "Route must have associated function." },
    { socket "Routes: {send: {FunctionArn: x}}, Auth: {AuthType: AWS_IAM}",
      in_socket "Authorization is only available if there is a $connect route." },
    { socket "Routes: {$connect: {FunctionArn: x}}, Auth: {AuthType: CUSTOM}",
      in_socket "AuthArn must be specified if AuthType is CUSTOM." },
    { socket "Routes: {$connect: {FunctionArn: x}}, Auth: {AuthType: AWS_IAM, Name: n}",
      in_socket "No additional configurations supported for AuthType AWS_IAM." },
    { socket "Routes: {$connect: {}}, Auth: {AuthType: JWT}", -- told before the function that is missing
      in_socket "AuthType is not one of AWS_IAM, CUSTOM or NONE." },
    { socket "Routes: {$connect: {FunctionArn: x}}, Auth: {Name: n}",
      in_socket "AuthType must be specified for additional auth configurations." },
    { socket "Routes: {send: {FunctionArn: x, RequestParameters: {a: {Required: true}}}}",
      in_socket "Request parameters are only supported for the $connect route in WebSocket APIs." },
    { socket "Routes: {send: {FunctionArn: x}}, IpAddressType: ipv5",
      in_socket "IpAddressType must be 'ipv4' or 'dualstack'." },
    { socket("Routes: {send: {FunctionArn: x}}, Domain: {DomainName: a, CertificateArn: c, MutualTlsAuthentication: "
      .. "{TruststoreUri: u}}"),
      in_socket "Mutual TLS domain name association is not supported for Websocket APIs." },
    { "H: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionBody: {openapi: 3.0.1, paths: {}}, Domain: "
      .. "{DomainName: a, CertificateArn: c, MutualTlsAuthentication: {Uri: u}}}}", "Resource with id [Uri] is "
      .. "invalid. Available MutualTlsAuthentication fields are ['TruststoreUri', 'TruststoreVersion']." },
    { socket "Routes: {send: {FunctionArn: x}}, StageName: $default",
      in_socket "Stages cannot be named $default for WebSocket APIs." },
    { "P: {Type: AWS::Serverless::CapacityProvider, Properties: {VpcConfig: {Id: x}, ScalingConfig: {MaxVCpuCount: "
      .. "many}}}", "Resource with id [P] is invalid. Property 'VpcConfig.SubnetIds' is required. Property "
      .. "'VpcConfig.Id' is an invalid property. Property 'ScalingConfig.MaxVCpuCount' value must be dictionary or "
      .. "integer." },
    { "P: {Type: AWS::Serverless::CapacityProvider, Properties: {VpcConfig: {SubnetIds: [s]}, InstanceRequirements: "
      .. "{AllowedTypes: [a], ExcludedTypes: [b]}}}", "Resource with id [P] is invalid. Cannot specify "
      .. "'InstanceRequirements.AllowedTypes' and 'InstanceRequirements.ExcludedTypes' together." },
    { with(CODE .. "CapacityProviderConfig: {Name: x}"), in_function("Invalid CapacityProviderConfig: 2 validation "
      .. "errors for CapacityProviderConfig\nArn\n  field required (type=value_error.missing)\nName\n  extra fields "
      .. "not permitted (type=value_error.extra)") },
    { "G: {Type: AWS::Serverless::GraphQLApi}", "Resource with id [G] is invalid. The sandbox does not transform "
      .. "resources of type AWS::Serverless::GraphQLApi." },
    { "N: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: x, SemanticVersion: 1.0.0}}}",
      "Resource with id [N] is invalid. The sandbox has no Serverless Application Repository: Location must be a "
      .. "template's address." },
  }

  local function reason(text)
    local set = w:change_set("wrong", "Transform: AWS::Serverless-2016-10-31\n" .. text,
      { ChangeSetType = "CREATE", Capabilities = { "CAPABILITY_IAM" } })
    w:delete "wrong"
    return set.Status .. ": " .. tostring(set.StatusReason)
  end

  local FAILED = "FAILED: Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application "
    .. "Specification document. Number of errors found: %d. %s"

  for _, row in ipairs(ROWS) do
    it(("is told what: %s"):format(row[2]), function()
      assert.equal(FAILED:format(1, row[2]), reason("Resources: {" .. row[1] .. "}\n"))
    end)
  end

  it("is told of all its resources", function()
    local text = reason("Resources: {" .. with "Timeout: 3" .. ", T: {Type: AWS::Serverless::SimpleTable, "
      .. "Properties: {Name: t}}}\n")
    assert.equal(FAILED:format(2, in_function "Only one of 'InlineCode' or 'CodeUri' can be set. "
      .. "Resource with id [T] is invalid. property Name not defined for resource of type "
      .. "AWS::Serverless::SimpleTable"),
      text)
  end)

  it("is told what Globals may have", function()
    assert.equal(FAILED:format(1, "'Globals' section is invalid. 'TableName' is not a supported property of "
      .. "'SimpleTable'. Must be one of the following values - ['SSESpecification']"),
      reason("Globals: {SimpleTable: {TableName: t}}\nResources: {T: {Type: AWS::Serverless::SimpleTable}}\n"))
    assert.equal("ValidationError: Invalid template property or properties [Globals]",
      w:create_refusal("Globals: {}\nResources: {T: {Type: AWS::SNS::Topic}}\n"))
  end)

  it("fails the creation of a stack, too, once that has begun", function()
    w:create("late", "Transform: AWS::Serverless-2016-10-31\nResources: {" .. with "Timeout: 3" .. "}\n", ALL)
    assert.equal("ROLLBACK_COMPLETE", w:status "late")
    assert.equal(FAILED:format(1, in_function "Only one of 'InlineCode' or 'CodeUri' can be set.") .. ". Rollback "
      .. "requested by user.", "FAILED: " .. w:reason("late", "late", "ROLLBACK_IN_PROGRESS"))
  end)
end)

describe("SAM's transform after others", function()
  it("works on what loops, snippets and a team's own have made", function()
    local macro = function(payload)
      local request = json.decode(payload)
      request.fragment.Resources.FromMacro = { Type = "AWS::Serverless::SimpleTable" }
      return { payload = { status = "success", fragment = request.fragment } }
    end
    world.within({ invoke = { ["*"] = macro } }, function(w)
      local s3 = w:client "s3"
      s3:create_bucket { Bucket = "parts" }
      s3:put_object { Bucket = "parts", Key = "function.yml", Body = "MemorySize: 512\nTimeout: 9\n" }
      w:create("macro", { M = { Type = "AWS::CloudFormation::Macro",
        Properties = { Name = "Own", FunctionName = "own" } } })
      w:create("app", [[
Transform: [AWS::LanguageExtensions, Own, AWS::Serverless-2016-10-31]
Resources:
  Fn::ForEach::Tables:
    - Size
    - [1, 2]
    - "Table${Size}":
        Type: AWS::Serverless::SimpleTable
        Properties: { ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 3 } }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.12
      CodeUri: s3://code/x.zip
      Fn::Transform: { Name: AWS::Include, Parameters: { Location: s3://parts/function.yml } }
]], ALL)
      assert.equal("CREATE_COMPLETE", w:status "app")
      local made = types(w, "app")
      assert.equal("AWS::DynamoDB::Table", made.Table1)
      assert.equal("AWS::DynamoDB::Table", made.Table2)
      assert.equal("AWS::DynamoDB::Table", made.FromMacro)
      local f = processed(w, "app").Resources.F.Properties
      assert.same({ 512, 9 }, { f.MemorySize, f.Timeout })
    end)
  end)
end)
