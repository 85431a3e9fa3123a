"""landing_to_cleansed in real processes: killed in each phase, stalled, side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glue_jobs.common.publisher import (
    AFTER_WRITE,
    BEFORE_LEDGER_MARK,
    BEFORE_WRITE,
    BETWEEN_PUBLISHES,
)
from tests.unit.glue.kit import LakeKit
from tests.unit.glue.properties import check_same, first_batch

pytestmark = pytest.mark.xdist_group("glue-crashes")

REPOSITORY = Path(__file__).resolve().parents[3]
PHASES = (BEFORE_WRITE, AFTER_WRITE, BETWEEN_PUBLISHES, BEFORE_LEDGER_MARK)


def start(lake: LakeKit, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.unit.glue.child_run", str(lake.folder), lake.prefix]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=REPOSITORY,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def whole(environment, spark, tmp_path_factory) -> LakeKit:
    """A lake that nothing happened to."""
    lake = LakeKit(tmp_path_factory.mktemp("whole")).create()
    first_batch(lake)
    lake.cleanse()
    return lake


@pytest.fixture(scope="module")
def killed(environment, tmp_path_factory) -> dict[str, LakeKit]:
    """A lake for each phase, in which a run was killed; two runs side by side, to save time."""
    lakes = {phase: LakeKit(tmp_path_factory.mktemp(phase)).create() for phase in PHASES}

    def kill(phase: str) -> None:
        first_batch(lakes[phase])
        child = start(lakes[phase], "run-1", "SIGKILL", phase)
        out, err = child.communicate(timeout=240)
        assert child.returncode == -signal.SIGKILL, (out, err)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill, PHASES))
    return lakes


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_run_repeated_gives_the_same_tables(killed, whole, phase):
    lake = killed[phase]
    published = len(lake.versions("posts")) + len(lake.versions("comments"))
    assert {BEFORE_WRITE: 0, AFTER_WRITE: 0}.get(phase, published) == published
    assert (published > 0) == (phase in (BETWEEN_PUBLISHES, BEFORE_LEDGER_MARK))
    lake.cleanse("run-2")
    check_same(lake, whole)
    assert lake.ledger.pending_objects() == []
    assert not list((lake.folder / "cleansed").rglob(".spark-staging*"))


def test_two_runs_at_once_the_first_stalled_beyond_its_lease(whole, lake):
    """The second takes over; the first, awake again, publishes nothing over it."""
    first_batch(lake)
    child = start(lake, "run-1", "SIGSTOP", AFTER_WRITE)
    try:
        assert os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT).si_status == signal.SIGSTOP
        lake.cleanse("run-2")
        check_same(lake, whole)
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=240)
    finally:
        child.kill()
    assert child.returncode == 0, err
    assert "lease" in out
    assert "another run has processed it" in out
    check_same(lake, whole)
    assert {item["run_id"] for item in lake.versions("posts").values()} == {"run-2"}


def test_two_runs_at_once_give_the_same_tables(whole, lake):
    first_batch(lake)
    with ThreadPoolExecutor(1) as pool:
        other = start(lake, "run-1")
        mine = pool.submit(lake.cleanse, "run-2")
        out, err = other.communicate(timeout=240)
        mine.result(timeout=240)
    assert other.returncode == 0, (out, err)
    check_same(lake, whole)
    assert {item["revision"] for item in lake.versions("posts").values()} == {1}
