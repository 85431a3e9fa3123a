"""Brings the tables and views that a query names into its DuckDB connection."""

from __future__ import annotations

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from localcloud.athena import dialect
from localcloud.athena.catalog import Catalog, Table, reader
from localcloud.athena.errors import NotSupportedError, QueryError
from localcloud.athena.types import duckdb_type, quote

_CATALOGS = ("", "awsdatacatalog", "hive")


class Views:
    """The catalog's tables in one connection; `tables` holds those met, with their files."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, sql: str) -> None:
        self._connection, self._catalog, self._sql = connection, catalog, sql
        self._done: set[tuple[str, str]] = set()
        self.tables: dict[tuple[str, str], tuple[Table, dict[str, tuple[str, ...]]]] = {}
        self._bodies: dict[tuple[str, str], exp.Expression] = {}  # queries of the views met

    def bind(self, query: exp.Expression, database: str) -> exp.Expression:
        """Return the query with every table qualified by its database, views by their queries.

        Raises QueryError TABLE_NOT_FOUND, SCHEMA_NOT_FOUND; ClientError of what is not allowed.
        """
        query = query.copy()
        for node in table_nodes(query):
            schema, name = (node.db or database).lower(), node.name.lower()
            if node.catalog.lower() not in _CATALOGS:
                raise QueryError(f"CATALOG_NOT_FOUND: Catalog '{node.catalog}' does not exist")
            if schema == "information_schema":
                raise NotSupportedError("information_schema; use SHOW and DESCRIBE")
            if (schema, name) not in self._done:
                self._done.add((schema, name))
                self._create(self._catalog.table(schema, name, self._sql))
            if not node.alias:
                # A view's name must not change how its columns are referred to.
                node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            if (schema, name) in self._bodies:
                # Not a view in DuckDB, which refuses some queries there that it runs by themselves.
                kept = ("alias", "joins", "laterals", "pivots", "sample")
                rest = {arg: node.args[arg] for arg in kept if node.args.get(arg)}
                node.replace(exp.Subquery(this=self._bodies[schema, name].copy(), **rest))
                continue
            node.set("this", exp.to_identifier(name, quoted=True))
            node.set("db", exp.to_identifier(schema, quoted=True))
            node.set("catalog", None)
        return query

    def _create(self, table: Table) -> None:
        key = (table.database, table.name)
        if table.view_sql is not None:
            self._bodies[key] = self.bind(dialect.parse(table.view_sql), table.database)
            return
        files = self._catalog.files(table)
        self.tables[key] = (table, files)
        select = self._select(table, list(files))
        name = f"{quote(table.database)}.{quote(table.name)}"
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(table.database)}")
        self._connection.execute(f"CREATE VIEW {name} AS {select}")

    def _select(self, table: Table, files: list[str]) -> str:
        """Return the SELECT that gives a table the catalog's columns and types."""
        source, found = "(SELECT 1) WHERE false", {}
        if files:
            source = reader(table, files)
            described = self._connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            found = {row[0].lower(): row[0] for row in described}
        items = []
        for name, kind in [*table.columns, *table.keys]:
            # A column may have been added to the table after its files were written.
            value = quote(found[name]) if name in found else "NULL"
            items.append(f"CAST({value} AS {duckdb_type(kind)}) AS {quote(name)}")
        return f"SELECT {', '.join(items)} FROM {source}"


def table_nodes(query: exp.Expression) -> list[exp.Table]:
    """Return the nodes that name tables of the catalog, leaving out what the query defines."""
    nodes: dict[int, exp.Table] = {}
    try:
        for scope in traverse_scope(query):
            for source in scope.sources.values():
                if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
                    nodes[id(source)] = source
    except SqlglotError as error:
        raise QueryError(f"SYNTAX_ERROR: line 1:1: {error}") from error
    return list(nodes.values())
