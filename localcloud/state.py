"""The state directory: which process runs there, and where it listens."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from localcloud.errors import StateError

FILE = "localcloud.json"


def write(state_dir: Path, document: dict[str, Any]) -> None:
    """Writes the state file in one step: a reader never sees half of it."""
    temporary = state_dir / f".{FILE}"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(document, indent=2) + "\n")
    temporary.replace(state_dir / FILE)


def read(state_dir: Path) -> dict[str, Any] | None:
    """The state file's content, or None when there is none. Raises `StateError` for rubbish."""
    path = state_dir / FILE
    try:
        document = json.loads(path.read_text())
        return {**document, "pid": int(document["pid"]), "endpoint": str(document["endpoint"])}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"expected the state of a laptop cloud in {path}, found something else ({error}):"
            " delete the file, or give another --state"
        ) from error


def get(endpoint: str, path: str, body: bytes | None = None, timeout: float = 10) -> Any:
    """The JSON answer of an admin route. Raises OSError when nobody listens."""
    request = urllib.request.Request(f"{endpoint}{path}", data=body)
    # Loopback never goes through a proxy that the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.loads(error.read())


def alive(pid: int) -> bool:
    """Whether a process of that id exists and is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # another user's process, or no /proc on this system
        return True


def running(state_dir: Path) -> dict[str, Any] | None:
    """The state of the cloud that runs from this directory, or None.

    A process id alone proves nothing after a reboot: the endpoint has to answer, and as the
    process of that id.
    """
    document = read(state_dir)
    if document is None or not alive(document["pid"]):
        return None
    try:
        health = get(document["endpoint"], "/_localcloud/health", timeout=5)
    except (OSError, ValueError):
        return None
    return document if health.get("pid") == document["pid"] else None
