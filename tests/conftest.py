"""Options of the whole suite."""

from __future__ import annotations

import os

# Runs of the tests are no runs of anybody's models; the test of tracking says where it tracks.
os.environ.setdefault("MLFLOW_TRACKING_URI", "none")


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden rows anew: review the diff."
    )
