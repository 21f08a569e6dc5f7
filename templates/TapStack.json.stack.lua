-- How TapStack.json is deployed: a table of prompts, its key, alarms and a dashboard.
return {
  template = "TapStack.json",
  stack_name = function() return "TapStack" .. (os.getenv "ENVIRONMENT_SUFFIX" or "dev") end,
  parameters = {
    EnvironmentSuffix = { env = "ENVIRONMENT_SUFFIX", default = "dev" },
    AlertEmail = { env = "TAP_NOTIFY_EMAIL", default = "" },
  },
  tags = { Project = "tap" },
  timeouts = { create = "30m", update = "30m", delete = "30m" },
  verify = { ["kms-key"] = { strict = true }, outputs = { required = { "TurnAroundPromptTableName", "SNSTopicArn" } } },
  notify = { output = "SNSTopicArn" },
}
