"""Lambda's event source mapping actions; moto never owns a mapping.

(moto would call the function inside PutRecord, record by record.)
"""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import Any

from botocore.exceptions import ClientError

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.event_source import queues
from localcloud.event_source.mapping import Mapping, invalid, parse_settings
from localcloud.event_source.poller import ShardPoller
from localcloud.event_source.shards import shard, stream
from localcloud.lambda_.role_clients import RoleClients
from localcloud.lambda_.service import bare_name
from localcloud.request import Request

log = logging.getLogger(__name__)
WATCH_S = 2.0  # how often new shards are looked for, and a refused role's grants are tried again
ACCESS_S = 30.0  # how often the grants of a role that had them are tried again


class EventSourceService:
    """Mappings and their pollers. Needs the Lambda and Kinesis services beside it."""

    name = "event_source"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.roles = RoleClients(cloud, "lambda.amazonaws.com")
        self._lock = threading.RLock()
        self._mappings: dict[str, Mapping] = {}
        self._pollers: dict[tuple[str, str], ShardPoller | queues.QueuePoller] = {}
        self.actions = {
            "lambda:CreateEventSourceMapping": self.create,
            "lambda:GetEventSourceMapping": lambda r: self._mapping(r).to_response(),
            "lambda:ListEventSourceMappings": self.list,
            "lambda:UpdateEventSourceMapping": self.update,
            "lambda:DeleteEventSourceMapping": self.delete,
        }

    def start(self) -> None:
        threading.Thread(target=self._watch, name="event-sources", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            pollers, self._pollers = list(self._pollers.values()), {}
        for poller in pollers:
            poller.stop()
        for poller in pollers:
            poller.thread.join(timeout=2)

    def status(self) -> dict[str, Any]:
        with self._lock:
            mappings, pollers = list(self._mappings.values()), list(self._pollers.values())
        result = {}
        for mapping in mappings:
            result[mapping.uuid] = {
                "function": mapping.function_name,
                "source": mapping.source_arn,
                "state": "Enabled" if mapping.enabled else "Disabled",
                "last_result": mapping.problem or mapping.result,
                "iterator_age_ms": max(
                    (p.iterator_age_ms() for p in pollers if p.mapping is mapping), default=0
                ),
                "discarded_records": mapping.discarded,
            }
        return {"mappings": result}

    # ----- actions

    def create(self, request: Request) -> dict[str, Any]:
        params = request.params
        arn, position = params.get("EventSourceArn") or "", params.get("StartingPosition")
        function = self._function(params["FunctionName"]).settings
        if arn.startswith("arn:aws:sqs:"):
            settings = queues.parse(params)
            queues.check_visibility(self.cloud, arn, function.timeout_s)
        else:
            if not re.fullmatch(r"arn:aws:kinesis:[^/]*:stream/[^/]+", arn):
                raise invalid(f"expected the ARN of a Kinesis stream or a queue, found {arn!r}")
            if position not in ("TRIM_HORIZON", "LATEST"):
                raise invalid(f"expected StartingPosition TRIM_HORIZON or LATEST, found {position}")
            settings = parse_settings(params)
        mapping = Mapping(
            source_arn=arn,
            function_name=function.name,
            function_arn=function.arn,
            starting_position=position,
            settings=settings,
            enabled=params.get("Enabled") is not False,
            modified=self.cloud.clock.now(),
        )
        self._check_access(mapping)
        if mapping.refused:
            raise invalid(mapping.problem)
        with self._lock:
            for other in self._mappings.values():
                if (other.source_arn, other.function_arn) == (arn, function.arn):
                    raise ServiceError(
                        "ResourceConflictException",
                        "An event source mapping with event source arn and function already"
                        f" exists. Please update or delete the existing mapping with UUID"
                        f" {other.uuid}",
                        409,
                    )
            self._mappings[mapping.uuid] = mapping
            for shard_id in () if mapping.of_queue else stream(self.cloud, arn).shards:
                start = shard(self.cloud, arn, shard_id).start(position, None, None)
                mapping.checkpoints[shard_id] = start
            self._ensure_pollers(mapping)
        return mapping.to_response("Creating")

    def list(self, request: Request) -> dict[str, Any]:
        name, arn = request.params.get("FunctionName"), request.params.get("EventSourceArn")
        with self._lock:
            found = [
                mapping.to_response()
                for mapping in self._mappings.values()
                if (not name or bare_name(name) == mapping.function_name)
                and arn in (None, mapping.source_arn)
            ]
        return {"EventSourceMappings": found}

    def update(self, request: Request) -> dict[str, Any]:
        mapping, params = self._mapping(request), request.params
        if mapping.of_queue:
            settings = queues.parse(params, mapping.settings)
        else:
            settings = parse_settings(params, mapping.settings)
        function = self._function(params.get("FunctionName") or mapping.function_name).settings
        with self._lock:
            mapping.settings = settings
            mapping.function_name, mapping.function_arn = function.name, function.arn
            if params.get("Enabled") is not None:
                mapping.enabled = bool(params["Enabled"])
            mapping.modified = self.cloud.clock.now()
            self._ensure_pollers(mapping)
        return mapping.to_response()

    def delete(self, request: Request) -> dict[str, Any]:
        mapping = self._mapping(request)
        with self._lock:
            self._mappings.pop(mapping.uuid, None)
            mapping.enabled = False
            self._ensure_pollers(mapping)
        return mapping.to_response("Deleting")

    # ----- inside

    def _mapping(self, request: Request) -> Mapping:
        mapping = self._mappings.get(request.params["UUID"])
        if mapping is None:
            raise ServiceError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404
            )
        return mapping

    def _function(self, name: str) -> Any:
        return self.cloud.services["lambda"].function(name)

    def _ensure_pollers(self, mapping: Mapping) -> None:
        """A poller for each shard of an enabled mapping, none of a disabled one."""
        if not mapping.enabled:
            for key in [k for k in self._pollers if k[0] == mapping.uuid]:
                self._pollers.pop(key).stop()
            return
        if mapping.of_queue:
            if (mapping.uuid, "") not in self._pollers:
                poller = queues.QueuePoller(self.cloud, mapping, self.roles)
                self._pollers[mapping.uuid, ""] = poller
            return
        for shard_id in stream(self.cloud, mapping.source_arn).shards:
            # a shard that a split or merge brought is read from its beginning
            mapping.checkpoints.setdefault(shard_id, 0)
            key = (mapping.uuid, shard_id)
            if key not in self._pollers:
                self._pollers[key] = ShardPoller(self.cloud, mapping, shard_id, self.roles)

    def _watch(self) -> None:
        while not self.cloud.stop_event.wait(WATCH_S):
            for mapping in list(self._mappings.values()):
                try:
                    with self._lock:
                        self._ensure_pollers(mapping)
                    if mapping.refused or time.monotonic() - mapping.checked > ACCESS_S:
                        self._check_access(mapping)
                except LookupError:
                    continue
                except Exception:
                    log.exception("watching mapping %s", mapping.uuid)

    def _check_access(self, mapping: Mapping) -> None:
        """Notes in the mapping whether the function's role may read the source.

        Records of a stream are read inside this process, so the grants are tried with the calls
        that AWS's poller makes; those of a queue show when messages are received.
        """
        arn, problem = mapping.source_arn, None
        try:
            role = self._function(mapping.function_name).settings.role
            if mapping.of_queue:
                url = queues.url_of(self.cloud, arn)
                self.roles.client(role, "sqs").get_queue_attributes(
                    QueueUrl=url, AttributeNames=["QueueArn"]
                )
            else:
                self._read_stream(role, arn)
        except (ClientError, ServiceError) as error:
            kind, actions = (
                ("queue", "ReceiveMessage, DeleteMessage, and GetQueueAttributes")
                if mapping.of_queue
                else (
                    "stream",
                    "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
                )
            )
            problem = (
                f"PROBLEM: Cannot access {kind} {arn}. Please ensure the role can perform the"
                f" {actions} Actions on your {kind} in IAM. ({error})"
            )
        if problem or mapping.refused:
            mapping.problem = problem
        mapping.checked, mapping.refused = time.monotonic(), problem is not None

    def _read_stream(self, role: str, arn: str) -> None:
        kinesis = self.roles.client(role, "kinesis")
        description = kinesis.describe_stream(StreamARN=arn, Limit=1)["StreamDescription"]
        iterator = kinesis.get_shard_iterator(
            StreamARN=arn,
            ShardId=description["Shards"][0]["ShardId"],
            ShardIteratorType="LATEST",
        )["ShardIterator"]
        kinesis.get_records(StreamARN=arn, ShardIterator=iterator, Limit=1)
