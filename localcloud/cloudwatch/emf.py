"""CloudWatch's embedded metric format: metrics written as log lines.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json

from localcloud.cloudwatch.store import Bucket
from localcloud.core import Cloud


def put_embedded(cloud: Cloud, line: str) -> int:
    """Puts the metrics of a log line; how many values there were: 0 in a line of another format.

    A metric is put once per set of dimensions; an empty set is the metric without dimensions. Who
    writes the line has a clock of its own, so its time is moved by what the cloud's was.
    """
    try:
        document = json.loads(line) if '"CloudWatchMetrics"' in line else {}
    except ValueError:
        return 0
    metadata = document.get("_aws")
    if not isinstance(metadata, dict):
        return 0
    minute = int((metadata["Timestamp"] / 1000 + cloud.clock.offset.total_seconds()) // 60)
    count = 0
    for directive in metadata["CloudWatchMetrics"]:
        metrics = [m for m in directive.get("Metrics", []) if document.get(m["Name"]) is not None]
        for names in directive.get("Dimensions") or [[]]:
            dimensions = tuple(sorted((n, str(document[n])) for n in names if n in document))
            for metric in metrics:
                found = document[metric["Name"]]
                values = [float(v) for v in (found if isinstance(found, list) else [found])]
                if not values:
                    continue
                count += len(values)
                key = (directive["Namespace"], metric["Name"], dimensions)
                cloud.metric_store.add(key, minute, Bucket.of(values), metric.get("Unit", "None"))
    return count
