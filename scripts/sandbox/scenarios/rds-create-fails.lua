return {
  teaches = "A database that fails after minutes: everything made before it is rolled back.",
  seed = 12,
  resources = {
    { resource = "AWS::RDS::DBInstance", on = "create", at = 0.9,
      fail = "DB instance creation failed: insufficient capacity for the instance class in this zone." },
  },
}
