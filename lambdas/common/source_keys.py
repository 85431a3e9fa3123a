"""The key of a source, from its secret; packaged with each function."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from voxlake.errors import TerminalError


class KeyMissingError(TerminalError):
    """The secret holds no key yet, or something else than a key."""


def read_key(client: Any, secret: str, member: str) -> str:
    """The member of a secret whose value is a JSON object, such as ``{"api_key": "..."}``.

    It is read in every run, so a new key works at once.

    Args:
        client: Secrets Manager client.
        secret: ARN of the secret.

    Raises:
        KeyMissingError: the secret has no value (the template creates it so), or another shape;
            the message never repeats the value.
    """
    wanted = f'expected the secret {secret} to hold {{"{member}": "..."}}'
    then = "put the key there as docs/sources.md says"
    try:
        value = client.get_secret_value(SecretId=secret)["SecretString"]
    except ClientError as error:
        # Without the grant the code is another one, and that is an error of the deployment.
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise KeyMissingError(f"{wanted}, found no value; {then}") from None
    except KeyError:
        raise KeyMissingError(f"{wanted}, found bytes; {then}") from None
    try:
        key = json.loads(value)[member]
    except (ValueError, KeyError, TypeError):
        raise KeyMissingError(f"{wanted}, found another shape; {then}") from None
    # What is no printable ASCII cannot be sent in a header.
    if not isinstance(key, str) or not key.strip() or not (key.isascii() and key.isprintable()):
        raise KeyMissingError(f"{wanted}, found an empty or unprintable one; {then}")
    return key.strip()
