return {
  teaches = "Instances boot and never signal: the creation waits until its policy's time is over, then goes back.",
  seed = 26,
  resources = {
    { resource = "AWS::AutoScaling::AutoScalingGroup", on = "create", hang = true },
    { resource = "AWS::EC2::Instance", on = "create", hang = true },
  },
}
