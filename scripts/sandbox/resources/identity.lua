--- Resource types of identities and permissions. Names are the account's. Records: sandbox.resources.catalog.

local in_use = require "sandbox.resources.in_use"

local IAM = "arn:{partition}:iam::{account}:"

return {
  ["AWS::IAM::Role"] = {
    name = { "RoleName", max = 64 }, create = { 16, 18 }, delete = { 10, 12 }, global = true,
    refuse_delete = in_use.role,
    attributes = { Arn = IAM .. "role{.Path|/}{name}", RoleId = "AROA{upper:17}" },
  },
  ["AWS::IAM::User"] = {
    name = { "UserName", max = 64 }, create = { 15, 18 }, delete = { 1, 5 }, global = true,
    attributes = { Arn = IAM .. "user{.Path|/}{name}" },
  },
  ["AWS::IAM::Group"] = {
    name = { "GroupName", max = 128 }, create = { 15, 18 }, delete = { 1, 5 }, global = true,
    attributes = { Arn = IAM .. "group{.Path|/}{name}" },
  },
  ["AWS::IAM::Policy"] = {
    name = { form = "policy", suffix = "upper" }, create = { 16, 17 }, delete = 1, global = true,
    attributes = { Id = "{id}" },
  },
  ["AWS::IAM::RolePolicy"] = {
    id = "{.PolicyName}|{.RoleName}", create = { 16, 17 }, delete = 1, global = true,
  },
  ["AWS::IAM::ManagedPolicy"] = {
    name = { "ManagedPolicyName", max = 128 }, id = IAM .. "policy{.Path|/}{name}",
    create = { 15, 20 }, delete = { 1, 5 }, global = true,
    attributes = {
      PolicyArn = "{id}", PolicyId = "ANPA{upper:17}", DefaultVersionId = "v1", AttachmentCount = "0",
      CreateDate = "{created}", UpdateDate = "{created}", IsAttachable = "true",
      PermissionsBoundaryUsageCount = "0",
    },
  },
  ["AWS::IAM::InstanceProfile"] = {
    name = { "InstanceProfileName", max = 128 }, create = { 120, 135 }, delete = { 1, 2 }, global = true,
    attributes = { Arn = IAM .. "instance-profile{.Path|/}{name}" },
  },
  ["AWS::IAM::AccessKey"] = {
    id = "AKIA{upper:16}", create = { 1, 2 }, delete = 1, global = true,
    attributes = { SecretAccessKey = "{mixed:40}" },
  },
  ["AWS::Cognito::UserPool"] = {
    id = "{region}_{mixed:9}", create = { 2, 4 }, delete = { 1, 2 },
    attributes = {
      Arn = "arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}", UserPoolId = "{id}",
      ProviderName = "cognito-idp.{region}.amazonaws.com/{id}",
      ProviderURL = "https://cognito-idp.{region}.amazonaws.com/{id}",
    },
  },
}
