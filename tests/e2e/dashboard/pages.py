"""What the tests of the page name, and short ways to look at it."""

from __future__ import annotations

from datetime import UTC, datetime

from voxlake.tickets.ids import make_ticket_id

VIDEO = "dQw4w9WgXcQ"
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BAG = make_ticket_id("BAG", NOW, "x", "1")
FEE = make_ticket_id("FEE", NOW, "x", "2")


def until(page, holds) -> None:
    """Looks every 50 ms, for 10 s; playwright's own wait needs `eval`, which the page forbids."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to hold within 10 s")
