return {
  teaches = "An update that fails and is led back: the stack is as it was, and can be updated again.",
  seed = 13,
  resources = { { on = "update", fail = "The service refused the change." } },
}
