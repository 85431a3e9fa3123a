"""What the jobs share: the ledger, leases, publishing, arguments, paths. No awsglue anywhere."""
