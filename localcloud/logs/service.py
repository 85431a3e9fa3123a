"""What moto does not do of CloudWatch Logs: saved queries, and counting by metric filters."""

from __future__ import annotations

import uuid
from typing import Any

from localcloud.core import Cloud
from localcloud.logs import filters
from localcloud.request import Request


class LogsService:
    name = "logs"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.actions = {
            "PutQueryDefinition": self.put_query_definition,
            "DescribeQueryDefinitions": self.describe_query_definitions,
            "PutMetricFilter": self.put_metric_filter,
            "PutLogEvents": self.put_log_events,
        }
        self._definitions: dict[str, dict[str, Any]] = {}

    def put_query_definition(self, request: Request) -> dict[str, Any]:
        params = request.params
        identifier = params.get("queryDefinitionId") or str(uuid.uuid4())
        self._definitions[identifier] = {
            "queryDefinitionId": identifier,
            "name": params["name"],
            "queryString": params["queryString"],
            "logGroupNames": params.get("logGroupNames", []),
            "lastModified": int(self.cloud.clock.now().timestamp() * 1000),
        }
        return {"queryDefinitionId": identifier}

    def describe_query_definitions(self, request: Request) -> dict[str, Any]:
        prefix = request.params.get("queryDefinitionNamePrefix", "")
        found = [d for d in self._definitions.values() if d["name"].startswith(prefix)]
        return {"queryDefinitions": sorted(found, key=lambda d: d["name"])}

    def put_metric_filter(self, request: Request) -> dict[str, Any]:
        filters.check(request.params)
        return request.forward()

    def put_log_events(self, request: Request) -> dict[str, Any]:
        answer, params = request.forward(), request.params
        filters.count(
            self.cloud, params["logGroupName"], [e["message"] for e in params["logEvents"]]
        )
        return answer
