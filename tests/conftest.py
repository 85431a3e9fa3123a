"""Options of the whole suite."""

from __future__ import annotations

import os

# moto reads its settings once. Whoever imports the laptop cloud first would set those of its server
# for every test of this process, and S3 by virtual host would find no bucket.
import moto.settings  # noqa: F401
from hypothesis import settings

# Runs of the tests are no runs of anybody's models; the test of tracking says where it tracks.
os.environ.setdefault("MLFLOW_TRACKING_URI", "none")

# A change is judged by the same examples each time; VOXLAKE_EXPLORE=1 looks at new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("explore" if os.environ.get("VOXLAKE_EXPLORE") else "same")


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden rows anew: review the diff."
    )
