"""What each CloudFormation type becomes: calls of the service's API.

A mapping consumes by name each property that the template sets; one that is left over is an error.
Members within a property are checked against the API's own model.
"""

from localcloud.cloudformation.mappings import (  # noqa: F401
    analytics,
    compute,
    distributions,
    http_apis,
    identity,
    networks,
    observability,
    queues,
    quicksight,
    storage,
    warehouse,
)
