"""CloudWatch: metrics, and alarms over them."""
