"""Processing: landing -> cleansed -> features -> scores -> analytics, planned and reconciled."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aws_cdk import Aws
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.batch_path import BatchPath
from infra.constructs.catalog import Catalog, LandingCrawler
from infra.constructs.glue_job import (
    READ_CATALOG,
    GlueJob,
    JobLogs,
    JobPackages,
    catalog_arns,
)
from infra.constructs.grants import (
    allow,
    publish_objects,
    put_objects,
    read_objects,
    use_ledger,
    write_with_key,
)
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.constructs.stream_path import read_changed_tickets
from infra.stacks.ingest import IngestStack
from infra.stacks.ml import MlStack
from infra.stacks.storage import StorageStack
from infra.stacks.stream import StreamStack
from infra.stacks.warehouse import WarehouseStack
from voxlake.tables.quality import QUALITY_RESULTS

# Leases, versions, runs and marks: everything a publisher does to the ledger.
_PUBLISHER_ACTIONS = (
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
)


class ProcessingStack(LakeStack):
    """The catalog, the jobs, and the state machine over them."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        ingest: IngestStack,
        ml: MlStack,
        warehouse: WarehouseStack,
        stream_path: StreamStack | None,
        staging: Path,
    ) -> None:
        super().__init__(scope, config=config, name="processing")
        self._storage = storage
        self._staging = staging
        # The model is named, not imported: see SentimentModel.
        self.add_stack_dependency(ml)
        zones = storage.zones

        self.catalog = Catalog(
            self, "Catalog", config=config, cleansed=zones.cleansed, analytics=zones.analytics
        )
        self.crawler = LandingCrawler(
            self,
            "LandingCrawler",
            config=config,
            key=storage.key,
            landing=zones.landing,
            catalog=self.catalog,
        )

        self._packages = JobPackages(self, "JobPackages", staging=staging)
        self._logs = JobLogs(self, "JobLogs", config=config, key=storage.key)
        self.landing_to_cleansed = self._job(
            "LandingToCleansed",
            "landing_to_cleansed",
            "Deduplicates, masks and pseudonymises what landed",
            writes=("cleansed",),
        )
        read_objects(zones.landing, self.landing_to_cleansed.role)
        publish_objects(zones.cleansed, self.landing_to_cleansed.role)
        # The only job that meets real names.
        allow(
            self.landing_to_cleansed.role,
            ["secretsmanager:GetSecretValue"],
            [storage.pseudonym_secret.secret_arn],
        )
        self.cleansed_to_features = self._job(
            "CleansedToFeatures",
            "cleansed_to_features",
            "Tokens, stems and lemmas; the model's input",
            writes=("cleansed",),
        )
        publish_objects(zones.cleansed, self.cleansed_to_features.role)
        publish_objects(zones.artifacts, self.cleansed_to_features.role, "scoring/")
        self.scores_to_analytics = self._job(
            "ScoresToAnalytics",
            "scores_to_analytics",
            "Joins scores to texts and counts over them",
            writes=("analytics",),
        )
        read_objects(zones.cleansed, self.scores_to_analytics.role)
        read_objects(zones.artifacts, self.scores_to_analytics.role, "scoring/")
        publish_objects(zones.analytics, self.scores_to_analytics.role)
        self.tickets_to_analytics = (
            self._tickets_to_analytics(stream_path) if stream_path is not None else None
        )

        layer = DependencyLayer(self, "Dependencies", staging=staging).layer
        self.planner = PythonFunction(
            self,
            "BatchPlanner",
            name="batch_planner",
            description="Says what is pending and what is to be scored",
            config=config,
            key=storage.key,
            layer=layer,
            staging=staging,
            environment={
                "LEDGER_TABLE": storage.ledger.table_name,
                "ARTIFACTS_BUCKET": zones.artifacts.bucket_name,
                "CLEANSED_DATABASE": config.database("cleansed"),
                "ANALYTICS_DATABASE": config.database("analytics"),
                **({"TICKETS_TABLE": stream_path.tickets.table_name} if stream_path else {}),
            },
            memory_mib=256,
            timeout_seconds=120,
        )
        use_ledger(storage.ledger, self.planner.role, ["GetItem", "Query"])
        allow(self.planner.role, ["kms:Decrypt"], [storage.key.key_arn])
        if stream_path is not None:
            read_changed_tickets(stream_path.tickets, self.planner.role)

        self.reconciler = PythonFunction(
            self,
            "Reconciler",
            name="reconciler",
            description="Adds up stream, landing, ledger, catalog and tables; repairs the catalog",
            config=config,
            key=storage.key,
            layer=layer,
            staging=staging,
            environment={
                "LEDGER_TABLE": storage.ledger.table_name,
                "LANDING_BUCKET": zones.landing.bucket_name,
                "EVENT_STREAM": ingest.stream.stream_name,
                "CLEANSED_DATABASE": config.database("cleansed"),
                "ANALYTICS_DATABASE": config.database("analytics"),
                "ATHENA_WORKGROUP": warehouse.workgroup.name,
                "SCHEDULE_MINUTES": str(config.processing.schedule_minutes),
                "LANDING_RETENTION_DAYS": str(config.storage.landing_retention_days),
            },
            memory_mib=1024,
            timeout_seconds=600,
        )
        self._grant_reconciler(warehouse)

        self.batch_path = BatchPath(
            self,
            "BatchPath",
            config=config,
            key=storage.key,
            planner=self.planner,
            reconciler=self.reconciler,
            landing_to_cleansed=self.landing_to_cleansed,
            cleansed_to_features=self.cleansed_to_features,
            scores_to_analytics=self.scores_to_analytics,
            tickets_to_analytics=self.tickets_to_analytics,
            warehouse_loader=warehouse.loader,
            model_name=ml.sentiment.model_name,
        )
        self._write_outputs()

    @property
    def jobs(self) -> tuple[GlueJob, ...]:
        """The jobs in the order of a run."""
        jobs = (self.landing_to_cleansed, self.cleansed_to_features, self.scores_to_analytics)
        return (*jobs, self.tickets_to_analytics) if self.tickets_to_analytics else jobs

    def _tickets_to_analytics(self, stream_path: StreamStack) -> GlueJob:
        job = self._job(
            "TicketsToAnalytics",
            "tickets_to_analytics",
            "Takes tickets and provisional scores from the stream path's tables",
            writes=("analytics",),
            arguments={
                "--tickets_table": stream_path.tickets.table_name,
                "--scores_table": stream_path.scores.table_name,
            },
        )
        publish_objects(self._storage.zones.analytics, job.role)
        read_changed_tickets(stream_path.tickets, job.role)
        allow(job.role, ["dynamodb:BatchGetItem"], [stream_path.scores.table_arn])
        return job

    def _job(
        self,
        id: str,
        script: str,
        description: str,
        *,
        writes: tuple[str, ...],
        arguments: Mapping[str, str] = MappingProxyType({}),
    ) -> GlueJob:
        """A job with what every publisher may do: the ledger, the catalog, its temporary files.

        Args:
            arguments: its own, besides those that every job gets.
        """
        storage, config, zones = self._storage, self.config, self._storage.zones
        job = GlueJob(
            self,
            id,
            script=script,
            description=description,
            config=config,
            packages=self._packages,
            logs=self._logs,
            artifacts=zones.artifacts,
            arguments={
                "--ledger_table": storage.ledger.table_name,
                "--landing_bucket": zones.landing.bucket_name,
                "--cleansed_bucket": zones.cleansed.bucket_name,
                "--analytics_bucket": zones.analytics.bucket_name,
                "--artifacts_bucket": zones.artifacts.bucket_name,
                "--pseudonym_secret_arn": storage.pseudonym_secret.secret_arn,
                "--database_prefix": config.database_prefix,
                "--metrics_namespace": config.metrics_namespace,
                **arguments,
            },
        )
        use_ledger(storage.ledger, job.role, _PUBLISHER_ACTIONS)
        write_with_key(storage.key, job.role)
        publish_objects(zones.artifacts, job.role, "glue-temp/")
        # Jobs read by the ledger's locations: all they do to the catalog is point partitions.
        point = ["glue:CreatePartition", "glue:GetTable", "glue:UpdatePartition"]
        databases = [config.database(zone) for zone in writes]
        allow(job.role, point, catalog_arns(databases=databases))
        if "analytics" not in writes:
            # What the quality rules said of what it wrote.
            results, database = QUALITY_RESULTS.name, config.database("analytics")
            publish_objects(zones.analytics, job.role, f"{results}/")
            allow(job.role, point, catalog_arns(databases=[database], table=results))
        return job

    def _grant_reconciler(self, warehouse: WarehouseStack) -> None:
        storage, config, role = self._storage, self.config, self.reconciler.role
        zones = storage.zones
        # Reads everything; restores a lost ledger item and points a partition back.
        use_ledger(storage.ledger, role, ["GetItem", "PutItem", "Scan"])
        read_objects(zones.landing, role)
        read_objects(zones.cleansed, role)
        read_objects(zones.analytics, role)
        read_objects(zones.query_results, role, "athena/")
        put_objects(zones.query_results, role, "athena/")
        write_with_key(storage.key, role)
        databases = [config.database("cleansed"), config.database("analytics")]
        allow(
            role,
            [*READ_CATALOG, "glue:CreatePartition", "glue:UpdatePartition"],
            catalog_arns(databases=databases),
        )
        # Athena looks at the default database whatever a query names.
        # https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
        allow(role, ["glue:GetDatabase"], catalog_arns(databases=["default"])[:2])
        allow(
            role,
            [
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetWorkGroup",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            [
                f"arn:{Aws.PARTITION}:athena:{Aws.REGION}:{Aws.ACCOUNT_ID}"
                f":workgroup/{warehouse.workgroup.name}"
            ],
        )
        # Reading metrics knows no resources.
        allow(role, ["cloudwatch:GetMetricStatistics"], ["*"])

    def _write_outputs(self) -> None:
        self.output(
            "BatchStateMachineArn",
            self.batch_path.state_machine.state_machine_arn,
            "The batch path",
        )
        self.output("BatchPlannerFunction", self.planner.function.function_name, "Plans a run")
        self.output(
            "ReconcilerFunction", self.reconciler.function.function_name, "Checks the counts"
        )
        for job in self.jobs:
            self.output(f"{job.node.id}Job", job.name, "Glue job")
        self.output("LandingCrawler", self.crawler.name, "Registers landing's new hours")
        for zone in ("landing", "cleansed", "analytics"):
            self.output(
                f"{zone.title()}Database", self.config.database(zone), "Database of the catalog"
            )
