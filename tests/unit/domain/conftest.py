"""Fixtures of the domain's tests: a valid event of a type, a pseudonymiser with a fixed key."""

from __future__ import annotations

import pytest

from tests.unit.domain.kit import valid_event
from voxlake.ids import Pseudonymiser


@pytest.fixture
def make_event():
    return valid_event


@pytest.fixture
def pseudonymiser() -> Pseudonymiser:
    return Pseudonymiser("k1", b"0123456789abcdef" * 4)
