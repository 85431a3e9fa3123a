"""What texts say beyond their sentiment, asked of Athena: emotions, who is named, topics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from voxlake.cli.report.shares import Shares, Split
from voxlake.measures import of_rows

SCORED = "voxlake_analytics.texts_scored"
LABELS = {"PER": "people", "ORG": "organisations", "LOC": "places"}
SHOWN_ENTITIES = 8
# A name that one or two texts mention may be anybody's; it is in the tables, not on the page.
MIN_MENTIONS = 3
SHOWN_TOPICS = 12

Ask = Callable[[str], list[dict]]


@dataclass
class Said:
    """Texts in scope: those the model was trained to read.

    Attributes:
        overall: emotions of all of them.
        emotions: names, the commonest first.
        over_time, trackers: emotions by hour or day, by tracker.
        entities: {PER, LOC or ORG: what is named, by the texts' sentiment}.
        topics: by the texts' sentiment, too.
        without_topic: texts that have none.
        out_of_scope: {language: texts} that were left out.
    """

    overall: Shares = field(default_factory=lambda: Shares("all", 0, {}))
    emotions: list[str] = field(default_factory=list)
    over_time: list[Shares] = field(default_factory=list)
    trackers: list[Shares] = field(default_factory=list)
    entities: dict[str, list[Split]] = field(default_factory=dict)
    topics: list[Split] = field(default_factory=list)
    without_topic: int = 0
    out_of_scope: dict[str, int] = field(default_factory=dict)


def gather_said(ask: Ask, *, moment: str, moments: list[str], counts: str) -> Said:
    """Asks the warehouse.

    Args:
        moment: SQL that gives the hour or day a text counts in; moments: those to tell of.
        counts: SQL that counts texts by sentiment, and their mean polarity.

    Raises QueryError when a table is missing or a query fails.
    """
    overall = _shares(ask, "'all'", "WHERE in_scope")
    said = Said(
        overall=overall[0] if overall else Shares("all", 0, {}),
        out_of_scope={
            row["language"]: row["n"]
            for row in ask(
                f"SELECT language, count(*) AS n FROM {SCORED} WHERE in_scope = false "
                "GROUP BY 1 ORDER BY n DESC, language"
            )
        },
    )
    texts = said.overall.texts
    said.emotions = sorted(texts, key=lambda emotion: (-texts[emotion], emotion))
    by_moment = {shares.name: shares for shares in _shares(ask, moment, "WHERE in_scope")}
    said.over_time = [by_moment.get(name, Shares(name, 0, {})) for name in moments]
    said.trackers = sorted(
        _shares(ask, "tracker", "CROSS JOIN UNNEST(trackers) AS t (tracker) WHERE in_scope"),
        key=lambda shares: (-shares.total, shares.name),
    )[:SHOWN_TOPICS]
    for row in ask(_ENTITIES.format(counts=counts)):
        said.entities.setdefault(row.pop("label"), []).append(Split(**row))
    said.topics = [
        Split(**row)
        for row in ask(
            f"SELECT topic AS name, {counts} FROM {SCORED} WHERE in_scope AND topic IS NOT NULL "
            f"GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {SHOWN_TOPICS}"
        )
    ]
    (row,) = ask(f"SELECT count(*) AS n FROM {SCORED} WHERE in_scope AND topic IS NULL")
    said.without_topic = row["n"]
    return said


def _shares(ask: Ask, name: str, tail: str) -> list[Shares]:
    totals = ask(
        f"SELECT {name} AS name, {of_rows(['texts'], 'n')} FROM {SCORED} {tail} "
        "GROUP BY 1 ORDER BY 1"
    )
    unnested = tail.replace("WHERE", "CROSS JOIN UNNEST(emotions) AS e (emotion) WHERE")
    texts: dict[str, dict[str, int]] = {}
    for row in ask(
        f"SELECT {name} AS name, emotion, {of_rows(['emotion_texts'], 'n')} "
        f"FROM {SCORED} {unnested} GROUP BY 1, 2"
    ):
        texts.setdefault(row["name"], {})[row["emotion"]] = row["n"]
    return [Shares(row["name"], row["n"], texts.get(row["name"], {})) for row in totals]


# A text counts once for what it names, under the spelling that most texts use.
_ENTITIES = f"""
    WITH named AS (SELECT DISTINCT event_id, dt, sentiment, polarity, e.label, e.text,
                          lower(e.text) AS entity
                   FROM {SCORED} CROSS JOIN UNNEST(entities) AS e (text, label, start, "end")
                   WHERE in_scope),
         spelt AS (SELECT label, entity, max_by(text, n) AS name
                   FROM (SELECT label, entity, text, count(*) AS n FROM named GROUP BY 1, 2, 3) s
                   GROUP BY 1, 2),
         counted AS (SELECT label, entity, {{counts}}
                     FROM (SELECT DISTINCT event_id, dt, sentiment, polarity, label, entity
                           FROM named) d
                     GROUP BY 1, 2 HAVING count(*) >= {MIN_MENTIONS}),
         placed AS (SELECT c.*, s.name, row_number() OVER (PARTITION BY c.label ORDER BY
                             c.negative + c.neutral + c.positive DESC, c.entity) AS place
                    FROM counted c JOIN spelt s ON s.label = c.label AND s.entity = c.entity)
    SELECT label, name, negative, neutral, positive, polarity FROM placed
    WHERE place <= {SHOWN_ENTITIES} ORDER BY label, place"""
