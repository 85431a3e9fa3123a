"""Serves deployed distributions at `/_cloudfront/<distribution id>/<path>`.

Also by the Host `<id in lower case>.cloudfront.net`. Nothing is cached, and CloudFront's own API is
not emulated.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudfront.distribution import Behavior, Distribution
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.iam.policy import as_list
from localcloud.iam.resource import require
from localcloud.request import Response

log = logging.getLogger(__name__)
PREFIX = re.compile(r"/_cloudfront/(?P<id>[A-Z0-9]+)(?P<path>/.*|)", re.DOTALL)
HOST = re.compile(r"(?P<id>[a-z0-9]+)\.cloudfront\.net(:\d+)?")
PRINCIPAL = "cloudfront.amazonaws.com"


class CloudFrontService:
    """`distributions` by id, `header_policies` by id, `access_controls`: ids; deployment fills
    them."""

    name = "cloudfront"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.actions: dict[str, Any] = {}
        self.distributions: dict[str, Distribution] = {}
        self.header_policies: dict[str, list[tuple[str, str, bool]]] = {}
        self.access_controls: set[str] = set()

    def status(self) -> dict[str, Any]:
        return {"distributions": [self.address(id_) for id_ in self.distributions]}

    def address(self, id_: str) -> str:
        return f"{self.cloud.endpoint}/_cloudfront/{id_}/"

    def serve(self, environ: dict[str, Any], body: bytes) -> Response | None:
        """A distribution's answer; None for a request to none."""
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if at := PREFIX.fullmatch(path):
            id_, path = at["id"], at["path"]
        elif at := HOST.fullmatch(environ.get("HTTP_HOST", "")):
            id_ = at["id"].upper()
        else:
            return None
        found = self.distributions.get(id_)
        if found is None:
            return _error(404, f"no distribution {id_}")
        if not path:  # so that the page's relative addresses stay below
            return Response(302, [("location", self.address(id_))], b"")
        behavior = found.behavior(path)
        if environ["REQUEST_METHOD"] not in behavior.methods:
            return _error(403, "the behavior does not allow this method")
        try:
            if behavior.origin.bucket is None:
                answer = self._from_host(behavior, path, environ, body)
            else:
                key = path.removeprefix("/") or found.root_object
                answer = self._from_bucket(found, behavior, key, environ)
        except ServiceError as error:
            log.info("%s %s: %s", id_, path, error)
            answer = _error(error.status, error.message)
        return self._with_headers(answer, behavior.headers_policy)

    def _from_host(
        self, behavior: Behavior, path: str, environ: dict[str, Any], body: bytes
    ) -> Response:
        """The origins of the template are APIs of this cloud, known to it by their host."""
        forwarded = {
            **environ,
            "HTTP_HOST": behavior.origin.host,
            "PATH_INFO": path.encode().decode("latin-1"),
        }
        if not behavior.passes_viewer:
            forwarded["QUERY_STRING"] = ""
            for name in ("HTTP_AUTHORIZATION", "HTTP_COOKIE"):
                forwarded.pop(name, None)
        return self.cloud.application.answer(forwarded, body)

    def _from_bucket(
        self, found: Distribution, behavior: Behavior, key: str, environ: dict[str, Any]
    ) -> Response:
        """The object, if bucket and key policies admit the distribution.

        Who may not list a bucket is told 403 of an object that is not there, as by S3.
        """
        bucket, control = behavior.origin.bucket, behavior.origin.access_control
        if control not in self.access_controls:
            raise ServiceError("AccessDenied", "the origin has no origin access control", 403)
        self._require(bucket, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", found.arn)
        client = self.cloud.client("s3")
        wanted = environ.get("HTTP_IF_NONE_MATCH")
        try:
            got = client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise ServiceError("AccessDenied", f"{key}: Access Denied", 403) from error
        if key_arn := got.get("SSEKMSKeyId"):
            self._require_key(key_arn, found.arn)
        names = ("ContentType", "content-type"), ("CacheControl", "cache-control"), ("ETag", "etag")
        headers = [(header, got[name]) for name, header in names if got.get(name)]
        if wanted == got["ETag"]:
            return Response(304, headers, b"")
        return Response(200, headers, got["Body"].read())

    def _require(self, bucket: str, action: str, resource: str, source_arn: str) -> None:
        from moto.s3.models import s3_backends

        found = s3_backends[self.cloud.account]["aws"].buckets.get(bucket)
        _check(self.cloud, found.policy if found else None, action, resource, source_arn)

    def _require_key(self, key_arn: str, source_arn: str) -> None:
        from moto.kms.models import kms_backends

        keys = kms_backends[self.cloud.account][self.cloud.region].keys
        key = keys.get(key_arn.rpartition("/")[2])
        _check(self.cloud, key.policy if key else None, "kms:Decrypt", key_arn, source_arn)

    def _with_headers(self, answer: Response, policy: str | None) -> Response:
        present = {name.lower() for name, _ in answer.headers}
        for name, value, overrides in self.header_policies.get(policy or "", ()):
            if name in present and not overrides:
                continue
            answer.headers = [h for h in answer.headers if h[0].lower() != name] + [(name, value)]
        return answer


def _check(cloud: Cloud, policy: Any, action: str, resource: str, source_arn: str) -> None:
    """Raises `AccessDeniedError`, as 403, unless the policy admits the distribution."""
    statements = as_list(json.loads(policy or "{}").get("Statement"))
    try:
        require(cloud, statements, PRINCIPAL, action, resource, source_arn)
    except ServiceError as error:
        raise ServiceError("AccessDenied", error.message, 403) from error


def _error(status: int, text: str) -> Response:
    return Response(status, [("content-type", "text/plain")], text.encode())
