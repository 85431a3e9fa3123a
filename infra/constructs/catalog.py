"""The catalog: databases, tables from the domain's description, views, the landing crawler."""

import base64
import json
from collections.abc import Sequence

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
from infra.constructs.views import ANALYST_VIEWS, VIEWS, AnalystView, CurrentView
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
            self._current(view)
        for view in ANALYST_VIEWS:
            self._for_analysts(view)

    def _table(self, table: Table) -> glue.CfnTable:
        return self._create(
            table.zone,
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
            table.name,
        )

    def _current(self, view: CurrentView) -> None:
        table = TABLES[view.table]
        self._view(
            table.zone,
            view.name,
            f"The newest row of {view.table} by {', '.join(view.identity)}",
            view.sql(self._config.database(table.zone)),
            glue_columns(table) + glue_partition_keys(table),
            (view.table,),
        )

    def _for_analysts(self, view: AnalystView) -> None:
        columns = [{"Name": name, "Type": kind, "Comment": ""} for name, kind in view.columns]
        sql = view.sql(self._config)
        self._view("analytics", view.name, view.description, sql, columns, view.tables)

    def _view(
        self,
        zone: str,
        name: str,
        description: str,
        sql: str,
        columns: list[dict[str, str]],
        tables: Sequence[str],
    ) -> None:
        stored = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": self._config.database(zone),
            "columns": [
                {"name": column["Name"], "type": _PRESTO_TYPES[column["Type"]]}
                for column in columns
            ],
        }
        text = base64.b64encode(json.dumps(stored).encode()).decode()
        resource = self._create(
            zone,
            glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
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
            name,
        )
        for table in tables:
            resource.add_resource_dependency(self.tables[table])

    def _create(
        self, zone: str, table_input: glue.CfnTable.TableInputProperty, name: str
    ) -> glue.CfnTable:
        resource = glue.CfnTable(
            self,
            f"{zone.title()}{name.title().replace('_', '')}",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self._config.database(zone),
            table_input=table_input,
        )
        resource.add_resource_dependency(self.databases[zone])
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
