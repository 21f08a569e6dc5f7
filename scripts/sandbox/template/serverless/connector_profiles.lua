--- What connectors permit: from what to what, in which way, and by which policy. A statement is a text as in
-- sandbox.template.serverless.policy_templates; {Source.Arn} and the like stand for what the two ends are.

local profiles = {}

local READ_OBJECTS = "s3:GetObject GetObjectAcl GetObjectLegalHold GetObjectRetention GetObjectTorrent "
  .. "GetObjectVersion GetObjectVersionAcl GetObjectVersionForReplication GetObjectVersionTorrent ListBucket "
  .. "ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts > {Destination.Arn} {Destination.Arn}/*"
local WRITE_OBJECTS = "s3:AbortMultipartUpload DeleteObject DeleteObjectVersion PutObject PutObjectLegalHold "
  .. "PutObjectRetention RestoreObject > {Destination.Arn} {Destination.Arn}/*"
local READ_ITEMS = "dynamodb:GetItem Query Scan BatchGetItem ConditionCheckItem PartiQLSelect > {Destination.Arn} "
  .. "{Destination.Arn}/index/*"
local WRITE_ITEMS = "dynamodb:PutItem UpdateItem DeleteItem BatchWriteItem PartiQLDelete PartiQLInsert PartiQLUpdate > "
  .. "{Destination.Arn} {Destination.Arn}/index/*"
local CALL = "lambda:InvokeAsync InvokeFunction > [{Destination.Arn}]"
local EXECUTIONS = "@states:execution:{Destination.Name}:*"
local STATES_RULE = "@events:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"

local PUT_EVENTS = { role = "Source", { "Write", "events:PutEvents > [{Destination.Arn}]" } }
local PUBLISH = { role = "Source", { "Write", "sns:Publish > [{Destination.Arn}]" } }
local OBJECTS = { role = "Source", { "Read", READ_OBJECTS }, { "Write", WRITE_OBJECTS } }
local ITEMS = { role = "Source", { "Read", READ_ITEMS }, { "Write", WRITE_ITEMS } }

local function called_by(service, source_arn, source_account)
  return { permission = service .. ".amazonaws.com", source_arn = source_arn or "{Source.Arn}",
    source_account = source_account, { "Write" } }
end

local API = "@execute-api:{Source.ResourceId}/{Source.Qualifier}"

-- Source -> destination -> { role = whose role gets a policy; or permission = the service that calls a function; or
-- policy = the resource that gets one, service and action; ways in their order: { name, statement };
-- together = the sets of ways that are allowed; waits = what waits for the policy }.
profiles.permissions = {
  ["AWS::DynamoDB::Table"] = {
    ["AWS::Lambda::Function"] = { role = "Destination", waits = "mapping",
      { "Read", "dynamodb:DescribeStream GetRecords GetShardIterator ListStreams > [{Source.Arn}/stream/*]" } },
  },
  ["AWS::Events::Rule"] = {
    ["AWS::SNS::Topic"] = { policy = "topic", service = "events.amazonaws.com", action = "sns:Publish", { "Write" } },
    ["AWS::SQS::Queue"] = { policy = "queue", service = "events.amazonaws.com", action = "sqs:SendMessage",
      { "Write" } },
    ["AWS::Events::EventBus"] = PUT_EVENTS,
    ["AWS::StepFunctions::StateMachine"] = { role = "Source",
      { "Write", "states:StartExecution > [{Destination.Arn}]" } },
    ["AWS::Lambda::Function"] = called_by "events",
  },
  ["AWS::Lambda::Function"] = {
    ["AWS::Lambda::Function"] = { role = "Source", { "Write", CALL } },
    ["AWS::S3::Bucket"] = OBJECTS, ["AWS::DynamoDB::Table"] = ITEMS, ["AWS::SNS::Topic"] = PUBLISH,
    ["AWS::Events::EventBus"] = PUT_EVENTS,
    ["AWS::SQS::Queue"] = { role = "Source",
      { "Read", "sqs:ReceiveMessage GetQueueAttributes > [{Destination.Arn}]" },
      { "Write", "sqs:DeleteMessage SendMessage ChangeMessageVisibility PurgeQueue > [{Destination.Arn}]" } },
    ["AWS::StepFunctions::StateMachine"] = { role = "Source",
      { "Write", "states:StartExecution StartSyncExecution > [{Destination.Arn}]" },
      { "Write", "states:StopExecution > [" .. EXECUTIONS .. "]" },
      { "Read", "states:DescribeStateMachine ListExecutions > [{Destination.Arn}]" },
      { "Read", "states:DescribeExecution DescribeStateMachineForExecution GetExecutionHistory > [" .. EXECUTIONS
        .. "]" } },
    ["AWS::Location::PlaceIndex"] = { role = "Source",
      { "Read", "geo:DescribePlaceIndex GetPlace SearchPlaceIndexForPosition SearchPlaceIndexForSuggestions "
        .. "SearchPlaceIndexForText > [{Destination.Arn}]" } },
  },
  ["AWS::ApiGatewayV2::Api"] = { ["AWS::Lambda::Function"] = called_by("apigateway", API) },
  ["AWS::ApiGateway::RestApi"] = { ["AWS::Lambda::Function"] = called_by("apigateway", API) },
  ["AWS::SNS::Topic"] = {
    ["AWS::SQS::Queue"] = { policy = "queue", service = "sns.amazonaws.com", action = "sqs:SendMessage", { "Write" } },
    ["AWS::Lambda::Function"] = called_by "sns",
  },
  ["AWS::SQS::Queue"] = {
    ["AWS::Lambda::Function"] = { role = "Destination", waits = "mapping", together = { { "Read", "Write" } },
      { "Write", "sqs:DeleteMessage > [{Source.Arn}]" },
      { "Read", "sqs:ReceiveMessage GetQueueAttributes > [{Source.Arn}]" } },
  },
  ["AWS::S3::Bucket"] = { ["AWS::Lambda::Function"] = called_by("s3", nil, "${AWS::AccountId}") },
  ["AWS::StepFunctions::StateMachine"] = {
    ["AWS::Lambda::Function"] = { role = "Source", { "Write", CALL } },
    ["AWS::SNS::Topic"] = PUBLISH, ["AWS::S3::Bucket"] = OBJECTS, ["AWS::DynamoDB::Table"] = ITEMS,
    ["AWS::Events::EventBus"] = PUT_EVENTS,
    ["AWS::SQS::Queue"] = { role = "Source", { "Write", "sqs:SendMessage > [{Destination.Arn}]" } },
    ["AWS::StepFunctions::StateMachine"] = { role = "Source", waits = "source",
      together = { { "Read" }, { "Read", "Write" } },
      { "Read", "states:DescribeExecution > [" .. EXECUTIONS .. "]" },
      { "Read", "events:DescribeRule > [" .. STATES_RULE .. "]" },
      { "Write", "states:StartExecution > [{Destination.Arn}]" },
      { "Write", "states:StopExecution > [" .. EXECUTIONS .. "]" },
      { "Write", "events:PutTargets PutRule > [" .. STATES_RULE .. "]" } },
  },
  ["AWS::AppSync::DataSource"] = {
    ["AWS::DynamoDB::Table"] = ITEMS, ["AWS::Events::EventBus"] = PUT_EVENTS,
    ["AWS::Lambda::Function"] = { role = "Source",
      { "Write", "lambda:InvokeAsync InvokeFunction > {Destination.Arn} {Destination.Arn}:*" } },
  },
  ["AWS::AppSync::GraphQLApi"] = { ["AWS::Lambda::Function"] = called_by("appsync",
    "@appsync:apis/{Source.ResourceId}") },
}

-- Type -> what a resource of it is to a connector: ref or an attribute as its ARN, and more.
profiles.ends = {
  ["AWS::Lambda::Function"] = { Arn = "Arn", role = "Role" },
  ["AWS::StepFunctions::StateMachine"] = { Arn = "Ref", Name = "Name", role = "RoleArn" },
  ["AWS::AppSync::GraphQLApi"] = { Arn = "Ref", ResourceId = "ApiId" },
  ["AWS::AppSync::DataSource"] = { Arn = "Ref", role = "ServiceRoleArn" },
  ["AWS::Events::Rule"] = { Arn = "Arn", target_role = true },
  ["AWS::SQS::Queue"] = { Arn = "Arn", QueueUrl = "Ref" },
  ["AWS::SNS::Topic"] = { Arn = "Ref" },
  ["AWS::DynamoDB::Table"] = { Arn = "Arn" }, ["AWS::S3::Bucket"] = { Arn = "Arn" },
  ["AWS::Location::PlaceIndex"] = { Arn = "Arn" }, ["AWS::Events::EventBus"] = { Arn = "Arn" },
  ["AWS::ApiGatewayV2::Api"] = { Arn = "Arn", ResourceId = "Ref", qualifier = "*" },
  ["AWS::ApiGateway::RestApi"] = { Arn = "Arn", ResourceId = "Ref", qualifier = "*" },
}

-- Types of SAM by which an end may be called.
profiles.became = {
  ["AWS::Serverless::Function"] = "AWS::Lambda::Function",
  ["AWS::Serverless::StateMachine"] = "AWS::StepFunctions::StateMachine",
  ["AWS::Serverless::Api"] = "AWS::ApiGateway::RestApi", ["AWS::Serverless::HttpApi"] = "AWS::ApiGatewayV2::Api",
  ["AWS::Serverless::SimpleTable"] = "AWS::DynamoDB::Table",
}

return profiles
