"""Athena: the workgroup that every query goes through, and the queries analysts start from."""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig
from voxlake.warehouse.questions import QUARANTINE_REASONS, QUESTIONS

_GIB = 1024**3


class Workgroup(Construct):
    """Enforced settings: encrypted results in one place, a limit on what a query may scan."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        query_results: s3.IBucket,
    ) -> None:
        super().__init__(scope, id)
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            # Athena has no generated names; this one carries the stack's.
            name=config.stack_name("analysts"),
            description="voxlake: every query of analysts and of the reconciler",
            recursive_delete_option=not config.storage.retains_data,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=config.warehouse.scan_limit_gib * _GIB,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{query_results.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
        self.name = self.workgroup.ref


class SavedQueries(Construct):
    """Named queries: the questions people ask first, ready in Athena's console."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, workgroup: Workgroup
    ) -> None:
        super().__init__(scope, id)
        analytics = config.database("analytics")
        queries = {
            question.name: (question.asks, question.of("athena", analytics))
            for question in QUESTIONS
        }
        queries["QuarantineReasons"] = (
            "What was refused, and why?",
            QUARANTINE_REASONS.format(cleansed=config.database("cleansed")),
        )
        for name, (asks, sql) in queries.items():
            athena.CfnNamedQuery(
                self,
                name,
                name=name,
                description=asks,
                database=analytics,
                query_string=sql,
                work_group=workgroup.name,
            )
