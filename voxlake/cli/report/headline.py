"""The headline finding in words, chosen from the numbers by fixed rules."""

from __future__ import annotations

from datetime import date

from voxlake.cli.report.data import ReportData, Split

MIN_TEXTS = 50  # a tracker or day with fewer texts makes no headline
MOSTLY = 0.5


def headline(data: ReportData) -> str:
    """One or two sentences; says so when there is nothing to say."""
    if not data.overall.total:
        return "No text has been scored yet."
    known = [t for t in data.trackers if t.total >= MIN_TEXTS]
    if not known:
        subject, split, days = "overall", data.overall, data.days
    else:
        # The tracker with the strongest mood, weighed by how many share it.
        split = max(known, key=lambda t: abs(t.polarity) * t.total**0.5)
        subject, days = f"about {split.name}", data.tracker_days.get(split.name, [])
    return f"People were {mood(split)} {subject}: {evidence(split)}.{extreme_day(split, days)}"


def mood(split: Split) -> str:
    """`mostly negative`, `more positive than negative`, `divided` …"""
    for sentiment in ("negative", "positive"):
        if split.share(sentiment) >= MOSTLY:
            return f"mostly {sentiment}"
    if split.share("neutral") >= MOSTLY:
        return "mostly neutral"
    if abs(split.share("negative") - split.share("positive")) < 0.05:
        return "divided"
    more = "negative" if split.negative > split.positive else "positive"
    less = "positive" if more == "negative" else "negative"
    return f"more {more} than {less}"


def evidence(split: Split) -> str:
    """The shares that carry the mood, with n."""
    if split.share("neutral") >= MOSTLY:
        return f"{split.share('neutral'):.0%} neutral of {split.total:,} texts"
    return (
        f"{split.share('negative'):.0%} negative and {split.share('positive'):.0%} positive "
        f"of {split.total:,} texts"
    )


def extreme_day(split: Split, days: list[Split]) -> str:
    """A sentence on the worst (or best) day, when there are enough days to compare."""
    enough = [d for d in days if d.total >= MIN_TEXTS]
    if len(enough) < 2:
        return ""
    if split.negative >= split.positive:
        day = max(enough, key=lambda d: d.share("negative"))
        return f" The worst day was {spoken(day.name)}, with {day.share('negative'):.0%} negative."
    day = max(enough, key=lambda d: d.share("positive"))
    return f" The best day was {spoken(day.name)}, with {day.share('positive'):.0%} positive."


def spoken(day: str) -> str:
    """2015-02-22 -> 22 February 2015."""
    found = date.fromisoformat(day)
    return f"{found.day} {found:%B %Y}"
