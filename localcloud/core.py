"""The `Cloud`: what every service of the laptop cloud is given."""

from __future__ import annotations

import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localcloud.cloudwatch.store import MetricStore
from localcloud.errors import LocalCloudError

log = logging.getLogger(__name__)

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROOT_ACCESS_KEY_ID = "AKIALOCALCLOUDROOT01"
ROOT_SECRET_ACCESS_KEY = "localcloud-root-secret-access-key-0000001"


class Clock:
    """The time every service goes by: the host's, and what it was moved on by (`offset`).

    `sleep` takes real time and ends early when the cloud stops. Whoever does something at a time
    holds `moving`, so that nobody moves the clock meanwhile.
    """

    def __init__(self, stop_event: threading.Event) -> None:
        self._stop_event = stop_event
        self.offset = timedelta()
        self.moving = threading.RLock()

    def now(self) -> datetime:
        """The current time, in UTC and with time zone."""
        return datetime.now(UTC) + self.offset

    def sleep(self, seconds: float) -> None:
        self._stop_event.wait(seconds)


class Cloud:
    """One laptop cloud: its address, folders, clock, services (by boto3 name) and clients.

    `endpoint` is empty until the server listens.
    """

    account = ACCOUNT
    region = REGION

    def __init__(self, state_dir: Path, *, clock: Clock | None = None) -> None:
        self.state_dir = Path(state_dir).resolve()
        self.endpoint = ""
        self.s3_root = self.state_dir / "s3"
        self.log_dir = self.state_dir / "logs"
        for folder in (self.s3_root, self.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self.stop_event = threading.Event()
        self.clock = clock or Clock(self.stop_event)
        self.metric_store = MetricStore()
        self.services: dict[str, Any] = {}
        # What sessions of each role were allowed to do, and did.
        self.used_actions: dict[str, set[str]] = {}
        self.started_at = self.clock.now()
        self.application: Any = None
        self._session = boto3.session.Session(
            aws_access_key_id=ROOT_ACCESS_KEY_ID,
            aws_secret_access_key=ROOT_SECRET_ACCESS_KEY,
            region_name=self.region,
        )
        self._clients: dict[str, Any] = {}
        self._clients_lock = threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client of `service` with root credentials, shared between threads."""
        with self._clients_lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        if not self.endpoint:
            raise LocalCloudError(
                f"expected a listening endpoint before a {service} client is asked for, found none:"
                " ask for clients in start() or later"
            )
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=64,
            read_timeout=900,
            proxies={},
            s3={"addressing_style": "path"},
            # `api.127.0.0.1` is no host.
            inject_host_prefix=False,
        )
        return self._session.client(service, endpoint_url=self.endpoint, config=config)

    def role_credentials(
        self, role_arn: str, session_name: str, service: str | None = None
    ) -> dict[str, str]:
        """Credentials of a session of the role, as environment variables.

        With `service` (a principal such as `lambda.amazonaws.com`) the role's trust policy has to
        admit it. Raises `ServiceError` AccessDenied when it does not, NoSuchEntity when there is
        no such role.
        """
        from localcloud.iam.roles import role_credentials

        return role_credentials(self, role_arn, session_name, service)

    def environment(
        self, role_arn: str, *, session_name: str = "session", service: str | None = None
    ) -> dict[str, str]:
        """The environment of a process that runs under the role: the host's without AWS_*.

        The user's own AWS profile files are out of reach, so that a laptop with a profile behaves
        like one without.
        """
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment.update(self.role_credentials(role_arn, session_name, service))
        environment.update(
            AWS_REGION=self.region,
            AWS_DEFAULT_REGION=self.region,
            AWS_ENDPOINT_URL=self.endpoint,
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
            NO_PROXY="127.0.0.1,localhost",
            no_proxy="127.0.0.1,localhost",
        )
        return environment

    def root_environment(self) -> dict[str, str]:
        """The variables that point any AWS client at this cloud as root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_ACCESS_KEY,
        }

    def metrics(self, emf_line: str) -> int:
        """Puts the metrics of one line of a function's log; how many values there were."""
        from localcloud.cloudwatch.emf import put_embedded

        return put_embedded(self, emf_line)

    def emit_event(self, source: str, detail_type: str, detail: dict[str, Any]) -> None:
        """Puts an event of an AWS service on the default event bus (such as "aws.glue")."""
        if "events" in self.services:
            self.services["events"].deliver(source, detail_type, detail)

    def s3_sync_in(self, bucket: str | None = None) -> int:
        """Takes into S3 what was written to or removed from the folders of the buckets.

        Returns the number of objects that changed. Without `bucket`, every bucket.
        """
        from localcloud.s3.sync import sync_in

        return sync_in(self, bucket)

    def status(self) -> dict[str, Any]:
        """What every service says of itself, and where the cloud is."""
        return {
            "endpoint": self.endpoint,
            "region": self.region,
            "account": self.account,
            "pid": os.getpid(),
            "started_at": self.started_at.isoformat(),
            "services": {n: s.status() for n, s in self.services.items() if hasattr(s, "status")},
        }

    def stop(self) -> None:
        """Stops every service, last started first; a service that fails to stop is logged."""
        self.stop_event.set()
        for name, service in reversed(list(self.services.items())):
            if hasattr(service, "stop"):
                try:
                    service.stop()
                except Exception:
                    log.exception("stopping %s", name)
