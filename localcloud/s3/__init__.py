"""S3: moto's API over objects that lie as files in one folder per bucket, shared with Spark."""
