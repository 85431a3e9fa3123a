"""A run of landing_to_cleansed in a process of its own, ended or stopped at a phase.

``python -m tests.unit.glue.child_run FOLDER PREFIX RUN_ID [SIGNAL PHASE]``
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.unit.glue.kit import SHORT_LEASE_SECONDS, LakeKit


def main(folder: str, prefix: str, run_id: str, name: str = "", phase: str = "") -> None:
    reached: list[str] = []

    def on_phase(now: str) -> None:
        reached.append(now)
        if now == phase and reached.count(now) == 1:
            os.kill(os.getpid(), signal.Signals[name])

    LakeKit(Path(folder), prefix, SHORT_LEASE_SECONDS).cleanse(run_id, on_phase)
    print("ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
