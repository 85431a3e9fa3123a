"""The dashboard's definition in the form that QuickSight takes, made from `voxlake.measures`.

Free of the CDK, so that tests read it without it.
https://docs.aws.amazon.com/quicksight/latest/APIReference/API_DashboardVersionDefinition.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from voxlake.measures import DATA_SETS, MEASURES, SHEETS, Visual
from voxlake.measures.data_sets import ALL

Shape = dict[str, Any]

TYPES = {
    "varchar": "STRING",
    "bigint": "INTEGER",
    "double": "DECIMAL",
    "date": "DATETIME",
    "timestamp": "DATETIME",
}
"""Athena's types as data sets declare them."""

TRACKER, FIRST, LAST = "Tracker", "From", "To"
SHOWN_DAYS = 30
_COLUMNS = 36  # of QuickSight's grid
_HEIGHTS = {"figure": 5, "line": 12, "columns": 12, "bars": 12, "table": 12}
_TIMES = {"day": "DAY", "hour": "HOUR"}
_CHARTS = {
    "figure": "KPIVisual",
    "line": "LineChartVisual",
    "columns": "BarChartVisual",
    "bars": "BarChartVisual",
    "table": "TableVisual",
}


def definition(arns: Mapping[str, Any]) -> Shape:
    """What an analysis and the dashboard published from it are.

    Args:
        arns: ARN of each data set by its name in `DATA_SETS`.
    """
    visuals = [(sheet.id, visual) for sheet in SHEETS for visual in sheet.visuals]
    shown = {(v.data_set, measure) for _, v in visuals for measure in v.measures}
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": name, "DataSetArn": arns[name]} for name in DATA_SETS
        ],
        "CalculatedFields": [
            {
                "DataSetIdentifier": data_set,
                "Name": MEASURES[measure].title,
                "Expression": MEASURES[measure].expression(),
            }
            for data_set, measure in sorted(shown)
        ],
        "ParameterDeclarations": [
            {
                "StringParameterDeclaration": {
                    "ParameterValueType": "SINGLE_VALUED",
                    "Name": TRACKER,
                    "DefaultValues": {"StaticValues": [ALL]},
                }
            },
            _day(FIRST, f"addDateTime(-{SHOWN_DAYS}, 'DD', truncDate('DD', now()))"),
            _day(LAST, "truncDate('DD', now())"),
        ],
        "FilterGroups": [
            *_filters("tracker", visuals, _chooses_tracker, _chosen_tracker),
            *_filters("every-tracker", visuals, lambda v: v.compares_trackers, _every_tracker),
            *_filters("days", visuals, _has_days, _chosen_days),
        ],
        "Sheets": [
            {
                "SheetId": sheet.id,
                "Name": sheet.title,
                "ContentType": "INTERACTIVE",
                "ParameterControls": _controls(sheet.id, sheet.visuals),
                "Visuals": [_visual(visual) for visual in sheet.visuals],
                "Layouts": [{"Configuration": {"GridLayout": {"Elements": _grid(sheet.visuals)}}}],
            }
            for sheet in SHEETS
        ],
    }


def _day(name: str, expression: str) -> Shape:
    default = {"RollingDate": {"Expression": expression}}
    return {
        "DateTimeParameterDeclaration": {
            "Name": name,
            "TimeGranularity": "DAY",
            "DefaultValues": default,
        }
    }


def _chooses_tracker(visual: Visual) -> bool:
    columns = DATA_SETS[visual.data_set].column_names
    return "tracker" in columns and not (visual.compares_trackers or "tracker" in visual.by)


def _has_days(visual: Visual) -> bool:
    """The movers are those of one day."""
    return "day" in DATA_SETS[visual.data_set].column_names and visual.data_set != "movers"


def _filters(
    kind: str,
    visuals: list[tuple[str, Visual]],
    applies: Callable[[Visual], bool],
    make: Callable[[str, str], Shape],
) -> list[Shape]:
    """A filter group for each data set, over those of its visuals that it applies to."""
    groups = []
    for data_set in DATA_SETS:
        found = [(s, v.id) for s, v in visuals if v.data_set == data_set and applies(v)]
        if not found:
            continue
        scopes = [
            {
                "SheetId": sheet,
                "Scope": "SELECTED_VISUALS",
                "VisualIds": [visual for of_sheet, visual in found if of_sheet == sheet],
            }
            for sheet in dict.fromkeys(sheet for sheet, _ in found)
        ]
        groups.append(
            {
                "FilterGroupId": f"{kind}-{data_set}",
                "Filters": [make(f"{kind}-{data_set}-filter", data_set)],
                "ScopeConfiguration": {
                    "SelectedSheets": {"SheetVisualScopingConfigurations": scopes}
                },
                "Status": "ENABLED",
                "CrossDataset": "SINGLE_DATASET",
            }
        )
    return groups


def _chosen_tracker(id_: str, data_set: str) -> Shape:
    chosen = {"MatchOperator": "EQUALS", "ParameterName": TRACKER, "NullOption": "NON_NULLS_ONLY"}
    return {
        "CategoryFilter": {
            "FilterId": id_,
            "Column": _column(data_set, "tracker"),
            "Configuration": {"CustomFilterConfiguration": chosen},
        }
    }


def _every_tracker(id_: str, data_set: str) -> Shape:
    others = {
        "MatchOperator": "DOES_NOT_CONTAIN",
        "CategoryValues": [ALL],
        "NullOption": "NON_NULLS_ONLY",
    }
    return {
        "CategoryFilter": {
            "FilterId": id_,
            "Column": _column(data_set, "tracker"),
            "Configuration": {"FilterListConfiguration": others},
        }
    }


def _chosen_days(id_: str, data_set: str) -> Shape:
    return {
        "TimeRangeFilter": {
            "FilterId": id_,
            "Column": _column(data_set, "day"),
            "IncludeMinimum": True,
            "IncludeMaximum": True,
            "RangeMinimumValue": {"Parameter": FIRST},
            "RangeMaximumValue": {"Parameter": LAST},
            "NullOption": "NON_NULLS_ONLY",
            "TimeGranularity": "DAY",
        }
    }


def _controls(sheet: str, visuals: tuple[Visual, ...]) -> list[Shape]:
    controls: list[Shape] = []
    if any(_chooses_tracker(visual) for visual in visuals):
        values = {"LinkToDataSetColumn": _column("sentiment", "tracker")}
        controls.append(
            {
                "Dropdown": {
                    "ParameterControlId": f"{sheet}-tracker",
                    "Title": TRACKER,
                    "SourceParameterName": TRACKER,
                    "Type": "SINGLE_SELECT",
                    "SelectableValues": values,
                }
            }
        )
    controls += [
        {
            "DateTimePicker": {
                "ParameterControlId": f"{sheet}-{name.lower()}",
                "Title": name,
                "SourceParameterName": name,
            }
        }
        for name in (FIRST, LAST)
    ]
    return controls


def _visual(visual: Visual) -> Shape:
    """One visual; the ids of its fields hold its own, as they are to differ within a sheet."""
    measures = [_measure(visual, name) for name in visual.measures]
    names = [_dimension(visual, name) for name in visual.by]
    colours = [_dimension(visual, visual.colour)] if visual.colour else []
    first, most = f"{visual.id}.{visual.measures[0]}", "DESC"
    if visual.form == "figure":
        chart: Shape = {"FieldWells": {"Values": measures}}
    elif visual.form == "table":
        wells = {"GroupBy": names, "Values": measures}
        chart = {"FieldWells": {"TableAggregatedFieldWells": wells}}
    else:
        wells = {"Category": names, "Values": measures, "Colors": colours}
        if visual.form == "line":
            chart = {"Type": "LINE", "FieldWells": {"LineChartAggregatedFieldWells": wells}}
        else:
            across = visual.form == "bars"
            chart = {
                "FieldWells": {"BarChartAggregatedFieldWells": wells},
                "Orientation": "HORIZONTAL" if across else "VERTICAL",
                "BarsArrangement": "STACKED",
            }
            if across:
                chart["SortConfiguration"] = {
                    "CategorySort": [{"FieldSort": {"FieldId": first, "Direction": most}}]
                }
    if visual.form == "table":
        chart["SortConfiguration"] = {
            "RowSort": [{"FieldSort": {"FieldId": first, "Direction": most}}]
        }
    title = {"Visibility": "VISIBLE", "FormatText": {"PlainText": visual.title}}
    made = {"VisualId": visual.id, "Title": title, "ChartConfiguration": chart}
    return {_CHARTS[visual.form]: made}


def _measure(visual: Visual, name: str) -> Shape:
    """A measure is a calculated field that is aggregated already."""
    measure = MEASURES[name]
    field: Shape = {
        "FieldId": f"{visual.id}.{name}",
        "Column": _column(visual.data_set, measure.title),
    }
    if measure.unit == "UTC":
        return {"DateMeasureField": field}
    if measure.unit == "share":
        places = {"DecimalPlacesConfiguration": {"DecimalPlaces": 1}}
        percent = {"PercentageDisplayFormatConfiguration": places}
        field["FormatConfiguration"] = {"FormatConfiguration": percent}
    return {"NumericalMeasureField": field}


def _dimension(visual: Visual, name: str) -> Shape:
    field: Shape = {"FieldId": f"{visual.id}.by.{name}", "Column": _column(visual.data_set, name)}
    if name in _TIMES:
        return {"DateDimensionField": field | {"DateGranularity": _TIMES[name]}}
    return {"CategoricalDimensionField": field}


def _column(data_set: str, name: str) -> Shape:
    return {"DataSetIdentifier": data_set, "ColumnName": name}


def _grid(visuals: tuple[Visual, ...]) -> list[Shape]:
    """Figures three in a row, everything else two; a last one alone takes the whole row."""
    elements, row = [], 0
    for form, in_row in (("figure", 3), ("", 2)):
        of_form = [v for v in visuals if (v.form == "figure") == (form == "figure")]
        for start in range(0, len(of_form), in_row):
            together = of_form[start : start + in_row]
            height, span = max(_HEIGHTS[v.form] for v in together), _COLUMNS // len(together)
            elements += [
                {
                    "ElementId": visual.id,
                    "ElementType": "VISUAL",
                    "ColumnIndex": place * span,
                    "ColumnSpan": span,
                    "RowIndex": row,
                    "RowSpan": height,
                }
                for place, visual in enumerate(together)
            ]
            row += height
    return elements
