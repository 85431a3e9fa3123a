"""Glue jobs: shared packages, log groups, and one construct per job."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Aws, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import allow, list_bucket
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.published_file import PublishedFile
from infra.packaging import (
    REPOSITORY,
    domain_files,
    download_wheels,
    requirements_file,
    source_files,
    write_zip,
)

GLUE_VERSION = "5.1"
# Glue 5 runs on Amazon Linux 2023, x86-64, Python 3.11.
WHEEL_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "linux_x86_64")


class JobPackages(Construct):
    """What every job imports: our own packages as a zip, and the locked wheels as another."""

    def __init__(self, scope: Construct, id: str, *, staging: Path) -> None:
        super().__init__(scope, id)
        jobs = REPOSITORY / "glue_jobs"
        members = domain_files()
        members += [(f"glue_jobs/{name}", path) for name, path in source_files(jobs)]
        self.modules = s3_assets.Asset(
            self, "Modules", path=str(write_zip(members, staging / "voxlake.zip"))
        )
        self.wheels = self._wheels(staging)

    def _wheels(self, staging: Path) -> PublishedFile:
        """The wheels as one zip, which Glue knows by the ending `.gluewheels.zip` only.

        Where bundling is off the zip holds the lock file alone, under the same name.
        https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
        """
        requirements = requirements_file("glue")
        members = [("requirements.txt", requirements)]
        if Stack.of(self).bundling_required:
            folder = staging / "glue-wheels"
            download_wheels(requirements, folder, python="3.11", platforms=WHEEL_PLATFORMS)
            members = [(f"wheels/{name}", path) for name, path in source_files(folder)]
        recipe = requirements.read_text() + " ".join(WHEEL_PLATFORMS)
        return PublishedFile(
            self,
            "Wheels",
            content=write_zip(members, staging / "wheels.zip"),
            digest=hashlib.sha256(recipe.encode()).hexdigest(),
            suffix=".gluewheels.zip",
        )


class JobLogs(Construct):
    """The two log groups of all jobs.

    Glue composes their names from a prefix (`<prefix>/output`, `<prefix>/error`), so this is
    one of the few names we choose; the stage keeps it apart.
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    """

    def __init__(self, scope: Construct, id: str, *, config: StageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.prefix = f"/voxlake/{config.stage}/glue"
        self.output = encrypted_log_group(
            self,
            "Output",
            key=key,
            retention_days=config.log_retention_days,
            name=f"{self.prefix}/output",
        )
        self.error = encrypted_log_group(
            self,
            "Error",
            key=key,
            retention_days=config.log_retention_days,
            name=f"{self.prefix}/error",
        )


class GlueJob(Construct):
    """One job. Its role may run, log and read its own code; its stack grants the data."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        script: str,
        description: str,
        config: StageConfig,
        packages: JobPackages,
        logs: JobLogs,
        artifacts: s3.IBucket,
        arguments: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        asset = s3_assets.Asset(self, "Script", path=str(REPOSITORY / "glue_jobs" / f"{script}.py"))
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        list_bucket(asset.bucket, self.role)
        allow(
            self.role,
            ["s3:GetObject"],
            [
                asset.bucket.arn_for_objects(asset.s3_object_key),
                asset.bucket.arn_for_objects(packages.modules.s3_object_key),
                packages.wheels.arn,
            ],
        )
        allow(
            self.role,
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [logs.output.log_group_arn, logs.error.log_group_arn],
        )
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={
                "StringEquals": {"cloudwatch:namespace": ["Glue", config.metrics_namespace]}
            },
        )
        processing = config.processing
        self.job = glue.CfnJob(
            self,
            "Job",
            description=description,
            role=self.role.role_arn,
            glue_version=GLUE_VERSION,
            worker_type="G.1X",
            number_of_workers=processing.max_workers,
            timeout=processing.job_timeout_minutes,
            # The state machine retries with the same run id; Glue's own retries would not be seen
            # by it.
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(
                max_concurrent_runs=processing.max_concurrent_runs
            ),
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=asset.s3_object_url
            ),
            default_arguments={
                "--job-language": "python",
                "--enable-auto-scaling": "true",
                "--enable-metrics": "true",
                "--enable-observability-metrics": "true",
                "--custom-logGroup-prefix": logs.prefix,
                "--extra-py-files": packages.modules.s3_object_url,
                "--additional-python-modules": packages.wheels.url,
                "--python-modules-installer-option": "--no-index",
                "--TempDir": f"s3://{artifacts.bucket_name}/glue-temp/",
                **arguments,
            },
        )
        self.name = self.job.ref
        self.arn = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}:job/{self.name}"


def catalog_arns(*, databases: Sequence[str], table: str = "*") -> list[str]:
    """Catalog, databases and their tables: what a statement on partitions has to name."""
    base = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    return [
        f"{base}:catalog",
        *(f"{base}:database/{database}" for database in databases),
        *(f"{base}:table/{database}/{table}" for database in databases),
    ]


READ_CATALOG = (
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
