"""Options of the whole suite."""

from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="Write the golden rows anew: review the diff."
    )
