"""Types and values between DuckDB and the Data API."""

from __future__ import annotations

import json
from typing import Any

# DuckDB's type id -> Redshift's name, precision, length in bytes.
_TYPES = {
    "varchar": ("varchar", 65535, 0), "boolean": ("bool", 1, 0), "tinyint": ("int2", 5, 0),
    "smallint": ("int2", 5, 0), "integer": ("int4", 10, 0), "bigint": ("int8", 19, 0),
    "hugeint": ("numeric", 38, 0), "float": ("float4", 8, 8), "double": ("float8", 17, 17),
    "date": ("date", 13, 0), "timestamp": ("timestamp", 29, 6), "json": ("super", 0, 0),
    "timestamp with time zone": ("timestamptz", 35, 6), "time": ("time", 15, 6),
    "interval": ("interval", 0, 0), "null": ("unknown", 0, 0), "blob": ("varbyte", 65535, 0),
}  # fmt: skip
_WHOLE = {"int2", "int4", "int8"}


def column_metadata(name: str, kind: Any) -> dict[str, Any]:
    """Return a column as GetStatementResult's ColumnMetadata shows it."""
    key = "json" if str(kind) == "JSON" else kind.id
    if key == "decimal":
        precision, scale = (value for _, value in kind.children)
        redshift = "numeric"
    else:
        redshift, precision, scale = _TYPES.get(key, ("super", 0, 0))
    return {
        "name": name, "label": name, "typeName": redshift, "precision": precision, "scale": scale,
        "length": 0, "nullable": 1, "isCaseSensitive": redshift == "varchar", "isCurrency": False,
        "isSigned": redshift in _WHOLE | {"float4", "float8", "numeric"}, "schemaName": "",
        "tableName": "",
    }  # fmt: skip


def field(value: Any, redshift: str) -> dict[str, Any]:
    """Return a value as a Field of the Data API; `redshift` is its type's name."""
    if value is None:
        return {"isNull": True}
    if redshift == "bool":
        return {"booleanValue": bool(value)}
    if redshift in _WHOLE:
        return {"longValue": int(value)}
    if redshift in ("float4", "float8"):
        return {"doubleValue": float(value)}
    if redshift == "numeric":
        return {"stringValue": f"{value:f}" if hasattr(value, "as_tuple") else str(value)}
    if redshift == "timestamptz":
        return {"stringValue": value.replace(tzinfo=None).isoformat(" ") + "+00"}
    if redshift == "timestamp":
        return {"stringValue": value.isoformat(" ")}
    if redshift == "super" and not isinstance(value, str):
        return {"stringValue": json.dumps(value, default=str, separators=(",", ":"))}
    return {"stringValue": value.isoformat() if hasattr(value, "isoformat") else str(value)}
