"""Keyed pseudonyms: the same person gives the same id, and without the key nobody gets back."""

from __future__ import annotations

import hashlib
import hmac
import re

from voxlake.errors import TerminalError

_KEY_ID = re.compile(r"[A-Za-z0-9]{1,16}")
PSEUDONYM_HEX_DIGITS = 24
"""96 bits: two of a billion identities collide with probability below 1e-11."""


class PseudonymKeyError(TerminalError):
    """The pseudonym key or its id cannot be used."""


class Pseudonymiser:
    """Replaces identities by ``<key_id>_<24 hex digits>``.

    Args:
        key_id: 1-16 letters and digits, kept in front of every pseudonym so that a later key can
            be told apart.
        key: the HMAC key, at least 16 bytes.

    Raises:
        PseudonymKeyError: key_id or key does not fit the above.
    """

    def __init__(self, key_id: str, key: bytes) -> None:
        if not _KEY_ID.fullmatch(key_id):
            raise PseudonymKeyError(
                f"expected a key id of 1-16 letters and digits, found {key_id!r}; "
                "correct key_id in the pseudonym secret"
            )
        if len(key) < 16:
            raise PseudonymKeyError(
                f"expected a key of at least 16 bytes, found {len(key)}; "
                "generate a longer key in the pseudonym secret"
            )
        self.key_id = key_id
        # hmac.new hashes the padded key each time; copying a prepared one halves the cost.
        self._prepared = hmac.new(key, digestmod=hashlib.sha256)

    @classmethod
    def from_secret(cls, secret: dict[str, str]) -> Pseudonymiser:
        """From the secret's JSON ``{"key_id", "key"}``; the HMAC key is key's UTF-8 bytes.

        Raises:
            PseudonymKeyError: a member is missing or unusable.
        """
        try:
            return cls(secret["key_id"], secret["key"].encode())
        except (KeyError, TypeError, AttributeError) as error:
            raise PseudonymKeyError(
                'expected a secret {"key_id": "...", "key": "..."}, found another shape; '
                "write the pseudonym secret again"
            ) from error

    def pseudonym(self, source: str, identity: str) -> str:
        """Pseudonym of an identity within a source; a leading @ and letter case do not matter."""
        mac = self._prepared.copy()
        mac.update(f"{source}:{identity.lstrip('@').lower()}".encode("utf-8", "surrogatepass"))
        return f"{self.key_id}_{mac.hexdigest()[:PSEUDONYM_HEX_DIGITS]}"
