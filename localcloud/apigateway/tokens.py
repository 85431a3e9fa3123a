"""JWT authorizers: tokens are checked against the issuer's published keys.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from localcloud.errors import ServiceError

ALGORITHMS = ["RS256", "RS384", "RS512"]
KEPT_S = 7200.0  # AWS keeps the keys for two hours
ASKED_AGAIN_S = 5.0  # for a key that is not among those kept
TIMEOUT_S = 1.5


class TokenRefused(Exception):
    """Why a token is not accepted."""


class Issuers:
    """The keys of issuers, fetched through their OpenID document and kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, KeySet]] = {}
        self._lock = threading.Lock()

    def keys(self, issuer: str, kid: str) -> KeySet:
        """Raises `TokenRefused` when the issuer does not publish the key."""
        with self._lock:
            at, keys = self._kept.get(issuer, (-KEPT_S, None))
            age = self._clock() - at
            if keys is None or age > KEPT_S or (not _has(keys, kid) and age > ASKED_AGAIN_S):
                keys = _fetch(issuer)
                self._kept[issuer] = self._clock(), keys
        if not _has(keys, kid):
            raise TokenRefused(f"the issuer {issuer} publishes no key {kid!r}")
        return keys


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)


def _fetch(issuer: str) -> KeySet:
    # Loopback never goes through a proxy that the environment names.
    loopback = urlsplit(issuer).hostname in ("127.0.0.1", "localhost")
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if loopback else []))
    try:
        with opener.open(
            f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=TIMEOUT_S
        ) as answer:
            address = json.load(answer)["jwks_uri"]
        with opener.open(address, timeout=TIMEOUT_S) as answer:
            return KeySet.import_key_set(json.load(answer))
    except (OSError, ValueError, LookupError, TypeError, JoseError) as error:
        raise TokenRefused(f"the keys of the issuer {issuer} cannot be read: {error}") from error


def check(
    header: str,
    configuration: Mapping[str, Any],
    scopes: Iterable[str],
    issuers: Issuers,
    now: datetime,
) -> dict[str, Any]:
    """requestContext.authorizer of a request with this Authorization header.

    Raises `TokenRefused`; `ServiceError` Forbidden (403) when the token has none of the scopes.
    """
    token = header[7:] if header[:7].lower() == "bearer " else header
    issuer, audiences = configuration["issuer"], set(configuration["audience"])
    try:
        kid = _unverified(token).get("kid")
        if not kid:
            raise TokenRefused("the token names no key (kid)")
        # No crit, no alg none: the algorithms are those of RSA, whatever the token says.
        claims = jwt.decode(token, issuers.keys(issuer, kid), algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=lambda: int(now.timestamp()), exp={"essential": True}, iss={"value": issuer}
        ).validate({"iss": None, **claims})
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(str(error)) from error
    named = claims["aud"] if "aud" in claims else claims.get("client_id")
    if not audiences & set(named if isinstance(named, list) else [named]):
        raise TokenRefused("the token is for another audience")
    given = claims.get("scope") or claims.get("scp") or []
    given = given.split() if isinstance(given, str) else list(given)
    wanted = set(scopes)
    if wanted and not wanted & set(given):
        raise ServiceError("Forbidden", "Forbidden", 403)
    return {"jwt": {"claims": {n: _text(v) for n, v in claims.items()}, "scopes": given or None}}


def _unverified(token: str) -> dict[str, Any]:
    from joserfc.jws import extract_compact

    return dict(extract_compact(token.encode()).headers())


def _text(claim: Any) -> str:
    """Claims reach the function as text; a list as `[a b]`."""
    if isinstance(claim, list):
        return f"[{' '.join(map(_text, claim))}]"
    return claim if isinstance(claim, str) else json.dumps(claim)
