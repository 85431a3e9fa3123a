"""Schemas that a crawler infers, in the Glue catalog's type names."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pyarrow
import pyarrow.parquet

_INT = range(-(2**31), 2**31)
_RANK = {"int": 0, "bigint": 1, "double": 2}
_ARROW = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
    "float": "float", "double": "double", "binary": "binary", "date32[day]": "date",
}  # fmt: skip

# A kind is None (only nulls seen), a name, ("array", kind) or {field: kind} for a struct.
Kind = Any


def kind_of(value: Any) -> Kind:
    """Return the kind of a JSON value."""
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int():
            return "int" if value in _INT else "bigint"
        case float():
            return "double"
        case list():
            kind: Kind = None
            for item in value:
                kind = merge(kind, kind_of(item))
            return ("array", kind)
        case dict():
            return {name.lower(): kind_of(item) for name, item in value.items()}
    return "string"


def merge(one: Kind, other: Kind) -> Kind:
    """Return the kind that holds both; kinds that do not go together become a string."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: merge(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, tuple) and isinstance(other, tuple):
        return ("array", merge(one[1], other[1]))
    if isinstance(one, str) and isinstance(other, str) and one in _RANK and other in _RANK:
        return max(one, other, key=_RANK.__getitem__)
    return "string"


def glue_type(kind: Kind) -> str:
    """Return the catalog's name of a kind; what was only ever null is a string."""
    if isinstance(kind, dict):
        fields = (f"{name}:{glue_type(item)}" for name, item in kind.items())
        return f"struct<{','.join(fields)}>" if kind else "string"
    if isinstance(kind, tuple):
        return f"array<{glue_type(kind[1])}>"
    return kind or "string"


def json_kind(data: bytes, *, whole: bool, limit: int = 1000) -> dict[str, Kind] | None:
    """Return the struct of the first `limit` JSON lines; None when they are no JSON objects.

    `data` may be gzip, and may end in the middle when it is not `whole`.
    """
    if data[:2] == b"\x1f\x8b":
        data = zlib.decompressobj(wbits=31).decompress(data)
    lines = data.splitlines() if whole else data.splitlines()[:-1]
    kind: Kind = None
    for line in [line for line in lines if line.strip()][:limit]:
        try:
            value = json.loads(line)
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        kind = merge(kind, kind_of(value))
    return kind


def parquet_columns(data: bytes) -> list[tuple[str, str]]:
    """Return (name, catalog type) of a Parquet file's columns, in order."""
    schema = pyarrow.parquet.read_schema(io.BytesIO(data))
    return [(field.name.lower(), _arrow_type(field.type)) for field in schema]


def _arrow_type(kind: pyarrow.DataType) -> str:
    types = pyarrow.types
    if types.is_timestamp(kind):
        return "timestamp"
    if types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if types.is_map(kind):
        return f"map<{_arrow_type(kind.key_type)},{_arrow_type(kind.item_type)}>"
    if types.is_list(kind):
        return f"array<{_arrow_type(kind.value_type)}>"
    if types.is_struct(kind):
        return "struct<" + ",".join(f"{f.name.lower()}:{_arrow_type(f.type)}" for f in kind) + ">"
    return _ARROW.get(str(kind), "string")
