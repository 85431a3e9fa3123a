"""Clients and process environments that act as a role or as a caller, as AWS's services do."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

# The host's own settings of these would reach into a job.
_HOST_SETTINGS = ("PYTHON", "SPARK_", "PYSPARK_", "HADOOP_", "JAVA_", "JDK_", "OMP_", "SM_")
# Reading a service's model is most of what a client costs, and a session reads it once.
_SESSION = boto3.session.Session()
_SESSION_LOCK = threading.Lock()


def role_arn(cloud: Any, role: str) -> str:
    """Return the ARN of a role given by name or ARN (Glue takes either)."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{cloud.account}:role/{role}"


def job_environment(cloud: Any, role: str, *, service: str, session_name: str) -> dict[str, str]:
    """Return the environment of a process that runs under `role`, assumed by `service`."""
    env = cloud.environment(role_arn(cloud, role), session_name=session_name, service=service)
    env = {name: value for name, value in env.items() if not name.startswith(_HOST_SETTINGS)}
    return env | {"TZ": "UTC", "PYTHONUNBUFFERED": "1"}


def client_as(cloud: Any, role: str, client: str, *, service: str, session_name: str) -> Any:
    """Return a boto3 client with credentials of `role`, assumed by the AWS service `service`."""
    keys = cloud.role_credentials(role_arn(cloud, role), session_name, service)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return _client(cloud, client, *(keys.get(name) for name in names))


def client_of(cloud: Any, principal: Any, client: str) -> Any:
    """Return a boto3 client with the rights of the caller of a request.

    AWS services act for their callers by forwarding the session; here the key id alone says who
    calls, so it serves the same purpose. For root the cloud's own client is returned.
    """
    if principal.kind == "root":
        return cloud.client(client)
    return _client(cloud, client, principal.access_key_id, "forwarded-session", None)


def _client(cloud: Any, client: str, key: str, secret: str, token: str | None) -> Any:
    path_style = {"addressing_style": "path"}
    retries = {"total_max_attempts": 1}
    config = Config(retries=retries, read_timeout=900, proxies={}, s3=path_style)
    with _SESSION_LOCK:
        return _SESSION.client(
            client,
            region_name=cloud.region,
            endpoint_url=cloud.endpoint,
            config=config,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return (bucket, key) of an `s3://`, `s3a://` or `s3n://` URI; ValueError for any other."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise ValueError(f"expected an s3:// URI, found {uri!r}")
    return bucket, key
