"""What a table description is made of, and the forms other tools want it in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

DATABASE_PREFIX = "voxlake"
ZONES = ("landing", "cleansed", "analytics")

NAMED_SPANS = "array<struct<text:string,label:string,start:int,end:int>>"
"""What a text names: stretches of it with their label; offsets in characters, end without."""

_SPARK_JSON_TYPES: dict[str, object] = {
    "string": "string",
    "int": "integer",
    "bigint": "long",
    "double": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "array<string>": {"type": "array", "elementType": "string", "containsNull": True},
    "map<string,double>": {
        "type": "map",
        "keyType": "string",
        "valueType": "double",
        "valueContainsNull": True,
    },
    NAMED_SPANS: {
        "type": "array",
        "elementType": {
            "type": "struct",
            "fields": [
                {"name": name, "type": kind, "nullable": True, "metadata": {}}
                for name, kind in (
                    ("text", "string"),
                    ("label", "string"),
                    ("start", "integer"),
                    ("end", "integer"),
                )
            ],
        },
        "containsNull": True,
    },
}


@dataclass(frozen=True)
class Column:
    """One column: name, Glue (Athena, Spark SQL) type, meaning, unit where there is one."""

    name: str
    type: str
    comment: str
    unit: str = ""
    nullable: bool = True

    def __post_init__(self) -> None:
        if self.type not in _SPARK_JSON_TYPES:
            raise ValueError(
                f"{self.name}: expected one of {sorted(_SPARK_JSON_TYPES)}, found {self.type!r}"
            )

    @property
    def catalog_comment(self) -> str:
        """Meaning and unit in one text; Glue takes at most 255 characters."""
        return f"{self.comment} [{self.unit}]" if self.unit else self.comment


DT = Column("dt", "string", "Day of the row, YYYY-MM-DD in UTC", nullable=False)


@dataclass(frozen=True)
class Table:
    """One table of the lake: Parquet, partitioned by dt.

    Attributes:
        zone: ``cleansed`` or ``analytics``; the database is ``<prefix>_<zone>``.
        row: what one row is, and where dt comes from.
        columns: without partition keys, in the order in the files.
        key: columns (dt included) that no two rows share.
    """

    zone: str
    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_keys: tuple[Column, ...] = field(default=(DT,))

    def database(self, prefix: str = DATABASE_PREFIX) -> str:
        """Name of the Glue database, such as ``voxlake_cleansed``."""
        return f"{prefix}_{self.zone}"

    def full_name(self, prefix: str = DATABASE_PREFIX) -> str:
        """``<database>.<table>``, as the ledger and SQL name it."""
        return f"{self.database(prefix)}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        """Names without partition keys, in the order in the files."""
        return [column.name for column in self.columns]


def spark_schema_json(table: Table, *, partition_keys: bool = False) -> str:
    """The schema as ``StructType.fromJson(json.loads(...))`` reads it, comments as metadata.

    Every field is nullable, as Spark reads files back, whatever the column promises.
    """
    columns = table.columns + (table.partition_keys if partition_keys else ())
    fields = [
        {
            "name": column.name,
            "type": _SPARK_JSON_TYPES[column.type],
            "nullable": True,
            "metadata": {"comment": column.catalog_comment},
        }
        for column in columns
    ]
    return json.dumps({"type": "struct", "fields": fields})


def glue_columns(table: Table) -> list[dict[str, str]]:
    """Columns as Glue's StorageDescriptor wants them: Name, Type, Comment."""
    return [_glue_column(column) for column in table.columns]


def glue_partition_keys(table: Table) -> list[dict[str, str]]:
    """Partition keys as Glue's TableInput wants them: Name, Type, Comment."""
    return [_glue_column(column) for column in table.partition_keys]


def _glue_column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": column.type, "Comment": column.catalog_comment}
