--- Prints a template of N resources, of ten types that refer to each other, for the benchmark of the lint.
-- usage: tapengine spec/bench/template.lua N        N: a multiple of ten

local TEN = [[
  Key#: { Type: AWS::KMS::Key, Properties: { EnableKeyRotation: true, KeyPolicy: { Version: "2012-10-17", Statement: [
    { Effect: Allow, Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" }, Action: "kms:*",
      Resource: "*" } ] } } }
  Topic#: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: !GetAtt Key#.Arn } }
  Queue#: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 60, KmsMasterKeyId: !Ref Key# } }
  Bucket#: { Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Enabled },
    BucketEncryption: { ServerSideEncryptionConfiguration: [
      { ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: !GetAtt Key#.Arn } } ] } } }
  Role#: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [
    { Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" } ] } } }
  Function#: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.12, Handler: index.handler,
    Role: !GetAtt Role#.Arn, Code: { ZipFile: "def handler(event, context): return 1" } } }
  Table#: { Type: AWS::DynamoDB::Table, Properties: { BillingMode: PAY_PER_REQUEST,
    AttributeDefinitions: [ { AttributeName: id, AttributeType: S } ],
    KeySchema: [ { AttributeName: id, KeyType: HASH } ] } }
  LogGroup#: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30 } }
  Alarm#: { Type: AWS::CloudWatch::Alarm, Properties: { Namespace: AWS/Lambda, MetricName: Errors, Statistic: Sum,
    Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold,
    Dimensions: [ { Name: FunctionName, Value: !Ref Function# } ], AlarmActions: [ !Ref Topic# ] } }
  Rule#: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(5 minutes),
    Targets: [ { Id: function, Arn: !GetAtt Function#.Arn } ] } }
]]

print "AWSTemplateFormatVersion: '2010-09-09'\nResources:"
for i = 1, tonumber(arg[1]) // 10 do io.write((TEN:gsub("#", tostring(i)))) end
