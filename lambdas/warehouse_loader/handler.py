"""Entry point of warehouse_loader, called by the batch path, by Airflow and by `voxlake load`.

`{"step": "load"}` (or nothing) answers `{"done": true, "migrations": […], "tables": {…}}`; with
`"done": false` the time of one invocation was not enough, and the same call goes on with the work.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.common.settings import read_settings
from lambdas.warehouse_loader.adapters import Lake, Warehouse, keep_usage_limit
from lambdas.warehouse_loader.errors import StillRunningError
from lambdas.warehouse_loader.settings import Settings
from voxlake.tables import TABLES
from voxlake.trackers import load_trackers
from voxlake.warehouse import loading, migrations

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, read_timeout=30)
_ROOT = Path(__file__).resolve().parents[2]
# Left to answer in, seconds.
_SPARE = 5


@cache
def _clients() -> dict[str, Any]:
    names = ("dynamodb", "s3", "redshift-data", "redshift-serverless")
    return {name: boto3.client(name, config=_CONFIG) for name in names}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    settings, clients = read_settings(Settings, os.environ), _clients()
    serverless = clients["redshift-serverless"]
    namespace = serverless.get_namespace(namespaceName=settings.namespace)["namespace"]
    workgroup = serverless.get_workgroup(workgroupName=settings.workgroup)["workgroup"]
    keep_usage_limit(serverless, workgroup["workgroupArn"], settings.daily_rpu_hours)
    warehouse = Warehouse(
        clients["redshift-data"],
        workgroup=settings.workgroup,
        database=settings.database,
        secret_arn=namespace["adminPasswordSecretArn"],
        remaining=lambda: context.get_remaining_time_in_millis() / 1000 - _SPARE,
    )
    lake = Lake(clients["dynamodb"], clients["s3"], settings.ledger_table)
    result = load(settings, lake, warehouse)
    rows = sum(of_table["rows"] for of_table in result["tables"].values())
    metrics.add_metric("WarehouseRowsLoaded", MetricUnit.Count, rows)
    metrics.flush_metrics()
    logger.info("loaded", extra=result)
    return result


def load(
    settings: Settings, lake: Lake, warehouse: Warehouse, folder: Path = _ROOT / migrations.FOLDER
) -> dict[str, Any]:
    """Applies what migrations are missing, then replaces every day whose version changed.

    Returns:
        {"done", "migrations": names applied, "tables": {table: {"days", "rows"}}}.

    Raises:
        MigrationError, LakeFilesError, StatementFailedError, LostRaceError.
    """
    result: dict[str, Any] = {"done": True, "migrations": [], "tables": {}}
    try:
        result["migrations"] = _migrate(warehouse, folder)
        loaded: dict[str, dict[str, str]] = {}
        for table, dt, version in warehouse.rows(loading.LOADED, "loaded versions"):
            loaded.setdefault(table, {})[dt] = version
        for fact in loading.FACTS:
            counts = result["tables"].setdefault(fact.lake, {"days": 0, "rows": 0})
            database = settings.lake_database(TABLES[fact.lake].zone)
            current = lake.versions(database, fact.lake)
            found = loading.changes(current, loaded.get(fact.lake, {}))
            for batch in loading.batches(fact, found):
                _load(settings, lake, warehouse, fact, current, batch)
                counts["days"] += len(batch)
                counts["rows"] += sum(change.rows for change in batch)
    except StillRunningError as error:
        logger.info("goes on in the next invocation", extra={"why": str(error)})
        result["done"] = False
    return result


def _migrate(warehouse: Warehouse, folder: Path) -> list[str]:
    found = migrations.read(folder)
    warehouse.run(migrations.BOOKKEEPING, "migrations")
    rows = warehouse.rows(migrations.APPLIED, "applied migrations")
    missing = migrations.pending(found, {int(version): checksum for version, checksum in rows})
    for one in missing:
        warehouse.run(one.to_apply(), f"migration {one.version:04}_{one.name}")
    return [one.name for one in missing]


def _load(
    settings: Settings,
    lake: Lake,
    warehouse: Warehouse,
    fact: loading.Fact,
    current: Mapping[str, dict[str, Any]],
    batch: list[loading.Change],
) -> None:
    """Replaces a batch of days in one transaction."""
    days = [change.dt for change in batch if change.version and change.rows]
    groups = [days] if fact.dt else [[dt] for dt in days]
    pieces = []
    for group in filter(None, groups):
        files = {uri: size for dt in group for uri, size in lake.files(current[dt]).items()}
        body = loading.manifest(files)
        key = f"warehouse/manifests/{fact.lake}/{hashlib.sha256(body.encode()).hexdigest()}.json"
        uri = lake.put(settings.artifacts_bucket, key, body)
        pieces.append(loading.Piece(uri, tuple(group)))
    trackers = {tracker.id: tracker.name for tracker in load_trackers().trackers}
    statements = loading.load_statements(fact, batch, pieces, settings.copy_role_arn, trackers)
    warehouse.run(statements, f"load {fact.lake} {batch[0].dt} to {batch[-1].dt}")
