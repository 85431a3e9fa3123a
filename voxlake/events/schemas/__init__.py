"""Generated JSON Schemas and Spark schemas; see ``voxlake.events.landing``."""
