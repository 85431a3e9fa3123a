"""Whether an analysis' or dashboard's definition holds together.

https://docs.aws.amazon.com/quicksight/latest/APIReference/API_DashboardVersionDefinition.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

FIELD = re.compile(r"\{([^{}]+)\}")
# Members that name a parameter.
PARAMETERS = {"SourceParameterName", "ParameterName", "Parameter"}


def problems(definition: dict[str, Any], columns: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What a definition says of things that are not there. `columns`: of data sets, by ARN."""
    known: dict[str, set[str]] = {}
    for declared in definition["DataSetIdentifierDeclarations"]:
        arn = declared["DataSetArn"]
        if arn not in columns:
            yield f"data set {declared['Identifier']}: there is no {arn}"
        known[declared["Identifier"]] = set(columns.get(arn, ()))
    calculated = definition.get("CalculatedFields", [])
    for field in calculated:
        name, data_set = field["Name"], field["DataSetIdentifier"]
        if name.lower() in {column.lower() for column in known.get(data_set, ())}:
            yield f"calculated field {name}: data set {data_set} has a column or field of that name"
        known.setdefault(data_set, set()).add(name)
    for field in calculated:
        for name in FIELD.findall(field["Expression"]):
            if name not in known[field["DataSetIdentifier"]]:
                yield f"calculated field {field['Name']}: its data set has no column {name}"
    parameters = {
        one["Name"] for d in definition.get("ParameterDeclarations", []) for one in d.values()
    }
    for where, node in _nodes(definition, "definition"):
        if {"DataSetIdentifier", "ColumnName"} <= node.keys():
            data_set, column = node["DataSetIdentifier"], node["ColumnName"]
            if data_set not in known:
                yield f"{where}: data set {data_set} is not declared"
            elif column not in known[data_set]:
                yield f"{where}: data set {data_set} has no column {column}"
        for name in PARAMETERS & node.keys():
            if node[name] not in parameters:
                yield f"{where}: parameter {node[name]} is not declared"
    sheets = definition.get("Sheets", [])
    ids = Counter(
        f"{name.removesuffix('Id')} {node[name]}"
        for _, node in _nodes(sheets, "") for name in ("SheetId", "VisualId") if name in node
    )  # fmt: skip
    yield from (f"{id_} is given {count} times" for id_, count in ids.items() if count > 1)
    visuals = {
        sheet["SheetId"]: {one["VisualId"] for v in sheet.get("Visuals", []) for one in v.values()}
        for sheet in sheets
    }
    for where, node in _nodes(definition.get("FilterGroups", []), ""):
        sheet = node.get("SheetId")
        if sheet and sheet not in visuals:
            yield f"{where}: there is no sheet {sheet}"
        for visual in set(node.get("VisualIds", ())) - visuals.get(sheet, set()):
            yield f"{where}: sheet {sheet} has no visual {visual}"


def _nodes(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object below a value, with the nearest id on the way to it."""
    if isinstance(value, list):
        for one in value:
            yield from _nodes(one, where)
    elif isinstance(value, dict):
        for name in ("FilterGroupId", "SheetId", "VisualId", "ParameterControlId", "FieldId"):
            if isinstance(value.get(name), str):
                where = f"{name.removesuffix('Id')} {value[name]}"
        yield where, value
        for one in value.values():
            yield from _nodes(one, where)
