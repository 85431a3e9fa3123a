"""CloudWatch Logs: saved queries, which moto does not keep."""
