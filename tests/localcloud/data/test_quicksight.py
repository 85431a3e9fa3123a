"""QuickSight on the laptop: what does not fit the lake or itself is refused by name."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.data import lake

ACCOUNT = "123456789012"
ATHENA = ("athena:*", "glue:Get*", "glue:BatchGet*", "s3:*")
OWNER = f"arn:aws:quicksight:us-east-1:{ACCOUNT}:group/default/analysts"
SQL = "SELECT CAST(dt AS DATE) AS day, text, likes, polarity FROM db.texts"
COLUMNS = {"day": "DATETIME", "text": "STRING", "likes": "INTEGER", "polarity": "DECIMAL"}


class Desk:
    """A QuickSight client with the arguments that every call has."""

    def __init__(self, quicksight: Any) -> None:
        self.quicksight = quicksight

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return getattr(self.quicksight, operation)(AwsAccountId=ACCOUNT, **arguments)

    def refused(self, operation: str, **arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            self.ask(operation, **arguments)
        return caught.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def desk(cloud: Any, client: Any, create_role: Any, tmp_path_factory: Any) -> Desk:
    """A desk with the data source `athena` and the data set `texts`."""
    lake.build(client, tmp_path_factory.mktemp("lake"))
    client("athena").create_work_group(
        Name="analysts",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/q/"}},
    )
    desk = Desk(client("quicksight"))
    source(desk, "athena", create_role("quicksight", *ATHENA))
    desk.ask("create_data_set", **data_set("texts"))
    return desk


def source(desk: Desk, name: str, role: str) -> None:
    desk.ask(
        "create_data_source",
        DataSourceId=name,
        Name=name,
        Type="ATHENA",
        DataSourceParameters={"AthenaParameters": {"WorkGroup": "analysts", "RoleArn": role}},
        Permissions=[{"Principal": OWNER, "Actions": ["quicksight:PassDataSource"]}],
    )


def arn(kind: str, name: str) -> str:
    return f"arn:aws:quicksight:us-east-1:{ACCOUNT}:{kind}/{name}"


def data_set(name: str, *, of: str = "athena", sql: str = SQL, **columns: str | None) -> dict:
    """A data set's arguments; None leaves a column out."""
    declared = {n: t for n, t in (COLUMNS | columns).items() if t is not None}
    table = {
        "DataSourceArn": arn("datasource", of),
        "Name": name,
        "SqlQuery": sql,
        "Columns": [{"Name": n, "Type": t} for n, t in declared.items()],
    }
    tables = {"texts": {"CustomSql": table}}
    return {"DataSetId": name, "Name": name, "ImportMode": "SPICE", "PhysicalTableMap": tables}


def test_a_data_set_is_imported_when_it_is_made(desk):
    found = desk.ask("describe_data_set", DataSetId="texts")["DataSet"]
    assert {c["Name"]: c["Type"] for c in found["OutputColumns"]} == COLUMNS
    (ingestion,) = desk.ask("list_ingestions", DataSetId="texts")["Ingestions"]
    assert ingestion["IngestionStatus"] == "COMPLETED"
    assert ingestion["RowInfo"] == {"RowsIngested": 3, "RowsDropped": 0, "TotalRowsInDataset": 3}
    assert [d["DataSetId"] for d in desk.ask("list_data_sets")["DataSetSummaries"]] == ["texts"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"likes": "STRING"}, "data set bad: column likes: declared STRING, the SQL gives bigint"),
        ({"shares": "INTEGER"}, "column shares: the SQL gives day, text, likes, polarity"),
        ({"polarity": None}, "column polarity: the SQL gives it, and it is not declared"),
        ({"sql": "SELECT nothing FROM db.texts"}, "COLUMN_NOT_FOUND"),
        ({"sql": "SELECT 1 FROM db.none"}, "TABLE_NOT_FOUND"),
        ({"of": "none"}, "datasource/none is not found"),
    ],
)
def test_a_data_set_that_does_not_fit_the_lake_is_refused_and_not_made(desk, changes, reason):
    assert reason in desk.refused("create_data_set", **data_set("bad", **changes))
    assert "not found" in desk.refused("describe_data_set", DataSetId="bad")


def test_the_sources_role_asks_and_has_to_be_allowed(desk, create_role):
    source(desk, "blind", create_role("blind", "athena:*", "s3:*"))
    assert "glue:" in desk.refused("create_data_set", **data_set("unseen", of="blind"))


def test_an_incremental_refresh_takes_the_window_anew_and_leaves_the_rest(desk):
    today = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d}"
    sql = (
        f"SELECT day, text FROM (VALUES (DATE '2015-02-17', 'old'), (DATE '{today}', 'a'), "
        f"(DATE '{today}', 'b')) AS t (day, text)"
    )
    columns = {"likes": None, "polarity": None}
    desk.ask("create_data_set", **data_set("grows", sql=sql, **columns))
    started = {"DataSetId": "grows", "IngestionType": "INCREMENTAL_REFRESH"}
    refused = desk.refused("create_ingestion", IngestionId="i", **started)
    assert refused == "INCREMENTAL_REFRESH: data set grows has no lookback window"

    def window(column: str) -> dict:
        lookback = {"ColumnName": column, "Size": 2, "SizeUnit": "DAY"}
        refresh = {"IncrementalRefresh": {"LookbackWindow": lookback}}
        return {"DataSetId": "grows", "DataSetRefreshProperties": {"RefreshConfiguration": refresh}}

    put = "put_data_set_refresh_properties"
    assert "text is no column of type DATETIME" in desk.refused(put, **window("text"))
    desk.ask(put, **window("day"))
    daily = {"ScheduleId": "daily", "RefreshType": "INCREMENTAL_REFRESH"}
    daily["ScheduleFrequency"] = {"Interval": "DAILY", "TimeOfTheDay": "04:00", "Timezone": "UTC"}
    desk.ask("create_refresh_schedule", DataSetId="grows", Schedule=daily)
    (kept,) = desk.ask("list_refresh_schedules", DataSetId="grows")["RefreshSchedules"]
    assert kept == daily | {"Arn": arn("dataset", "grows/refresh-schedule/daily")}
    desk.ask("create_ingestion", IngestionId="i", **started)
    done = desk.ask("describe_ingestion", DataSetId="grows", IngestionId="i")["Ingestion"]
    assert done["RowInfo"] == {"RowsIngested": 2, "RowsDropped": 0, "TotalRowsInDataset": 3}


def board(**changes: Any) -> dict[str, Any]:
    """A definition with one visual and one filter; `changes` replace values by dotted path."""
    column = {"DataSetIdentifier": "t", "ColumnName": "Likes a text"}
    value = {"NumericalMeasureField": {"FieldId": "likes", "Column": column}}
    day = {"DataSetIdentifier": "t", "ColumnName": "day"}
    found = {
        "DataSetIdentifierDeclarations": [
            {"Identifier": "t", "DataSetArn": arn("dataset", "texts")}
        ],
        "CalculatedFields": [
            {"DataSetIdentifier": "t", "Name": "Likes a text", "Expression": "avg({likes})"}
        ],
        "ParameterDeclarations": [
            {"DateTimeParameterDeclaration": {"Name": "From", "TimeGranularity": "DAY"}}
        ],
        "FilterGroups": [
            {
                "FilterGroupId": "days",
                "CrossDataset": "SINGLE_DATASET",
                "Filters": [
                    {
                        "TimeRangeFilter": {
                            "FilterId": "days-filter",
                            "Column": day,
                            "NullOption": "NON_NULLS_ONLY",
                            "RangeMinimumValue": {"Parameter": "From"},
                        }
                    }
                ],
                "ScopeConfiguration": {
                    "SelectedSheets": {
                        "SheetVisualScopingConfigurations": [
                            {"SheetId": "s", "Scope": "SELECTED_VISUALS", "VisualIds": ["v"]}
                        ]
                    }
                },
            }
        ],
        "Sheets": [
            {
                "SheetId": "s",
                "Name": "One",
                "Visuals": [
                    {
                        "KPIVisual": {
                            "VisualId": "v",
                            "ChartConfiguration": {"FieldWells": {"Values": [value]}},
                        }
                    }
                ],
            }
        ],
    }
    found = copy.deepcopy(found)
    for path, new in changes.items():
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        node: Any = found
        for step in way:
            node = node[step]
        node[last] = new
    return found


VALUE = "Sheets.0.Visuals.0.KPIVisual.ChartConfiguration.FieldWells.Values.0.NumericalMeasureField"
FILTER = "FilterGroups.0.Filters.0.TimeRangeFilter"
SCOPE = "FilterGroups.0.ScopeConfiguration.SelectedSheets.SheetVisualScopingConfigurations.0"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (f"{VALUE}.Column.ColumnName", "views", "Field likes: data set t has no column views"),
        (f"{VALUE}.Column.DataSetIdentifier", "u", "Field likes: data set u is not declared"),
        (f"{FILTER}.Column.ColumnName", "hour", "FilterGroup days: data set t has no column hour"),
        (f"{FILTER}.RangeMinimumValue.Parameter", "To", "parameter To is not declared"),
        (f"{SCOPE}.SheetId", "z", "there is no sheet z"),
        (f"{SCOPE}.VisualIds", ["w"], "sheet s has no visual w"),
        (
            "CalculatedFields.0.Expression",
            "avg({view})",
            "Likes a text: its data set has no column view",
        ),
        ("CalculatedFields.0.Name", "Likes", "has a column or field of that name"),
        ("DataSetIdentifierDeclarations.0.DataSetArn", arn("dataset", "z"), "data set t: there is"),
        ("Sheets.0.Visuals", [{"KPIVisual": {"VisualId": "v"}}] * 2, "Visual v is given 2 times"),
    ],
)
def test_a_definition_that_does_not_hold_together_is_refused_by_name(desk, path, value, reason):
    found = desk.refused(
        "create_dashboard", DashboardId="bad", Name="bad", Definition=board(**{path: value})
    )
    assert reason in found
    assert "not found" in desk.refused("describe_dashboard", DashboardId="bad")


def test_an_analysis_and_a_dashboard_are_kept_and_described(desk):
    for kind in ("analysis", "dashboard"):
        given = {f"{kind.title()}Id": "good"}
        desk.ask(f"create_{kind}", **given, Name="Good", Definition=board())
        found = desk.ask(f"describe_{kind}_definition", **given)
        assert (found["Definition"], found["ResourceStatus"]) == (board(), "CREATION_SUCCESSFUL")
        assert "already exists" in desk.refused(
            f"create_{kind}", **given, Name="Good", Definition=board()
        )
    desk.ask("update_dashboard", DashboardId="good", Name="Better", Definition=board())
    shown = desk.ask("describe_dashboard", DashboardId="good")["Dashboard"]
    assert (shown["Name"], shown["Version"]["VersionNumber"]) == ("Better", 2)
    assert shown["Version"]["Sheets"] == [{"SheetId": "s", "Name": "One"}]
    assert [d["Name"] for d in desk.ask("list_dashboards")["DashboardSummaryList"]] == ["Better"]
    assert [a["AnalysisId"] for a in desk.ask("list_analyses")["AnalysisSummaryList"]] == ["good"]


@pytest.mark.parametrize(
    ("permission", "reason"),
    [
        ({"Principal": OWNER, "Actions": ["quicksight:Look"]}, "there is no quicksight:Look"),
        ({"Principal": "analysts", "Actions": ["quicksight:QueryDashboard"]}, "Principal analysts"),
    ],
)
def test_permissions_name_principals_and_actions_that_there_are(desk, permission, reason):
    made = {"DashboardId": "x", "Name": "x", "Definition": board(), "Permissions": [permission]}
    assert reason in desk.refused("create_dashboard", **made)


def test_what_is_not_done_is_refused_by_name(desk):
    made = data_set("more") | {"LogicalTableMap": {}}
    made["LogicalTableMap"] = {"t": {"Alias": "t", "Source": {"PhysicalTableId": "texts"}}}
    assert "LogicalTableMap: not done by the laptop cloud" in desk.refused(
        "create_data_set", **made
    )
