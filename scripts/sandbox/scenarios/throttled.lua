return {
  teaches = "Three calls of ten are throttled: a deployment takes longer, and nothing else.",
  seed = 18,
  requests = { { share = 0.3, trouble = "throttled" } },
}
