"""Starting, stopping and asking the background process."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from localcloud import state
from localcloud.errors import StateError

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 15


def up(state_dir: Path, port: int) -> dict[str, Any]:
    """Starts the background process; the content of its state file, once it is healthy.

    The state of an earlier cloud is removed. Raises `StateError` when one is running from this
    directory, the directory holds something else, or the process ends before it is healthy.
    """
    prepare(state_dir)
    log_path = state_dir / "logs" / "process.log"
    with log_path.open("ab") as output:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "localcloud", "up", "--foreground", "--prepared"),
                *("--state", str(state_dir), "--port", str(port)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        document = state.running(state_dir)
        if document is not None:
            return document
        if child.poll() is not None:
            lines = log_path.read_text(errors="replace").split("\n")
            said = next((line for line in reversed(lines) if line.strip()), "")
            raise StateError(said.removeprefix("error: ") or f"it ended: see {log_path}")
        time.sleep(0.05)
    child.terminate()
    raise StateError(f"not healthy within {START_TIMEOUT_SECONDS} s: see {log_path}")


def prepare(state_dir: Path) -> None:
    """Makes the state directory empty but for the folder of logs. Raises `StateError`."""
    document = state.running(state_dir)
    if document is not None:
        raise StateError(
            f"a laptop cloud already runs from {state_dir} at {document['endpoint']}"
            f" (process {document['pid']}): stop it with `down` first"
        )
    try:
        if state_dir.exists():
            if any(state_dir.iterdir()) and not (state_dir / state.FILE).exists():
                raise StateError(
                    f"expected {state_dir} to be empty or the state of a laptop cloud, found other"
                    " files: give another --state"
                )
            shutil.rmtree(state_dir)
        (state_dir / "logs").mkdir(parents=True)
    except OSError as error:
        raise StateError(f"{state_dir} cannot be used as state directory: {error}") from error


def serve(state_dir: Path, port: int) -> None:
    """Runs the cloud in this process until SIGTERM or SIGINT."""
    _log_to(state_dir)
    # The user's profiles, keys and endpoints stay out of every client made in this process.
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    from localcloud import core, server

    running = server.start(state_dir, port)
    cloud = running.cloud
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: cloud.stop_event.set())
    state.write(
        state_dir,
        {
            "endpoint": cloud.endpoint,
            "pid": os.getpid(),
            "region": cloud.region,
            "account": cloud.account,
            "access_key_id": core.ROOT_ACCESS_KEY_ID,
            "secret_access_key": core.ROOT_SECRET_ACCESS_KEY,
            "started_at": cloud.started_at.isoformat(),
        },
    )
    print(f"the laptop cloud listens at {cloud.endpoint}", flush=True)
    cloud.stop_event.wait()
    running.stop()


def down(state_dir: Path) -> bool:
    """Stops the process; False when none runs. Its state stays until the next `up`."""
    document = state.read(state_dir)
    if document is None or not state.alive(document["pid"]):
        return False
    pid = document["pid"]
    if state.running(state_dir) is None and not _is_ours(pid):
        return False  # the id was given to another program since
    for number, seconds in ((signal.SIGTERM, STOP_TIMEOUT_SECONDS), (signal.SIGKILL, 5)):
        os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # another process's child is reaped by its parent
                os.waitpid(pid, os.WNOHANG)
            if not state.alive(pid):
                return True
            time.sleep(0.05)
    raise StateError(f"process {pid} does not end: stop it by hand")


def status(state_dir: Path) -> dict[str, Any]:
    """What the cloud says of itself. Raises `StateError` when none runs."""
    return state.get(endpoint(state_dir), "/_localcloud/status", timeout=60)


def endpoint(state_dir: Path) -> str:
    """Where the cloud listens. Raises `StateError` when none runs."""
    document = state.running(state_dir)
    if document is None:
        raise StateError(f"no laptop cloud runs from {state_dir}: start one with `up`")
    return document["endpoint"]


def _is_ours(pid: int) -> bool:
    """Whether the process that does not answer is a laptop cloud all the same."""
    command = ["ps", "-o", "command=", "-p", str(pid)]
    try:
        return b"localcloud" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # no /proc on this system
        return b"localcloud" in subprocess.run(command, capture_output=True, check=False).stdout


def _log_to(state_dir: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(
        state_dir / "logs" / "localcloud.log", maxBytes=20_000_000, backupCount=2
    )
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.captureWarnings(True)
