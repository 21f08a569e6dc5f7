return {
  teaches = "A new stack is not known everywhere for a moment: its events and its description come a little late.",
  seed = 19,
  requests = {
    { service = "cloudformation", operation = "DescribeStackEvents", trouble = "not_known_yet", times = 2 },
    { service = "cloudformation", operation = "DescribeStacks", trouble = "not_known_yet", nth = 3, times = 1 },
  },
}
