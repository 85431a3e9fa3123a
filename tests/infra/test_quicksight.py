"""QuickSight in the template: the measures of the definitions, for whom the stage names."""

import json
from itertools import chain

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from infra.config import QuickSightConfig, load_stage
from infra.constructs.dashboard_definition import definition
from infra.errors import ConfigError
from tests.infra.test_permissions import LIST, PUT, USE_KEY, grants
from voxlake.measures import DATA_SETS, MEASURES, SHEETS

GROUP = "arn:aws:quicksight:us-east-1:123456789012:group/default/"
KINDS = ("DataSource", "DataSet", "Analysis", "Dashboard")
DEFINITION = definition({name: f"arn of {name}" for name in DATA_SETS})
VISUALS = {
    visual["VisualId"]: visual
    for sheet in DEFINITION["Sheets"]
    for one in sheet["Visuals"]
    for visual in one.values()
}


def fields(value, kind):
    """Every field of a kind below a value."""
    if isinstance(value, dict):
        own = [value[kind]] if kind in value else []
        return own + list(chain.from_iterable(fields(v, kind) for v in value.values()))
    if isinstance(value, list):
        return list(chain.from_iterable(fields(v, kind) for v in value))
    return []


def test_a_stage_has_it_where_somebody_owns_it(assembly):
    enabled = assembly.stage == "full"
    assert ("quicksight" in assembly.stacks) is enabled
    assert bool(load_stage(assembly.stage).quicksight.owners) is enabled


def test_every_measure_that_is_shown_is_one_of_the_definitions():
    calculated = {
        (field["DataSetIdentifier"], field["Name"]): field["Expression"]
        for field in DEFINITION["CalculatedFields"]
    }
    titles = {measure.title: measure for measure in MEASURES.values()}
    shown = set()
    for visual in VISUALS.values():
        measures = fields(visual, "NumericalMeasureField") + fields(visual, "DateMeasureField")
        assert measures, visual["VisualId"]
        for field in measures:
            column = field["Column"]["DataSetIdentifier"], field["Column"]["ColumnName"]
            assert calculated[column] == titles[column[1]].expression()
            # Aggregated already.
            assert "AggregationFunction" not in field
            shown.add(column)
    assert shown == set(calculated)


def test_every_sheet_shows_the_visuals_that_are_described():
    described = [(sheet.id, [visual.id for visual in sheet.visuals]) for sheet in SHEETS]
    found = [
        (sheet["SheetId"], [v["VisualId"] for one in sheet["Visuals"] for v in one.values()])
        for sheet in DEFINITION["Sheets"]
    ]
    assert found == described
    for sheet in DEFINITION["Sheets"]:
        (elements,) = fields(sheet["Layouts"], "Elements")
        assert sorted(e["ElementId"] for e in elements) == sorted(dict(described)[sheet["SheetId"]])
        cells = [
            (row, column)
            for e in elements
            for row in range(e["RowIndex"], e["RowIndex"] + e["RowSpan"])
            for column in range(e["ColumnIndex"], e["ColumnIndex"] + e["ColumnSpan"])
        ]
        assert len(set(cells)) == len(cells)
        assert max(column for _, column in cells) == 35


def test_a_tracker_counts_once():
    """Chosen on the sheet, or each by itself without the one that stands for all."""
    filtered = {}
    for group in DEFINITION["FilterGroups"]:
        kind = group["FilterGroupId"].rpartition("-")[0]
        for ids in fields(group, "VisualIds"):
            filtered.setdefault(kind, set()).update(ids)
    of = {v.id: DATA_SETS[v.data_set].column_names for s in SHEETS for v in s.visuals}
    by_tracker = {id_ for id_, columns in of.items() if "tracker" in columns}
    assert filtered["tracker"] | filtered["every-tracker"] | {"movers"} == by_tracker
    assert not filtered["tracker"] & filtered["every-tracker"]
    assert filtered["days"] == {id_ for id_, columns in of.items() if "day" in columns} - {"movers"}


def test_the_definition_is_what_the_api_takes():
    described = create_loader().load_service_model("quicksight", "service-2")
    shape = ServiceModel(described, "quicksight").shape_for("DashboardVersionDefinition")
    assert ParamValidator().validate(DEFINITION, shape).generate_report() == ""
    assert [f"{where}: {value}" for where, value in misnamed(DEFINITION, shape)] == []


def misnamed(value, shape, where=""):
    """Values that are none of an enumeration's, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from misnamed(one, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from misnamed(one, shape.member, where)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield where, value


def test_the_analysis_and_the_dashboard_are_one_definition(full):
    analysis = full.only("quicksight", "AWS::QuickSight::Analysis")
    dashboard = full.only("quicksight", "AWS::QuickSight::Dashboard")
    assert analysis["Definition"] == dashboard["Definition"]
    declared = analysis["Definition"].pop("DataSetIdentifierDeclarations")
    assert [one["Identifier"] for one in declared] == list(DATA_SETS)
    wanted = {k: v for k, v in DEFINITION.items() if k != "DataSetIdentifierDeclarations"}
    assert analysis["Definition"] == json.loads(json.dumps(wanted))


def test_only_those_named_may_do_anything(full):
    config = load_stage("full").quicksight
    for kind in KINDS:
        for resource in full.resources("quicksight", f"AWS::QuickSight::{kind}").values():
            permissions = resource["Properties"]["Permissions"]
            wanted = [*config.owners, *(config.readers if kind == "Dashboard" else ())]
            assert [one["Principal"] for one in permissions] == wanted
    dashboard = full.only("quicksight", "AWS::QuickSight::Dashboard")
    (reader,) = dashboard["Permissions"][1:]
    assert reader["Actions"] == [
        "quicksight:DescribeDashboard",
        "quicksight:ListDashboardVersions",
        "quicksight:QueryDashboard",
    ]
    assert "LinkSharingConfiguration" not in dashboard


def test_ids_are_the_stages_own(full):
    found = {
        resource["Properties"][f"{kind}Id"]
        for kind in KINDS
        for resource in full.resources("quicksight", f"AWS::QuickSight::{kind}").values()
    }
    names = ("athena", "moods", *DATA_SETS)
    assert found == {f"voxlake-full-{name}" for name in names}


def test_data_sets_declare_the_columns_and_are_refreshed_as_they_may_be(full):
    schedules = {}
    for one in full.resources("quicksight", "AWS::QuickSight::RefreshSchedule").values():
        schedule = one["Properties"]["Schedule"]
        when = schedule["ScheduleFrequency"]
        at = (when["Interval"], when["TimeOfTheDay"], schedule["RefreshType"])
        schedules.setdefault(one["Properties"]["DataSetId"], set()).add(at)
    for resource in full.resources("quicksight", "AWS::QuickSight::DataSet").values():
        made = resource["Properties"]
        of = DATA_SETS[made["DataSetId"].removeprefix("voxlake-full-")]
        (table,) = made["PhysicalTableMap"].values()
        assert table["CustomSql"]["SqlQuery"] == of.sql("voxlake_analytics", "voxlake_cleansed")
        assert [c["Name"] for c in table["CustomSql"]["Columns"]] == list(of.column_names)
        assert made["ImportMode"] == "SPICE"
        refresh = made["DataSetRefreshProperties"]
        daily = ("DAILY", "04:00", "INCREMENTAL_REFRESH" if of.by_day else "FULL_REFRESH")
        weekly = {("WEEKLY", "05:00", "FULL_REFRESH")} if of.by_day else set()
        assert schedules[made["DataSetId"]] == {daily} | weekly
        assert ("RefreshConfiguration" in refresh) is of.by_day
        assert refresh["FailureConfiguration"] == {"EmailAlert": {"AlertStatus": "ENABLED"}}
        if of.by_day:
            (window,) = fields(refresh, "LookbackWindow")
            assert window == {"ColumnName": "day", "Size": 7, "SizeUnit": "DAY"}
            # Rows of a day stay on that day, or those of before would be counted twice.
            assert dict(of.columns)["day"] == "date"


def test_it_asks_athena_under_a_role_that_reads_what_is_shown_and_writes_results_only(full):
    found = grants(full, "quicksight", "Athena")
    reads = {name for name in found if name.startswith(("cleansed/", "analytics/"))}
    assert reads == {
        *(f"cleansed/{t}/*" for t in ("posts", "comments", "messages", "interactions", "profiles")),
        *(f"analytics/{t}/*" for t in ("emotion_daily", "engagement_daily", "sentiment_hourly",
                                       "texts_scored", "tickets")),
    }  # fmt: skip
    assert all(found[name] == {"s3:GetObject"} for name in reads)
    assert found["query_results/athena/*"] == {"s3:GetObject", *PUT}
    assert found["cleansed"] == found["analytics"] == found["query_results"] == LIST
    assert found["key"] == USE_KEY
    assert found["*"] == {"athena:ListDataCatalogs", "athena:ListWorkGroups"}
    source = full.only("quicksight", "AWS::QuickSight::DataSource")
    athena = source["DataSourceParameters"]["AthenaParameters"]
    assert "AthenaRole" in json.dumps(athena["RoleArn"])
    assert source["SslProperties"] == {"DisableSsl": False}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"owners": ("ana@example.com",)}, "owners is 'ana@example.com': expected the ARN of a "),
        ({"readers": (f"{GROUP}all",)}, r"owners is \(\): expected at least one"),
        (
            {"owners": (f"{GROUP}all",), "readers": (f"{GROUP}all",)},
            "readers has .*all, who is an owner",
        ),
        ({"refresh_hour_utc": 24}, "refresh_hour_utc is 24: expected 0 to 23"),
        ({"refresh_days": 0}, "refresh_days is 0: expected 1 to 90"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        QuickSightConfig(**settings)
