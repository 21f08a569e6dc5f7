return {
  teaches = "A deletion that one resource stops: delete again, retain it, or force it.",
  seed = 15,
  resources = { { on = "delete", fail = "The resource is in use." } },
}
