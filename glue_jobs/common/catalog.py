"""The Glue catalog: readers' way to the current versions, projected from the ledger."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Catalog:
    """Partitions in the Glue catalog.

    Args:
        client: boto3's Glue client; a plain one by default.
    """

    def __init__(self, client: Any = None) -> None:
        retries = Config(retries={"mode": "standard", "max_attempts": 8})
        self._client = client or boto3.client("glue", config=retries)
        self._descriptors: dict[tuple[str, str], dict[str, Any]] = {}

    def point(self, database: str, table: str, dt: str, location: str, *, exists: bool) -> None:
        """Points a partition at a version's folder, in one step for readers.

        Args:
            exists: whether the partition is believed to be there; wrong beliefs cost one call.
        """
        partition = {
            "Values": [dt],
            "StorageDescriptor": {**self._descriptor(database, table), "Location": location},
        }
        create = lambda: self._client.create_partition(  # noqa: E731
            DatabaseName=database, TableName=table, PartitionInput=partition
        )
        update = lambda: self._client.update_partition(  # noqa: E731
            DatabaseName=database,
            TableName=table,
            PartitionValueList=[dt],
            PartitionInput=partition,
        )
        first, second, unless = (
            (update, create, "EntityNotFoundException")
            if exists
            else (create, update, "AlreadyExistsException")
        )
        try:
            first()
        except ClientError as error:
            if error.response["Error"]["Code"] != unless:
                raise
            second()

    def _descriptor(self, database: str, table: str) -> dict[str, Any]:
        known = self._descriptors.get((database, table))
        if known is None:
            found = self._client.get_table(DatabaseName=database, Name=table)
            known = self._descriptors[database, table] = found["Table"]["StorageDescriptor"]
        return known
