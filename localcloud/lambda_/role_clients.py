"""boto3 clients that act under a role, for services that work on a role's behalf."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
from botocore.config import Config

from localcloud.core import Cloud

REFRESH_S = 2400.0  # a session lives for an hour


class RoleClients:
    """Clients by (role, service), renewed well before their credentials expire."""

    def __init__(self, cloud: Cloud, principal: str) -> None:
        self.cloud = cloud
        self.principal = principal
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], tuple[float, Any]] = {}

    def client(self, role_arn: str, service: str) -> Any:
        """A client of `service`. Raises `ServiceError` AccessDenied when the role does not trust
        the principal, NoSuchEntity when there is no such role."""
        with self._lock:
            born, client = self._clients.get((role_arn, service), (0.0, None))
            if client is None or time.monotonic() - born > REFRESH_S:
                client = self._new_client(role_arn, service)
                self._clients[role_arn, service] = (time.monotonic(), client)
            return client

    def _new_client(self, role_arn: str, service: str) -> Any:
        session_name = self.principal.split(".")[0]
        keys = self.cloud.role_credentials(role_arn, session_name, self.principal)
        return boto3.session.Session(
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"],
            region_name=self.cloud.region,
        ).client(
            service,
            endpoint_url=self.cloud.endpoint,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 1},
                read_timeout=960,
                proxies={},
                s3={"addressing_style": "path"},
            ),
        )
