"""An issuer of tokens on 127.0.0.1: its OpenID document, its keys, tokens signed with them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey


class Issuer:
    """A context manager; `url` is the issuer's name, ending in a slash."""

    def __init__(self) -> None:
        self.keys = {"first": _key("first")}
        self.fetched: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Issuer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rotate(self, kid: str) -> None:
        """Signs with a new key from now on; the old one is published no more."""
        self.keys = {kid: _key(kid)}

    def token(self, *, key: RSAKey | None = None, **claims: Any) -> str:
        """A token for `voxlake`, of `kim`, for five minutes; a claim of None is left out."""
        kid = next(iter(self.keys))
        now = int(time.time())
        whole = {
            "iss": self.url,
            "sub": "kim",
            "aud": "voxlake",
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": kid}, whole, key or self.keys[kid])

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetched.append(self.path)
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}keys",
                    },
                    "/keys": {"keys": [k.as_dict(private=False) for k in issuer.keys.values()]},
                }
                document = documents.get(self.path)
                content = json.dumps(document).encode()
                self.send_response(200 if document else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        return Handler


def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig", "alg": "RS256"})
