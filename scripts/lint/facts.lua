--- What resource types demand beyond what their schema says (lint.constraints has that): values, lengths, members that
-- exclude or need each other. Data, from the services' documentation; lint.services checks it. A path is that of a
-- property below Properties, with * for the elements of a list.

local facts = {}

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local ENGINES = words [[ aurora-mysql aurora-postgresql custom-oracle-ee custom-oracle-ee-cdb custom-sqlserver-ee
  custom-sqlserver-se custom-sqlserver-web custom-oracle-se2 custom-oracle-se2-cdb db2-ae db2-se mariadb mysql oracle-ee
  oracle-ee-cdb oracle-se2 oracle-se2-cdb postgres sqlserver-ee sqlserver-se sqlserver-ex sqlserver-web ]]

--- Path -> { rule, values }; ignoring: case does not matter.
facts.ENUMS = {
  ["AWS::DynamoDB::Table"] = { BillingMode = { "E3030", { "PROVISIONED", "PAY_PER_REQUEST" } },
    ["StreamSpecification/StreamViewType"] = { "E3030", words "KEYS_ONLY NEW_AND_OLD_IMAGES NEW_IMAGE OLD_IMAGE" } },
  ["AWS::EC2::EIP"] = { Domain = { "E3030", { "standard", "vpc" }, ignoring = true } },
  ["AWS::EC2::Instance"] = { Tenancy = { "E3030", { "dedicated", "default", "host" } } },
  ["AWS::RDS::DBCluster"] = { Engine = { "E3690", words "aurora-mysql aurora-postgresql mysql postgres neptune" } },
  ["AWS::RDS::DBInstance"] = { Engine = { "E3691", ENGINES, ignoring = true } },
  ["AWS::Route53::RecordSet"] = { Type = { "E3030", words
    "A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT" } },
}

--- Path -> { shortest, longest }.
facts.LENGTHS = {
  ["AWS::CodeCommit::Repository"] = { RepositoryName = { 1, 100 } },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { Name = { 1, 32 } },
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = { Name = { 1, 32 } },
  ["AWS::IAM::InstanceProfile"] = { InstanceProfileName = { 1, 128 } },
}

--- Path -> { least, most } items.
facts.ITEMS = {
  ["AWS::Events::Rule"] = { Targets = { 0, 5 } },
  ["AWS::CloudWatch::Alarm"] = { AlarmActions = { 0, 5 }, OKActions = { 0, 5 }, Dimensions = { 0, 30 } },
}

--- { path, members, rule }: at least one of them.
facts.ONE_OF = {
  ["AWS::IAM::Policy"] = { { "", { "Groups", "Roles", "Users" }, "E3003" } },
  ["AWS::CloudFormation::Stack"] = { { "", { "TemplateURL", "TemplateBody" }, "E3003" } },
  ["AWS::DynamoDB::GlobalTable"] = { { "", { "Replicas" }, "E3003" } },
  ["AWS::EC2::Instance"] = { { "", { "ImageId", "LaunchTemplate" }, "E3673" } },
  ["AWS::ApiGateway::RestApi"] = { { "", { "Name", "Body", "BodyS3Location" }, "E3660" } },
}

--- { path, members }: at most one of them.
facts.EXCLUSIVE = {
  ["AWS::GuardDuty::Detector"] = { { "", { "DataSources", "Features" }, "E3063" } },
  ["AWS::RDS::DBInstance"] = { { "", { "SourceDBInstanceIdentifier", "DBSnapshotIdentifier" }, "E3063" } },
}

--- Path -> { rule, Lua pattern, what it should be }.
facts.PATTERNS = {
  ["AWS::Route53::RecordSet"] = { HostedZoneName = { "E3041", "%.$", "end in a dot" } },
  ["AWS::Route53::RecordSetGroup"] = { HostedZoneName = { "E3041", "%.$", "end in a dot" } },
  ["AWS::CodeCommit::Repository"] = { RepositoryName = { "E3031", "^[%w._-]+$", "match [a-zA-Z0-9._-]+" } },
  ["AWS::EC2::SecurityGroup"] = { GroupDescription = { "E3031", "^[%w%. _%-:/()#,@%[%]+=&;{}!$*]*$",
    "hold only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*" } },
  ["AWS::IAM::Role"] = { ["ManagedPolicyArns/*"] = { "E3031", "^arn:aws[%a-]*:iam::[%d%a]+:policy/.+$",
    "be a policy's ARN" } },
  ["AWS::Lambda::Function"] = { ["DeadLetterConfig/TargetArn"] = { "E3031", "^arn:aws[%w-]*:[%w-]+:[%w-]*:%d*:.+$",
    "be an ARN" } },
  ["AWS::Events::Rule"] = { ["Targets/*/DeadLetterConfig/Arn"] = { "E3031", "^arn:aws[%w-]*:sqs:[%w-]+:%d+:.+$",
    "be a queue's ARN" } },
}

--- Properties that `aws cloudformation package` fills from a local path: a text is good where an object is wanted.
facts.PACKAGED = {
  ["AWS::Lambda::Function"] = { Code = true }, ["AWS::Lambda::LayerVersion"] = { Content = true },
  ["AWS::ApiGateway::RestApi"] = { BodyS3Location = true },
  ["AWS::StepFunctions::StateMachine"] = { DefinitionS3Location = true },
  ["AWS::AppSync::Resolver"] = { RequestMappingTemplateS3Location = true },
  ["AWS::ElasticBeanstalk::ApplicationVersion"] = { SourceBundle = true },
}

--- Attributes that exist and that the schema does not have.
facts.ATTRIBUTES = {
  ["AWS::Elasticsearch::Domain"] = { DomainArn = "string" },
  ["AWS::OpenSearchService::Domain"] = { DomainArn = "string" },
}

return facts
