"""The dashboard's data sets and the report, over one small lake: the same figures from both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.constructs.dashboard_definition import TYPES, definition
from localcloud import server
from tests.unit.lambdas import warehouse_rows as rows
from tests.unit.lambdas.test_warehouse import Small, same
from tests.unit.lambdas.warehouse_kit import SERVICES
from voxlake.cli.report.data import COUNTS, SCORED, TRACKED
from voxlake.cli.report.said import gather_said
from voxlake.cli.report.tickets import gather_tickets
from voxlake.measures import DATA_SETS, MEASURES, SHEETS, of_rows
from voxlake.measures.data_sets import EVENT_KINDS
from voxlake.measures.definitions import SENTIMENTS, STATES, MeasureError

Row = dict[str, Any]
ACCOUNT = "123456789012"
VERSION = "2012-10-17"
DATABASES = ("voxlake_analytics", "voxlake_cleansed")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """Three days of texts and interactions, tickets in every state, and QuickSight."""
    folder = tmp_path_factory.mktemp("measures")
    services = [*SERVICES, "localcloud.quicksight.service:QuickSightService"]
    with server.start(folder / "cloud", services=services) as cloud:
        keys = cloud.root_environment()
        session = boto3.Session(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=cloud.region
        )
        found = Small(lambda name: session.client(name, endpoint_url=cloud.endpoint), folder)
        for number, dt in enumerate(rows.DAYS):
            found.set("texts_scored", dt, rows.texts(dt, 13, seed=number))
            found.set("interactions", dt, rows.interactions(dt, 7))
            found.set("tickets", dt, rows.tickets(dt, 5, state=STATES[number]))
        found.count()
        yield found


def data_set(small: Small, name: str) -> list[Row]:
    return small.athena(DATA_SETS[name].sql(*DATABASES))


def expected(small: Small) -> dict[str, list[Row]]:
    """The rows of every data set, counted in Python from texts, interactions and tickets."""
    scored, reacted = small.all("texts_scored"), small.all("interactions")
    asked = small.all("tickets")
    tracked = [row for row in rows._tracked(scored) if row["in_scope"]]
    scope = {k: len(g) for k, g in rows._by(tracked, "dt", "tracker", "source").items()}
    shown = {
        (row["dt"], row["tracker"], row["source"], row["emotion"]): row["texts"]
        for row in rows.emotion_daily(scored)
    }
    last = max(row["dt"] for row in scored)
    found = {
        "sentiment": rows.sentiment_hourly(scored),
        "topics": rows.sentiment_by_topic(scored),
        "emotions": [
            {"dt": dt, "tracker": tracker, "source": source, "emotion": emotion,
             "emotion_texts": shown.get((dt, tracker, source, emotion), 0), "texts_in_scope": n}
            for (dt, tracker, source), n in scope.items() for emotion in rows.SCORES
        ],
        "engagement": [
            row | {"interactions": sum(row[f"interactions_{kind}"] for kind in rows.KINDS)}
            for row in rows.engagement_daily(scored, reacted)
        ],
        "tickets": [
            row | {"tickets": 1, **{f"{s}_tickets": int(row["state"] == s) for s in STATES}}
            for row in rows._tracked(asked)
        ],
        "movers": [row for row in rows.movers_daily(scored) if row["dt"] == last],
        "freshness": rows.freshness(scored, reacted, asked),
        "events": [
            {"dt": dt, "kind": "interactions", "events": len(group),
             "newest_arrival": max(row["arrival"] for row in group)}
            for (dt,), group in rows._by(reacted, "dt").items()
        ],
    }  # fmt: skip
    return {
        name: [
            {column: row["dt" if column == "day" else column] for column in of.column_names}
            for row in found[name]
        ]
        for name, of in DATA_SETS.items()
    }


def test_every_data_set_has_the_rows_that_python_counts(small):
    wanted = expected(small)
    for name in DATA_SETS:
        assert same(data_set(small, name)) == same(wanted[name]), name


# Measures over the records of a table, and over a data set: the same by each of these names.
PAIRS = [
    ("sentiment", ("tracker",), TRACKED, (*SENTIMENTS, "texts", "negative_share", "polarity")),
    ("sentiment", ("source", "event_type"), SCORED, ("texts", "positive_share", "polarity")),
    ("engagement", ("tracker",), TRACKED, ("likes", "shares")),
    ("topics", ("topic",), f"{SCORED} WHERE in_scope AND topic IS NOT NULL", SENTIMENTS),
    (
        "emotions",
        ("emotion",),
        f"{SCORED} CROSS JOIN UNNEST(emotions) AS e (emotion) WHERE in_scope",
        ("emotion_texts",),
    ),
    (
        "tickets",
        ("queue",),
        "voxlake_analytics.tickets",
        ("tickets", *(f"{s}_tickets" for s in STATES), "median_seconds", "p90_seconds"),
    ),
    ("events", ("kind",), "(SELECT 'interactions' AS kind, arrival FROM "
     "voxlake_cleansed.interactions) e", ("events", "newest_arrival")),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-{'-'.join(pair[1])}")
def test_a_measure_is_the_same_of_records_and_of_counts(small, pair):
    name, by, records, measures = pair
    names = ", ".join(by)
    # By tracker, (all) and (none) are of the counts only; otherwise every text counts once.
    once = {"tracker": "WHERE tracker NOT IN ('(all)', '(none)')"}.get(
        by[0], "WHERE tracker = '(all)'" if "tracker" in DATA_SETS[name].column_names else ""
    )
    counts = ", ".join(f"{MEASURES[m].of_counts()} AS {m}" for m in measures)
    of_counts = small.athena(
        f"SELECT {names}, {counts} FROM ({DATA_SETS[name].sql(*DATABASES)}) d {once} "
        f"GROUP BY {names}"
    )
    of_records = small.athena(
        f"SELECT {names}, {of_rows(measures)} FROM {records} GROUP BY {names}"
    )
    # What no text shows has no record, but a count of none.
    shown = [row for row in of_counts if row.get("emotion_texts") != "0"]
    assert of_records
    assert same(shown) == same(of_records)


def test_the_report_and_the_dashboard_say_the_same(small):
    def ask(sql: str) -> list[Row]:
        return [{n: _typed(v) for n, v in row.items()} for row in small.athena(sql)]

    def dashboard(name: str, by: str, *measures: str, where: str = "tracker = '(all)'") -> dict:
        """The measures by a column, as QuickSight takes them of a data set."""
        counts = ", ".join(MEASURES[measure].of_counts() for measure in measures)
        sql = DATA_SETS[name].sql(*DATABASES)
        found = ask(f"SELECT {by} AS name, {counts} FROM ({sql}) d WHERE {where} GROUP BY 1")
        return {row.pop("name"): tuple(row.values()) for row in found}

    split = (*SENTIMENTS, "polarity")
    days = ask(f"SELECT dt AS name, {COUNTS} FROM {SCORED} GROUP BY 1")
    said = gather_said(ask, moment="dt", moments=[*rows.DAYS], counts=COUNTS)
    tickets = gather_tickets(ask, names={})
    assert near({row.pop("name"): tuple(row.values()) for row in days}) == dashboard(
        "sentiment", "CAST(day AS VARCHAR)", *split
    )
    topics = {t.name: (t.negative, t.neutral, t.positive, t.polarity) for t in said.topics}
    assert near(topics) == dashboard("topics", "topic", *split)
    shares = {e: (said.overall.share(e),) for e in said.emotions}
    of_dashboard = dashboard("emotions", "emotion", "emotion_share")
    assert near(shares) == {name: share for name, share in of_dashboard.items() if share[0]}
    queues = {q.name: (*q.states.values(), q.median, q.p90) for q in tickets.queues}
    states = [f"{state}_tickets" for state in STATES]
    assert near(queues) == dashboard("tickets", "queue", *states, "median_seconds", "p90_seconds")
    assert tickets.overall.replied_to > 0


def near(found: dict[str, tuple]) -> dict[str, Any]:
    return {name: pytest.approx(values, rel=1e-9) for name, values in found.items()}


def _typed(value: str | None) -> Any:
    if value is None:
        return None
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def test_quicksight_takes_every_data_set_and_the_dashboard(small):
    quicksight, iam = small.client("quicksight"), small.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole",
             "Principal": {"Service": "quicksight.amazonaws.com"}}  # fmt: skip
    made = iam.create_role(
        RoleName="quicksight",
        AssumeRolePolicyDocument=json.dumps({"Version": VERSION, "Statement": [trust]}),
    )
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": VERSION, "Statement": [allowed]})
    iam.put_role_policy(RoleName="quicksight", PolicyName="p", PolicyDocument=policy)
    results = {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
    small.client("athena").create_work_group(Name="analysts", Configuration=results)
    athena = {"WorkGroup": "analysts", "RoleArn": made["Role"]["Arn"]}
    source = quicksight.create_data_source(
        AwsAccountId=ACCOUNT,
        DataSourceId="athena",
        Name="Athena",
        Type="ATHENA",
        DataSourceParameters={"AthenaParameters": athena},
    )["Arn"]
    arns, counted = {}, {}
    for name, one in DATA_SETS.items():
        table = {
            "DataSourceArn": source,
            "Name": name,
            "SqlQuery": one.sql(*DATABASES),
            "Columns": [{"Name": n, "Type": TYPES[kind]} for n, kind in one.columns],
        }
        created = quicksight.create_data_set(
            AwsAccountId=ACCOUNT,
            DataSetId=name,
            Name=name,
            ImportMode="SPICE",
            PhysicalTableMap={name: {"CustomSql": table}},
        )
        arns[name] = created["Arn"]
        ingestion = quicksight.describe_ingestion(
            AwsAccountId=ACCOUNT, DataSetId=name, IngestionId=created["IngestionId"]
        )["Ingestion"]
        counted[name] = ingestion["RowInfo"]["TotalRowsInDataset"]
    assert counted == {name: len(wanted) for name, wanted in expected(small).items()}
    quicksight.create_dashboard(
        AwsAccountId=ACCOUNT, DashboardId="moods", Name="moods", Definition=definition(arns)
    )


def test_measures_of_counts_only_are_not_taken_of_records():
    with pytest.raises(MeasureError, match="found 'interactions'"):
        of_rows(["interactions"])


def test_names_that_quicksight_takes_for_the_same_are_given_once():
    """Its fields differ by more than case."""
    titles = [measure.title.lower() for measure in MEASURES.values()]
    assert len(set(titles)) == len(titles)
    for of in DATA_SETS.values():
        assert not {column.lower() for column in of.column_names} & set(titles)


def test_no_data_set_holds_texts_or_authors():
    for of in DATA_SETS.values():
        assert not {"text", "author_id", "ticket_id", "event_id", "native_id"} & {*of.column_names}
        assert "author" not in of.query


def test_events_are_of_every_cleansed_table_of_events():
    from voxlake.tables import TABLES

    wanted = {t.name for t in TABLES.values() if "event_id" in t.key and t.zone == "cleansed"}
    assert set(EVENT_KINDS) == wanted - {"text_features"}


def test_the_documentation_names_every_sheet_data_set_and_measure_that_is_shown():
    shown = (Path(__file__).parents[3] / "docs" / "quicksight.md").read_text()
    for sheet in SHEETS:
        visuals = "; ".join(visual.title for visual in sheet.visuals)
        assert f"| {sheet.title} | {visuals} |" in shown
        for measure in {name for visual in sheet.visuals for name in visual.measures}:
            of = MEASURES[measure]
            assert f"| {of.title} | {of.unit} | {of.says} |" in shown
    for of in DATA_SETS.values():
        how = "the last days, by `day`" if of.by_day else "whole"
        assert f"| `{of.name}` | {of.asks} | {how} |" in shown
