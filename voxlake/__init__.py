"""voxlake: what people say in public, as a lake that can be trusted and queried.

The domain package: no AWS, no Spark, no clock, no environment. Lambdas, Glue jobs, the model
server and the command line share it.
"""

__version__ = "0.1.0"
