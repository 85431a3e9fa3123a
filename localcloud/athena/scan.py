"""How much data a query scans: the columns it reads, in the files of the partitions it needs.

DuckDB prunes by itself; this only finds out what Athena would bill, before anything is read.
"""

from __future__ import annotations

import os

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.pushdown_predicates import pushdown_predicates
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from localcloud.athena import dialect
from localcloud.athena.catalog import Table
from localcloud.athena.types import duckdb_type, literal, quote
from localcloud.athena.views import Views

Scan = tuple[tuple[str, str], set[str], list[exp.Expression]]  # table, columns, conditions


def bytes_scanned(
    connection: duckdb.DuckDBPyConnection, query: exp.Expression, views: Views
) -> int:
    """Return the bytes of the column chunks (Parquet) or files (JSON) that a query reads."""
    try:
        scans = _scans(query.copy(), views)
    except (SqlglotError, KeyError, AttributeError, ValueError):
        # The optimizer does not know every construct; then nothing is taken to be pruned.
        scans = [(key, {name for name, _ in t.columns}, []) for key, (t, _) in views.tables.items()]
    total = 0
    for key, columns, conditions in scans:
        table, files = views.tables[key]
        needed = _pruned(connection, table, files, conditions) if conditions else list(files)
        if table.format != "parquet":
            total += sum(os.path.getsize(path) for path in needed)
        elif needed and columns:
            names = ", ".join(literal(column) for column in columns)
            paths = ", ".join(literal(path) for path in needed)
            total += connection.execute(
                "SELECT coalesce(sum(total_compressed_size), 0)::BIGINT FROM "
                f"parquet_metadata([{paths}]) "
                f"WHERE lower(split_part(path_in_schema, ', ', 1)) IN ({names})"
            ).fetchone()[0]
    return total


def _scans(query: exp.Expression, views: Views) -> list[Scan]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for (database, name), (table, _) in views.tables.items():
        columns = [column for column, _ in [*table.columns, *table.keys]]
        schema.setdefault(database, {})[name] = dict.fromkeys(columns, "varchar")
    options = {"validate_qualify_columns": False, "quote_identifiers": False}
    query = qualify(query, schema=schema, dialect="athena", **options)
    query = pushdown_projections(pushdown_predicates(query, dialect="athena"))
    scans = []
    for scope in traverse_scope(query):
        where = scope.expression.args.get("where")
        parts = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
        parts = parts or ([where.this] if where else [])
        for alias, source in scope.sources.items():
            key = (source.db, source.name) if isinstance(source, exp.Table) else None
            if key not in views.tables:
                continue
            keys = {name for name, _ in views.tables[key][0].keys}
            used = {c.name.lower() for c in scope.columns if c.table == alias}
            tests = [part for part in parts if _only_keys(part, alias, keys)]
            scans.append((key, used - keys, tests))
    return scans


def _only_keys(condition: exp.Expression, alias: str, keys: set[str]) -> bool:
    columns = list(condition.find_all(exp.Column))
    known = all(c.table == alias and c.name.lower() in keys for c in columns)
    return bool(columns) and known and not condition.find(exp.Query)


def _pruned(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: dict[str, tuple[str, ...]],
    conditions: list[exp.Expression],
) -> list[str]:
    """Return the files of the partitions whose values meet the conditions."""
    if not files:
        return []
    distinct = sorted(set(files.values()))
    rows = ", ".join("(" + ", ".join(literal(v) for v in values) + ")" for values in distinct)
    names = ", ".join(quote(name) for name, _ in table.keys)
    typed = ", ".join(f"CAST({quote(n)} AS {duckdb_type(k)}) AS {quote(n)}" for n, k in table.keys)
    tests = []
    for condition in conditions:
        bare = condition.copy()
        for column in bare.find_all(exp.Column):
            column.set("table", None)
        tests.append(f"({dialect.to_duckdb(bare)})")
    values = f"SELECT [{names}] AS texts, {typed} FROM (VALUES {rows}) AS v({names})"
    kept = connection.execute(f"SELECT texts FROM ({values}) WHERE {' AND '.join(tests)}")
    wanted = {tuple(row[0]) for row in kept.fetchall()}
    return [path for path, values in files.items() if values in wanted]
