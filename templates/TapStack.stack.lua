-- How TapStack.yml is deployed. Production is one parameter away: --parameter EnvironmentType=production.
return {
  template = "TapStack.yml",
  stack_name = function() return "tapstack-" .. (os.getenv "ENVIRONMENT_SUFFIX" or "dev") end,
  region = { fixed = "us-west-2" }, -- the template is built for it
  capabilities = { "CAPABILITY_NAMED_IAM" },
  parameters = {
    EnvironmentSuffix = { env = "ENVIRONMENT_SUFFIX", default = "dev" },
    NotificationEmail = { env = "TAP_NOTIFY_EMAIL", default = "" },
  },
  tags = { Project = "tapstack", Environment = { env = "ENVIRONMENT_SUFFIX", default = "dev" } },
  timeouts = { create = "90m", update = "2h", delete = "90m", resources = { ["AWS::RDS::DBInstance"] = "60m" } },
  gates = { ["data-loss"] = true, ["iam-widening"] = true },
  verify = {
    strict = true,
    outputs = { required = { "VpcId", "LoadBalancerDnsName", "AutoScalingGroupName", "DatabaseEndpoint", "TrailArn",
      "NotificationTopicArn", "FunctionArn" } },
  },
  notify = { output = "NotificationTopicArn" },
  on_verify_failure = "stay", -- or "rollback", or "ask"
}
