"""A small lake of Parquet files with ledger and catalog, and the warehouse beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lambdas.warehouse_loader import handler
from lambdas.warehouse_loader.adapters import Lake, Warehouse
from lambdas.warehouse_loader.settings import Settings
from voxlake.ledger import rules
from voxlake.tables import TABLES, Table, glue_columns, glue_partition_keys

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.glue.service:GlueService",
    "localcloud.athena.service:AthenaService",
    "localcloud.redshift_data.service:RedshiftDataService",
]
_COPY_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "redshift.amazonaws.com"},
        }
    ],
}
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "array<string>": pa.list_(pa.string()),
    "map<string,double>": pa.map_(pa.string(), pa.float64()),
}
_SPAN = [("text", pa.string()), ("label", pa.string()), ("start", pa.int32()), ("end", pa.int32())]


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of a table's files."""
    spans = pa.list_(pa.struct(_SPAN))
    return pa.schema([(c.name, _ARROW.get(c.type, spans)) for c in table.columns])


class SmallLake:
    """Publishes rows as the jobs do: a new folder for each version, ledger, then catalog.

    `buckets`: {zone: bucket}.
    """

    def __init__(
        self,
        client: Any,
        folder: Path,
        *,
        ledger: str,
        buckets: Mapping[str, str],
        has_catalog: bool = True,
    ) -> None:
        self.client, self._folder, self._number = client, folder, 0
        self._ledger, self.buckets, self._has_catalog = ledger, buckets, has_catalog
        self.lake = Lake(client("dynamodb"), client("s3"), ledger)

    def publish(self, name: str, dt: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Publish a day's rows as its next version; returns the version item."""
        table, self._number = TABLES[name], self._number + 1
        version = f"v{self._number}"
        key = f"{name}/dt={dt}/v={version}/part-0.parquet"
        path = self._folder / f"{self._number}.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), schema=arrow_schema(table)), path)
        self.client("s3").upload_file(str(path), self.buckets[table.zone], key)
        location = f"s3://{self.buckets[table.zone]}/{name}/dt={dt}/v={version}/"
        current = self.lake.versions(table.database(), name).get(dt)
        item = rules.next_version(
            current,
            database=table.database(),
            table=name,
            dt=dt,
            version=version,
            location=location,
            rows=len(rows),
            size_bytes=path.stat().st_size,
            files=1,
            run_id="20260301T000000-000000",
            published_at="2026-03-01T00:00:00.000000Z",
        )
        self.put(item)
        if not self._has_catalog:
            return item
        partition = {"Values": [dt], "StorageDescriptor": _storage(table, location)}
        where = {"DatabaseName": table.database(), "TableName": name}
        glue = self.client("glue")
        if current:
            glue.update_partition(**where, PartitionValueList=[dt], PartitionInput=partition)
        else:
            glue.create_partition(**where, PartitionInput=partition)
        return item

    def put(self, item: dict[str, Any]) -> None:
        """Write a ledger item as it is."""
        from boto3.dynamodb.types import TypeSerializer

        write = TypeSerializer().serialize
        self.client("dynamodb").put_item(
            TableName=self._ledger, Item={name: write(value) for name, value in item.items()}
        )


class SmallWarehouse(SmallLake):
    """A lake in buckets of its own, its catalog, and a Redshift workgroup without a template."""

    def __init__(self, client: Any, folder: Path) -> None:
        zones = {"cleansed": "cleansed", "analytics": "analytics"}
        super().__init__(client, folder, ledger="ledger", buckets=zones)
        for bucket in (*zones, "artifacts", "results"):
            client("s3").create_bucket(Bucket=bucket)
        client("dynamodb").create_table(
            TableName="ledger",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        for zone in zones:
            client("glue").create_database(DatabaseInput={"Name": f"voxlake_{zone}"})
        for table in TABLES.values():
            client("glue").create_table(
                DatabaseName=table.database(),
                TableInput={
                    "Name": table.name,
                    "TableType": "EXTERNAL_TABLE",
                    "PartitionKeys": glue_partition_keys(table),
                    "StorageDescriptor": _storage(table, f"s3://{table.zone}/{table.name}/"),
                },
            )
        self._make_workgroup()

    def _make_workgroup(self) -> None:
        copies = self.client("iam").create_role(
            RoleName="copies", AssumeRolePolicyDocument=json.dumps(_COPY_TRUST)
        )["Role"]["Arn"]
        reads = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
        self.client("iam").put_role_policy(
            RoleName="copies",
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [reads]}),
        )
        serverless = self.client("redshift-serverless")
        made = serverless.create_namespace(
            namespaceName="lake", dbName="voxlake", manageAdminPassword=True, iamRoles=[copies]
        )
        serverless.create_workgroup(workgroupName="lake", namespaceName="lake", baseCapacity=8)
        self.settings = Settings.model_validate(
            {
                "LEDGER_TABLE": "ledger",
                "ARTIFACTS_BUCKET": "artifacts",
                "CLEANSED_DATABASE": "voxlake_cleansed",
                "ANALYTICS_DATABASE": "voxlake_analytics",
                "REDSHIFT_WORKGROUP": "lake",
                "REDSHIFT_NAMESPACE": "lake",
                "REDSHIFT_DATABASE": "voxlake",
                "COPY_ROLE_ARN": copies,
                "DAILY_RPU_HOURS": "16",
            }
        )
        self.warehouse = Warehouse(
            self.client("redshift-data"),
            workgroup="lake",
            database="voxlake",
            secret_arn=made["namespace"]["adminPasswordSecretArn"],
            remaining=lambda: 60,
        )

    def load(self) -> dict[str, Any]:
        """One run of the loader."""
        return handler.load(self.settings, self.lake, self.warehouse)

    def redshift(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows as the administrator sees them."""
        return self.warehouse.rows(sql, "test")


def _storage(table: Table, location: str) -> dict[str, Any]:
    return {
        "Columns": glue_columns(table),
        "Location": location,
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
    }
