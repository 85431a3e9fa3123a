"""CloudWatch: metrics from functions' logs."""
