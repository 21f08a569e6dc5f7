return {
  teaches = "A creation whose first alarm is refused: what is told, and what the rollback leaves.",
  seed = 11,
  resources = {
    { resource = "AWS::CloudWatch::Alarm", on = "create", fail = "The maximum number of alarms is reached." },
  },
}
