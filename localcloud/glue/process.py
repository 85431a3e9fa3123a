"""A child process with its own process group, so that stopping it takes its JVM along."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any


class GroupProcess:
    """A started command (`options` are Popen's); `stop` kills the whole group."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **options: Any) -> None:
        options = {"stdin": subprocess.DEVNULL, "start_new_session": True} | options
        self.popen = subprocess.Popen(command, env=dict(env), **options)

    def stop(self, grace_seconds: float = 2.0) -> None:
        """End the group: SIGTERM, then SIGKILL for whatever is left of it."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(grace_seconds)
        self.sweep()
        self.popen.wait()

    def sweep(self) -> None:
        """Kill what a command that has ended (or was killed) left running in its group."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # The group outlives its leader while any member runs, so this is safe after poll().
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number)
