"""Event source mappings: Kinesis shards and SQS queues delivered to functions in batches."""
