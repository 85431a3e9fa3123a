"""Athena over the lake, Redshift after a load, and plain Python say the same of every row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.config import load_stage
from infra.constructs.views import ANALYST_VIEWS, VIEWS
from localcloud import server
from tests.unit.lambdas import warehouse_rows as rows
from tests.unit.lambdas.warehouse_kit import SERVICES, SmallWarehouse
from voxlake.tables import TABLES
from voxlake.warehouse.loading import FACTS
from voxlake.warehouse.questions import QUARANTINE_REASONS, QUESTIONS

Row = dict[str, Any]


class Small(SmallWarehouse):
    """The lake of these tests: what it holds, published and in Python."""

    def __init__(self, client: Any, folder: Path) -> None:
        super().__init__(client, folder)
        self.held: dict[str, dict[str, list[Row]]] = {f.lake: {} for f in FACTS}
        config = load_stage("full")
        views = {v.name: v.sql(config) for v in ANALYST_VIEWS}
        views |= {v.name: v.sql(TABLES[v.table].database()) for v in VIEWS}
        for name, sql in views.items():
            self.athena(f"CREATE VIEW voxlake_analytics.{name} AS {sql}")

    def set(self, table: str, dt: str, found: list[Row]) -> None:
        """Publish a day of a table."""
        self.held[table][dt] = found
        self.publish(table, dt, found)

    def count(self) -> None:
        """Publish what the jobs count over the texts, for Athena."""
        scored, reacted = self.all("texts_scored"), self.all("interactions")
        counted = {
            "sentiment_hourly": rows.sentiment_hourly(scored),
            "emotion_daily": rows.emotion_daily(scored),
            "topic_daily": rows.topic_daily(scored),
            "engagement_daily": rows.engagement_daily(scored, reacted),
            "authors_daily": rows.authors_daily(scored),
        }
        for table, found in counted.items():
            for dt in rows.DAYS:
                self.publish(table, dt, [row for row in found if row["dt"] == dt])

    def all(self, table: str) -> list[Row]:
        """Every row that a table holds now."""
        return [row for day in self.held[table].values() for row in day]

    def athena(self, sql: str) -> list[Row]:
        """What Athena answers."""
        athena = self.client("athena")
        output = {"OutputLocation": "s3://results/"}
        started = athena.start_query_execution(QueryString=sql, ResultConfiguration=output)
        identity = started["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while True:
            found = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            status = found["Status"]
            if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert status["State"] == "SUCCEEDED", status["StateChangeReason"]
        if found["StatementType"] != "DML":
            return []
        first, *rest = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in athena.get_paginator("get_query_results").paginate(
                QueryExecutionId=identity
            )
            for row in page["ResultSet"]["Rows"]
        ]
        return [dict(zip(first, row, strict=True)) for row in rest]

    def asked(self, sql: str) -> list[Row]:
        """What Redshift answers."""
        data = self.client("redshift-data")
        identity = self.warehouse.run([sql], "test") + ":1"
        found: list[Row] = []
        for page in data.get_paginator("get_statement_result").paginate(Id=identity):
            names = [column["name"] for column in page["ColumnMetadata"]]
            found += [
                {n: None if "isNull" in c else next(iter(c.values())) for n, c in
                 zip(names, record, strict=True)}
                for record in page["Records"]
            ]  # fmt: skip
        return found


def same(found: list[Row]) -> list[tuple]:
    """Rows in a form that is the same for every engine, without their order."""
    return sorted(tuple((name, _plain(row[name])) for name in sorted(row)) for row in found)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None).isoformat(" ", "milliseconds")
    text = str(value).lower()
    try:
        return f"{float(text):.9f}"
    except ValueError:
        pass
    try:  # Athena shows milliseconds, Redshift microseconds
        return datetime.fromisoformat(text).isoformat(" ", "milliseconds")
    except ValueError:
        return text


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("warehouse")
    with server.start(folder / "cloud", services=SERVICES) as cloud:
        keys = cloud.root_environment()
        session = boto3.Session(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=cloud.region
        )
        found = Small(lambda name: session.client(name, endpoint_url=cloud.endpoint), folder)
        for number, dt in enumerate(rows.DAYS):
            found.set("texts_scored", dt, rows.texts(dt, 13, seed=number))
            found.set("interactions", dt, rows.interactions(dt, 7))
            found.set("tickets", dt, rows.tickets(dt, 3, state="open" if number else "replied"))
        yield found


def corrected(small: Small) -> None:
    """Somebody is forgotten, a day is scored again, a ticket is closed."""
    first, second, _ = rows.DAYS
    kept = [row for row in small.held["texts_scored"][first] if row["author_id"] != "k1_1"]
    small.set("texts_scored", first, kept)
    for dt in rows.DAYS[1:]:
        left = [row for row in small.held["texts_scored"][dt] if row["author_id"] != "k1_1"]
        small.set("texts_scored", dt, left)
    small.set("texts_scored", second, rows.texts(second, 5, seed=2))
    small.set("interactions", second, [])
    small.set("tickets", second, rows.tickets(second, 2, state="closed"))


@pytest.mark.parametrize("step", ["load", "correction", "reload"])
def test_both_engines_agree_with_python_on_every_fact_aggregate_and_question(small, step):
    if step == "correction":
        corrected(small)
    small.count()
    done = small.load()
    changed = {"load": (3, 3, 3), "correction": (3, 1, 1), "reload": (0, 0, 0)}[step]
    assert tuple(counts["days"] for counts in done["tables"].values()) == changed
    if step == "reload":
        small.warehouse.run(["DELETE FROM loading.versions"], "forget")
        assert [counts["days"] for counts in small.load()["tables"].values()] == [3, 3, 3]
    _check_facts(small)
    _check_marts(small)
    _check_questions(small)


def _check_facts(small: Small) -> None:
    for fact in FACTS:
        wanted = [{n: row.get(n) for n in (*fact.columns, "dt")} for row in small.all(fact.lake)]
        columns = ", ".join([*fact.columns, "dt"])
        database = TABLES[fact.lake].database()
        assert same(small.athena(f"SELECT {columns} FROM {database}.{fact.lake}")) == same(wanted)
        assert same(small.asked(f"SELECT {columns} FROM {fact.star}")) == same(wanted)
        for bridge in fact.bridges:
            pairs = [
                {fact.key: row[fact.key], "dt": row["dt"], bridge.column: item}
                for row in small.all(fact.lake)
                for item in row[bridge.array] or []
            ]
            assert same(small.asked(f"SELECT * FROM {bridge.table}")) == same(pairs)
    seen = [*small.all("texts_scored"), *small.all("interactions")]
    authors = small.asked("SELECT author_id, texts + interactions AS n FROM star.dim_author")
    counts = {row["author_id"]: 0 for row in seen}
    for row in seen:
        counts[row["author_id"]] += 1
    assert same(authors) == same([{"author_id": a, "n": n} for a, n in counts.items()])


def _check_marts(small: Small) -> None:
    scored, reacted = small.all("texts_scored"), small.all("interactions")
    asked = small.all("tickets")
    wanted = {
        "sentiment_hourly": rows.sentiment_hourly(scored),
        "topic_daily": rows.topic_daily(scored),
        "engagement_daily": rows.engagement_daily(scored, reacted),
        "authors_daily": rows.authors_daily(scored),
        "sentiment_by_topic": rows.sentiment_by_topic(scored),
        "movers_daily": rows.movers_daily(scored),
        "freshness": rows.freshness(scored, reacted, asked),
    }
    for name, expected in wanted.items():
        assert same(small.asked(f"SELECT * FROM marts.{name}")) == same(expected), name
        assert same(small.athena(f"SELECT * FROM voxlake_analytics.{name}")) == same(expected), name


def _check_questions(small: Small) -> None:
    scored, reacted = small.all("texts_scored"), small.all("interactions")
    answers = rows.answers(scored, reacted, small.all("tickets"))
    both = [question for question in QUESTIONS if len(question.engines) == 2]
    assert {question.name for question in both} == set(answers)
    for question in both:
        athena = small.athena(question.of("athena"))
        redshift = small.asked(question.of("redshift"))
        assert same(athena) == same(answers[question.name]), question.name
        # Their order is the question's own, so it is the same too.
        assert [same([row]) for row in redshift] == [same([row]) for row in athena], question.name


def test_the_questions_for_athena_alone_are_answered_too(small):
    newest = {}
    for row in small.all("texts_scored"):
        key = (row["source"], row["event_type"], row["native_id"])
        newest[key] = max(
            newest.get(key, row), row, key=lambda r: (r["occurred_at"], r["event_id"])
        )
    named = small.athena(_question("NamedInTexts"))
    assert same(named) == same(
        [
            {"label": e["label"], "named": e["text"], "sentiment": row["sentiment"],
             "text": row["text"]}
            for row in newest.values() if row["in_scope"] for e in row["entities"]
        ]
    )  # fmt: skip
    engaged = small.athena(_question("MostEngagedTexts"))
    order = sorted(newest.values(), key=lambda r: (-_reactions(r), r["event_id"]))[:20]
    assert [(row["text"], row["reactions"]) for row in engaged] == [
        (row["text"], str(_reactions(row))) for row in order
    ]
    words = [
        {"sentiment": "negative", "tracker": "(all)", "word": "late", "texts": 4},
        {"sentiment": "negative", "tracker": "delta", "word": "late", "texts": 3},
    ]
    small.publish("word_frequencies", rows.DAYS[0], words)
    small.publish("word_frequencies", rows.DAYS[1], words[:1])
    assert same(small.athena(_question("WordsBySentiment"))) == same(
        [{"sentiment": "negative", "word": "late", "texts": 8}]
    )
    refused = [{"event_type": "post", "reason": "not_json", "field": None}] * 2
    small.publish("quarantine", rows.DAYS[0], refused)
    reasons = small.athena(QUARANTINE_REASONS.format(cleansed="voxlake_cleansed"))
    assert same(reasons) == same([refused[0] | {"dt": rows.DAYS[0], "records": 2}])


def _question(name: str) -> str:
    return next(one for one in QUESTIONS if one.name == name).of("athena")


def _reactions(row: Row) -> int:
    return (row["like_count"] or 0) + (row["share_count"] or 0)


def test_a_load_that_brings_other_rows_than_the_ledger_counted_is_undone(small):
    small.load()
    before = small.asked("SELECT COUNT(*) AS n FROM star.fact_texts")
    item = small.publish("texts_scored", rows.DAYS[0], rows.texts(rows.DAYS[0], 2))
    small.put(item | {"rows": 3})
    with pytest.raises(Exception, match="Cannot insert a NULL value into column loaded_rows"):
        small.load()
    assert small.asked("SELECT COUNT(*) AS n FROM star.fact_texts") == before
    small.put(item)
    assert small.load()["tables"]["texts_scored"] == {"days": 1, "rows": 2}


def test_the_documentation_shows_the_sql_that_is_run():
    shown = (Path(__file__).parents[3] / "docs" / "queries.md").read_text()
    for question in QUESTIONS:
        if len(question.engines) == 2:
            for engine in question.engines:
                assert f"```sql\n{question.of(engine)}\n```" in shown, question.name
