"""Who may do what in a database: owners, roles, grants. Kept in the database itself, so that they
live and fall with the transaction that changes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from localcloud.redshift_data.errors import NotSupportedError, PermissionDeniedError, RedshiftError

TABLES = """
CREATE SCHEMA IF NOT EXISTS _redshift; CREATE SCHEMA IF NOT EXISTS public;
CREATE TABLE IF NOT EXISTS _redshift.roles (name VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.owners (kind VARCHAR, name VARCHAR, owner VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.grants
  (privilege VARCHAR, kind VARCHAR, name VARCHAR, grantee VARCHAR);
"""
# What every user may do in a new database.
FIRST_GRANTS = [("USAGE", "schema", "public", "public"), ("CREATE", "schema", "public", "public"),
                ("ASSUMEROLE", "iam role", "all", "public")]  # fmt: skip
_ALL = {
    "relation": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"),
    "schema": ("USAGE", "CREATE"),
}
_SYSTEM = ("information_schema", "pg_catalog")
_WRITES = {
    exp.Insert: "INSERT", exp.Delete: "DELETE", exp.Update: "UPDATE", exp.Merge: "UPDATE",
    exp.TruncateTable: "TRUNCATE",
}  # fmt: skip
_GRANT = re.compile(
    r"(?P<verb>GRANT|REVOKE)\s+(?P<what>.+?)\s+ON\s+(?P<on>.+?)\s+(?:TO|FROM)\s+(?P<who>.+?)"
    r"(?:\s+FOR\s+(?:ALL|COPY|UNLOAD)(?:\s*,\s*(?:COPY|UNLOAD))*)?",
    re.IGNORECASE | re.DOTALL,
)
_MEMBER = re.compile(
    r"(?P<verb>GRANT|REVOKE)\s+ROLE\s+(?P<role>\S+)\s+(?:TO|FROM)\s+(?P<who>.+)", re.I | re.S
)
_ROLE = re.compile(r"(?P<verb>CREATE|DROP)\s+ROLE\s+(?P<role>\w+)", re.IGNORECASE)
_DEFAULT = re.compile(
    r"ALTER\s+DEFAULT\s+PRIVILEGES\s+IN\s+SCHEMA\s+(?P<schema>\w+)\s+"
    r"(?P<verb>GRANT|REVOKE)\s+(?P<what>.+?)\s+ON\s+TABLES\s+(?:TO|FROM)\s+(?P<who>.+)",
    re.IGNORECASE | re.DOTALL,
)
STATEMENT = re.compile(r"\s*(?:GRANT|REVOKE|CREATE\s+ROLE|DROP\s+ROLE|ALTER\s+DEFAULT)\b", re.I)


@dataclass(frozen=True)
class User:
    """A database user of one session; `roles` come with the IAM role's tag RedshiftDbRoles."""

    name: str
    superuser: bool = False
    roles: tuple[str, ...] = ()


class Privileges:
    """Checks and changes privileges for one session."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, user: User) -> None:
        self._connection, self._user = connection, user

    def check(self, statement: exp.Expression) -> None:
        """Raise PermissionDeniedError for what the user may not do with a parsed statement."""
        if self._user.superuser:
            return
        target = None
        for kind, privilege in _WRITES.items():
            if isinstance(statement, kind):
                first = statement.expressions[0] if kind is exp.TruncateTable else statement.this
                target = first.this if isinstance(first, exp.Schema) else first
                self.relation(target, privilege)
        if isinstance(statement, exp.Create):
            target = made = _made(statement)
            if statement.kind == "SCHEMA":
                raise PermissionDeniedError("database", "in CREATE SCHEMA")
            if not statement.find(exp.TemporaryProperty):
                self._need("CREATE", "schema", made.db or "public")
        elif isinstance(statement, (exp.Drop, exp.Alter)):
            for table in statement.find_all(exp.Table):
                if self._owner("relation", _name(table)) != self._user.name:
                    raise RedshiftError(f"ERROR: must be owner of relation {table.name}")
            return
        known = {cte.alias for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            if table is not target and (table.db or table.name not in known):
                self.relation(table, "SELECT")

    def relation(self, table: exp.Table, privilege: str) -> None:
        """Raise PermissionDeniedError unless the user has a privilege on a table or view."""
        named = isinstance(table.this, exp.Identifier)
        if self._user.superuser or table.db in _SYSTEM or not named:
            return
        if not table.db and self._is_temporary(table.name):
            return
        if self._owner("relation", _name(table)) == self._user.name:
            return
        self._need("USAGE", "schema", table.db or "public")
        self._need(privilege, "relation", _name(table), shown=table.name)

    def assume_role(self, arn: str) -> None:
        """Raise RedshiftError unless the user may have COPY and UNLOAD use an IAM role."""
        allowed = self._user.superuser or any(
            self._has("ASSUMEROLE", "iam role", name) for name in ("all", arn)
        )
        if not allowed:
            raise RedshiftError(
                f"ERROR: User does not have ASSUMEROLE permission on IAM role {arn}"
            )

    def made(self, create: exp.Create) -> None:
        """Note who owns what was created, and give what default privileges say."""
        if create.kind == "SCHEMA":
            self._own("schema", create.this.db or create.this.name)
        elif not create.find(exp.TemporaryProperty):
            made = _made(create)
            self._own("relation", _name(made))
            self._connection.execute(
                "INSERT INTO _redshift.grants SELECT privilege, 'relation', ?, grantee FROM "
                "_redshift.grants WHERE kind = 'default' AND name = ?",
                [_name(made), made.db or "public"],
            )

    def run(self, sql: str) -> None:
        """Carry out GRANT, REVOKE, CREATE ROLE, DROP ROLE, ALTER DEFAULT PRIVILEGES."""
        for pattern, action in _ACTIONS:
            if match := pattern.fullmatch(sql.strip()):
                return action(self, match)
        raise NotSupportedError(" ".join(sql.split()[:6]))

    def _role(self, match: re.Match[str]) -> None:
        if not self._user.superuser:
            raise RedshiftError("ERROR: permission denied to create role")
        role, known = match["role"].lower(), self._rows("roles", name=match["role"].lower())
        if match["verb"].upper() == "DROP":
            self._connection.execute("DELETE FROM _redshift.roles WHERE name = ?", [role])
        elif known:
            raise RedshiftError(f'ERROR: role "{role}" already exists')
        else:
            self._connection.execute("INSERT INTO _redshift.roles VALUES (?)", [role])

    def _member(self, match: re.Match[str]) -> None:
        self._change(match["verb"], [("ROLE", "role", match["role"].lower())], match["who"])

    def _default(self, match: re.Match[str]) -> None:
        wanted = _privileges(match["what"], "relation")
        items = [(privilege, "default", match["schema"].lower()) for privilege in wanted]
        self._change(match["verb"], items, match["who"])

    def _grant(self, match: re.Match[str]) -> None:
        on = match["on"].strip()
        words = on.split()
        if match["what"].upper() == "ASSUMEROLE":
            kind, names = "iam role", ["all" if on.upper() == "ALL" else on.strip("'")]
        elif words[0].upper() == "SCHEMA":
            kind, names = "schema", _list(on[len("SCHEMA") :])
        elif found := re.fullmatch(r"ALL\s+TABLES\s+IN\s+SCHEMA\s+(.+)", on, re.IGNORECASE):
            kind, names = "relation", self._relations(_list(found[1]))
        else:
            kind, names = (
                "relation",
                [
                    name if "." in name else f"public.{name}"
                    for name in _list(re.sub(r"^TABLE\s+", "", on, flags=re.IGNORECASE))
                ],
            )
        for name in names:
            if not self._user.superuser and self._owner(kind, name) != self._user.name:
                raise PermissionDeniedError(kind, name)
        items = [(p, kind, name) for p in _privileges(match["what"], kind) for name in names]
        self._change(match["verb"], items, match["who"])

    def _change(self, verb: str, items: list[tuple[str, str, str]], who: str) -> None:
        for grantee in who.split(","):
            word, _, role = grantee.strip().partition(" ")
            name = word.strip('"')
            if word.upper() == "ROLE":
                name = f"role:{role.strip().lower()}"
                if not self._rows("roles", name=role.strip().lower()):
                    raise RedshiftError(f'ERROR: role "{role.strip()}" does not exist')
            elif word.upper() == "PUBLIC":
                name = "public"
            for item in items:
                self._connection.execute(
                    "DELETE FROM _redshift.grants WHERE privilege = ? AND kind = ? AND name = ? "
                    "AND grantee = ?",
                    [*item, name],
                )
                if verb.upper() == "GRANT":
                    self._connection.execute(
                        "INSERT INTO _redshift.grants VALUES (?, ?, ?, ?)", [*item, name]
                    )

    def _need(self, privilege: str, kind: str, name: str, shown: str = "") -> None:
        if self._owner(kind, name) != self._user.name and not self._has(privilege, kind, name):
            raise PermissionDeniedError(kind, shown or name)

    def _has(self, privilege: str, kind: str, name: str) -> bool:
        mine = {"public", self._user.name, *(f"role:{role}" for role in self._user.roles)}
        given = self._rows("grants", privilege="ROLE")
        mine |= {f"role:{role}" for _, _, role, grantee in given if grantee in mine}
        found = self._rows("grants", privilege=privilege, kind=kind, name=name)
        return any(grantee in mine for *_, grantee in found)

    def _owner(self, kind: str, name: str) -> str | None:
        found = self._rows("owners", kind=kind, name=name)
        return found[0][2] if found else None

    def _own(self, kind: str, name: str) -> None:
        self._connection.execute(
            "DELETE FROM _redshift.owners WHERE kind = ? AND name = ?", [kind, name]
        )
        self._connection.execute(
            "INSERT INTO _redshift.owners VALUES (?, ?, ?)", [kind, name, self._user.name]
        )

    def _rows(self, table: str, **where: str) -> list[tuple[str, ...]]:
        tests = " AND ".join(f"{name} = ?" for name in where)
        sql = f"SELECT * FROM _redshift.{table} WHERE {tests}"
        return self._connection.execute(sql, list(where.values())).fetchall()

    def _relations(self, schemas: list[str]) -> list[str]:
        rows = self._connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE list_contains(?, table_schema)",
            [schemas],
        )
        return [name for (name,) in rows.fetchall()]

    def _is_temporary(self, name: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = ?", [name]
        )
        return found.fetchone() is not None


def _name(table: exp.Expression) -> str:
    return f"{table.text('db') or 'public'}.{table.name}".lower()


def _made(create: exp.Expression) -> exp.Expression:
    return create.this.this if isinstance(create.this, exp.Schema) else create.this


def _list(text: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in text.split(",")]


def _privileges(text: str, kind: str) -> tuple[str, ...]:
    if text.upper() in ("ALL", "ALL PRIVILEGES"):
        return _ALL[kind]
    return tuple(word.strip().upper() for word in text.split(","))


_ACTIONS: list[tuple[re.Pattern[str], Callable[[Privileges, re.Match[str]], None]]] = [
    (_ROLE, Privileges._role),
    (_MEMBER, Privileges._member),
    (_DEFAULT, Privileges._default),
    (_GRANT, Privileges._grant),
]
