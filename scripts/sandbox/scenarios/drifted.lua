return {
  teaches = "Somebody changed a topic by hand: drift is detected, and shown with what the template says.",
  seed = 21,
  drifts = { { resource = "AWS::SNS::Topic", set = { DisplayName = "changed by hand" } } },
}
