return {
  teaches = "An update that fails, and whose way back fails too: UPDATE_ROLLBACK_FAILED, which no update "
    .. "leaves. Continue the rollback, or skip what cannot go back.",
  seed = 14,
  resources = {
    { on = "update", fail = "The service refused the change." },
    { on = "rollback", fail = "The service refused the old settings, too." },
  },
}
