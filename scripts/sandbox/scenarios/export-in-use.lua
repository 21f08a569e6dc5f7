return {
  teaches = "Others import what this one exports: its deletion is cancelled, an update that changes an export "
    .. "goes back.",
  seed = 23,
  exports = { { name = "*", by = { "reports", "website" } } },
}
