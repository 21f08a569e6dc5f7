return {
  teaches = "A new stack is not known everywhere for some seconds: its events and its description come a little late.",
  seed = 19,
  requests = { { service = "cloudformation", operation = "DescribeStack*", trouble = "not_known_yet", within = 4 } },
}
