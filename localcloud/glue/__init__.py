"""AWS Glue: job runs under PySpark and crawlers, over moto's Data Catalog."""
