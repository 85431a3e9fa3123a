"""Leases on the ledger table: one holder, renewal, loss, release."""

from __future__ import annotations

import threading
import time
import uuid

import pytest

from glue_jobs.common.errors import LeaseLostError, LeaseTimeoutError
from glue_jobs.common.lease import Leases
from glue_jobs.common.ledger import Ledger
from tests.unit.glue.kit import make_ledger

TABLES = [("db", "posts"), ("db", "comments")]


@pytest.fixture
def ledger(environment) -> Ledger:
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    make_ledger(name)
    return Ledger(name)


def test_a_held_table_is_refused_and_the_holder_named(ledger):
    with Leases(ledger, TABLES, "first", wait_seconds=0) as first:
        with pytest.raises(LeaseTimeoutError) as raised:
            Leases(ledger, [TABLES[0]], "second", wait_seconds=0).__enter__()
        assert raised.value.holder == first.owner
        assert raised.value.table_id == "db.posts"
    with Leases(ledger, TABLES, "second", wait_seconds=0):
        pass


def test_a_waiting_run_goes_on_when_the_holder_ends(ledger):
    first = Leases(ledger, TABLES, "first", wait_seconds=0)
    first.__enter__()
    threading.Timer(0.3, first.__exit__).start()
    with Leases(ledger, TABLES, "second", wait_seconds=20) as second:
        second.check()


def test_the_heartbeat_keeps_a_lease_beyond_its_life(ledger):
    with Leases(ledger, TABLES, "first", wait_seconds=0, seconds=3) as first:
        begun = time.time()
        while time.time() - begun < 4.5:
            first.check()
            assert not ledger.take_lease("db", "posts", "other", int(time.time()), 30)
            time.sleep(0.3)


def test_a_lease_that_ran_out_is_taken_by_another_and_publishing_refused(ledger):
    moment = [1000.0]
    # Its heartbeat would come after ten seconds of the real clock.
    first = Leases(ledger, TABLES, "first", wait_seconds=0, seconds=30, now=lambda: moment[0])
    with first:
        moment[0] += 31
        with (
            Leases(ledger, TABLES, "second", wait_seconds=0, now=lambda: moment[0]),
            pytest.raises(LeaseLostError),
        ):
            first.check()


def test_two_attempts_of_one_run_are_two_owners(ledger):
    with (
        Leases(ledger, TABLES, "run", wait_seconds=0),
        pytest.raises(LeaseTimeoutError),
    ):
        Leases(ledger, TABLES, "run", wait_seconds=0).__enter__()
