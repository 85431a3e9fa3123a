"""Event source mappings: Kinesis shards delivered to functions in batches."""
