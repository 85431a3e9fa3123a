"""The properties hold, and each of our own mutants breaks the one that is there to catch it."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from glue_jobs import landing_to_cleansed
from glue_jobs.common.publisher import BETWEEN_PUBLISHES, Publisher, Written
from tests.unit.glue import properties
from tests.unit.glue.kit import LakeKit

pytestmark = pytest.mark.xdist_group("glue-mutants")


@pytest.fixture(scope="module")
def whole(environment, spark, tmp_path_factory) -> LakeKit:
    lake = LakeKit(tmp_path_factory.mktemp("whole")).create()
    properties.first_batch(lake)
    lake.cleanse()
    return lake


def test_each_event_ends_in_its_table_once(lake):
    properties.check_each_event_once(lake)


def test_a_run_that_dies_and_is_repeated_gives_the_same_tables(lake, whole):
    properties.check_repeat_after_death(lake, whole, BETWEEN_PUBLISHES)


def test_readers_never_see_a_partition_half_written(lake):
    properties.check_readers_see_whole_partitions(lake)


def test_deduplication_off_is_caught(lake, monkeypatch):
    def all_new(lines, salts=1):
        return lines.withColumn("_status", F.lit("new")).drop("_covered")

    monkeypatch.setattr(landing_to_cleansed, "with_status", all_new)
    with pytest.raises(AssertionError):
        properties.check_each_event_once(lake)


def test_an_early_ledger_mark_is_caught(lake, whole, monkeypatch):
    def mark_first(self, written, mark):
        mark()
        self.publish(written)

    monkeypatch.setattr(Publisher, "publish_and", mark_first)
    with pytest.raises(AssertionError):
        properties.check_repeat_after_death(lake, whole, BETWEEN_PUBLISHES)


def test_publishing_before_writing_is_caught(lake, monkeypatch):
    write, publish = Publisher.write, Publisher.publish
    postponed = []

    def promise(self, writes):
        postponed.append(writes)
        return [
            Written(
                one.table,
                dt,
                self.version,
                self.lake.location(one.table, dt, self.version),
                one.rows[dt] if one.rows else 0,
                0,
                1,
                {},
            )
            for one in writes
            for dt in one.dts
        ]

    def publish_then_write(self, written):
        publish(self, written)
        write(self, postponed.pop())

    monkeypatch.setattr(Publisher, "write", promise)
    monkeypatch.setattr(Publisher, "publish", publish_then_write)
    with pytest.raises(AssertionError):
        properties.check_readers_see_whole_partitions(lake)
