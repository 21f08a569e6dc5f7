return {
  teaches = "The credentials expire during a deployment: it goes on in AWS, and a later run attaches.",
  seed = 20,
  requests = { { service = "cloudformation", operation = "DescribeStack*", nth = 4, trouble = "expired" } },
}
