--- The scenarios that ship, in the order in which they are worth trying: one file each in this folder.
return {
  "create-fails", "rds-create-fails", "update-fails", "update-rollback-stuck", "delete-fails", "slow-nat",
  "hanging-create", "drifted", "throttled", "flaky-network", "eventual-consistency",
  "credentials-expire",
}
