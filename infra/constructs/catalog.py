"""The catalog: databases, tables from the domain's description, views, the landing crawler."""

import base64
import json
from dataclasses import dataclass

from aws_cdk import Aws, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.event_stream import FAILED_BATCH_PREFIX
from infra.constructs.glue_job import READ_CATALOG, catalog_arns
from infra.constructs.grants import allow, read_objects, read_with_key
from voxlake.tables import TABLES, Table, glue_columns, glue_partition_keys
from voxlake.tables.model import NAMED_SPANS

_PARQUET = {
    "input": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "output": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "serde": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
}
# How Athena's engine names the catalog's types inside a stored view.
_PRESTO_TYPES = {
    "string": "varchar",
    "int": "integer",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    "timestamp": "timestamp(3)",
    "array<string>": "array(varchar)",
    "map<string,double>": "map(varchar,double)",
    # Names quoted, as the engine itself writes rows: end is a reserved word.
    NAMED_SPANS: 'array(row("text" varchar,"label" varchar,"start" integer,"end" integer))',
}
_DESCRIPTIONS = {
    "landing": "Events as they came, JSON lines: short-lived, holds original texts",
    "cleansed": "Deduplicated, masked, pseudonymised events",
    "analytics": "What analysts ask: scored texts and what is counted over them",
}


@dataclass(frozen=True)
class CurrentView:
    """A view of the newest event of every native object (an edited post is a new event)."""

    name: str
    table: str
    identity: tuple[str, ...]

    def sql(self, database: str) -> str:
        columns = ", ".join([*TABLES[self.table].column_names, "dt"])
        identity = ", ".join(self.identity)
        # occurred_at alone may tie; event_id makes the choice the same every time.
        return (
            f"SELECT {columns} FROM (SELECT {columns}, row_number() OVER ("
            f"PARTITION BY {identity} ORDER BY occurred_at DESC, event_id DESC) AS newest "
            f"FROM {database}.{self.table}) WHERE newest = 1"
        )


VIEWS = (
    CurrentView("posts_current", "posts", ("source", "post_id")),
    CurrentView("comments_current", "comments", ("source", "comment_id")),
    CurrentView("profiles_current", "profiles", ("source", "author_id")),
    CurrentView("texts_current", "texts_scored", ("source", "event_type", "native_id")),
)


class Catalog(Construct):
    """Databases, tables and views, commented from the same source as `docs/tables.md`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        cleansed: s3.IBucket,
        analytics: s3.IBucket,
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        self._buckets = {"cleansed": cleansed, "analytics": analytics}
        self.databases = {
            zone: glue.CfnDatabase(
                self,
                f"{zone.title()}Database",
                catalog_id=Aws.ACCOUNT_ID,
                database_input=glue.CfnDatabase.DatabaseInputProperty(
                    name=config.database(zone), description=description
                ),
            )
            for zone, description in _DESCRIPTIONS.items()
        }
        self.tables = {name: self._table(table) for name, table in TABLES.items()}
        for view in VIEWS:
            self._view(view)

    def _table(self, table: Table) -> glue.CfnTable:
        return self._create(
            table,
            glue.CfnTable.TableInputProperty(
                name=table.name,
                description=table.row,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "parquet", "EXTERNAL": "TRUE"},
                partition_keys=_columns(glue_partition_keys(table)),
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=_columns(glue_columns(table)),
                    location=f"s3://{self._buckets[table.zone].bucket_name}/{table.name}/",
                    input_format=_PARQUET["input"],
                    output_format=_PARQUET["output"],
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=_PARQUET["serde"],
                        parameters={"serialization.format": "1"},
                    ),
                ),
            ),
        )

    def _view(self, view: CurrentView) -> None:
        table = TABLES[view.table]
        database = self._config.database(table.zone)
        columns = glue_columns(table) + glue_partition_keys(table)
        stored = {
            "originalSql": view.sql(database),
            "catalog": "awsdatacatalog",
            "schema": database,
            "columns": [
                {"name": column["Name"], "type": _PRESTO_TYPES[column["Type"]]}
                for column in columns
            ],
        }
        text = base64.b64encode(json.dumps(stored).encode()).decode()
        resource = self._create(
            table,
            glue.CfnTable.TableInputProperty(
                name=view.name,
                description=f"The newest row of {view.table} by {', '.join(view.identity)}",
                table_type="VIRTUAL_VIEW",
                parameters={"presto_view": "true", "comment": "Presto View"},
                # Without it Athena fails on the view with a null pointer.
                partition_keys=[],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=_columns(columns), location="", serde_info={}
                ),
                view_original_text=f"/* Presto View: {text} */",
                view_expanded_text="/* Presto View */",
            ),
            id=view.name,
        )
        resource.add_resource_dependency(self.tables[view.table])

    def _create(
        self, table: Table, table_input: glue.CfnTable.TableInputProperty, id: str | None = None
    ) -> glue.CfnTable:
        name = (id or table.name).title().replace("_", "")
        resource = glue.CfnTable(
            self,
            f"{table.zone.title()}{name}",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self._config.database(table.zone),
            table_input=table_input,
        )
        resource.add_resource_dependency(self.databases[table.zone])
        return resource


class LandingCrawler(Construct):
    """Daily, new folders only: keeps the landing tables' hours in the catalog."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        landing: s3.IBucket,
        catalog: Catalog,
    ) -> None:
        super().__init__(scope, id)
        database = config.database("landing")
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        read_objects(landing, self.role)
        read_with_key(key, self.role)
        allow(
            self.role,
            [
                *READ_CATALOG,
                "glue:BatchCreatePartition",
                "glue:BatchUpdatePartition",
                "glue:CreatePartition",
                "glue:CreateTable",
                "glue:UpdatePartition",
                "glue:UpdateTable",
            ],
            catalog_arns(databases=[database]),
        )
        # Crawlers write to this one group, whatever the account's other crawlers do there.
        allow(
            self.role,
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [
                f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}"
                ":log-group:/aws-glue/crawlers:*"
            ],
        )
        self.crawler = glue.CfnCrawler(
            self,
            "Crawler",
            description="Registers new hours of landing; quarantine and failed batches left out",
            role=self.role.role_arn,
            database_name=database,
            schedule=glue.CfnCrawler.ScheduleProperty(
                schedule_expression=config.processing.crawler_cron_utc
            ),
            recrawl_policy=glue.CfnCrawler.RecrawlPolicyProperty(
                recrawl_behavior="CRAWL_NEW_FOLDERS_ONLY"
            ),
            # The only behaviours Glue takes together with new folders only.
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="LOG", delete_behavior="LOG"
            ),
            targets=glue.CfnCrawler.TargetsProperty(
                s3_targets=[
                    glue.CfnCrawler.S3TargetProperty(
                        path=f"s3://{landing.bucket_name}/",
                        exclusions=[
                            "quarantine/**",
                            "failed-batches/**",
                            f"{FAILED_BATCH_PREFIX.split('/')[0]}/**",
                        ],
                    )
                ]
            ),
            # Level 2 is the folder under the bucket: one table per event type, never one for all.
            configuration=Stack.of(self).to_json_string(
                {
                    "Version": 1.0,
                    "Grouping": {"TableLevelConfiguration": 2},
                    "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
                }
            ),
        )
        self.crawler.add_resource_dependency(catalog.databases["landing"])
        self.name = self.crawler.ref


def _columns(columns: list[dict[str, str]]) -> list[glue.CfnTable.ColumnProperty]:
    return [
        glue.CfnTable.ColumnProperty(
            name=column["Name"], type=column["Type"], comment=column["Comment"]
        )
        for column in columns
    ]
