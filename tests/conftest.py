"""Options of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

# moto reads its settings once. Whoever imports the laptop cloud first would set those of its server
# for every test of this process and of workers that it starts, and S3 by virtual host would find no
# bucket.
os.environ.pop("S3_IGNORE_SUBDOMAIN_BUCKETNAME", None)
import moto.settings  # noqa: F401
import pytest
from hypothesis import settings

# Runs of the tests are no runs of anybody's models; the test of tracking says where it tracks.
os.environ.setdefault("MLFLOW_TRACKING_URI", "none")

# A change is judged by the same examples each time; VOXLAKE_EXPLORE=1 looks at new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("explore" if os.environ.get("VOXLAKE_EXPLORE") else "same")

_HERE = Path(__file__).parent
# A file is one worker's, and one that begins last makes the others wait: the longest begin first.
_LONGEST = (
    "e2e/test_airline_lake.py",
    "e2e/test_airflow.py",
    "unit/glue/test_features_and_analytics.py",
    "e2e/test_golden_lake.py",
    "unit/glue/test_crashes.py",
    "e2e/",
    "unit/glue/",
    "test_sagemaker/",
    "unit/replies/test_",
    "infra/",
)


def pytest_configure(config):
    # xdist would begin with the files that have the most tests, which are the quick ones.
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    def place(item):
        path = item.path.relative_to(_HERE).as_posix()
        found = (at for at, begin in enumerate(_LONGEST) if path.startswith(begin))
        return next(found, len(_LONGEST))

    items.sort(key=place)


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden rows anew: review the diff."
    )
