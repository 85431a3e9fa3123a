"""The Redshift Data API and, behind it, Redshift Serverless."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import ServiceError
from localcloud.glue.credentials import client_of
from localcloud.iam.roles import find_role
from localcloud.redshift_data import statements
from localcloud.redshift_data.engine import Database, Session
from localcloud.redshift_data.errors import RedshiftError
from localcloud.redshift_data.privileges import User
from localcloud.redshift_data.serverless import Serverless
from localcloud.redshift_data.statements import FINAL, Part, Statement

_WORKERS = 4  # statements at once; others are SUBMITTED
_PAGE_ROWS = 1000
_BATCH_STATEMENTS = 40
_SQL_BYTES = 100_000
_PARAMETER = re.compile(r"(?<!:):(\w+)")


class RedshiftDataService:
    """Executes SQL as the Data API does; one DuckDB file for each database."""

    name = "redshift-data"

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self.serverless = Serverless(cloud)
        self._databases: dict[tuple[str, str], Database] = {}
        self._statements: dict[str, Statement] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="redshift")
        self.actions = {
            "ExecuteStatement": lambda r: self._execute(r, [r.params["Sql"]], batch=False),
            "BatchExecuteStatement": lambda r: self._execute(r, r.params["Sqls"], batch=True),
            "DescribeStatement": lambda r: self._statement(r)[0].to_dict(),
            "GetStatementResult": self.get_statement_result,
            "ListStatements": self.list_statements,
            "CancelStatement": self.cancel_statement,
            **{f"redshift-serverless:{n}": a for n, a in self.serverless.actions.items()},
        }

    def stop(self) -> None:
        """Interrupt every statement."""
        for statement in self._statements.values():
            if statement.status not in FINAL:
                statement.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for database in self._databases.values():
            database.close()

    def status(self) -> dict[str, Any]:
        """Return how many statements are in each state."""
        states = [statement.status for statement in self._statements.values()]
        return {"statements": {state: states.count(state) for state in sorted(set(states))}}

    def _execute(self, request: Any, sqls: list[str], *, batch: bool) -> dict[str, Any]:
        """Queue a statement. Raises ValidationException for what Redshift would not start."""
        params = request.params
        _check(params, sqls)
        parameters = params.get("Parameters") or []
        used = {name for sql in sqls for name in _PARAMETER.findall(_without_literals(sql))}
        if used != {given["name"] for given in parameters}:
            raise _invalid(f"Parameters: expected {sorted(used)}, each with a value, and no others")
        _, namespace = self.serverless.workgroup(params["WorkgroupName"])
        token = (request.principal.arn, params.get("ClientToken") or str(uuid.uuid4()))
        if token not in self._tokens:
            user = self._user(request, namespace)
            statement = self._submit(request, sqls, batch, parameters, namespace, user)
            self._tokens[token] = statement.id
        statement = self._statements[self._tokens[token]]
        answer = statement.to_dict()
        return {n: answer[n] for n in ("Id", "CreatedAt", "DbUser", *statement.shown)}

    def _submit(
        self,
        request: Any,
        sqls: list[str],
        batch: bool,
        parameters: list[dict[str, str]],
        namespace: dict[str, Any],
        user: User,
    ) -> Statement:
        identity, now, params = str(uuid.uuid4()), self._cloud.clock.now, request.params
        named = ("WorkgroupName", "Database", "SecretArn")
        ids = [f"{identity}:{n}" for n in range(1, len(sqls) + 1)] if batch else [identity]
        statement = self._statements[identity] = Statement(
            id=identity,
            parts=[Part(*pair) for pair in zip(ids, sqls, strict=True)],
            batch=batch,
            principal=request.principal,
            user=user,
            shown={name: params[name] for name in named if name in params},
            name=params.get("StatementName"),
            parameters=parameters,
            created=now(),
            updated=now(),
        )
        self._pool.submit(self._run, statement, namespace, params["Database"])
        return statement

    def _run(self, statement: Statement, namespace: dict[str, Any], name: str) -> None:
        folder = Path(self._cloud.state_dir) / "redshift"
        try:
            connection = statement.connection = self._database(namespace, name).session()
        except RedshiftError as error:
            statement.status, statement.error = "FAILED", str(error)
            return
        roles = [_role_arn(role) for role in namespace.get("iamRoles") or []]
        default = namespace.get("defaultIamRoleArn")
        session = Session(self._cloud, connection, statement.user, roles, default, folder)
        try:
            statements.run(statement, session, self._cloud.clock.now)
        finally:
            statement.connection = None
            connection.close()

    def _database(self, namespace: dict[str, Any], name: str) -> Database:
        if name != namespace["dbName"]:
            raise RedshiftError(f'FATAL: database "{name}" does not exist')
        key = (namespace["namespaceName"], name)
        if key not in self._databases:
            folder = Path(self._cloud.state_dir) / "redshift" / key[0]
            self._databases[key] = Database(folder / f"{name}.duckdb")
        return self._databases[key]

    def _user(self, request: Any, namespace: dict[str, Any]) -> User:
        """Return the database user: the administrator by secret, else that of the caller's role."""
        if secret := request.params.get("SecretArn"):
            client = client_of(self._cloud, request.principal, "secretsmanager")
            try:
                found = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
            except ClientError as error:
                raise _invalid(f"Unable to read the secret {secret}: {error}") from error
            if secret != namespace["adminPasswordSecretArn"]:
                raise _invalid(f"password authentication failed for user {found.get('username')}")
            return User(found["username"], superuser=True)
        role = find_role(self._cloud.account, request.principal.role_name)
        if role is None:
            return User("IAM:root")
        found = self._cloud.client("iam").list_role_tags(RoleName=role.name)["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in found}
        roles = tuple(filter(None, tags.get("RedshiftDbRoles", "").split(":")))
        return User(f"IAMR:{role.name}", roles=roles)

    def get_statement_result(self, request: Any) -> dict[str, Any]:
        """Return a page of a result's rows."""
        _, part = self._statement(request)
        if part.status != "FINISHED" or not part.outcome.columns or part.outcome.file is None:
            raise ServiceError("ResourceNotFoundException", "Query does not have result.")
        rows = []
        with part.outcome.file.open("rb") as lines:
            lines.seek(int(request.params.get("NextToken") or 0))
            while len(rows) < _PAGE_ROWS and (line := lines.readline()):
                rows.append(json.loads(line))
            following = lines.tell()
            more = {"NextToken": str(following)} if lines.readline() else {}
        outcome = part.outcome
        answer = {"Records": rows, "ColumnMetadata": outcome.columns, "TotalNumRows": outcome.rows}
        return answer | more

    def list_statements(self, request: Any) -> dict[str, Any]:
        """Return the caller's statements, newest first; without Status, the finished ones too."""
        params = request.params
        status, name = params.get("Status"), params.get("StatementName")
        found = [
            statement
            for statement in reversed(self._statements.values())
            if _owns(request.principal, statement)
            and status in (None, "ALL", statement.status)
            and (name is None or (statement.name or "").startswith(name))
        ]
        start, size = int(params.get("NextToken") or 0), int(params.get("MaxResults") or 100)
        answer: dict[str, Any] = {"Statements": [s.summary() for s in found[start : start + size]]}
        return answer | ({"NextToken": str(start + size)} if start + size < len(found) else {})

    def cancel_statement(self, request: Any) -> dict[str, Any]:
        """Cancel a statement that has not ended."""
        statement, _ = self._statement(request)
        if statement.status in FINAL:
            raise _invalid(f"Could not cancel a query that is already in {statement.status} state")
        statement.cancel()
        return {"Status": True}

    def _statement(self, request: Any) -> tuple[Statement, Part]:
        identity, _, number = request.params["Id"].partition(":")
        found = self._statements.get(identity)
        if found is None or not _owns(request.principal, found):
            raise ServiceError("ResourceNotFoundException", "Query does not exist.")
        index = int(number or len(found.parts)) - 1
        if not 0 <= index < len(found.parts):
            raise ServiceError("ResourceNotFoundException", "Query does not exist.")
        return found, found.parts[index]


def _check(params: dict[str, Any], sqls: list[str]) -> None:
    for name in ("WorkgroupName", "Database"):
        if name not in params:
            raise _invalid(f"{name}: expected for Redshift Serverless, found nothing")
    done = {"WorkgroupName", "Database", "SecretArn", "StatementName", "Parameters", "ClientToken",
            "Sql", "Sqls", "WithEvent", "ResultFormat"}  # fmt: skip
    if unknown := set(params) - done or params.get("ResultFormat", "JSON") != "JSON":
        raise _invalid(f"{unknown}: not done by the laptop cloud")
    if len(sqls) > _BATCH_STATEMENTS:
        raise _invalid(f"Sqls: at most {_BATCH_STATEMENTS} SQL statements, found {len(sqls)}")
    if any(len(sql.encode()) > _SQL_BYTES for sql in sqls):
        raise _invalid(f"Query exceeds the maximum size of {_SQL_BYTES} bytes")


def _owns(principal: Any, statement: Statement) -> bool:
    """Only the IAM user or role that ran a statement may see it."""
    mine, theirs = principal, statement.principal
    return mine.kind == "root" or (mine.kind, mine.role_name) == (theirs.kind, theirs.role_name)


def _role_arn(role: str) -> str:
    """CloudFormation and the console also write `IamRole(applyStatus=in-sync, iamRoleArn=…)`."""
    return role.partition("iamRoleArn=")[2].rstrip(")") or role


def _without_literals(sql: str) -> str:
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
