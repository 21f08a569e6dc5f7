--- The scenarios that ship, in the order in which they are worth trying: one file each in this folder.
return {
  "create-fails", "rds-create-fails", "update-fails", "update-rollback-stuck", "delete-fails", "bucket-not-empty",
  "export-in-use", "slow-nat", "hanging-create", "signal-missing", "drifted", "busy-stack", "throttled",
  "flaky-network", "eventual-consistency", "wrong-clock", "credentials-expire",
}
