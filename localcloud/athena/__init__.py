"""Amazon Athena: queries of the Glue Data Catalog, run by DuckDB."""
