"""Types and values between three worlds: the Glue catalog (Hive), Athena (Trino) and DuckDB."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy

_HIVE_TO_DUCKDB = {
    "string": "VARCHAR", "varchar": "VARCHAR", "char": "VARCHAR", "tinyint": "TINYINT",
    "smallint": "SMALLINT", "int": "INTEGER", "integer": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP",
    "date": "DATE", "binary": "BLOB",
}  # fmt: skip

# DuckDB's type id -> Athena's name in results, Hive's name in the catalog, precision.
_SCALARS = {
    "varchar": ("varchar", "string", 2147483647), "boolean": ("boolean", "boolean", 0),
    "tinyint": ("tinyint", "tinyint", 3), "smallint": ("smallint", "smallint", 5),
    "integer": ("integer", "int", 10), "bigint": ("bigint", "bigint", 19),
    "hugeint": ("bigint", "bigint", 19), "utinyint": ("smallint", "smallint", 5),
    "usmallint": ("integer", "int", 10), "uinteger": ("bigint", "bigint", 19),
    "ubigint": ("bigint", "bigint", 19), "uhugeint": ("bigint", "bigint", 19),
    "float": ("float", "float", 17), "double": ("double", "double", 17),
    "date": ("date", "date", 0), "timestamp": ("timestamp", "timestamp", 3),
    "timestamp with time zone": ("timestamp with time zone", "timestamp", 3),
    "time": ("time", "string", 3), "interval": ("interval day to second", "string", 0),
    "blob": ("varbinary", "binary", 1073741824), "json": ("json", "string", 0),
    "uuid": ("uuid", "string", 0), "null": ("unknown", "string", 0),
}  # fmt: skip

_TRINO = {
    "string": "varchar", "int": "integer", "float": "real", "binary": "varbinary",
    "timestamp": "timestamp(3)",
}  # fmt: skip


def duckdb_type(hive: str) -> str:
    """Return the DuckDB type of a Hive type such as `array<struct<a:int,b:string>>`.

    Raises ValueError for a type that Athena does not have.
    """
    hive = hive.strip()
    lower = hive.lower()
    head, bracket, _ = lower.partition("<")
    if bracket:
        inner = hive[len(head) + 1 : -1]
        if head == "array":
            return f"{duckdb_type(inner)}[]"
        if head == "map":
            return "MAP({}, {})".format(*(duckdb_type(part) for part in _split_top(inner)))
        if head == "struct":
            pairs = (part.split(":", 1) for part in _split_top(inner))
            fields = (f"{quote(name.strip())} {duckdb_type(kind)}" for name, kind in pairs)
            return f"STRUCT({', '.join(fields)})"
    base = lower.partition("(")[0].strip()
    if base == "decimal":
        return lower.upper() if "(" in lower else "DECIMAL(10,0)"
    if base in _HIVE_TO_DUCKDB:
        return _HIVE_TO_DUCKDB[base]
    raise ValueError(f"expected a type of the Glue catalog, found {hive!r}")


def _split_top(text: str) -> list[str]:
    """Split at the commas that are outside of any brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def trino_type(hive: str) -> str:
    """Return Trino's name of a Hive type, as a view's text shows it."""
    return _TRINO.get(hive.lower(), hive.lower().replace("struct<", "row<"))


def quote(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a string literal."""
    return "'" + value.replace("'", "''") + "'"


def hive_type(kind: Any) -> str:
    """Return the Glue catalog's name of a DuckDB type."""
    match kind.id:
        case "list" | "array":
            return f"array<{hive_type(kind.children[0][1])}>"
        case "map":
            return "map<{},{}>".format(*(hive_type(child) for _, child in kind.children))
        case "struct":
            return "struct<{}>".format(",".join(f"{n}:{hive_type(c)}" for n, c in kind.children))
        case "decimal":
            return str(kind).lower().replace(" ", "")
    return _SCALARS[kind.id][1]


def column_info(name: str, kind: Any) -> dict[str, Any]:
    """Return a column as GetQueryResults' ResultSetMetadata shows it."""
    precision = scale = 0
    if kind.id in ("list", "array", "map", "struct"):
        athena = {"map": "map", "struct": "row"}.get(kind.id, "array")
    elif kind.id == "decimal":
        athena = "decimal"
        precision, scale = (value for _, value in kind.children)
    else:
        athena, _, precision = _SCALARS["json" if str(kind) == "JSON" else kind.id]
    shown = text_column(name) | {"Type": athena, "Precision": precision, "Scale": scale}
    return shown | {"CaseSensitive": athena == "varchar"}


def text_column(name: str) -> dict[str, Any]:
    """Return a column of a DDL statement's result, in the same shape."""
    return {
        "CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name,
        "Type": "string", "Precision": 0, "Scale": 0, "Nullable": "UNKNOWN", "CaseSensitive": False,
    }  # fmt: skip


def format_value(value: Any, kind: Any) -> str | None:
    """Return a value as Athena's VarCharValue; None for NULL."""
    if value is None:
        return None
    match kind.id:
        case "boolean":
            return "true" if value else "false"
        case "double":
            return _java_float(repr(float(value)))
        case "float":
            return _java_float(str(numpy.float32(value)))
        case "decimal":
            return f"{value:f}"
        case "timestamp":
            return _millis(value)
        case "timestamp with time zone":
            return f"{_millis(value)} UTC"
        case "time":
            return value.isoformat("milliseconds")
        case "blob":
            return value.hex(" ")
        case "list" | "array":
            child = kind.children[0][1]
            return "[" + ", ".join(_nested(item, child) for item in value) + "]"
        case "map":
            (_, of_key), (_, of_value) = kind.children
            items = (f"{_nested(k, of_key)}={_nested(v, of_value)}" for k, v in value.items())
            return "{" + ", ".join(items) + "}"
        case "struct":
            items = (f"{n}={_nested(value[n], child)}" for n, child in kind.children)
            return "{" + ", ".join(items) + "}"
        case "interval":
            clock = str(timedelta(seconds=value.seconds)).zfill(8)
            return f"{value.days} {clock}.{value.microseconds // 1000:03d}"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _nested(value: Any, kind: Any) -> str:
    text = format_value(value, kind)
    return "null" if text is None else text


def _millis(value: Any) -> str:
    # The catalog's timestamps have millisecond precision in Athena: rounded, half up.
    rounded = value.replace(tzinfo=None) + timedelta(microseconds=500)
    return rounded.isoformat(" ", "milliseconds")


def _java_float(text: str) -> str:
    """Return Java's Double.toString of a number given in Python's shortest form."""
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if text in special:
        return special[text]
    number = Decimal(text)
    if number == 0:
        return "-0.0" if text.startswith("-") else "0.0"
    exponent = number.adjusted()
    if -3 <= exponent < 7:
        plain = f"{number:f}"
        return plain if "." in plain else plain + ".0"
    digits = "".join(map(str, number.normalize().as_tuple().digits))
    return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{exponent}"
