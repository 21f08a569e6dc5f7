return {
  teaches = "A NAT gateway that takes ten times as long as usual: is the time limit the right one?",
  seed = 16,
  resources = { { resource = "AWS::EC2::NatGateway", on = "create", slow = 10 } },
}
