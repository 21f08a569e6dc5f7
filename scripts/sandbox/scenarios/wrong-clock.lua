return {
  teaches = "This machine's clock is an hour slow: signatures are refused until the client has learnt what time it is.",
  seed = 22,
  clock_ahead = 3600,
}
