return {
  teaches = "Somebody else updates the stack at the same moment: the change is refused once, and nothing is lost.",
  seed = 24,
  requests = {
    { service = "cloudformation", operation = "UpdateStack", trouble = "busy", times = 1 },
    { service = "cloudformation", operation = "CreateChangeSet", trouble = "busy", nth = 2, times = 1 },
  },
}
