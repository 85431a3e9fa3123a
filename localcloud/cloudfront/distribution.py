"""What a distribution is configured to do, read from its template's properties.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from localcloud.cloudformation.resource import unsupported
from localcloud.errors import DeployError

# AWS's managed policies, by their fixed ids. Nothing is cached here, so both caches are one.
CACHE_POLICIES = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": "CachingOptimized",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "CachingDisabled",
}
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
# What changes nothing on loopback: there is one place, one protocol, no cache, no log delivery.
IGNORED = {
    "Comment", "HttpVersion", "IPV6Enabled", "Logging", "PriceClass", "ViewerCertificate",
}  # fmt: skip
REGIONAL_DOMAIN = re.compile(r"[^.]+\.s3\.[a-z0-9-]+\.amazonaws\.com")


@dataclass(frozen=True)
class Origin:
    """Where requests go: a bucket by name, or a host."""

    host: str
    bucket: str | None
    access_control: str | None


@dataclass(frozen=True)
class Behavior:
    """What happens to the paths that match a pattern; `*` is the default one."""

    pattern: str
    origin: Origin
    methods: frozenset[str]
    passes_viewer: bool
    headers_policy: str | None


@dataclass(frozen=True)
class Distribution:
    """A distribution; `behaviors` in order of precedence, the default one last."""

    id: str
    arn: str
    root_object: str
    behaviors: tuple[Behavior, ...]

    def behavior(self, path: str) -> Behavior:
        """The first whose pattern matches the path, with or without its leading slash."""
        return next(
            b for b in self.behaviors if fnmatchcase(path.lstrip("/"), b.pattern.lstrip("/"))
        )


def read_distribution(where: str, id_: str, arn: str, config: Mapping[str, Any]) -> Distribution:
    """The distribution of a DistributionConfig.

    Raises `UnsupportedPropertyError` for a member that is not honoured, `DeployError` for a policy
    that is not known here; `where` names the resource in them.
    """
    members = Members(where, config)
    origins = {o["Id"]: _origin(where, o) for o in members.take("Origins")}
    if not members.take("Enabled"):
        raise DeployError(f"{where}: expected Enabled to be true: delete what is not to be served")
    default = {"PathPattern": "*", **members.take("DefaultCacheBehavior")}
    behaviors = [*members.take("CacheBehaviors", []), default]
    root = members.take("DefaultRootObject", "")
    members.done(IGNORED)
    return Distribution(id_, arn, root, tuple(_behavior(where, b, origins) for b in behaviors))


def _origin(where: str, config: Mapping[str, Any]) -> Origin:
    members = Members(where, config)
    host, s3 = members.take("DomainName"), members.take("S3OriginConfig", None)
    access_control = members.take("OriginAccessControlId", None)
    if s3 and s3 != {"OriginAccessIdentity": ""}:
        raise unsupported(where, ["S3OriginConfig.OriginAccessIdentity"])
    if s3 and not REGIONAL_DOMAIN.fullmatch(host):
        raise DeployError(f"{where}: expected a bucket's regional domain name, found {host!r}")
    members.done({"Id", "CustomOriginConfig"})
    return Origin(host, host.partition(".")[0] if s3 else None, access_control)


def _behavior(where: str, config: Mapping[str, Any], origins: Mapping[str, Origin]) -> Behavior:
    members = Members(where, config)
    cache, request = members.take("CachePolicyId"), members.take("OriginRequestPolicyId", None)
    if cache not in CACHE_POLICIES or request not in (None, ALL_VIEWER_EXCEPT_HOST):
        raise DeployError(
            f"{where}: expected the managed policies {', '.join(CACHE_POLICIES.values())} and"
            f" AllViewerExceptHostHeader, found {cache} and {request}"
        )
    behavior = Behavior(
        members.take("PathPattern"),
        origins[members.take("TargetOriginId")],
        frozenset(members.take("AllowedMethods", ["GET", "HEAD"])),
        request is not None,
        members.take("ResponseHeadersPolicyId", None),
    )
    # Loopback is no wire: what plain HTTP is sent to HTTPS for cannot happen.
    members.done({"Compress", "ViewerProtocolPolicy"})
    return behavior


def response_headers(where: str, config: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Header, value, and whether it replaces the origin's, of a ResponseHeadersPolicyConfig."""
    members = Members(where, config)
    security = Members(where, members.take("SecurityHeadersConfig", {}))
    custom = members.take("CustomHeadersConfig", {"Items": []})["Items"]
    members.done({"Name", "Comment"})
    found = [(h["Header"], h["Value"], bool(h["Override"])) for h in custom]
    for member, header, value in SECURITY:
        if setting := security.take(member, None):
            found.append((header, value(setting), bool(setting["Override"])))
    security.done(set())
    return found


def _hsts(setting: Mapping[str, Any]) -> str:
    flags = [("IncludeSubdomains", "; includeSubDomains"), ("Preload", "; preload")]
    extra = "".join(text for name, text in flags if setting.get(name))
    return f"max-age={setting['AccessControlMaxAgeSec']}{extra}"


SECURITY = (
    ("ContentSecurityPolicy", "content-security-policy", lambda s: s["ContentSecurityPolicy"]),
    ("ContentTypeOptions", "x-content-type-options", lambda s: "nosniff"),
    ("FrameOptions", "x-frame-options", lambda s: s["FrameOption"]),
    ("ReferrerPolicy", "referrer-policy", lambda s: s["ReferrerPolicy"]),
    ("StrictTransportSecurity", "strict-transport-security", _hsts),
)


class Members:
    """The members of a structure, each to be taken by name."""

    def __init__(self, where: str, config: Mapping[str, Any]) -> None:
        self._where, self._left = where, dict(config)

    def take(self, name: str, *default: Any) -> Any:
        if name not in self._left and not default:
            raise DeployError(f"{self._where}: {name} is missing")
        return self._left.pop(name, *default)

    def done(self, ignored: set[str]) -> None:
        """Raises `UnsupportedPropertyError` for what was not taken."""
        if left := set(self._left) - ignored:
            raise unsupported(self._where, left)
