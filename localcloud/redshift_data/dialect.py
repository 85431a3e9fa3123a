"""From Redshift's SQL to DuckDB's: what sqlglot translates, and what it leaves."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp

from localcloud.athena.dialect import rewrite
from localcloud.athena.types import quote
from localcloud.redshift_data.errors import NotSupportedError, RedshiftError

# Functions of Redshift that DuckDB lacks or that differ. SUPER is JSON here.
MACROS = """
CREATE OR REPLACE TEMP MACRO redshift_text(x) AS CASE WHEN typeof(x) = 'JSON'
  THEN json_extract_string(CAST(x AS VARCHAR), '$') ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE TEMP MACRO redshift_avg(x BIGINT) AS CAST(trunc(avg(x)) AS BIGINT),
  (x DOUBLE) AS avg(x);
CREATE OR REPLACE TEMP MACRO redshift_trunc(x TIMESTAMP) AS CAST(x AS DATE),
  (x DOUBLE) AS trunc(x);
CREATE OR REPLACE TEMP MACRO json_serialize(x) AS CAST(x AS VARCHAR);
CREATE OR REPLACE TEMP MACRO get_array_length(x) AS json_array_length(x);
"""


def parse(sql: str) -> exp.Expression:
    """Return a parsed statement. Raises ParseError; RedshiftError for none or several."""
    found = [one for one in sqlglot.parse(sql, read="redshift") if one is not None]
    if len(found) != 1:
        raise RedshiftError(f"ERROR: expected one SQL statement, found {len(found)}")
    return found[0]


def to_duckdb(statement: exp.Expression) -> str:
    """Return DuckDB's SQL of a parsed statement."""
    statement = statement.copy()
    if isinstance(statement, exp.Create):
        statement = _create(statement)
    return rewrite(statement, _RULES).sql(dialect="duckdb")


def bind(statement: exp.Expression, parameters: dict[str, str]) -> exp.Expression:
    """Put the values of named parameters (`:name`) into a statement, as untyped literals."""
    for node in list(statement.find_all(exp.Placeholder)):
        if node.name not in parameters:
            raise RedshiftError(f"ERROR: no value given for parameter :{node.name}")
        node.replace(exp.Literal.string(parameters[node.name]))
    return statement


def _create(create: exp.Create) -> exp.Create:
    """Leave out where rows lie (distribution, sort keys, encodings) and what is never enforced."""
    properties = create.args.get("properties")
    kept = [p for p in properties.expressions if isinstance(p, exp.TemporaryProperty)] \
        if properties else []  # fmt: skip
    create.set("properties", exp.Properties(expressions=kept) if kept else None)
    schema = create.this
    if create.kind != "TABLE" or not isinstance(schema, exp.Schema):
        return create
    columns: list[exp.Expression] = []
    for item in schema.expressions:
        if isinstance(item, exp.ColumnDef):
            columns.append(_column(item, schema.this.name))
        elif not isinstance(item, (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint)):
            raise NotSupportedError(f"{item.sql('redshift')} in CREATE TABLE")
    schema.set("expressions", columns)
    return create


def _column(column: exp.ColumnDef, table: str) -> exp.ColumnDef:
    kept = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.kind
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint):
            number = f"nextval('{identity_sequence(table, column.name)}')"
            default = exp.DefaultColumnConstraint(this=sqlglot.parse_one(number, read="duckdb"))
            kept.append(exp.ColumnConstraint(kind=default))
        elif isinstance(kind, (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)):
            kept.append(constraint)
    sizes = column.kind.expressions
    if column.kind.this in (exp.DType.VARCHAR, exp.DType.CHAR):
        # Redshift counts bytes.
        size = int(sizes[0].name) if sizes and sizes[0].name.isdigit() else 256
        size = 65535 if sizes and sizes[0].name.upper() == "MAX" else size
        check = sqlglot.parse_one(f"strlen({quote(column.name)}) <= {size}", read="duckdb")
        kept.append(exp.ColumnConstraint(kind=exp.CheckColumnConstraint(this=check)))
        column.set("kind", exp.DataType.build("VARCHAR", dialect="duckdb"))
    elif column.kind.this == exp.DType.SUPER:
        column.set("kind", exp.DataType.build("JSON", dialect="duckdb"))
    column.set("constraints", kept)
    return column


def identity_sequence(table: str, column: str) -> str:
    """Return the name of the sequence behind an IDENTITY column."""
    return f"_redshift.{table}_{column}_identity"


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cast(node: exp.Expression) -> exp.Expression:
    if node.to.this not in (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR):
        return node
    sizes = node.to.expressions
    text = _call("redshift_text", node.this)
    return _call("left", text, sizes[0].this) if sizes and sizes[0].name.isdigit() else text


def _unnest(node: exp.Expression) -> exp.Expression:
    """`FROM t, t.array AS item`: a row for each item of a SUPER array."""
    alias = node.args["alias"]
    items = _call("from_json", node.expressions[0], exp.Literal.string('["JSON"]'))
    item = exp.alias_(_call("unnest", items), alias.columns[0].name)
    rows = exp.Subquery(this=exp.Select(expressions=[item]))
    table = exp.TableAlias(this=exp.to_identifier(f"_{alias.columns[0].name}"))
    return exp.Lateral(this=rows, alias=table)


def _now(_: exp.Expression) -> exp.Expression:
    return sqlglot.parse_one("CAST(timezone('UTC', now()) AS TIMESTAMP)", read="duckdb")


def _ratio(node: exp.Expression) -> exp.Expression:
    if not isinstance(node.this, exp.Anonymous) or node.this.name.lower() != "ratio_to_report":
        return node
    value = node.this.expressions[0]
    total = node.copy()
    total.set("this", exp.Sum(this=value.copy()))
    return exp.Div(this=exp.cast(value, "DOUBLE"), expression=total, typed=False)


_RULES: dict[Any, Any] = {
    exp.Cast: _cast,
    exp.Unnest: _unnest,
    exp.Avg: lambda n: n if isinstance(n.parent, exp.Window) else _call("redshift_avg", n.this),
    exp.Trunc: lambda n: n if n.args.get("decimals") else _call("redshift_trunc", n.this),
    exp.CurrentTimestamp: _now,
    exp.Window: _ratio,
}
