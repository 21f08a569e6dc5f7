return {
  teaches = "Connections break before and after a call took effect: nothing is done twice.",
  seed = 19,
  requests = {
    { share = 0.1, trouble = "cut_before" }, { share = 0.1, trouble = "cut_after" },
    { share = 0.1, trouble = "truncated" },
  },
}
