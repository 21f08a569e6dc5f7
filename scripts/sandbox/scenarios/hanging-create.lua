return {
  teaches = "A resource that never becomes complete: what a time limit does, and what goes on after it.",
  seed = 17,
  resources = { { on = "create", hang = true } },
}
